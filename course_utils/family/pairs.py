"""Next-sentence prediction, and what RoBERTa and ALBERT made of it.

A text of the formal language is cut in the middle: its two halves are one text, so the brackets that the
first half leaves open and the sentence that it breaks off are to be closed by the second. In half of the
pairs the second half can come from another text (NSP), or the halves can be swapped (SOP).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor, nn

from course_utils.contest.grammar import CLS, SENTINELS
from course_utils.contest.language import Language
from course_utils.family.shape import Shape
from course_utils.family.variants import Batch, Item, masked_flops
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLMHead, NextSentenceHead
from course_utils.objectives import IGNORE, SpecialTokens
from course_utils.objectives.masked import mask_tokens
from course_utils.training import LossTerms

SEP = SENTINELS[0]  # the formal language has no [SEP]; this id is special too and stands for nothing else

Wrong = Literal["none", "other", "swapped"]


class PairModel(nn.Module):
    """An encoder with BERT's two heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        config = shape.encoder()
        self.encoder = Encoder(config)
        self.head = MaskedLMHead(config)
        self.pair_head = NextSentenceHead(config)

    def forward(self, input_ids: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Two (batch, length), ids and places -> logits of tokens, (places, vocab), and pairs, (batch, 2)."""
        out = self.encoder(input_ids, token_type_ids=segments(input_ids))
        tokens = self.head(out.last_hidden_state[positions], self.encoder.embeddings.token.weight)
        return tokens, self.pair_head(out)


@dataclass(frozen=True)
class Paired:
    """A masked LM on pairs of halves.

    wrong: what half of the pairs are: "other" (the second half of another text), "swapped" or, with "none",
    as right as the rest. judged: whether a loss asks which are wrong.
    """

    wrong: Wrong = "none"
    judged: bool = False

    def build(self, shape: Shape) -> nn.Module:
        """The same for all, with both heads."""
        return PairModel(shape)

    def collate(self, items: Sequence[Item], tokens: SpecialTokens, generator: Generator) -> Batch:
        """input_ids and labels, (batch, length + 2), and is_wrong, (batch,)."""
        pairs, is_wrong = spoil(torch.stack([item.ids for item in items]), self.wrong, generator)
        inputs, labels = mask_tokens(frame_pair(pairs), tokens, generator)
        return {"input_ids": inputs, "labels": labels, "is_wrong": is_wrong.long()}

    def loss(self, model: nn.Module, batch: Batch) -> LossTerms:
        """Mean over the masked tokens, plus the mean over the pairs where they are judged, once a text."""
        chosen = batch["labels"] != IGNORE
        tokens, pairs = model(batch["input_ids"], chosen)
        mean = F.cross_entropy(tokens, batch["labels"][chosen])
        if self.judged:
            mean = mean + F.cross_entropy(pairs, batch["is_wrong"])
        return LossTerms(mean * len(pairs), len(pairs))

    def forward_flops(self, shape: Shape, batch: Batch) -> int:
        """Encoder, pooler, and both heads."""
        return masked_flops(shape, batch["labels"]) + len(batch["labels"]) * 2 * shape.hidden_size * 2


def spoil(texts: Tensor, wrong: Wrong, generator: Generator) -> tuple[Tensor, Tensor]:
    """Make each pair wrong with probability 1/2. texts: (batch, length), length even.

    Returns texts, same shape, and which are wrong, bool, (batch,). Raises ValueError for an odd length, and
    for "other" with one text.
    """
    count, length = texts.shape
    if length % 2:
        raise ValueError(f"a text of {length} tokens has no two halves of one length; use an even length")
    is_wrong = torch.rand(count, generator=generator) < 0.5
    if wrong == "none":
        return texts, torch.zeros_like(is_wrong)
    first, second = texts.split(length // 2, dim=1)
    if wrong == "swapped":
        spoiled = torch.cat([second, first], dim=1)
    elif count < 2:
        raise ValueError("one text alone has no other to take a second half from; use larger batches")
    else:
        away = torch.randint(1, count, (count,), generator=generator)  # any text but its own, uniformly
        spoiled = torch.cat([first, second[(torch.arange(count) + away) % count]], dim=1)
    return torch.where(is_wrong[:, None], spoiled, texts), is_wrong


def frame_pair(texts: Tensor) -> Tensor:
    """[CLS] first half [SEP] second half: (batch, length) -> (batch, length + 2)."""
    first, second = texts.split(texts.shape[1] // 2, dim=1)
    return torch.cat([F.pad(first, (1, 0), value=CLS), F.pad(second, (1, 0), value=SEP)], dim=1)


def segments(input_ids: Tensor) -> Tensor:
    """0 before [SEP], 1 from it on; (batch, length)."""
    return (input_ids == SEP).long().cumsum(dim=1)


def best_guess(process: Language, texts: Tensor) -> Tensor:
    """Which pairs somebody who knows the grammar calls wrong: bool, (batch,).

    Bayes' rule between P(second | first), where the pair is one text, and P(second), the second half of any
    text, with equal odds beforehand. No judge of NSP can be right more often.
    """
    place = torch.arange(texts.shape[1])
    half = texts.shape[1] // 2

    def log_p(hidden: Tensor) -> Tensor:
        return process.log_likelihood(process.observed(texts, hidden.expand(texts.shape)))

    joint = _log_or_never(process, texts)
    return joint < log_p(place >= half) + log_p(place < half)


def _log_or_never(process: Language, texts: Tensor) -> Tensor:
    """log P(text), minus infinity where the language cannot make it; (batch,)."""
    found = []
    for text in texts:
        try:
            found.append(process.log_likelihood(process.observed(text[None])))
        except ValueError:  # the process says so of impossible evidence
            found.append(torch.full((1,), -torch.inf, dtype=torch.float64))
    return torch.cat(found)
