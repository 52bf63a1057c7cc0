"""The solutions of exercise 12 equal the package, scipy and scikit-learn, on random inputs."""

import itertools

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from sklearn.metrics import cohen_kappa_score

from course_utils import calibration, stats
from course_utils.grading import exercise
from course_utils.grading.exercise import source
from course_utils.grading.release import solution
from course_utils.metrics import balanced_accuracy
from course_utils.study.ordinal import cut
from course_utils.study.robustness import fit_line

SEEDS = range(5)


@pytest.fixture(scope="module")
def solved():
    """The functions of the solution cells, with what the set-up and the given cells define."""
    space = {}
    for cell in exercise.load("12").cells("setup", "given", "answer"):
        exec(solution(source(cell)), space)
    return space


def gap(run, rows, train):
    """In domain minus the mean of the others, written out, over the rows of each domain that count."""
    means = {domain: right[rows[domain]].mean() for domain, right in run.items()}
    return means[train] - np.mean([mean for domain, mean in means.items() if domain != train])


@pytest.mark.parametrize("train", ["films", "games"])
@pytest.mark.parametrize("seed", SEEDS)
def test_gap_differences_are_those_of_gaps_over_the_same_rows(solved, seed, train):
    sizes = {"games": 30, "films": 40, "shops": 25, "news": 60}
    first = solved["some_runs"](f"first {seed}", [9, 5, 2, 1], sizes)
    second = solved["some_runs"](f"second {seed}", [2, 9, 3, 1], sizes)
    expected = []
    for shared in (1, 2, 9):
        one, two = first[shared], second[shared]
        rows = {domain: ~np.isnan(one[domain]) & ~np.isnan(two[domain]) for domain in sizes}
        expected.append(gap(one, rows, train) - gap(two, rows, train))
    np.testing.assert_allclose(solved["gap_differences"](first, second, train), expected)


@pytest.mark.parametrize("runs", [3, 5, 10])
@pytest.mark.parametrize("seed", SEEDS)
def test_compare(solved, seed, runs):
    """The interval is the package's, the p-value of equivalence also that of scipy's two one-sided tests."""
    first, second = solved["two_systems"](f"{seed}", runs, 40, 0.05)
    differences = first.mean(axis=1) - second.mean(axis=1)
    estimate = stats.mean_estimate(differences)
    interval = estimate.interval()
    found = solved["compare"](first, second, 0.07)
    expected = [interval.estimate, interval.low, interval.high, estimate.p_equivalence(0.07)]
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    below = ttest_1samp(differences, -0.07, alternative="greater").pvalue
    above = ttest_1samp(differences, 0.07, alternative="less").pvalue
    assert found[3] == pytest.approx(max(below, above))


def test_mcnemar_for_every_pair_of_small_counts(solved):
    for b, c in itertools.product(range(9), repeat=2):
        first, second = solved["with_counts"](6, b, c, 4)
        assert solved["mcnemar"](first, second) == pytest.approx(stats.mcnemar_exact(first, second))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_given_balanced_accuracy(solved, seed):
    labels, first, _ = solved["skewed"](seed, 50)
    assert solved["balanced_accuracy"](labels, first) == pytest.approx(balanced_accuracy(labels, first))


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_bootstrap_is_close_to_the_packages(solved, seed):
    """Percentiles against the corrected ones (BCa), of other draws: of 300 rows they are nearly alike."""
    labels, first, _ = solved["skewed"](f"{seed}", 300)
    # Two systems that mostly agree, so that the pairing matters.
    second = np.where(np.random.default_rng(seed).random(300) < 0.1, 1 - first, first)
    found = solved["bootstrap"](labels, first, second, solved["drawer"](seed), 2000)
    expected = stats.bootstrap_interval(
        np.stack([labels, first, second], axis=1),
        lambda rows: float(np.diff([balanced_accuracy(rows[:, 0], rows[:, k]) for k in (2, 1)])[0]),
        rng=np.random.default_rng(seed),
    )
    width = expected.high - expected.low
    np.testing.assert_allclose(found, [expected.low, expected.high], atol=0.06 * width, rtol=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_holm(solved, seed):
    # Rounded, so that some are equal.
    p_values = (np.random.default_rng(seed).random(12) ** 2).round(2).tolist()
    np.testing.assert_allclose(solved["holm"](p_values), stats.holm(p_values))


@pytest.mark.parametrize("bins", [4, 8, 32])
@pytest.mark.parametrize("seed", SEEDS)
def test_reliability_and_calibration_error(solved, seed, bins):
    rng = np.random.default_rng(seed)
    positive = rng.integers(0, 65, 150) / 64  # edges are exact in binary, and often hit
    # Right three times in four, however sure: too sure in some bins, not sure enough in others.
    labels = ((positive >= 0.5) ^ (rng.random(150) < 0.25)).astype(int)
    confidence, right = np.maximum(positive, 1 - positive), (positive >= 0.5) == (labels == 1)
    table = solved["reliability"](positive, labels, bins)
    expected = calibration.reliability_bins(confidence, right, bins)
    np.testing.assert_allclose(table, [[b.count, b.confidence, b.accuracy] for b in expected])
    error = calibration.expected_calibration_error(confidence, right, bins)
    assert solved["calibration_error"](table) == pytest.approx(error)


@pytest.mark.parametrize("seed", SEEDS)
def test_quadratic_kappa(solved, seed):
    true, found = np.random.default_rng(seed).integers(1, 6, (2, 60))
    expected = cohen_kappa_score(true, found, weights="quadratic")
    assert solved["quadratic_kappa"](true, found) == pytest.approx(expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_cut_points_of_the_grid_are_better_on_the_validation_rows(solved, seed):
    validation, test = (solved["made_up"](f"{seed} {shift}", 40, shift) for shift in (0, -20))
    *points, kappa = solved["five_classes"](validation, test).tolist()

    def off(points):
        return np.abs(cut(validation[0], points) - validation[1]).mean()

    assert off(points) == min(map(off, itertools.combinations(solved["GRID"], 4)))
    assert kappa == pytest.approx(cohen_kappa_score(test[1], cut(test[0], points), weights="quadratic"))


@pytest.mark.parametrize("seed", SEEDS)
def test_effective_robustness(solved, seed):
    baselines = np.random.default_rng(seed).uniform(0.55, 0.97, (6, 2))
    line = fit_line(baselines[:, 0].tolist(), baselines[:, 1].tolist())
    found = solved["effective_robustness"](baselines, (0.9, 0.7))
    assert found == pytest.approx(0.7 - line.expected(0.9))
