"""Counts that a small language model must beat: interpolated Kneser-Ney trigrams (Ney et al. 1994).

A trigram's count less a discount, plus what the discounts leave over times the bigram's probability; that one
counts in how many contexts a bigram was seen, not how often; and so on down to the uniform distribution.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Order:
    """Counts of one order: sorted codes of the n-grams, and of their contexts."""

    codes: Ids
    counts: Ids
    contexts: Ids  # sorted codes of the first n - 1 tokens
    totals: Ids  # of each context: the sum of its n-grams' counts
    kinds: Ids  # of each context: how many different n-grams
    discount: float

    @classmethod
    def of(cls, codes: Ids, counts: Ids, vocab_size: int) -> "Order":
        """codes: sorted and distinct, first tokens in the high places. The discount is Ney's estimate,
        moved a little so that it is never 0 or 1."""
        contexts, start = np.unique(codes // vocab_size, return_index=True)
        once, twice = (int((counts == n).sum()) for n in (1, 2))
        return cls(
            codes,
            counts,
            contexts,
            np.add.reduceat(counts, start),
            np.diff(np.append(start, len(codes))),
            (once + 1) / (once + 2 * twice + 2),
        )

    def probability(self, codes: Ids, vocab_size: int, lower: Shares) -> Shares:
        """Of each n-gram's last token after its context; `lower` is the lower order's answer."""
        count = _look_up(self.codes, self.counts, codes)
        context = codes // vocab_size
        total, kinds = (_look_up(self.contexts, values, context) for values in (self.totals, self.kinds))
        seen = np.maximum(total, 1)
        backed = (np.maximum(count - self.discount, 0) + self.discount * kinds * lower) / seen
        return np.where(total > 0, backed, lower)


class Trigrams:
    """Probabilities of a stream's next tokens.

    >>> model = Trigrams(np.array([0, 1, 2, 0, 1, 2, 0, 1]), vocab_size=3)
    >>> bool(model.probability(np.array([0]), np.array([1]), np.array([2]))[0] > 0.7)
    True
    """

    def __init__(self, stream: Ids, vocab_size: int) -> None:
        self.vocab_size = v = vocab_size
        three, often = np.unique((stream[:-2] * v + stream[1:-1]) * v + stream[2:], return_counts=True)
        two, before_two = np.unique(three % v**2, return_counts=True)
        one, before_one = np.unique(two % v, return_counts=True)
        self.orders = [
            Order.of(one, before_one, v),
            Order.of(two, before_two, v),
            Order.of(three, often, v),
        ]

    def probability(self, second_last: Ids, last: Ids, token: Ids) -> Shares:
        """P(token | second_last, last), one for each place of three arrays of one shape."""
        v = self.vocab_size
        found = np.full(token.shape, 1 / v)
        for order, code in zip(
            self.orders, (token, last * v + token, (second_last * v + last) * v + token), strict=True
        ):
            found = order.probability(code, v, found)
        return found


def _look_up(keys: Ids, values: Ids, wanted: Ids) -> Ids:
    """The value of each wanted key; 0 where there is none."""
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
