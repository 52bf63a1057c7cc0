"""TinyBERT (Jiao et al. 2020): a student that imitates embeddings, hidden states, attention and predictions.

    L_embd = MSE(E_s W_e, E_t)          eq. 9: the embeddings' output
    L_hidn = MSE(H_s W_h, H_t)          eq. 8: the state after a layer
    L_attn = mean over heads of MSE(A_s, A_t)   eq. 7: A is the score matrix before the softmax
    L_pred = CE(z_t / T, z_s / T)       eq. 10: soft targets, T = 1 in the paper, no factor T^2

Summed over a layer map g (m): student layer m learns from teacher layer g(m); g(0) = 0 is the embeddings.
General distillation runs the first three on unlabelled text against a pretrained teacher; task distillation
runs them on the task's text against the fine-tuned one, and then the prediction alone.

Unlike the paper: L_pred is the KL divergence, which is less by the teacher's entropy and has the same
gradient; W_e and W_h start as the identity where student and teacher are equally wide; means leave
padding out, where the authors' program sets masked scores to 0 and counts them in. Left out: the paper's
augmentation by masked words (see `augment`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from course_utils.distillation import layer_maps
from course_utils.distillation.internals import Inside, look_inside
from course_utils.distillation.layer_maps import LayerMap
from course_utils.distillation.layerwise import mean_over_real, projection, train_against
from course_utils.distillation.losses import soft_target_loss, state_loss
from course_utils.finetuning.classifier import Example
from course_utils.models.config import EncoderConfig
from course_utils.models.heads import EncoderWithHead
from course_utils.training import TrainingConfig

Stage = Literal["states", "prediction"]


def attention_loss(student: Tensor, teacher: Tensor, real: Tensor) -> Tensor:
    """Mean squared error of attention scores over heads and pairs of real tokens: eq. 7.

    student, teacher: (batch, heads, query, key), scaled by 1 / sqrt(head_size), before mask and softmax: the
    paper finds faster convergence than with probabilities. real: (batch, length), boolean. Returns a scalar.
    Raises ValueError for unequal shapes, in most cases unequal numbers of heads.
    """
    if student.shape != teacher.shape:
        raise ValueError(
            f"scores of student {tuple(student.shape)} and teacher {tuple(teacher.shape)} must have one "
            "shape: TinyBERT needs as many heads in both (their width may differ)"
        )
    pairs = real[:, None, :, None] & real[:, None, None, :]
    return mean_over_real((student - teacher) ** 2, pairs)


class TinyBERT(nn.Module):
    """The student, its two projections, and the loss of the stage it is in.

    `stage` "states": embeddings, hidden states and attention; "prediction": the logits alone.
    """

    def __init__(
        self,
        student: EncoderWithHead,
        teacher: EncoderConfig,
        seed: int,
        *,
        pairs: LayerMap | None = None,
        temperature: float = 1.0,
    ) -> None:
        """teacher: its configuration. pairs: a layer map, uniform by default. Raises ValueError if it does
        not fit, or if the numbers of heads differ."""
        super().__init__()
        own = student.config
        if own.num_heads != teacher.num_heads:
            raise ValueError(
                f"TinyBERT matches head with head: the student has {own.num_heads}, the teacher "
                f"{teacher.num_heads}"
            )
        chosen = layer_maps.uniform(own.num_layers, teacher.num_layers) if pairs is None else pairs
        self.pairs = layer_maps.check(chosen, own.num_layers, teacher.num_layers)
        self.student, self.temperature = student, temperature
        self.stage: Stage = "states"
        generator = torch.Generator().manual_seed(seed)
        self.of_embeddings = projection(own.hidden_size, teacher.hidden_size, generator)
        self.of_states = projection(own.hidden_size, teacher.hidden_size, generator)

    def forward(self, batch: Mapping[str, Tensor], teacher: Inside, logits: Tensor) -> Tensor:
        """The mean loss of a batch, a scalar. logits: the teacher's, (batch, classes)."""
        mine = look_inside(self.student.encoder, batch)
        if self.stage == "prediction":
            return soft_target_loss(self.student.head(mine.output), logits, self.temperature, squared=False)
        return torch.stack(list(self.parts(mine, teacher).values())).sum()

    def parts(self, student: Inside, teacher: Inside) -> dict[str, Tensor]:
        """The three losses of the stage "states", each summed over the map's pairs."""
        real = teacher.real
        hidden = [state_loss(self.of_states(student.state(m)), teacher.state(g), real) for m, g in self.pairs]
        scores = [attention_loss(student.scores(m), teacher.scores(g), real) for m, g in self.pairs]
        return {
            "embeddings": state_loss(self.of_embeddings(student.state(0)), teacher.state(0), real),
            "hidden": torch.stack(hidden).sum(),
            "attention": torch.stack(scores).sum(),
        }


def distill(
    method: TinyBERT,
    teacher: EncoderWithHead,
    examples: Sequence[Example],
    states: TrainingConfig,
    prediction: TrainingConfig | None,
    **options: Any,
) -> list[dict[str, float]]:
    """One distillation of `method.student` in place: the states first, then the prediction.

    General distillation: a pretrained teacher, unlabelled text (any labels), prediction None. Task
    distillation: the fine-tuned teacher, the task's text, both configs. options go to `train`, but for
    folder: the two stages cannot share one. Returns the lines of metrics, with stage 0 (states) or 1.
    """
    if "folder" in options:
        raise ValueError("two stages cannot share a folder: call `layerwise.train_against` for each stage")
    history = []
    plan: list[tuple[Stage, TrainingConfig | None]] = [("states", states), ("prediction", prediction)]
    for number, (stage, config) in enumerate(plan):
        if config is None:
            continue
        method.stage = stage
        lines = train_against(method, teacher, examples, config, **options)
        history += [line | {"stage": float(number)} for line in lines]
    return history
