"""Training a student against what its teacher computes inside, batch by batch.

The teacher runs live: the states of 8,000 sentences would fill gigabytes on disk, its logits kilobytes (see
the cached outputs for those). It is in evaluation mode, without gradients, and gets none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.distillation.internals import Inside, look_inside
from course_utils.finetuning.classifier import Example, collate
from course_utils.models.heads import EncoderWithHead
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train


def projection(width: int, teacher_width: int, generator: torch.Generator) -> nn.Linear:
    """A linear map that carries the student's states to the teacher's width (TinyBERT's W_e and W_h).

    It is trained with the student and then left behind. Where the widths are equal it starts as the identity,
    so that a student made of the teacher's layers starts with its own states; otherwise it is drawn. No bias,
    as in the paper's equations.
    """
    made = nn.Linear(width, teacher_width, bias=False)
    with torch.no_grad():
        if width == teacher_width:
            made.weight.copy_(torch.eye(width))
        else:
            made.weight.normal_(0.0, width**-0.5, generator=generator)
    return made


def train_against(
    method: nn.Module,
    teacher: EncoderWithHead,
    examples: Sequence[Example],
    config: TrainingConfig,
    **options: Any,
) -> list[dict[str, float]]:
    """Train a method in place on batches of inputs of similar length; returns the metrics of `train`.

    method: a module that holds the student and whatever is trained beside it, and that maps a batch, the
    teacher's inside and its logits to the mean loss of the batch. options go to `train`. The teacher is put
    in evaluation mode and back. Raises ValueError if a trained parameter belongs to the teacher too.
    """
    check_apart(method, teacher)

    def terms(network: nn.Module, batch: Any) -> LossTerms:
        inside, logits = watch(teacher, batch)
        count = len(batch["input_ids"])
        return LossTerms(network(batch, inside, logits) * count, count)

    was_training = teacher.training
    teacher.eval()
    try:
        data = TrainingData(examples, collate, [len(example.ids) for example in examples])
        return train(method, terms, data, config, **options)
    finally:
        teacher.train(was_training)


@torch.no_grad()
def watch(teacher: EncoderWithHead, batch: Mapping[str, Tensor]) -> tuple[Inside, Tensor]:
    """What the teacher computes for a batch, and its logits (batch, classes), without gradients."""
    inside = look_inside(teacher.encoder, batch)
    return inside, teacher.head(inside.output)


def check_apart(trained: nn.Module, teacher: nn.Module) -> None:
    """Raises ValueError if training `trained` would change the teacher: they share a trained parameter."""
    own = {id(parameter) for parameter in teacher.parameters()}
    shared = [name for name, p in trained.named_parameters() if p.requires_grad and id(p) in own]
    if shared:
        raise ValueError(
            f"the student shares {len(shared)} trained parameters with its teacher ({shared[0]}, ...): "
            "copy them (copy.deepcopy) or freeze them, or the teacher changes as the student learns"
        )


def mean_over_real(values: Tensor, real: Tensor) -> Tensor:
    """The mean of values over the places that are real; 0 if none is.

    values: any shape. real: boolean, broadcasts to it. Selected, not multiplied by 0: the scores of a
    masked place may be infinite, and 0 times infinity is no number.
    """
    return values.masked_fill(~real, 0.0).sum() / real.expand_as(values).sum().clamp(min=1)
