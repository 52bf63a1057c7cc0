"""Linear maps and tables in four bits: two weights a byte, a scale for each group of weights in a row.

Only the weights: activations stay in floating point, and so does the multiplication. It saves bytes on
disk, not time. A scale for each group is Q-BERT's idea (Shen et al. 2020, section 3.3), whose groups are
several rows, and not a part of one; symmetric, -7 to 7. The scales are rounded to half precision first, so
that two bytes hold them exactly: 4.25 bits a weight in groups of 64.
"""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.compression.quantize import (
    Grid,
    choose_grid,
    dequantize,
    in_groups,
    pack4,
    quantize,
    unpack4,
)
from course_utils.compression.structure import part


def to_int4(weight: Tensor, group: int) -> tuple[Tensor, Tensor]:
    """weight (rows, n) -> two values a byte (rows, bytes), uint8, and scales (rows, groups, 1).

    Raises ValueError for an odd group: a byte would belong to two.
    """
    if group < 2 or group % 2:
        raise ValueError(f"a group of 4-bit weights must have an even size of at least 2, got {group}")
    grouped = in_groups(weight, group)
    scale = choose_grid(grouped, 4, keep=(0, 1)).scale
    # A half has no number below 6e-8; weights as small as that are zero for every purpose.
    scale = scale.clamp(min=1e-7, max=65504).half().float()
    return pack4(quantize(grouped, _grid(scale)).flatten(1)), scale


def from_int4(packed: Tensor, scale: Tensor, columns: int) -> Tensor:
    """What `to_int4` packed, in floating point: (rows, columns)."""
    grouped = unpack4(packed).unflatten(-1, (scale.shape[-2], -1))
    return dequantize(grouped, _grid(scale)).flatten(-2)[..., :columns]


def _grid(scale: Tensor) -> Grid:
    return Grid(scale, torch.zeros_like(scale), -7, 7)


@part("int4-linear")
class Int4Linear(nn.Module):
    """A linear map whose weight is packed in four bits; unpacked once, at the first call."""

    packed: Tensor
    scale: Tensor
    bias: Tensor | None

    def __init__(self, in_features: int, out_features: int, bias: bool, group: int) -> None:
        super().__init__()
        self.in_features, self.out_features, self.group = in_features, out_features, group
        groups = -(-in_features // group)
        self.register_buffer("packed", torch.zeros(out_features, groups * group // 2, dtype=torch.uint8))
        self.register_buffer("scale", torch.ones(out_features, groups, 1))
        self.register_buffer("bias", torch.zeros(out_features) if bias else None)
        self._weight: Tensor | None = None

    def spec(self) -> dict[str, Any]:
        """The arguments that make an empty one."""
        sizes = {"in_features": self.in_features, "out_features": self.out_features}
        return {**sizes, "bias": self.bias is not None, "group": self.group}

    @classmethod
    def from_linear(cls, linear: nn.Linear, group: int = 64) -> "Int4Linear":
        """The nearest map in four bits."""
        made = cls(linear.in_features, linear.out_features, linear.bias is not None, group)
        made.packed, made.scale = to_int4(linear.weight.detach(), group)
        made.bias = None if linear.bias is None else linear.bias.detach().clone()
        return made

    def forward(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        if self._weight is None:
            self._weight = from_int4(self.packed, self.scale, self.in_features)
        return F.linear(x, self._weight, self.bias)

    def _apply(self, fn: Any, recurse: bool = True) -> "Int4Linear":
        self._weight = None
        return super()._apply(fn, recurse)

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        self._weight = None
        super()._load_from_state_dict(*args, **kwargs)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_weight": None}


@part("int4-embedding")
class Int4Embedding(nn.Module):
    """A table packed in four bits; only the rows that are asked for are unpacked."""

    packed: Tensor
    scale: Tensor

    def __init__(self, num_embeddings: int, embedding_dim: int, group: int) -> None:
        super().__init__()
        self.num_embeddings, self.embedding_dim, self.group = num_embeddings, embedding_dim, group
        groups = -(-embedding_dim // group)
        self.register_buffer("packed", torch.zeros(num_embeddings, groups * group // 2, dtype=torch.uint8))
        self.register_buffer("scale", torch.ones(num_embeddings, groups, 1))

    def spec(self) -> dict[str, int]:
        """The arguments that make an empty one."""
        sizes = {"num_embeddings": self.num_embeddings, "embedding_dim": self.embedding_dim}
        return {**sizes, "group": self.group}

    @classmethod
    def from_embedding(cls, table: nn.Embedding, group: int = 64) -> "Int4Embedding":
        """The nearest table in four bits."""
        made = cls(table.num_embeddings, table.embedding_dim, group)
        made.packed, made.scale = to_int4(table.weight.detach(), group)
        return made

    def forward(self, ids: Tensor) -> Tensor:
        """(...) -> (..., embedding)."""
        return from_int4(self.packed[ids], self.scale[ids], self.embedding_dim)
