"""Every mask against its definition in words, pair by pair."""

import itertools

import pytest
import torch

from course_utils.models import masks

LENGTHS = (1, 2, 7, 12)


def visible(mask, query, key, batch=0):
    return bool(
        mask.expand(max(mask.shape[0], batch + 1), *mask.shape[1:])[batch, 0, query, key % mask.shape[3]]
    )


def pairs(length):
    return itertools.product(range(length), range(length))


@pytest.mark.parametrize("length", LENGTHS)
def test_full_shows_everything(length):
    assert masks.full(length).shape == (1, 1, length, length)
    assert masks.full(length).all()


@pytest.mark.parametrize("length", LENGTHS)
def test_causal_shows_yourself_and_the_past(length):
    mask = masks.causal(length)
    assert all(visible(mask, q, k) == (k <= q) for q, k in pairs(length))


def test_causal_with_a_cache_is_the_last_rows_of_the_whole():
    assert torch.equal(masks.causal(3, 8), masks.causal(8)[:, :, 5:])


@pytest.mark.parametrize("length", LENGTHS)
def test_prefix_is_seen_by_all_and_the_rest_is_causal(length):
    prefix_lengths = torch.tensor([0, 1, length])
    mask = masks.prefix(length, prefix_lengths)
    for row, size in enumerate(prefix_lengths):
        assert all(visible(mask, q, k, row) == (k <= q or k < size) for q, k in pairs(length))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("radius", [0, 1, 3])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_window_reaches_radius_steps_of_dilation(length, radius, dilation):
    mask = masks.sliding_window(length, radius, dilation)
    steps = {step * dilation for step in range(-radius, radius + 1)}
    assert all(visible(mask, q, k) == (k - q in steps) for q, k in pairs(length))


def test_global_tokens_see_all_and_are_seen_by_all():
    is_global = torch.tensor([[1, 0, 0, 1, 0], [0, 0, 0, 0, 0]])
    mask = masks.global_tokens(is_global)
    for row in range(2):
        assert all(
            visible(mask, q, k, row) == bool(is_global[row, q] or is_global[row, k]) for q, k in pairs(5)
        )


def test_padding_hides_keys_from_every_query():
    mask = masks.padding(torch.tensor([[1, 1, 0], [1, 0, 0]])) & masks.full(3)
    assert mask[0, 0].int().tolist() == [[1, 1, 0]] * 3
    assert mask[1, 0].int().tolist() == [[1, 0, 0]] * 3


def test_longformer_is_written_as_it_is_said():
    is_global = torch.tensor([[1, 0, 0, 0, 0, 0]])
    real = torch.tensor([[1, 1, 1, 1, 1, 0]])
    mask = (masks.sliding_window(6, 1) | masks.global_tokens(is_global)) & masks.padding(real)
    for q, k in pairs(6):
        assert visible(mask, q, k) == (k < 5 and (abs(q - k) <= 1 or q == 0 or k == 0))


@pytest.mark.parametrize(
    "call",
    [
        lambda: masks.causal(3, 2),
        lambda: masks.padding(torch.ones(3)),
        lambda: masks.sliding_window(3, -1),
        lambda: masks.sliding_window(3, 1, 0),
    ],
)
def test_wrong_input_is_refused(call):
    with pytest.raises(ValueError, match=r"got|needs"):
        call()
