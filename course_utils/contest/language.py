"""A hidden Markov process over tokens, and its exact conditional distributions (Baum et al. 1970).

Any grammar of limited depth is such a process: its configurations are the hidden states. What is known of
a text enters as *evidence*: weights w[i, x] proportional to P(what was seen at i | token x stood there):

- the token was seen: 1 for it, 0 for the others (`observed`);
- the token was hidden: 1 for every token (`observed` with hidden places);
- the token went through noise: a column of the noise's table.

One pair of sums over paths, from the left and from the right, then gives P(token at i | evidence elsewhere).
All arithmetic is in float64; nothing is sampled or approximated.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor


class Sample(NamedTuple):
    """Texts and the hidden states that made them; long, both (texts, length)."""

    ids: Tensor
    states: Tensor


@dataclass(frozen=True)
class Language:
    """A process that starts in a state, emits a token in each state it passes, and never ends.

    initial: (states,); transition: (states, states), row to column; emission: (states, vocab). All float64,
    rows sum to 1. Raises ValueError when they do not, or the shapes disagree.
    """

    initial: Tensor
    transition: Tensor
    emission: Tensor

    def __post_init__(self) -> None:
        states = len(self.initial)
        if self.transition.shape != (states, states) or self.emission.shape[0] != states:
            raise ValueError(
                f"{states} states need a transition ({states}, {states}) and an emission ({states}, vocab), "
                f"got {tuple(self.transition.shape)} and {tuple(self.emission.shape)}"
            )
        for name in ("initial", "transition", "emission"):
            table = getattr(self, name)
            if table.dtype != torch.float64 or not torch.allclose(table.sum(-1), torch.ones(()).double()):
                raise ValueError(f"{name} must be float64 with rows that sum to 1")

    @property
    def vocab_size(self) -> int:
        """Columns of the emission, special tokens (which are never emitted) included."""
        return self.emission.shape[1]

    def sample(self, texts: int, length: int, generator: Generator) -> Sample:
        """Draw texts of `length` tokens, each from the start of the process."""
        state = _draw(self.initial[None], torch.zeros(texts, dtype=torch.long), generator)
        ids, states = [], []
        for _ in range(length):
            states.append(state)
            ids.append(_draw(self.emission, state, generator))
            state = _draw(self.transition, state, generator)
        return Sample(torch.stack(ids, dim=1), torch.stack(states, dim=1))

    def observed(self, ids: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Evidence of texts, (batch, length), whose `hidden` places were not seen; (batch, length, vocab)."""
        evidence = torch.nn.functional.one_hot(ids, self.vocab_size).double()
        return evidence if hidden is None else torch.where(hidden[..., None], 1.0, evidence)

    def log_likelihood(self, evidence: Tensor) -> Tensor:
        """log of the sum over all texts of P(text) times its weights, in nats; -> (batch,).

        With `observed` evidence: the log-probability of what was seen, hidden places summed out.
        """
        return self._forward(self._likelihood(evidence))[1]

    def conditionals(self, evidence: Tensor) -> Tensor:
        """P(token at i | evidence at every other place), exactly; (batch, length, vocab), float64.

        Where i itself is hidden this is its posterior; where it was seen, its distribution had it been
        hidden alone. Raises ValueError when the evidence is impossible.
        """
        return self._state_weights(self._likelihood(evidence)) @ self.emission

    def next_token(self, ids: Tensor) -> Tensor:
        """P(token at i | tokens before i), exactly; (batch, length) -> (batch, length, vocab)."""
        before, _ = self._forward(self._likelihood(self.observed(ids)))
        return before @ self.emission

    def state_posterior(self, evidence: Tensor) -> Tensor:
        """P(hidden state at i | all evidence), exactly; (batch, length, states)."""
        likelihood = self._likelihood(evidence)
        joint = self._state_weights(likelihood) * likelihood
        return joint / joint.sum(-1, keepdim=True)

    def _likelihood(self, evidence: Tensor) -> Tensor:
        """(batch, length, states): the weight of the evidence at i in each state."""
        if evidence.dim() != 3 or evidence.shape[-1] != self.vocab_size:
            raise ValueError(
                f"evidence must be (batch, length, {self.vocab_size}), got {tuple(evidence.shape)}; "
                "make it with Language.observed"
            )
        return evidence.double() @ self.emission.T

    def _forward(self, likelihood: Tensor) -> tuple[Tensor, Tensor]:
        """P(state at i | evidence before i), (batch, length, states), and the log-likelihood, (batch,)."""
        current = self.initial.expand(len(likelihood), -1)
        before, total = [], torch.zeros(len(likelihood), dtype=torch.float64)
        for weights in likelihood.unbind(1):
            before.append(current)
            joint = current * weights
            mass = joint.sum(-1, keepdim=True)
            if not (mass > 0).all():
                raise ValueError("the evidence is impossible in this language: no state can have made it")
            total = total + mass.squeeze(-1).log()
            current = (joint / mass) @ self.transition
        return torch.stack(before, dim=1), total

    def _state_weights(self, likelihood: Tensor) -> Tensor:
        """P(state at i | evidence at every other place), (batch, length, states)."""
        before, _ = self._forward(likelihood)
        current = torch.ones_like(likelihood[:, 0])
        after = [current]
        for weights in likelihood[:, 1:].flip(1).unbind(1):
            current = (current * weights) @ self.transition.T
            current = current / current.sum(-1, keepdim=True)  # scale is free: rows are normalized below
            after.append(current)
        joint = before * torch.stack(after[::-1], dim=1)
        return joint / joint.sum(-1, keepdim=True)


def entropy(distribution: Tensor) -> Tensor:
    """-sum p log p over the last axis, in nats; 0 log 0 is 0.

    >>> entropy(torch.tensor([0.5, 0.5, 0.0]))
    tensor(0.6931)
    """
    return -torch.special.xlogy(distribution, distribution).sum(-1)


def divergence(p: Tensor, log_q: Tensor) -> Tensor:
    """KL(p || q) over the last axis in nats, from p and log q; infinite where q misses what p has."""
    return torch.where(p > 0, p * (p.clamp(min=1e-300).log() - log_q), 0.0).sum(-1)


def _draw(rows: Tensor, which: Tensor, generator: Generator) -> Tensor:
    """A column from row which[n], with the row's probabilities, for each n.

    The cumulative rows, the r-th shifted by r, form one ascending list, so that one search serves all.
    """
    cumulative = rows.cumsum(-1)
    cumulative = cumulative / cumulative[:, -1:] + torch.arange(len(rows))[:, None]
    u = which + torch.rand(which.shape, generator=generator, dtype=torch.float64)
    column = torch.searchsorted(cumulative.flatten(), u, right=True) - which * rows.shape[1]
    last = rows.shape[1] - 1 - (rows.flip(-1) > 0).int().argmax(-1)  # rounding must not pass the last column
    return torch.minimum(column, last[which])
