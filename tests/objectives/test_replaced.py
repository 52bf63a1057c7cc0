"""Replaced-token detection: samples follow the generator, equal samples count as original."""

import pytest
import torch
from scipy import stats

from course_utils.objectives import replaced as r


def test_samples_follow_the_generator_s_distribution(generator):
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2])).expand(1, 60_000, 3)
    ids = torch.zeros(1, 60_000, dtype=torch.long)
    sampled = r.sample_replacements(logits, ids, torch.ones_like(ids, dtype=torch.bool), generator)
    counts = torch.bincount(sampled.flatten(), minlength=3).numpy()
    assert stats.chisquare(counts, [30_000, 18_000, 12_000]).pvalue > 1e-4


def test_only_chosen_positions_change_and_no_gradient_flows(generator):
    logits = torch.zeros(2, 5, 9, requires_grad=True)
    ids = torch.full((2, 5), 4)
    chosen = torch.zeros(2, 5, dtype=torch.bool)
    chosen[0, 1] = chosen[1, 4] = True
    sampled = r.sample_replacements(logits, ids, chosen, generator)
    assert torch.equal(sampled[~chosen], ids[~chosen])
    assert not sampled.requires_grad


def test_a_sample_equal_to_the_original_is_original(generator):
    ids = torch.full((1, 8), 2)
    certain = torch.full((1, 8, 5), -100.0)
    certain[..., 2] = 100.0
    sampled = r.sample_replacements(certain, ids, torch.ones_like(ids, dtype=torch.bool), generator)
    assert not r.replaced_labels(ids, sampled).any()


def test_nothing_chosen_changes_nothing(generator, tokens):
    ids = torch.arange(5, 9).reshape(1, 4)
    nothing = torch.zeros_like(ids, dtype=torch.bool)
    assert torch.equal(r.sample_replacements(torch.zeros(1, 4, 100), ids, nothing, generator), ids)
    assert torch.equal(r.uniform_replacements(ids, nothing, tokens, generator), ids)


def test_uniform_replacements_draw_text(generator, tokens):
    ids = torch.full((20_000,), 7)
    drawn = r.uniform_replacements(ids, torch.ones_like(ids, dtype=torch.bool), tokens, generator)
    assert set(drawn.tolist()) == set(tokens.ordinary().tolist())


def test_bad_input_is_named(generator):
    ids = torch.zeros(1, 3, dtype=torch.long)
    with pytest.raises(ValueError, match="shapes disagree"):
        r.sample_replacements(torch.zeros(1, 4, 5), ids, ids.bool(), generator)
    with pytest.raises(ValueError, match="shapes differ"):
        r.replaced_labels(ids, torch.zeros(3, dtype=torch.long))
