"""Uniform quantisation, written out: real numbers on a grid of integers, q = clamp(round(x / scale) + zero).

Follows Jacob et al. (2018), section 2.1: r = S (q - Z), zero exactly on the grid, so that padding stays
zero. Q8BERT (Zafrir et al. 2019) takes it symmetric, Z = 0. Groups are finer here than those of Q-BERT (Shen
et al. 2020), which are several rows each: some weights of one row. Leaves out grids that are not uniform.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Grid:
    """Which real number each integer stands for: (q - zero_point) * scale, q from low to high.

    scale, zero_point: of a shape that broadcasts to what is quantised; whole numbers in zero_point.
    """

    scale: Tensor
    zero_point: Tensor
    low: int
    high: int


def integer_range(bits: int, symmetric: bool) -> tuple[int, int]:
    """The integers of a grid: -127 to 127 (without -128, so that zero is in the middle) or 0 to 255.

    >>> integer_range(8, symmetric=True), integer_range(8, symmetric=False), integer_range(4, symmetric=True)
    ((-127, 127), (0, 255), (-7, 7))
    """
    if not 2 <= bits <= 8:
        raise ValueError(f"bits must lie between 2 and 8, got {bits}")
    half = 2 ** (bits - 1) - 1
    return (-half, half) if symmetric else (0, 2**bits - 1)


def choose_grid(x: Tensor, bits: int = 8, *, symmetric: bool = True, keep: Sequence[int] = ()) -> Grid:
    """The finest grid that reaches from the smallest number to the largest.

    x: float, any shape. keep: the axes along which each index has its own scale: () is per tensor; (0,) of
    a weight (out, in) is per channel; (0, 1) of a weight (out, groups, group) is group-wise. Symmetric:
    zero_point 0, the largest absolute value at the end. Affine: the whole range, widened to hold zero.
    Raises ValueError for numbers that are not finite: one NaN would spoil all that share its scale.

    >>> choose_grid(torch.tensor([-63.5, 20.0])).scale.item()
    0.5
    >>> g = choose_grid(torch.tensor([-1.0, 2.0]), bits=2, symmetric=False)
    >>> g.scale.item(), g.zero_point.item(), g.low, g.high
    (1.0, 1.0, 0, 3)
    """
    if not torch.isfinite(x).all():
        raise ValueError("only finite numbers can be quantised; the input holds NaN or infinity")
    low, high = integer_range(bits, symmetric)
    kept = {axis % x.dim() for axis in keep}
    over = [axis for axis in range(x.dim()) if axis not in kept]
    if symmetric:
        scale = _never_zero(_extreme(x.abs(), over, "amax") / high)
        return Grid(scale, torch.zeros_like(scale), low, high)
    smallest = _extreme(x, over, "amin").clamp(max=0)
    largest = _extreme(x, over, "amax").clamp(min=0)
    scale = _never_zero((largest - smallest) / (high - low))
    return Grid(scale, (low - smallest / scale).round(), low, high)


def quantize(x: Tensor, grid: Grid) -> Tensor:
    """The nearest integers of the grid (a tie goes to the even one), int8, or uint8 where low is 0.

    >>> g = Grid(torch.tensor(0.5), torch.tensor(0.0), -7, 7)
    >>> quantize(torch.tensor([0.2, 0.25, 0.75, 1.0, 99.0]), g).tolist()
    [0, 0, 2, 2, 7]
    """
    q = ((x / grid.scale).round() + grid.zero_point).clamp(grid.low, grid.high)
    return q.to(torch.uint8 if grid.low == 0 else torch.int8)


def dequantize(q: Tensor, grid: Grid) -> Tensor:
    """The real numbers that the integers stand for, in the type of the scale."""
    return (q.to(grid.scale.dtype) - grid.zero_point) * grid.scale


def fake_quantize(x: Tensor, grid: Grid) -> Tensor:
    """Quantise and come back, so that a model in floating point feels the rounding.

    Backward, rounding counts as the identity (the straight-through estimator, Bengio et al. 2013): the
    gradient is 1 inside the grid and 0 where x was clamped.

    >>> x = torch.tensor([0.2, 0.6, 9.0], requires_grad=True)
    >>> y = fake_quantize(x, Grid(torch.tensor(0.5), torch.tensor(0.0), -7, 7)); y.sum().backward()
    >>> y.tolist(), x.grad.tolist()
    ([0.0, 0.5, 3.5], [1.0, 1.0, 0.0])
    """
    q = round_straight_through(x / grid.scale) + grid.zero_point
    return (q.clamp(grid.low, grid.high) - grid.zero_point) * grid.scale


def round_straight_through(x: Tensor) -> Tensor:
    """x.round() forward, the identity backward."""
    return x + (x.round() - x).detach()


def in_groups(x: Tensor, group: int) -> Tensor:
    """Cut the last axis into groups, the last one filled up with zeros: (..., n) -> (..., groups, group).

    >>> in_groups(torch.tensor([[1, 2, 3]]), 2).tolist()
    [[[1, 2], [3, 0]]]
    """
    if group < 1:
        raise ValueError(f"a group has at least 1 weight, got {group}")
    return torch.nn.functional.pad(x, (0, -x.shape[-1] % group)).unflatten(-1, (-1, group))


def pack4(q: Tensor) -> Tensor:
    """Two integers from -8 to 7 in each byte, the first in the lower half: (..., 2 n) -> (..., n), uint8.

    >>> pack4(torch.tensor([1, -1, 7, -7])).tolist()
    [241, 151]
    """
    if q.shape[-1] % 2:
        raise ValueError(f"two values share a byte, so their number must be even, got {q.shape[-1]}")
    if q.numel() and (q.min() < -8 or q.max() > 7):
        raise ValueError(f"4 bits hold -8 to 7, got {q.min().item()} to {q.max().item()}")
    nibbles = q.to(torch.int16) & 15  # two's complement: -1 is 15
    return (nibbles[..., 0::2] | nibbles[..., 1::2] << 4).to(torch.uint8)


def unpack4(packed: Tensor) -> Tensor:
    """What `pack4` packed: (..., n) uint8 -> (..., 2 n) int8."""
    nibbles = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(-2).to(torch.int8)
    return nibbles - 16 * (nibbles > 7).to(torch.int8)


def _extreme(x: Tensor, over: Sequence[int], which: str) -> Tensor:
    """Smallest or largest over some axes, which stay with length 1; over no axes, x itself."""
    if not over:
        return x
    return getattr(torch, which)(x, dim=list(over), keepdim=True)


def _never_zero(scale: Tensor) -> Tensor:
    """1 where all numbers are zero: any scale fits them, but none may divide by zero."""
    return torch.where(scale > 0, scale, torch.ones_like(scale))
