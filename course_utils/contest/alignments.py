"""Sums over alignments: the probability of a text with gaps when nobody says how many tokens each gap hides.

A damaged text is a row of tokens and gaps; its gaps hide a known number of tokens in all, shared among them
with known weights. One pass from left to right keeps, for each number of tokens hidden so far, the joint
weight of every state of the process: the sum over all ways to share, and all hidden tokens, is exact.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from course_utils.contest.language import Language


@dataclass(frozen=True)
class GapWeights:
    """Weight of a gap that hides n tokens and moves a flag: (hidden + 1, flag before, flag after).

    The flag starts at 0 and must end at its last value; one value means no flag.
    """

    table: Tensor

    @classmethod
    def any_length(cls, hidden: int) -> "GapWeights":
        """Every number of hidden tokens weighs 1."""
        return cls(torch.ones(hidden + 1, 1, 1, dtype=torch.float64))

    @classmethod
    def at_least_one(cls, hidden: int) -> "GapWeights":
        """Every number but 0 weighs 1."""
        table = cls.any_length(hidden).table
        table[0] = 0.0
        return cls(table)

    @classmethod
    def poisson_last_cut(cls, hidden: int, mean: float) -> "GapWeights":
        """Poisson lengths of which exactly one, the last drawn, is at least 1 and stands for "n or more".

        The flag says whether that one has been met.
        """
        pmf = [math.exp(-mean) * mean**n / math.factorial(n) for n in range(hidden + 1)]
        table = torch.zeros(hidden + 1, 2, 2, dtype=torch.float64)
        for n, probability in enumerate(pmf):
            table[n, 0, 0] = table[n, 1, 1] = probability
            table[n, 0, 1] = 1 - sum(pmf[:n]) if n else 0.0
        return cls(table)


def log_sum_alignments(
    process: Language,
    damaged: Tensor,
    gap: Tensor,
    hidden: int,
    weights: GapWeights,
    *,
    text: Tensor | None = None,
    written: Tensor | None = None,
) -> float:
    """log of the sum over alignments of weight times P(text that fits), in nats.

    damaged: (elements,), ids; gap: (elements,), bool, which of them are gaps. hidden: tokens in all gaps.
    text: (tokens + hidden,), sum only over alignments with this whole text. written: (hidden,), sum only over
    texts whose hidden tokens are these, in order. Raises ValueError when no alignment fits.
    """
    flags = weights.table.shape[1]
    alpha = torch.zeros(hidden + 1, flags, len(process.initial), dtype=torch.float64)
    alpha[0, 0] = process.initial
    log_scale, kept = 0.0, 0
    for token, is_gap in zip(damaged.tolist(), gap.tolist(), strict=True):
        if is_gap:
            fits = _hidden_emission(process, hidden, kept, text, written)
            alpha = _through_gap(process, alpha, weights.table, fits)
        else:
            alpha = _past_token(process, alpha, token, kept, text)
            kept += 1
        mass = float(alpha.sum())
        if mass <= 0:
            raise ValueError("no alignment fits: the damaged text cannot come from this text and noise")
        alpha, log_scale = alpha / mass, log_scale + math.log(mass)
    # After the last token the state has moved on once more, which keeps the total mass.
    final = float(alpha[hidden, flags - 1].sum())
    if final <= 0:
        raise ValueError("no alignment hides exactly the tokens that are missing")
    return log_scale + math.log(final)


def _past_token(process: Language, alpha: Tensor, token: int, kept: int, text: Tensor | None) -> Tensor:
    """Emit a seen token, whatever number of hidden ones came before (row u of alpha)."""
    alpha = alpha * process.emission[:, token]
    if text is not None:
        fits = torch.zeros(len(alpha), dtype=torch.float64)
        upto = min(len(alpha), len(text) - kept)
        fits[:upto] = (text[kept : kept + upto] == token).double()
        alpha = alpha * fits[:, None, None]
    return alpha @ process.transition


def _hidden_emission(
    process: Language, hidden: int, kept: int, text: Tensor | None, written: Tensor | None
) -> Tensor:
    """Weight of the (u + 1)-th hidden token in each state, (hidden, states); 1 where it may be any token."""
    if text is not None:
        return process.emission[:, text[kept : kept + hidden]].T
    if written is not None:
        return process.emission[:, written].T
    return torch.ones(hidden, len(process.initial), dtype=torch.float64)


def _through_gap(process: Language, alpha: Tensor, table: Tensor, fits: Tensor) -> Tensor:
    """Hide 0, 1, 2, ... tokens, each number with its weight."""
    moved = alpha
    total = torch.einsum("ufs,fg->ugs", moved, table[0])
    for n in range(1, len(table)):
        stepped = torch.zeros_like(moved)
        stepped[1 : len(fits) + 1] = (moved[: len(fits)] * fits[:, None]) @ process.transition
        moved = stepped
        total = total + torch.einsum("ufs,fg->ugs", moved, table[n])
    return total
