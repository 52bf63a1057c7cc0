"""Metrics of scores and of ordered classes, against scikit-learn and loops written out."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, roc_auc_score
from sklearn.metrics import mean_absolute_error as sklearn_error

from course_utils import metrics


def drawn(seed, n=200, decimals=1):
    """Labels and scores with many ties."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.3).astype(int)
    return labels, (rng.normal(size=n) + labels).round(decimals)


@pytest.mark.parametrize("seed", range(5))
def test_auc_and_balanced_accuracy_are_scikit_learns(seed):
    labels, scores = drawn(seed)
    assert metrics.auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    said = (scores > 0.5).astype(int)
    expected = balanced_accuracy_score(labels, said)
    assert metrics.balanced_accuracy(labels, said) == pytest.approx(expected, abs=1e-12)


def test_auc_and_balanced_accuracy_do_not_see_the_base_rate_and_accuracy_does():
    labels, scores = np.array([0, 0, 1, 1] * 50), np.array([-2.0, -1.0, -0.5, 2.0] * 50)
    skewed = np.concatenate([np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)[::10]])
    said = (scores > 0).astype(int)
    assert metrics.auc(labels[skewed], scores[skewed]) == metrics.auc(labels, scores)
    assert metrics.balanced_accuracy(labels[skewed], said[skewed]) == 0.75
    assert metrics.accuracy(labels, said) - metrics.accuracy(labels[skewed], said[skewed]) > 0.2


@pytest.mark.parametrize("seed", range(5))
def test_the_best_threshold_is_that_of_a_loop(seed):
    labels, scores = drawn(seed, n=40)
    threshold, best = metrics.best_threshold(labels, scores)
    tried = [((scores >= at) == labels).mean() for at in [*scores, scores.max() + 1]]
    assert best == pytest.approx(max(tried), abs=1e-12)
    assert ((scores >= threshold) == labels).mean() == pytest.approx(best, abs=1e-12)


def test_the_best_threshold_may_say_one_class_of_all():
    assert metrics.best_threshold([1, 1, 0], [0.1, 0.2, 0.3])[1] == pytest.approx(2 / 3)
    threshold, best = metrics.best_threshold([0, 0, 0, 1], [3.0, 3.0, 3.0, 3.0])
    assert (threshold > 3.0, best) == (True, 0.75)


@pytest.mark.parametrize("seed", range(5))
def test_ordinal_metrics_are_scikit_learns(seed):
    rng = np.random.default_rng(seed)
    true = rng.integers(1, 6, 150)
    found = np.clip(true + rng.integers(-2, 3, 150), 1, 5)
    kappa = cohen_kappa_score(true, found, weights="quadratic")
    assert metrics.quadratic_kappa(true, found) == pytest.approx(kappa, abs=1e-12)
    assert metrics.mean_absolute_error(true, found) == pytest.approx(sklearn_error(true, found))


def test_kappa_of_a_constant_guess_is_nothing():
    assert metrics.quadratic_kappa([1, 2, 3, 4, 5], [3] * 5) == pytest.approx(0.0, abs=1e-12)
    assert metrics.quadratic_kappa([3, 3], [3, 3]) == 0.0


@pytest.mark.parametrize(
    ("true", "scores", "message"),
    [
        ([1, 1], [0.1, 0.2], "both present"),
        ([0, 1, 2], [0.1, 0.2, 0.3], "both present"),
        ([0, 1], [[0.1, 0.9], [0.2, 0.8]], "positive class"),
        ([0, 1], [0.1, float("nan")], "finite"),
    ],
)
def test_refusals(true, scores, message):
    for function in (metrics.auc, metrics.best_threshold):
        with pytest.raises(ValueError, match=message):
            function(true, scores)
