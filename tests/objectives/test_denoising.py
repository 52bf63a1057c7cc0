"""MASS, deshuffling and BART's noises: what each keeps, what each loses, and at which rate."""

from itertools import permutations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.objectives import SpecialTokens
from course_utils.objectives import denoising as d

TOKENS = SpecialTokens(mask=3, special=(0, 1, 2, 4), sentinels=(), vocab_size=100)
SEQUENCES = st.lists(st.integers(5, 99), max_size=50)


def tensors(ids, seed):
    return torch.tensor(ids, dtype=torch.long), torch.Generator().manual_seed(seed)


@given(SEQUENCES, st.integers(0, 2**31))
@settings(max_examples=100)
def test_mass_puts_back_to_the_original(ids, seed):
    ids, generator = tensors(ids, seed)
    inputs, fragment = d.mass(ids, TOKENS, generator)
    restored = inputs.clone()
    restored[inputs == TOKENS.mask] = fragment
    assert torch.equal(restored, ids)
    where = (inputs == TOKENS.mask).nonzero().flatten()
    assert len(where) == len(fragment) == (max(1, round(len(ids) / 2)) if len(ids) else 0)
    assert len(where) < 2 or (where.diff() == 1).all()


@given(SEQUENCES, st.integers(0, 2**31))
@settings(max_examples=100)
def test_order_noises_keep_every_token(ids, seed):
    ids, generator = tensors(ids, seed)
    starts = torch.rand(len(ids), generator=generator) < 0.3
    for noised in [
        d.deshuffle(ids, generator),
        d.document_rotation(ids, generator),
        d.sentence_permutation(ids, starts, generator),
    ]:
        assert torch.equal(noised.labels, ids)
        assert torch.equal(noised.input_ids.sort().values, ids.sort().values)


def test_rotation_keeps_the_circular_order(generator):
    ids = torch.arange(5, 25)
    rotated = d.document_rotation(ids, generator).input_ids
    assert torch.equal(rotated.roll(int((rotated == 5).nonzero()) * -1), ids)
    starts = {int(d.document_rotation(ids, generator).input_ids[0]) for _ in range(400)}
    assert starts == set(range(5, 25))


def test_sentences_move_whole(generator):
    ids = torch.tensor([10, 11, 12, 20, 30, 31])
    starts = torch.tensor([1, 0, 0, 1, 1, 0], dtype=torch.bool)
    seen = {tuple(d.sentence_permutation(ids, starts, generator).input_ids.tolist()) for _ in range(200)}
    blocks = [(10, 11, 12), (20,), (30, 31)]

    assert seen == {sum(order, ()) for order in permutations(blocks)}


@given(SEQUENCES, st.integers(0, 2**31))
@settings(max_examples=100)
def test_deletion_leaves_a_subsequence(ids, seed):
    ids, generator = tensors(ids, seed)
    inputs, _ = d.token_deletion(ids, generator, share=0.4)
    rest = iter(ids.tolist())
    assert all(token in rest for token in inputs.tolist())


def test_masking_and_deletion_rates(generator):
    ids = torch.full((300_000,), 7)
    assert len(d.token_deletion(ids, generator).input_ids) / len(ids) == pytest.approx(0.85, abs=0.005)
    masked = d.token_masking(ids, TOKENS, generator).input_ids
    assert float((masked == TOKENS.mask).double().mean()) == pytest.approx(0.15, abs=0.005)


@given(SEQUENCES, st.floats(0, 1), st.integers(0, 2**31))
@settings(max_examples=300)
def test_infilling_hides_exactly_the_share_and_never_two_masks_in_a_row(ids, share, seed):
    ids, generator = tensors(ids, seed)
    inputs, targets = d.text_infilling(ids, TOKENS, generator, share=share)
    kept = inputs[inputs != TOKENS.mask]
    assert len(kept) == len(ids) - round(share * len(ids))
    rest = iter(ids.tolist())
    assert all(token in rest for token in kept.tolist())
    masks = (inputs == TOKENS.mask).int()
    assert not (masks[1:] & masks[:-1]).any()
    assert torch.equal(targets, ids)


def test_infilling_span_lengths_are_poisson(generator):
    ids = torch.arange(5, 95).repeat(400)
    lengths = d._poisson_lengths(len(ids), 3.0, generator)
    counts = torch.tensor(lengths[:-1]).double()
    assert float(counts.mean()) == pytest.approx(3.0, abs=0.1)
    assert float(counts.var()) == pytest.approx(3.0, abs=0.25)
    assert (counts == 0).any()  # a span of length zero inserts a mask


def test_an_insertion_alone_keeps_all_tokens():
    """Some draw begins with a span of length zero: the input then is longer than what is kept."""
    ids = torch.arange(5, 25)
    extra = []
    for seed in range(200):
        inputs, _ = d.text_infilling(ids, TOKENS, torch.Generator().manual_seed(seed), share=0.05)
        extra.append(len(inputs) - (len(ids) - 1))
    assert max(extra) >= 2  # one mask for the hidden token, at least one inserted


def test_bad_input_is_named(generator):
    ids = torch.arange(5, 10)
    with pytest.raises(ValueError, match="one sequence"):
        d.deshuffle(ids.reshape(1, -1), generator)
    with pytest.raises(ValueError, match="share must lie"):
        d.text_infilling(ids, TOKENS, generator, share=-0.1)
    with pytest.raises(ValueError, match="mean_span must be"):
        d.text_infilling(ids, TOKENS, generator, mean_span=0)
    with pytest.raises(ValueError, match="differ"):
        d.sentence_permutation(ids, torch.tensor([True]), generator)
