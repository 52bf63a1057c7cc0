"""Five classes from two, mixed sentences, ceilings: against brute force, scikit-learn and simulation."""

from itertools import combinations_with_replacement

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, recall_score

from course_utils.data import NoiseCeiling
from course_utils.study import ceiling, mixed, ordinal


def drawn(seed, n=12, decimals=2):
    rng = np.random.default_rng(seed)
    stars = rng.integers(1, 6, n)
    return np.clip((stars - 1) / 4 + 0.3 * rng.normal(size=n), 0, 1).round(decimals), stars


@pytest.mark.parametrize("target", ["accuracy", "absolute"])
@pytest.mark.parametrize("seed", range(6))
def test_fitted_points_are_the_best_of_all(seed, target):
    p, stars = drawn(seed, decimals=1 if seed % 2 else 2)
    values = np.unique(p)
    places = [0.0, *(values[1:] + values[:-1]) / 2, 1.1]

    def cost(points):
        off = np.abs(ordinal.cut(p, points) - stars)
        return (off > 0).mean() if target == "accuracy" else off.mean()

    best = min(cost(points) for points in combinations_with_replacement(places, 4))
    assert cost(ordinal.fit_points(p, stars, target)) == pytest.approx(best, abs=1e-12)


def test_points_fitted_on_many_rows_find_the_true_ones():
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    found = ordinal.fit_points(p, ordinal.cut(p, [0.1, 0.3, 0.6, 0.95]))
    assert found == pytest.approx([0.1, 0.3, 0.6, 0.95], abs=1e-3)


def test_rules_fitted_elsewhere_never_see_the_test_stars():
    """The stars of the rows that are predicted are no argument; fixed points know no stars at all."""
    p, stars = drawn(1, 300)
    new, _ = drawn(2, 50)
    for rule in (ordinal.fixed_rule(), ordinal.fitted_rule(p, stars), ordinal.isotonic_rule(p, stars)):
        found = rule(new)
        assert set(found) <= {1, 2, 3, 4, 5}
        assert (np.diff(found[np.argsort(new, kind="stable")]) >= 0).all()


def test_scores_are_scikit_learns():
    p, stars = drawn(3, 400)
    found = ordinal.cut(p)
    scores = ordinal.scores(stars, found)
    assert scores.kappa == pytest.approx(cohen_kappa_score(stars, found, weights="quadratic"))
    assert scores.recall == pytest.approx(recall_score(stars, found, average=None))
    assert scores.within_one == pytest.approx((abs(stars - found) <= 1).mean())


def test_three_stars_for_all_is_right_half_of_the_time_in_two_classes():
    stars = np.array([1, 2, 3, 4, 5] * 4)
    scores = ordinal.scores(stars, np.full(20, 3))
    assert (scores.accuracy, scores.two_classes, scores.kappa) == (0.2, 0.5, pytest.approx(0.0))
    assert scores.recall == (0.0, 0.0, 1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ordinal.cut([0.5], [0.2, 0.8]), "need 4 cut points"),
        (lambda: ordinal.cut([0.5], [0.8, 0.6, 0.4, 0.2]), "do not fall"),
        (lambda: ordinal.fit_points([0.5, 1.5], [1, 2]), r"lie in \[0, 1\]"),
        (lambda: ordinal.fit_points([0.5], [0]), "from 1 to 5"),
        (lambda: ordinal.isotonic_rule([0.5], [1, 2]), "one probability a rating"),
        (lambda: mixed.mixed_by_raters([[np.nan, np.nan]]), "at least one score"),
        (lambda: ceiling.accuracy_without_noise(0.8, 0.5), "above 0.5"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_stars_are_one_to_five_and_all_of_them():
    assert ordinal.is_stars([1, 2, 3, 4, 5, 5])
    assert not ordinal.is_stars([1, 2, 4, 5])
    assert not ordinal.is_stars([np.nan, 1, 2, 3, 4, 5])


def test_mixed_needs_a_quarter_on_each_side():
    scores = np.array([[1.0, 1, 1, -1], [1, 1, 1, 0], [-2, 0, 0, 2], [1, -1, np.nan, np.nan]])
    assert mixed.mixed_by_raters(scores).tolist() == [True, False, True, True]


def test_undecided_is_closest_to_the_middle():
    assert mixed.closeness_to_middle([0.0, 0.25, 0.5, 1.0]).tolist() == [0.0, 0.5, 1.0, 0.0]


def test_accuracy_without_noise_is_that_on_the_true_labels():
    rng = np.random.default_rng(7)
    true = rng.random(200_000) < 0.5
    labels, said = true ^ (rng.random(200_000) < 0.06), true ^ (rng.random(200_000) < 0.15)
    found = ceiling.accuracy_without_noise((said == labels).mean(), 0.94)
    assert found == pytest.approx((said == true).mean(), abs=0.005)


def test_a_perfect_model_has_the_gap_of_the_labels():
    found = {
        name: NoiseCeiling(accuracy, (0.9, 1.0), 0.9, 0.9, 100)
        for name, accuracy in {"films": 0.98, "tweets": 0.90, "shops": 0.94}.items()
    }
    assert ceiling.gap_of_perfection(found, "films", ["films", "tweets", "shops"]) == pytest.approx(0.06)
    assert ceiling.gap_of_perfection(found, "films", ["films", "games"]) is None
