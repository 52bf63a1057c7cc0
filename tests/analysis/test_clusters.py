"""Scores of labeled vectors: perfect, hopeless, tied, and against a plain loop."""

import numpy as np
import pytest

from course_utils.analysis import clusters

LABELS = ["a"] * 6 + ["b"] * 6


@pytest.fixture
def apart():
    rng = np.random.default_rng(0)
    return np.repeat([[5.0, 0, 0], [0, 5.0, 0]], 6, axis=0) + rng.normal(size=(12, 3)) * 0.1


@pytest.fixture
def mixed():
    return np.random.default_rng(1).normal(size=(12, 3))


def test_vectors_apart_score_full(apart):
    assert clusters.neighbor_accuracy(apart, LABELS) == 1
    assert clusters.centroid_accuracy(apart, LABELS) == 1
    assert clusters.silhouette(apart, LABELS) > 0.9
    assert clusters.purity(clusters.cluster(apart, 2, seed=0), LABELS) == 1


def test_equal_vectors_score_what_guessing_scores():
    same = np.ones((12, 3))
    assert clusters.neighbor_accuracy(same, LABELS) == pytest.approx(5 / 11)
    assert clusters.centroid_accuracy(same, LABELS) == pytest.approx(0.5)
    assert clusters.silhouette(same, LABELS) == 0
    assert clusters.purity(clusters.cluster(same, 2, seed=0), LABELS) == 0.5


def test_accuracies_equal_the_loop(mixed):
    unit = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    neighbor, centroid = [], []
    for i in range(12):
        rest = [j for j in range(12) if j != i]
        neighbor.append(LABELS[max(rest, key=lambda j: unit[i] @ unit[j])] == LABELS[i])
        means = {kind: np.mean([unit[j] for j in rest if LABELS[j] == kind], axis=0) for kind in "ab"}
        centroid.append(max("ab", key=lambda k: unit[i] @ means[k] / np.linalg.norm(means[k])) == LABELS[i])
    assert clusters.neighbor_accuracy(mixed, LABELS) == pytest.approx(np.mean(neighbor))
    assert clusters.centroid_accuracy(mixed, LABELS) == pytest.approx(np.mean(centroid))


def test_lengths_do_not_matter(mixed):
    longer = mixed * np.arange(1, 13)[:, None]
    for score in (clusters.neighbor_accuracy, clusters.centroid_accuracy, clusters.silhouette):
        assert score(longer, LABELS) == pytest.approx(score(mixed, LABELS))


def test_purity_of_shuffled_labels_lies_above_their_share():
    found = [0, 1] * 6
    chance = clusters.chance_purity(found, LABELS, np.random.default_rng(0), draws=2000)
    # Of 6 drawn from 6 + 6, the commonest kind makes 3.65 on average (hypergeometric).
    assert chance == pytest.approx(0.6082, abs=0.01)


@pytest.mark.parametrize("labels", [["a"] * 12, ["a"] * 11 + ["b"], ["a"] * 3])
def test_labels_that_cannot_be_told_apart_are_refused(mixed, labels):
    with pytest.raises(ValueError, match=r"at least 2|expected vectors"):
        clusters.centroid_accuracy(mixed, labels)
