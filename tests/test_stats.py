"""The statistics: equal to the libraries where they have them, and as sure as they say by simulation."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import bootstrap
from sklearn.metrics import adjusted_rand_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from course_utils import stats


@pytest.fixture
def rng():
    return np.random.default_rng(20161)


def test_bootstrap_equals_scipy_on_single_samples(rng):
    values = rng.exponential(size=60)
    ours = stats.bootstrap_interval(values, np.median, rng=np.random.default_rng(3), resamples=500)
    theirs = bootstrap((values,), np.median, n_resamples=500, method="BCa", rng=np.random.default_rng(3))
    assert (ours.low, ours.high) == pytest.approx(theirs.confidence_interval, rel=1e-12)
    assert ours.estimate == np.median(values)


def test_bootstrap_of_groups_of_one_is_the_plain_bootstrap(rng):
    values = rng.normal(size=30)
    plain = stats.bootstrap_interval(values, rng=np.random.default_rng(1))
    grouped = stats.bootstrap_interval(values, groups=np.arange(30), rng=np.random.default_rng(1))
    assert grouped == plain


def test_bootstrap_of_groups_is_scipys_on_the_groups(rng):
    """With equal group sizes the mean over samples is the mean over group means."""
    values, groups = rng.normal(size=(20, 4)), np.repeat([f"review {i:02d}" for i in range(20)], 4)
    shuffle = rng.permutation(80)
    ours = stats.bootstrap_interval(
        values.ravel()[shuffle], groups=groups[shuffle], rng=np.random.default_rng(1)
    )
    theirs = stats.bootstrap_interval(values.mean(axis=1), rng=np.random.default_rng(1))
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_bootstrap_takes_a_statistic_of_several_columns(rng):
    pairs = rng.normal(size=(200, 1)) + 0.5 * rng.normal(size=(200, 2))
    found = stats.bootstrap_interval(pairs, lambda drawn: np.corrcoef(drawn.T)[0, 1], rng=rng)
    assert found.low < 0.8 < found.high


def test_bootstrap_covers_the_truth_as_often_as_it_says(rng):
    truth, inside = 1.0, 0
    for _ in range(200):
        found = stats.bootstrap_interval(rng.exponential(size=40), rng=rng, resamples=199, level=0.9)
        inside += found.low <= truth <= found.high
    assert 0.82 <= inside / 200 <= 0.96


def test_resampling_samples_of_groups_is_too_narrow_and_resampling_groups_is_not(rng):
    covered = {"samples": 0, "groups": 0}
    groups = np.repeat(np.arange(30), 8)
    for _ in range(100):
        values = np.repeat(rng.normal(size=30), 8) + 0.3 * rng.normal(size=240)
        for kind, given in (("samples", None), ("groups", groups)):
            found = stats.bootstrap_interval(values, groups=given, rng=rng, resamples=199, level=0.9)
            covered[kind] += found.low <= 0 <= found.high
    assert covered["samples"] < 65
    assert covered["groups"] >= 80


@pytest.mark.filterwarnings("error")
def test_equal_values_give_an_interval_without_width(rng):
    assert stats.bootstrap_interval([2, 2, 2], rng=rng) == stats.Interval(2.0, 2.0, 2.0, 0.95)


def test_an_interval_reads_as_text():
    assert str(stats.Interval(0.5, 0.25, 0.75, 0.95)) == "0.500 [0.250, 0.750]"


@pytest.mark.parametrize(
    ("values", "more", "message"),
    [
        ([], {}, "values is empty"),
        ([1.0, float("nan")], {}, "values holds NaN"),
        ([1.0], {}, "at least 2 samples or groups, got 1"),
        ([1.0, 2.0], {"groups": ["a", "a"]}, "at least 2 samples or groups, got 1"),
        ([1.0, 2.0], {"groups": ["a"]}, r"one label a sample, \(2,\), got shape \(1,\)"),
        ([1.0, 2.0], {"level": 95}, "level must lie between 0 and 1"),
        ([1.0, 1.0, 1.0, 1.0, 5.0], {"statistic": np.median}, "smoother statistic"),
    ],
)
def test_bootstrap_refuses(values, more, message):
    with pytest.raises(ValueError, match=message):
        stats.bootstrap_interval(values, rng=np.random.default_rng(0), **more)


def test_jackknife_of_a_mean_is_the_t_interval(rng):
    values = rng.normal(size=40)
    found, expected = stats.jackknife_estimate(values), stats.mean_estimate(values)
    assert (found.value, found.df) == (expected.value, expected.df)
    assert found.error == pytest.approx(expected.error, rel=1e-9)


def test_jackknife_of_a_correlation_is_as_wide_as_fishers_interval(rng):
    pairs = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], size=400)
    found = stats.jackknife_estimate(pairs, lambda rows: np.corrcoef(rows.T)[0, 1])
    assert found.error == pytest.approx((1 - found.value**2) / np.sqrt(397), rel=0.15)


def test_jackknife_of_an_agreement_covers_the_truth_where_the_bootstrap_is_biased(rng):
    def agreement(rows):
        return adjusted_rand_score(rows[:, 0], rows[:, 1])

    def draw():  # two independent groupings: the truth is 0
        return rng.integers(0, 9, size=(60, 2)).astype(float)

    found = [stats.jackknife_estimate(draw(), agreement).interval() for _ in range(100)]
    assert np.mean([one.low <= 0 <= one.high for one in found]) >= 0.88
    drawn = draw()
    again = [agreement(drawn[rng.integers(0, 60, 60)]) for _ in range(100)]
    assert np.mean(again) > agreement(drawn) + 0.02


def test_jackknife_refuses_two_samples():
    with pytest.raises(ValueError, match="at least 3 samples out, got 2"):
        stats.jackknife_estimate([1, 2])


def test_permutation_is_exact_for_few_pairs(rng):
    a, b = rng.normal(0.5, 1, size=8), rng.normal(size=8)
    difference = a - b
    flipped = [abs(np.mean(difference * signs)) for signs in product([-1, 1], repeat=8)]
    expected = np.mean([mean >= abs(difference.mean()) - 1e-12 for mean in flipped])
    assert stats.paired_permutation_test(a, b, rng=rng) == pytest.approx(expected, abs=1e-12)


def test_permutation_is_symmetric_and_uses_the_pairing(rng):
    base = rng.normal(scale=10, size=12)
    a, b = base + rng.normal(1, 0.5, size=12), base
    p = stats.paired_permutation_test(a, b, rng=rng)
    assert p == stats.paired_permutation_test(b, a, rng=rng)
    assert p < 0.01
    assert stats.paired_permutation_test(a, rng.permutation(b), rng=rng) > 0.1


def test_permutation_rejects_a_true_null_as_often_as_it_says(rng):
    p = [
        stats.paired_permutation_test(
            rng.exponential(size=20), rng.exponential(size=20), rng=rng, resamples=199
        )
        for _ in range(300)
    ]
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.09


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [([1, 2], [1], "must be paired"), ([[1, 2]], [[1, 2]], "must be paired"), ([1], [2], "at least 2 pairs")],
)
def test_permutation_refuses(a, b, message):
    with pytest.raises(ValueError, match=message):
        stats.paired_permutation_test(a, b, rng=np.random.default_rng(0))


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 1), (3, 9), (12, 12), (40, 7)])
def test_mcnemar_equals_statsmodels(only_a, only_b):
    a = np.array([True] * 50 + [True] * only_a + [False] * only_b + [False] * 5)
    b = np.array([True] * 50 + [False] * only_a + [True] * only_b + [False] * 5)
    theirs = mcnemar([[50, only_a], [only_b, 5]], exact=True).pvalue
    assert stats.mcnemar_exact(a, b) == pytest.approx(theirs, abs=1e-12)


def test_mcnemar_of_classifiers_that_never_disagree_is_one():
    assert stats.mcnemar_exact([True, False], [True, False]) == 1.0


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([1, 0], [0, 1], "must be booleans"),
        ([True], [True, False], "must be paired"),
        (np.array([], dtype=bool), np.array([], dtype=bool), "must be paired"),
    ],
)
def test_mcnemar_refuses(a, b, message):
    with pytest.raises(ValueError, match=message):
        stats.mcnemar_exact(a, b)


def test_holm_equals_statsmodels(rng):
    for size in (1, 2, 7, 30):
        p = [*rng.uniform(size=size) ** 2, 0.01, 0.01]
        assert stats.holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)


@pytest.mark.parametrize("p", [[], [1.1], [-0.1], [float("nan")]])
def test_holm_refuses(p):
    with pytest.raises(ValueError, match="p_values"):
        stats.holm(p)
