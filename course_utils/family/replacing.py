"""ELECTRA's replaced tokens, from a generator or drawn at random: does the discriminator need a good liar?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor, nn

from course_utils.contest import tasks
from course_utils.contest.entrants import Replacing, frame
from course_utils.contest.models import Electra
from course_utils.family.shape import Shape
from course_utils.family.variants import Batch, Item
from course_utils.models.encoder import Encoder
from course_utils.models.flops import replaced_token_flops
from course_utils.models.heads import ReplacedTokenHead
from course_utils.objectives import SpecialTokens
from course_utils.objectives.masked import choose_tokens
from course_utils.objectives.replaced import replaced_labels, uniform_replacements
from course_utils.training import LossTerms


class Judge(nn.Module):
    """A discriminator without a generator."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.encoder = Encoder(shape.encoder())
        self.head = ReplacedTokenHead(shape.encoder())

    def forward(self, input_ids: Tensor) -> Tensor:
        """Logits of "replaced", (batch, length)."""
        return self.head(self.encoder(input_ids))


@dataclass(frozen=True)
class Replaced:
    """Replaced-token detection. filler: "sampled" from a generator that learns along, or "uniform"."""

    filler: Literal["sampled", "uniform"]

    @cached_property
    def electra(self) -> Replacing:
        """Chapter 4's entrant."""
        return Replacing("replaced-token detection")

    def build(self, shape: Shape) -> nn.Module:
        """The discriminator, with its generator if it has one."""
        return Electra(shape) if self.filler == "sampled" else Judge(shape)

    def collate(self, items: Sequence[Item], tokens: SpecialTokens, generator: Generator) -> Batch:
        """What the model reads and the original texts, (batch, 1 + length); labels where a generator is."""
        texts = [item.ids for item in items]
        if self.filler == "sampled":
            return self.electra.collate(texts, tokens, generator)
        original = frame(torch.stack(texts))
        chosen = choose_tokens(tokens.corruptible(original), tasks.SHARE, generator)
        return {
            "input_ids": uniform_replacements(original, chosen, tokens, generator),
            "original": original,
        }

    def loss(self, model: nn.Module, batch: Batch) -> LossTerms:
        """The discriminator's mean loss, and with a generator chapter 4's sum of both, once for each text."""
        if self.filler == "sampled":
            return self.electra.loss(model, batch)
        original = batch["original"]
        judged = ~torch.isin(original, torch.tensor(self.electra.ignored))
        is_replaced = replaced_labels(original, batch["input_ids"])[judged].float()
        mean = F.binary_cross_entropy_with_logits(model(batch["input_ids"])[judged], is_replaced)
        return LossTerms(mean * len(original), len(original))

    def forward_flops(self, shape: Shape, batch: Batch) -> int:
        """The discriminator on every place, and the generator if there is one."""
        if self.filler == "sampled":
            return self.electra.forward_flops(shape, batch)
        rows, length = batch["input_ids"].shape
        return rows * replaced_token_flops(shape.encoder(), length)
