"""Counts of words and their neighbors: what a network must beat before it has learnt anything about English.

Bigrams and trigrams are smoothed by absolute discounting: each seen continuation gives 0.75 of a count to the
shorter history (Ney, Essen & Kneser 1994). A masked token is guessed from both neighbors, as a first-order
Markov chain would: P(word | left, right) is proportional to P(word | left) P(right | word).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course_utils.contest.grammar import CLS, MASK
from course_utils.objectives import SpecialTokens

_DISCOUNT = 0.75


@dataclass(frozen=True)
class Counts:
    """Smoothed probabilities of one, two and three tokens; a text starts after [CLS]."""

    unigram: NDArray[np.float64]  # (vocab,)
    bigram: NDArray[np.float64]  # (vocab before, vocab)
    trigrams: dict[int, float]  # discounted share, by code
    given: dict[int, float]  # what is left for the bigram after two tokens, by code

    def log_probability(self, ids: Sequence[int]) -> float:
        """Of a text, by trigrams, nats."""
        vocab, framed = len(self.unigram), [CLS, CLS, *ids]
        total = 0.0
        for first, second, third in zip(framed, framed[1:], framed[2:], strict=False):
            pair = first * vocab + second
            shorter = self.bigram[second, third]
            seen = self.trigrams.get(pair * vocab + third, 0.0)
            total += float(np.log(seen + self.given.get(pair, 1.0) * shorter))
        return total


def count(texts: Tensor, tokens: SpecialTokens) -> Counts:
    """Count texts of ids, (texts, length)."""
    vocab = tokens.vocab_size
    framed = np.pad(texts.numpy().astype(np.int64), ((0, 0), (2, 0)), constant_values=CLS)
    once = np.bincount(texts.numpy().ravel(), minlength=vocab).astype(np.float64)
    once[tokens.ordinary().numpy()] += 1
    unigram = once / once.sum()
    pairs = np.zeros((vocab, vocab))
    np.add.at(pairs, (framed[:, 1:-1].ravel(), framed[:, 2:].ravel()), 1)
    before = pairs.sum(1, keepdims=True)
    kept = np.maximum(pairs - _DISCOUNT, 0) / np.maximum(before, 1)
    left = np.where(before > 0, _DISCOUNT * (pairs > 0).sum(1, keepdims=True) / np.maximum(before, 1), 1.0)
    return Counts(unigram, kept + left * unigram, *_trigrams(framed, vocab))


def _trigrams(framed: NDArray[np.int64], vocab: int) -> tuple[dict[int, float], dict[int, float]]:
    """Discounted shares of trigrams, and what each history leaves over, by code."""
    first, second, third = framed[:, :-2], framed[:, 1:-1], framed[:, 2:]
    codes, times = np.unique((first * vocab + second) * vocab + third, return_counts=True)
    histories, where, kinds = np.unique(codes // vocab, return_inverse=True, return_counts=True)
    of_history = np.bincount(where, weights=times)
    shares = (times - _DISCOUNT) / of_history[where]
    left = _DISCOUNT * kinds / of_history
    return dict(zip(codes.tolist(), shares.tolist(), strict=True)), dict(
        zip(histories.tolist(), left.tolist(), strict=True)
    )


def masked_nats(counts: Counts, texts: Tensor, hidden: Tensor) -> dict[str, float]:
    """Mean nats of the masked tokens for a guess by frequency, by the left neighbor, and by both neighbors.

    texts: ids, (texts, length); hidden: bool, the same shape. A neighbor that is masked itself tells nothing.
    """
    seen = texts.masked_fill(hidden, MASK).numpy()
    padded = np.pad(seen, ((0, 0), (1, 0)), constant_values=CLS)
    padded = np.pad(padded, ((0, 0), (0, 1)), constant_values=MASK)
    rows, places = np.nonzero(hidden.numpy())
    left, right = padded[rows, places], padded[rows, places + 2]
    from_left = np.where((left == MASK)[:, None], counts.unigram, counts.bigram[left])
    to_right = np.where((right == MASK)[:, None], 1.0, counts.bigram[:, right].T)
    both = from_left * to_right
    answers = {
        "unigram": np.broadcast_to(counts.unigram, both.shape),
        "bigram": from_left,
        "both neighbors": both / both.sum(1, keepdims=True),
    }
    asked = texts.numpy()[rows, places]
    return {
        name: float(-np.log(answer[np.arange(len(asked)), asked]).mean()) for name, answer in answers.items()
    }


def uniform_nats(tokens: SpecialTokens) -> float:
    """Cost of guessing an ordinary token with equal odds."""
    return float(torch.tensor(len(tokens.ordinary())).double().log())
