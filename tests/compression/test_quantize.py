"""The arithmetic of quantisation: against torch's own, against a loop, and by its properties."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils.compression.packed_parts import from_int4, to_int4
from course_utils.compression.quantize import (
    choose_grid,
    dequantize,
    fake_quantize,
    in_groups,
    integer_range,
    pack4,
    quantize,
    unpack4,
)

numbers = st.floats(-1e4, 1e4, width=32).map(lambda x: 0.0 if abs(x) < 1e-4 else x)
matrices = hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9), elements=numbers)
grids = st.tuples(st.integers(2, 8), st.booleans(), st.sampled_from([(), (0,), (1,), (0, 1)]))


@settings(max_examples=80)
@given(matrices, grids)
def test_the_error_is_at_most_half_a_step(matrix, kind):
    bits, symmetric, keep = kind
    x = torch.from_numpy(matrix)
    grid = choose_grid(x, bits, symmetric=symmetric, keep=keep)
    q = quantize(x, grid)
    assert grid.low <= int(q.min()) <= int(q.max()) <= grid.high
    error = (dequantize(q, grid) - x).abs()
    assert (error <= grid.scale * 0.5 + x.abs().max() * 1e-6).all()


@settings(max_examples=60)
@given(matrices, grids)
def test_what_lies_on_the_grid_stays(matrix, kind):
    bits, symmetric, keep = kind
    grid = choose_grid(torch.from_numpy(matrix), bits, symmetric=symmetric, keep=keep)
    once = dequantize(quantize(torch.from_numpy(matrix), grid), grid)
    assert torch.equal(quantize(once, grid), quantize(torch.from_numpy(matrix), grid))
    assert torch.equal(fake_quantize(torch.from_numpy(matrix), grid), once)


@settings(max_examples=60)
@given(matrices, st.integers(2, 8), st.booleans())
def test_zero_stays_zero(matrix, bits, symmetric):
    grid = choose_grid(torch.from_numpy(matrix), bits, symmetric=symmetric, keep=(0,))
    assert (dequantize(quantize(torch.zeros(matrix.shape), grid), grid) == 0).all()


@pytest.mark.parametrize("outlier", [10.0, 1000.0])
def test_a_row_of_outliers_spoils_only_itself_per_channel(outlier):
    x = torch.randn(16, 32, generator=torch.Generator().manual_seed(0))
    x[3] *= outlier
    error = {}
    for keep in ((), (0,)):
        grid = choose_grid(x, keep=keep)
        error[keep] = (dequantize(quantize(x, grid), grid) - x).pow(2).mean(1)
    assert (error[(0,)] <= error[()] + 1e-12).all()
    others = torch.arange(16) != 3
    assert error[()][others].mean() > 20 * error[(0,)][others].mean()


def test_by_hand():
    """-1, 0, 2 in two bits: steps of 1 from -1 to 2, so zero is the integer 1."""
    grid = choose_grid(torch.tensor([-1.0, 0.0, 2.0]), bits=2, symmetric=False)
    assert (grid.scale.item(), grid.zero_point.item()) == (1.0, 1.0)
    assert quantize(torch.tensor([-1.0, 0.4, 0.5, 1.5, 2.0, 9.0, -9.0]), grid).tolist() == [
        0,
        1,
        1,
        3,
        3,
        3,
        0,
    ]


def far_from_ties(x, scale):
    """Where rounding does not hang on the last bit: torch multiplies by 1 / scale."""
    rest = (x / scale) % 1
    return (rest - 0.5).abs() > 1e-3


@pytest.mark.parametrize("axis", [0, 1])
def test_equal_to_torch_per_channel(axis):
    x = torch.randn(40, 30, generator=torch.Generator().manual_seed(axis)) * 3
    grid = choose_grid(x, keep=(axis,))
    scales, zeros = grid.scale.flatten(), torch.zeros(x.shape[axis], dtype=torch.int32)
    theirs = torch.fake_quantize_per_channel_affine(x, scales, zeros, axis, grid.low, grid.high)
    sure = far_from_ties(x, grid.scale)
    assert sure.float().mean() > 0.99
    assert torch.equal(fake_quantize(x, grid)[sure], theirs[sure])
    with warnings.catch_warnings():  # that quantised tensors will go from torch
        warnings.simplefilter("ignore", UserWarning)
        stored = torch.quantize_per_channel(x, scales, zeros, axis, torch.qint8)
    assert torch.equal(quantize(x, grid)[sure], stored.int_repr()[sure])


@pytest.mark.parametrize("bits", [4, 7, 8])
def test_equal_to_torch_per_tensor_affine_and_its_gradient(bits):
    x = torch.randn(500, generator=torch.Generator().manual_seed(bits)) * 2 + 1
    grid = choose_grid(x[:250], bits, symmetric=False)  # some of the others are clamped
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    a = fake_quantize(ours, grid)
    b = torch.fake_quantize_per_tensor_affine(
        theirs, grid.scale.item(), int(grid.zero_point), grid.low, grid.high
    )
    weights = torch.randn(500, generator=torch.Generator().manual_seed(9))
    (a * weights).sum().backward()
    (b * weights).sum().backward()
    sure = far_from_ties(x, grid.scale)
    assert torch.allclose(a[sure], b[sure], atol=1e-6)
    inside = (x > (grid.low - grid.zero_point) * grid.scale) & (
        x < (grid.high - grid.zero_point) * grid.scale
    )
    assert (~inside).any()
    assert torch.allclose(ours.grad[sure], theirs.grad[sure], rtol=1e-6)
    assert torch.allclose(ours.grad[inside], weights[inside], rtol=1e-6)


def test_equal_to_a_loop():
    x = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))
    q = quantize(x, choose_grid(x, keep=(0,)))
    for i in range(6):
        scale = max(abs(v) for v in x[i].tolist()) / 127
        for j in range(8):
            assert q[i, j] == max(-127, min(127, round(x[i, j].item() / scale)))  # Python rounds to even too


def test_what_cannot_be_quantised_is_said():
    with pytest.raises(ValueError, match="NaN or infinity"):
        choose_grid(torch.tensor([1.0, math.nan]))
    with pytest.raises(ValueError, match="bits must lie between 2 and 8, got 16"):
        integer_range(16, True)
    with pytest.raises(ValueError, match="4 bits hold -8 to 7, got 0 to 8"):
        pack4(torch.tensor([0, 8]))
    with pytest.raises(ValueError, match="must be even, got 3"):
        pack4(torch.tensor([1, 2, 3]))
    with pytest.raises(ValueError, match="an even size of at least 2, got 3"):
        to_int4(torch.zeros(2, 6), 3)


@settings(max_examples=60)
@given(
    hnp.arrays(
        np.int8,
        st.tuples(st.integers(1, 5), st.integers(1, 8).map(lambda n: 2 * n)),
        elements=st.integers(-8, 7),
    )
)
def test_packing_comes_back(values):
    q = torch.from_numpy(values)
    packed = pack4(q)
    assert packed.dtype == torch.uint8
    assert packed.numel() * 2 == q.numel()
    assert torch.equal(unpack4(packed), q)
    assert unpack4(packed).dtype == torch.int8


@pytest.mark.parametrize(("columns", "group"), [(64, 16), (50, 16), (7, 2), (5, 64)])
def test_four_bits_in_groups(columns, group):
    weight = torch.randn(9, columns, generator=torch.Generator().manual_seed(0))
    packed, scale = to_int4(weight, group)
    back = from_int4(packed, scale, columns)
    step = scale.expand(-1, -1, group).flatten(1)[:, :columns]
    # The scale was rounded to half precision, so the largest weight may lie beyond the grid by 7/2048.
    assert ((back - weight).abs() <= step * (0.5 + 7 / 2048)).all()
    assert torch.equal(scale.half().float(), scale)
    assert in_groups(weight, group).shape == (9, -(-columns // group), group)


def test_smaller_groups_fit_better():
    weight = torch.randn(64, 256, generator=torch.Generator().manual_seed(0)) ** 3
    errors = [(from_int4(*to_int4(weight, g), 256) - weight).pow(2).mean().item() for g in (256, 64, 16)]
    assert errors[0] > 1.5 * errors[1] > 2 * errors[2]


def test_tiny_and_zero_weights():
    assert (from_int4(*to_int4(torch.zeros(2, 4), 2), 4) == 0).all()
    assert from_int4(*to_int4(torch.full((1, 4), 1e-12), 4), 4).abs().max() < 1e-6
