"""BERT-of-Theseus (Xu et al. 2020): the teacher's modules are replaced by the student's, a few at a time.

The predecessor's N blocks form M modules of N/M blocks; each has a successor of one block. At every training
step each module runs as its successor with probability p, alone, else as itself. Successors so learn to stand
in for their modules, from the task's loss alone: no distillation loss, no temperature, no weights to balance.
Only successors are trained; predecessor, embeddings and head stand still. p is constant, or rises to 1; then
the successors, alone, are fine-tuned.

As in the authors' program, one draw a module and step serves the whole batch, evaluation runs the successors
alone, and a successor starts as one of the predecessor's blocks. They take the first M; here `start` chooses,
and the default is the last of each module, the same layers that the other methods start from.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.distillation.students import from_layers
from course_utils.finetuning.classifier import Example, collate, run_model
from course_utils.models import masks
from course_utils.models.encoder import Encoder, EncoderOutput
from course_utils.models.heads import EncoderWithHead
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train


@dataclass(frozen=True)
class Replacing:
    """The probability of replacing a module, by step: p = min(1, first + (1 - first) step / full_at).

    full_at: the step from which p is 1, the paper's linear schedule ("curriculum replacement"); None keeps p
    at `first`. Raises ValueError unless 0 <= first <= 1 and full_at >= 1.

    >>> [Replacing(0.5, full_at=4).at(step) for step in (0, 2, 4, 9)], Replacing(0.3).at(9)
    ([0.5, 0.75, 1.0, 1.0], 0.3)
    """

    first: float = 0.5  # the paper's best constant rates lie between 0.5 and 0.7
    full_at: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.first <= 1:
            raise ValueError(f"first is a probability and must lie in [0, 1], got {self.first}")
        if self.full_at is not None and self.full_at < 1:
            raise ValueError(f"full_at is a step and must be at least 1, got {self.full_at}")

    def at(self, step: int) -> float:
        """p at a step; 0 is the first."""
        if self.full_at is None:
            return self.first
        return min(1.0, self.first + (1 - self.first) * step / self.full_at)


class Theseus(nn.Module):
    """A classifier in replacement: called as the classifier itself, returns logits.

    In training mode each module is drawn from torch's global generator, as dropout is (the training loop
    seeds it by step); in evaluation mode successors run. `steps`, a buffer, counts training calls, so that a
    run that was stopped goes on with the right p.
    """

    steps: Tensor

    def __init__(
        self,
        predecessor: EncoderWithHead,
        modules: int,
        replacing: Replacing,
        *,
        start: Sequence[int] | None = None,
    ) -> None:
        """predecessor: copied. modules: M. start: the block that each successor begins as, counted from 0.

        Raises ValueError unless M divides the predecessor's layers, or if `start` has not M blocks.
        """
        super().__init__()
        layers = predecessor.config.num_layers
        if modules < 1 or layers % modules:
            raise ValueError(f"{modules} modules do not divide the predecessor's {layers} layers")
        self.per_module = layers // modules
        chosen = range(self.per_module - 1, layers, self.per_module) if start is None else start
        if len(chosen) != modules:
            raise ValueError(f"start must name a block for each of the {modules} modules, got {list(chosen)}")
        self.predecessor = copy.deepcopy(predecessor).requires_grad_(False)
        self.successors = from_layers(self.predecessor.encoder, list(chosen)).stack.blocks.requires_grad_(
            True
        )
        self.replacing = replacing
        # A step that replaces nothing has no gradient, and the loop needs one: this parameter's, which is 0.
        self.nothing = nn.Parameter(torch.zeros(()))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    @property
    def rate(self) -> float:
        """p of the next training step."""
        return self.replacing.at(int(self.steps))

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        replaced: Sequence[bool] | None = None,
    ) -> Tensor:
        """Logits, (batch, classes). replaced: which modules run as successors; drawn or all by default."""
        encoder = self.predecessor.encoder
        chosen = self._draw() if replaced is None else list(replaced)
        if len(chosen) != len(self.successors):
            raise ValueError(f"{len(self.successors)} modules need as many choices, got {len(chosen)}")
        states = [encoder.embeddings(input_ids, token_type_ids=token_type_ids)]
        mask = None if attention_mask is None else masks.padding(attention_mask)
        for block in self._blocks(encoder, chosen):
            states.append(block(states[-1], mask)[0])
        states[-1] = encoder.stack.norm(states[-1])
        real = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        pooled = None if encoder.pooler is None else encoder.pooler(states[-1])
        output = EncoderOutput(hidden_states=tuple(states), pooled=pooled, attention_mask=real.bool())
        logits = self.predecessor.head(output)
        return logits if any(chosen) else logits + 0 * self.nothing

    def _draw(self) -> list[bool]:
        """Which modules run as successors; counts the step in training mode."""
        if not self.training:
            return [True] * len(self.successors)
        rate = self.rate
        self.steps += 1
        return (torch.rand(len(self.successors)) < rate).tolist()

    def _blocks(self, encoder: Encoder, chosen: Sequence[bool]) -> list[nn.Module]:
        blocks: list[nn.Module] = []
        for number, is_replaced in enumerate(chosen):
            own = encoder.stack.blocks[number * self.per_module : (number + 1) * self.per_module]
            blocks += [self.successors[number]] if is_replaced else list(own)
        return blocks

    def successor(self) -> EncoderWithHead:
        """The successors with copies of the embeddings and the head: a classifier of M layers.

        With the pooler if the head reads it. Everything can be trained; freeze what should stand still.
        """
        before = self.predecessor.encoder
        pooler = before.config.pooler and getattr(self.predecessor.head, "pooling", "cls") == "cls"
        encoder = Encoder(replace(before.config, num_layers=len(self.successors), pooler=pooler))
        encoder.embeddings = copy.deepcopy(before.embeddings)
        encoder.stack.blocks = copy.deepcopy(self.successors)
        encoder.stack.norm = copy.deepcopy(before.stack.norm)
        encoder.pooler = copy.deepcopy(before.pooler) if pooler else None
        made = EncoderWithHead(encoder, copy.deepcopy(self.predecessor.head)).requires_grad_(True)
        return made.train(self.training)


def distill(
    model: Theseus,
    examples: Sequence[Example],
    replacement: TrainingConfig,
    fine_tuning: TrainingConfig | None,
    **options: Any,
) -> tuple[EncoderWithHead, list[dict[str, float]]]:
    """Replace, then fine-tune the successor's blocks (embeddings and head frozen, as in the paper).

    Cross-entropy with the labels in both. options go to `train`, but for folder. Returns the successor and
    the lines of metrics, with stage 0 (replacement) or 1.
    """
    if "folder" in options:
        raise ValueError("two stages cannot share a folder: call `train` for each stage")
    data = TrainingData(examples, collate, [len(example.ids) for example in examples])
    lines = [line | {"stage": 0.0} for line in train(model, _cross_entropy, data, replacement, **options)]
    successor = model.successor()
    if fine_tuning is not None:
        after = fine_tune_successor(successor, examples, fine_tuning, **options)
        lines += [line | {"stage": 1.0} for line in after]
    return successor, lines


def fine_tune_successor(
    successor: EncoderWithHead, examples: Sequence[Example], config: TrainingConfig, **options: Any
) -> list[dict[str, float]]:
    """The second stage, in place: only the blocks are trained; they alone can be afterwards."""
    successor.requires_grad_(False)
    successor.encoder.stack.blocks.requires_grad_(True)
    data = TrainingData(examples, collate, [len(example.ids) for example in examples])
    return train(successor, _cross_entropy, data, config, **options)


def _cross_entropy(network: nn.Module, batch: Mapping[str, Tensor]) -> LossTerms:
    logits = run_model(network, batch)
    return LossTerms(F.cross_entropy(logits, batch["labels"], reduction="sum"), len(logits))
