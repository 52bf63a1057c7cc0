"""What stands in for the parts that compression takes out of an encoder: an attention without heads, a
token table as the product of two smaller ones."""

from typing import Any

import torch
from torch import Tensor, nn


class ConstantAttention(nn.Module):
    """An attention whose heads are all gone: what is left of it is the bias of its output map."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(hidden_size))

    def forward(
        self,
        hidden_states: Tensor,
        mask: Tensor | None = None,
        *,
        memory: Tensor | None = None,
        return_map: bool = False,
        **_options: Any,
    ) -> tuple[Tensor, Tensor | None]:
        """(batch, query, hidden) -> the bias at every position, and a map of no heads if it is asked for."""
        batch, queries, _width = hidden_states.shape
        keys = queries if memory is None else memory.shape[1]
        weights = hidden_states.new_zeros(batch, 0, queries, keys) if return_map else None
        return self.bias.expand_as(hidden_states), weights


class FactorizedTable(nn.Module):
    """A token table of rank r: (vocab, r) rows, widened by one (r, hidden) map that all of them share.

    ALBERT's form (Lan et al. 2020), but the rows are widened before positions and segments are added, so
    that a table that was trained whole can be replaced by its best approximation and nothing else changes.
    """

    def __init__(self, tokens: int, rank: int, hidden_size: int, padding_idx: int | None) -> None:
        super().__init__()
        self.narrow = nn.Embedding(tokens, rank, padding_idx)
        self.widen = nn.Linear(rank, hidden_size, bias=False)

    @property
    def weight(self) -> Tensor:
        """The whole table, (vocab, hidden), multiplied out; gradients reach both factors."""
        return self.narrow.weight @ self.widen.weight.T

    def forward(self, input_ids: Tensor) -> Tensor:
        """(batch, length) -> (batch, length, hidden)."""
        return self.widen(self.narrow(input_ids))
