"""The experiments of chapter 11: their parts on inputs whose answer is known, and their verdict rules."""

import numpy as np
import pytest
from scipy.stats import t

from course_utils.analysis.languages import Shares
from course_utils.analysis.similarity import self_similarity
from experiments import spaces_anisotropy, spaces_attention_report, spaces_clusters, spaces_languages


def judged(**changes):
    return {"faithful": (0.6, 0.7), "stability": (0.6, 0.7), "ratio": 0.5, "components": 4} | changes


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        ([judged(), judged()], "holds here only"),
        ([judged(components=1), judged()], "cannot tell"),
        ([judged(stability=(0.4, 0.6)), judged()], "cannot tell"),
        ([judged(faithful=(0.1, 0.3)), judged()], "cannot tell"),
        ([judged(faithful=(0.1, 0.3)), judged(faithful=(0.2, 0.49))], "does not hold"),
        ([judged(ratio=0.95), judged(ratio=1.1)], "does not hold"),
        ([judged(ratio=0.95), judged()], "cannot tell"),
    ],
)
def test_verdict_on_pictures(sets, expected):
    assert spaces_clusters.verdict(sets) == expected


def test_agreement_interval_holds_the_mean_of_the_pairs():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, 80)
    b = np.where(rng.random(80) < 0.2, rng.integers(0, 3, 80), a)
    found = spaces_clusters.agreement_interval([(a, b), (a, (a + 1) % 3)])
    assert found.low < found.estimate < found.high
    one = spaces_clusters.agreement_interval([(a, b)])
    assert found.estimate == pytest.approx((one.estimate + 1) / 2)


@pytest.mark.parametrize(
    ("latin", "lead", "expected"),
    [
        ([(0.6, 0.7), (0.6, 0.7)], [(0.1, 0.2), (0.1, 0.2)], "holds here only"),
        ([(0.6, 0.7), (0.4, 0.6)], [(0.1, 0.2), (0.1, 0.2)], "cannot tell"),
        ([(0.6, 0.7), (0.3, 0.4)], [(0.1, 0.2), (0.1, 0.2)], "does not hold"),
        ([(0.6, 0.7), (0.6, 0.7)], [(0.1, 0.2), (-0.1, 0.2)], "cannot tell"),
        ([(0.6, 0.7), (0.6, 0.7)], [(0.1, 0.2), (-0.3, -0.2)], "does not hold"),
    ],
)
def test_verdict_on_languages(latin, lead, expected):
    assert spaces_languages.verdict(latin, lead) == expected


def test_languages_that_are_only_a_shift_are_gone_once_it_is_taken_off():
    rng = np.random.default_rng(0)
    said, spoken = rng.normal(size=(1, 60, 12)), 6 * rng.normal(size=(8, 1, 12))
    found = spaces_languages.measured(said + spoken + 0.3 * rng.normal(size=(8, 60, 12)), seed=0)
    assert found["latin"].mean() == found["probe"].mean() == 1
    assert found["after"].mean() < 0.4
    assert abs(found["control"].mean() - 1 / 6) < 0.12
    assert found["found_after"].mean() > 0.9 > found["found"].mean()
    assert Shares(*found["shares"]).language > 0.8


@pytest.mark.parametrize(
    ("interval", "expected"),
    [((0.6, 0.9), "holds here only"), ((0.1, 0.4), "does not hold"), ((0.4, 0.6), "cannot tell")],
)
def test_verdict_on_explaining(interval, expected):
    assert spaces_attention_report.explains_verdict(*interval) == expected


@pytest.mark.parametrize(
    ("deleted", "order", "expected"),
    [
        ((0.1, 0.2), (0.1, 0.2), "holds here only"),
        ((0.1, 0.2), (-0.1, 0.2), "cannot tell"),
        ((0.1, 0.2), (-0.2, -0.1), "does not hold"),
        ((-0.1, 0.2), (0.1, 0.2), "does not hold"),
    ],
)
def test_verdict_on_averaging(deleted, order, expected):
    assert spaces_attention_report.averaged_verdict(deleted, order) == expected


def test_corrections_are_measured_on_the_other_half():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 40, 6)) + np.array([9.0, 0, 0, 0, 0, 0])
    found = spaces_anisotropy.versions(first, second)
    assert found["centered"] == pytest.approx(second - first.mean(axis=0))
    assert found["without"].shape == (40, 3)
    means = {name: spaces_anisotropy.mean_cosine(array).estimate for name, array in found.items()}
    assert means["raw"] > 0.9
    assert max(abs(means[name]) for name in ("centered", "without", "standardized")) < 0.2


def test_the_interval_of_a_mean_cosine_is_as_wide_as_fresh_draws_are_spread():
    """A mean over pairs has four times the variance of a mean of as many independent numbers."""
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(200, 30, 8)) + np.array([1.0, 1.0, 0, 0, 0, 0, 0, 0])
    found = [spaces_anisotropy.mean_cosine(vectors) for vectors in draws]
    half = np.mean([one.high - one.low for one in found]) / 2
    assert found[0].estimate == pytest.approx(self_similarity(draws[0]))
    assert half / t.ppf(0.975, 29) == pytest.approx(np.std([one.estimate for one in found]), rel=0.2)


def test_the_nearest_neighbor_is_never_the_sentence_itself():
    vectors = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0], [1.0, 0.05], [0.9, 0.9]])
    found = spaces_anisotropy.near(vectors, np.array([0, 1, 2, 2, 1, 0]))
    assert found.estimate == pytest.approx(4 / 6)
