"""The estimates are checked on simulated raters, whose true opinion is known."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from course_utils.data.noise_ceiling import noise_ceiling, rater_accuracy, replication

Array = NDArray[np.float64]
ROWS = 1500


def simulate(kind: str, raters: int = 20) -> tuple[Array, float]:
    """Whole-number scores from -4 to 4, and how often the sign of their mean is the true one."""
    rng = np.random.default_rng(7)
    true_mean, spread = {
        "normal": (rng.normal(0, 0.4, ROWS), np.full(ROWS, 1.2)),
        "skewed": (rng.exponential(0.6, ROWS) - 0.4, np.full(ROWS, 1.0)),
        "two peaks": (rng.choice([-0.4, 0.4], ROWS), np.full(ROWS, 1.2)),
        "quiet when neutral": ((quiet := rng.normal(0, 0.6, ROWS)), 0.3 + 0.8 * np.abs(quiet)),
    }[kind]
    panel = np.clip(np.round(rng.normal(true_mean[:, None], spread[:, None], (ROWS, raters))), -4, 4)
    # The mean of all raters: -4 plus the probability of passing each border between two scores.
    borders = np.arange(-3.5, 4.0)
    everyone = -4 + ndtr((true_mean[:, None] - borders) / spread[:, None]).sum(axis=1)
    mean = panel.mean(axis=1)
    return panel, float(np.mean((np.sign(mean) == np.sign(everyone))[mean != 0]))


@pytest.mark.parametrize("kind", ["normal", "skewed", "two peaks", "quiet when neutral"])
def test_the_estimate_is_near_the_truth(kind: str) -> None:
    scores, truth = simulate(kind)
    found = noise_ceiling(scores)
    assert abs(found.accuracy - truth) < 0.03
    assert found.replication <= truth + 0.01  # a lower bound
    assert abs(found.predicted - found.replication) < 0.02
    assert found.interval[0] < found.accuracy < found.interval[1]


def test_resampling_the_raters_would_be_far_too_optimistic_where_all_flip_coins() -> None:
    scores = np.random.default_rng(1).choice([-1.0, 1.0], (ROWS, 21))
    resampled = np.random.default_rng(2).integers(0, 21, scores.shape)
    naive = np.sign(np.take_along_axis(scores, resampled, axis=1).mean(axis=1)) == np.sign(
        scores.mean(axis=1)
    )
    assert naive.mean() > 0.7  # the truth is 0.5
    assert noise_ceiling(scores).accuracy < 0.63
    assert abs(replication(scores) - 0.5) < 0.02


def test_raters_who_agree_leave_nothing_to_lose() -> None:
    scores = np.repeat(np.random.default_rng(3).choice([-2.0, 3.0], (200, 1)), 15, axis=1)
    found = noise_ceiling(scores)
    assert found.accuracy > 0.999
    assert found.replication == 1.0
    assert rater_accuracy(scores) == 1.0


def test_a_margin_raises_the_ceiling_and_counts_fewer_rows() -> None:
    scores, _ = simulate("normal")
    everything, clear = noise_ceiling(scores), noise_ceiling(scores, margin=0.4)
    assert clear.rows < everything.rows == np.sum(scores.mean(axis=1) != 0)
    assert clear.accuracy > everything.accuracy + 0.03


def test_missing_raters_are_left_out() -> None:
    scores, _ = simulate("skewed")
    padded = np.concatenate([scores, np.full((ROWS, 9), np.nan)], axis=1)
    assert noise_ceiling(padded).accuracy == pytest.approx(noise_ceiling(scores).accuracy)
    assert rater_accuracy(padded) == pytest.approx(rater_accuracy(scores))
    assert replication(padded) == pytest.approx(replication(scores), abs=0.01)


def test_more_raters_make_better_labels() -> None:
    few, many = (noise_ceiling(simulate("normal", raters)[0]).accuracy for raters in (6, 40))
    assert many > few + 0.05


def test_what_cannot_be_estimated_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two raters"):
        noise_ceiling(np.array([[1.0, np.nan]]))
    with pytest.raises(ValueError, match="take a smaller margin"):
        noise_ceiling(np.array([[1.0, 2.0]]), margin=3)
