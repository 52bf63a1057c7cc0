"""SpanBERT: which tokens are masked together, and the span boundary objective.

Single pieces, whole words, or spans of words: the same number of pieces is chosen in each text, and all
chosen ones are masked, so that nothing else differs. Texts stand between [CLS] and [SEP], since a span's
boundaries must be outside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor, nn

from course_utils.contest.entrants import frame
from course_utils.family.pairs import SEP
from course_utils.family.shape import Shape
from course_utils.family.spelling import word_starts
from course_utils.family.variants import Batch, Item, as_batch, masked_flops
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLMHead, SpanBoundaryHead
from course_utils.objectives import IGNORE, SpecialTokens
from course_utils.objectives.masked import choose_spans, choose_words, corrupt, span_boundaries
from course_utils.training import LossTerms

SHARE = 0.15
POSITION_SIZE = 16  # of the place in a span; the paper's 200 is for 768 features

Choice = Literal["tokens", "words", "spans"]
CHOICES: tuple[Choice, ...] = ("tokens", "words", "spans")


def choose(texts: Tensor, choice: Choice, generator: Generator) -> Tensor:
    """Which pieces are masked: bool, (batch, length), round(15% of the length) in each text at most."""
    return torch.stack([_choose(row, choice, generator) for row in texts])


def _choose(ids: Tensor, choice: Choice, generator: Generator) -> Tensor:
    eligible = torch.ones_like(ids, dtype=torch.bool)
    if choice == "tokens":  # every piece is a word of its own
        return choose_words(eligible, eligible, SHARE, generator)
    chooser = choose_words if choice == "words" else choose_spans
    return chooser(eligible, word_starts(ids), SHARE, generator)


def frame_both(ids: Tensor) -> Tensor:
    """[CLS] text [SEP]: (..., length) -> (..., length + 2)."""
    return F.pad(frame(ids), (0, 1), value=SEP)


class SpanModel(nn.Module):
    """An encoder with a masked-LM head and, where asked for, the head of the boundary objective."""

    def __init__(self, shape: Shape, *, boundary: bool) -> None:
        super().__init__()
        config = shape.encoder()
        self.encoder = Encoder(config)
        self.head = MaskedLMHead(config)
        self.boundary = SpanBoundaryHead(config, position_size=POSITION_SIZE) if boundary else None

    def forward(self, input_ids: Tensor, positions: Tensor, edges: Tensor | None = None) -> list[Tensor]:
        """Logits at the positions, (n, vocab), and those from the boundaries, for edges (n, 4).

        edges: the row of each token, the places just outside its span, and its place in it, from 0.
        """
        out, table = self.encoder(input_ids), self.encoder.embeddings.token.weight
        found = [self.head(out.last_hidden_state[positions], table)]
        if self.boundary is not None and edges is not None:
            found.append(self.boundary(out, *edges.unbind(1), table))
        return found


@dataclass(frozen=True)
class Spans:
    """A masked LM on pieces. boundary: whether each piece is also predicted from its span's boundaries."""

    choice: Choice
    boundary: bool = False

    def build(self, shape: Shape) -> nn.Module:
        """The encoder under its heads."""
        return SpanModel(shape, boundary=self.boundary)

    def collate(self, items: Sequence[Item], tokens: SpecialTokens, generator: Generator) -> Batch:
        """input_ids and labels, (batch, length + 2), and edges, (labels, 4), in reading order."""
        texts = torch.stack([item.ids for item in items])
        chosen = F.pad(choose(texts, self.choice, generator), (1, 1))
        masked = corrupt(frame_both(texts), chosen, tokens, generator, shares=(1.0, 0.0, 0.0))
        batch = as_batch(masked)
        return {**batch, "edges": edges_of(chosen)} if self.boundary else batch

    def loss(self, model: nn.Module, batch: Batch) -> LossTerms:
        """Cross-entropies of both predictions, summed over the labels."""
        chosen = batch["labels"] != IGNORE
        labels = batch["labels"][chosen]
        found = model(batch["input_ids"], chosen, batch.get("edges"))
        total = torch.stack([F.cross_entropy(logits, labels, reduction="sum") for logits in found]).sum()
        return LossTerms(total, len(labels))

    def forward_flops(self, shape: Shape, batch: Batch) -> int:
        """Encoder and masked-LM head, and the boundary head on every label."""
        flops = masked_flops(shape, batch["labels"])
        if self.boundary:
            width = shape.hidden_size
            of_label = (2 * width + POSITION_SIZE) * width + width * width + width * shape.vocab_size
            flops += 2 * of_label * int((batch["labels"] != IGNORE).sum())
        return flops


def edges_of(chosen: Tensor) -> Tensor:
    """Row, left and right boundary and place in the span (from 0) of each chosen token; long, (chosen, 4)."""
    rows = []
    for number, flags in enumerate(chosen):
        found = span_boundaries(flags)
        row = torch.full((len(found), 1), number)
        rows.append(torch.cat([row, found[:, 1:3], found[:, 3:] - 1], dim=1))
    return torch.cat(rows)
