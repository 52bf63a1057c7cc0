"""Reliability bins and the expected calibration error, against scikit-learn and a loop written out."""

import math

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from course_utils.calibration import (
    calibration_error_by_chance,
    expected_calibration_error,
    overconfidence,
    reliability_bins,
    squared_calibration_error,
)


def drawn(seed, n=400):
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1.0, n).round(2)
    return confidence, rng.random(n) < confidence**2


@pytest.mark.parametrize("seed", range(5))
def test_bins_equal_scikit_learns_curve(seed):
    confidence, right = drawn(seed)
    # Its bins are [low, high), ours (low, high]: nudged off the edges, they are the same.
    confidence = confidence - 0.003
    accuracy, mean = calibration_curve(right, confidence, n_bins=10)
    found = [b for b in reliability_bins(confidence, right, 10) if b.count]
    assert [b.accuracy for b in found] == pytest.approx(accuracy.tolist())
    assert [b.confidence for b in found] == pytest.approx(mean.tolist())


@pytest.mark.parametrize("seed", range(5))
def test_error_equals_a_loop(seed):
    confidence, right = drawn(seed)
    total = 0.0
    for k in range(10):
        inside = [i for i, p in enumerate(confidence) if k / 10 < p <= (k + 1) / 10 + 1e-12]
        if inside:
            total += abs(sum(right[i] - confidence[i] for i in inside))
    assert expected_calibration_error(confidence, right) == pytest.approx(total / len(confidence))


def test_empty_bins_stay_and_count_for_nothing():
    found = reliability_bins([0.95, 0.96], [1, 0], bins=10)
    assert [b.count for b in found] == [0] * 9 + [2]
    assert math.isnan(found[0].accuracy)
    assert expected_calibration_error([0.95, 0.96], [1, 0]) == pytest.approx(0.455)


def test_ends_of_the_scale_have_a_bin():
    assert sum(b.count for b in reliability_bins([0.0, 1.0, 0.1, 0.5], [0, 1, 0, 1])) == 4


def test_the_error_of_a_calibrated_model_is_biased_and_the_squared_one_is_not():
    rng = np.random.default_rng(4)
    plain, squared = [], []
    for _ in range(400):
        confidence = rng.uniform(0.5, 1.0, 100)
        right = rng.random(100) < confidence
        plain.append(expected_calibration_error(confidence, right))
        squared.append(squared_calibration_error(confidence, right))
    assert np.mean(plain) > 0.05
    assert abs(np.mean(squared)) < 3 * np.std(squared) / 20
    by_chance = calibration_error_by_chance(rng.uniform(0.5, 1.0, 100), rng=rng)
    assert by_chance.mean() == pytest.approx(np.mean(plain), abs=0.005)


def test_the_squared_error_finds_a_true_one():
    rng = np.random.default_rng(5)
    confidence = np.full(20_000, 0.9)
    assert squared_calibration_error(confidence, rng.random(20_000) < 0.8) == pytest.approx(0.01, abs=0.002)
    assert overconfidence(confidence, rng.random(20_000) < 0.8) == pytest.approx(0.1, abs=0.01)


def test_the_squared_error_needs_two_in_a_bin():
    with pytest.raises(ValueError, match="take fewer bins"):
        squared_calibration_error([0.15, 0.95], [0, 1])


@pytest.mark.parametrize(
    ("confidence", "right", "message"),
    [
        ([], [], "at least one"),
        ([0.5], [1, 0], "as many"),
        ([1.2], [1], "logits"),
        ([float("nan")], [1], "logits"),
    ],
)
def test_bad_input(confidence, right, message):
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(confidence, right)
