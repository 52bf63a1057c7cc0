"""What the best possible reader still cannot know: entropy rates and floors of the formal language.

Left to right everything is exact. What a reader knows after a prefix is a distribution over the hidden
states, its *belief*; in a language of limited depth only finitely many beliefs occur (356 in the contest's),
and they form a Markov chain in which each token leads to one belief (the mixed states of Crutchfield 1994).
The entropy of the next token is then an average over that chain.

With tokens hidden on both sides the entropies of the conditionals are exact for each text, and their mean is
taken over sampled texts: an estimate with a standard error, free of the noise of the hidden tokens.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from course_utils.contest.language import Language, entropy

_DIGITS = 8  # beliefs that agree to so many digits are one
_NEGLIGIBLE = 1e-12  # probability of an impossible word class, up to rounding
_LIMIT = 20_000


class Floor(NamedTuple):
    """Mean entropy of a hidden token in nats, and its standard error over texts."""

    nats: float
    standard_error: float


@dataclass(frozen=True)
class Beliefs:
    """All beliefs that a left-to-right reader can have, as a Markov chain.

    first: the number of the belief before any token. transition: (beliefs, beliefs). entropies: (beliefs,),
    of the next token, nats.
    """

    first: int
    transition: Tensor
    entropies: Tensor

    def next_token_entropies(self, length: int) -> Tensor:
        """H(token i | tokens before i), i = 0, 1, ..., exactly; (length,), nats."""
        share = torch.zeros(len(self.entropies), dtype=torch.float64)
        share[self.first] = 1.0
        found = []
        for _ in range(length):
            found.append(share @ self.entropies)
            share = share @ self.transition
        return torch.stack(found)

    def entropy_rate(self) -> float:
        """Nats a token in an endless text: the mean entropy in the chain's stationary distribution."""
        size = len(self.entropies)
        balance = torch.cat([self.transition.T - torch.eye(size).double(), torch.ones(1, size).double()])
        target = torch.zeros(size + 1, dtype=torch.float64)
        target[-1] = 1.0
        share = torch.linalg.lstsq(balance, target[:, None], driver="gelsd").solution.squeeze(-1)
        return float(share @ self.entropies)


def beliefs(process: Language) -> Beliefs:
    """Follow every token from every belief until no new one appears.

    Raises ValueError when there are more than 20,000: the process then has no small chain of beliefs.
    """
    by_class = word_classes(process)
    number: dict[bytes, int] = {}
    known: list[Tensor] = []
    steps: list[tuple[int, int, float]] = []
    first = _number(process.initial, number, known)
    at = 0
    while at < len(known):
        joint = known[at] * by_class
        for weight, mass in zip(joint, joint.sum(-1).tolist(), strict=True):
            if mass > _NEGLIGIBLE:
                steps.append((at, _number(weight / mass @ process.transition, number, known), mass))
        at += 1
        if at > _LIMIT:
            raise ValueError(f"more than {_LIMIT} beliefs: this process has no small chain of beliefs")
    rows, columns, masses = zip(*steps, strict=True)
    transition = torch.zeros(len(known), len(known), dtype=torch.float64)
    where = (torch.tensor(rows), torch.tensor(columns))
    transition.index_put_(where, torch.tensor(masses, dtype=torch.float64), accumulate=True)
    return Beliefs(first, transition, entropy(torch.stack(known) @ process.emission))


def word_classes(process: Language) -> Tensor:
    """Emissions of the classes of words that say the same about the state, (classes, states).

    Two words belong together when their columns of the emission are proportional.
    """
    columns = process.emission.T[process.emission.sum(0) > 0]
    shapes = (columns / columns.sum(-1, keepdim=True)).round(decimals=_DIGITS)
    _, of_word = torch.unique(shapes, dim=0, return_inverse=True)
    classes = torch.zeros(int(of_word.max()) + 1, columns.shape[1], dtype=torch.float64)
    return classes.index_add_(0, of_word, columns)


def masked_floor(process: Language, texts: Tensor, share: float, generator: Generator) -> Floor:
    """Entropy of a hidden token when each token is hidden with probability `share`, (texts, length) given."""
    hidden = torch.rand(texts.shape, generator=generator) < share
    entropies = entropy(process.conditionals(process.observed(texts, hidden)))
    counts = hidden.sum(-1).double()
    sums = (entropies * hidden).sum(-1)
    mean = float(sums.sum() / counts.sum())
    spread = (sums - mean * counts).square().sum().sqrt() / counts.sum()  # of a ratio of two sums
    return Floor(mean, float(spread))


def single_floor(process: Language, texts: Tensor) -> Floor:
    """Entropy of one hidden token when all others are seen: the floor of the pseudo-likelihood."""
    of_text = entropy(process.conditionals(process.observed(texts))).mean(-1)
    return Floor(float(of_text.mean()), float(of_text.std()) / math.sqrt(len(of_text)))


def _number(belief: Tensor, number: dict[bytes, int], known: list[Tensor]) -> int:
    """The belief's number, a new one if it was not known."""
    key = (belief * 10**_DIGITS).round().long().numpy().tobytes()
    if key not in number:
        number[key] = len(known)
        known.append(belief)
    return number[key]
