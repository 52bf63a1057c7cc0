"""The variants: how each turns texts into a batch, a loss and a cost. The masked LM is the common ground.

A variant reads `Item`s, which know their number and turn, so that masks can be bound to a text (static
masking) as well as to a step (dynamic masking).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor, nn

from course_utils.contest.entrants import frame
from course_utils.family.shape import Shape
from course_utils.models.encoder import Encoder
from course_utils.models.flops import masked_lm_flops
from course_utils.models.heads import MaskedLM
from course_utils.objectives import IGNORE, Corrupted, SpecialTokens
from course_utils.objectives.masked import mask_tokens, static_generator
from course_utils.training import LossTerms

Batch = Mapping[str, Tensor]


class Item(NamedTuple):
    """A text as the training data hold it."""

    ids: Tensor  # (length,)
    number: int  # of the text in the corpus
    turn: int  # how often the text was there before
    seed: int  # of the run


class Variant(Protocol):
    """What a study asks of a variant."""

    def build(self, shape: Shape) -> nn.Module:
        """An untrained model."""

    def collate(self, items: Sequence[Item], tokens: SpecialTokens, generator: Generator) -> Batch:
        """Tensors of a batch; all noise comes from the generator, or from the items."""

    def loss(self, model: nn.Module, batch: Batch) -> LossTerms:
        """What training minimizes."""

    def forward_flops(self, shape: Shape, batch: Batch) -> int:
        """Cost of one forward pass over the batch; training costs three times as much."""


@dataclass(frozen=True)
class Masked:
    """BERT's masked LM, 80/10/10.

    copies: 0 draws masks anew for each batch (dynamic). n > 0 draws n masks for each text once, and turn t
    uses mask t modulo n: 1 is static masking, 10 is what BERT's data had (Liu et al. 2019, section 4.1).
    """

    copies: int = 0

    def build(self, shape: Shape) -> nn.Module:
        """The encoder under its head."""
        return MaskedLM(Encoder(shape.encoder()))

    def collate(self, items: Sequence[Item], tokens: SpecialTokens, generator: Generator) -> Batch:
        """input_ids and labels, (batch, 1 + length)."""
        if not self.copies:
            return as_batch(mask_tokens(frame(torch.stack([item.ids for item in items])), tokens, generator))
        rows = []
        for item in items:
            own = static_generator(item.seed, item.number, item.turn, copies=self.copies)
            rows.append(mask_tokens(frame(item.ids), tokens, own))
        inputs, labels = (torch.stack(part) for part in zip(*rows, strict=True))
        return as_batch(Corrupted(inputs, labels))

    def loss(self, model: nn.Module, batch: Batch) -> LossTerms:
        """Cross-entropy, summed over the labels."""
        chosen = batch["labels"] != IGNORE
        logits = model(batch["input_ids"], positions=chosen)
        total = F.cross_entropy(logits, batch["labels"][chosen], reduction="sum")
        return LossTerms(total, int(chosen.sum()))

    def forward_flops(self, shape: Shape, batch: Batch) -> int:
        """Encoder on every place, head on the labeled ones."""
        return masked_flops(shape, batch["labels"])


def as_batch(corrupted: Corrupted) -> Batch:
    """input_ids and labels by name."""
    return {"input_ids": corrupted.input_ids, "labels": corrupted.labels}


def masked_flops(shape: Shape, labels: Tensor) -> int:
    """One forward pass of a masked LM over labels, (batch, length)."""
    rows, length = labels.shape
    encoder = rows * masked_lm_flops(shape.encoder(), length, 0)
    # The second call is for the head alone: a pooler counts once a row, and was counted above.
    head_only = masked_lm_flops(shape.encoder(), 0, int((labels != IGNORE).sum()))
    return encoder + head_only - masked_lm_flops(shape.encoder(), 0, 0)


def variants() -> dict[str, Callable[..., Variant]]:
    """Every variant by the name that a study calls it by; options are its arguments."""
    from course_utils.family.pairs import Paired
    from course_utils.family.replacing import Replaced
    from course_utils.family.spans import Spans

    return {"masked": Masked, "paired": Paired, "spans": Spans, "replaced": Replaced}


def make_variant(name: str, options: dict[str, Any]) -> Variant:
    """The variant with these options; KeyError lists the names there are."""
    known = variants()
    if name not in known:
        raise KeyError(f"there is no variant '{name}', only {sorted(known)}")
    return known[name](**options)
