"""Similarities against loops and against cases whose answer is known."""

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from course_utils.analysis import similarity

RNG = np.random.default_rng(0)


def test_cosines_equal_scipy():
    a, b = RNG.normal(size=(4, 6)), RNG.normal(size=(3, 6))
    expected = [[1 - cosine(x, y) for y in b] for x in a]
    assert similarity.cosines(a, b) == pytest.approx(np.array(expected))


@pytest.mark.parametrize("n", [2, 3, 9])
def test_self_similarity_equals_the_double_loop(n):
    vectors = RNG.normal(size=(n, 5))
    pairs = [1 - cosine(vectors[i], vectors[j]) for i in range(n) for j in range(n) if i != j]
    assert similarity.self_similarity(vectors) == pytest.approx(np.mean(pairs))


def test_a_word_that_ignores_its_context_has_one():
    assert similarity.self_similarity(
        np.tile([1.0, 2.0], (5, 1)) * [[1], [2], [3], [4], [5]]
    ) == pytest.approx(1)


def test_random_similarity_is_the_mean_of_all_cosines():
    own, others = RNG.normal(size=(3, 5)), RNG.normal(size=(7, 5))
    assert similarity.random_similarity(own, others) == pytest.approx(similarity.cosines(own, others).mean())


def test_a_common_shift_raises_cosines_and_the_difference_takes_it_off():
    words = RNG.normal(size=(40, 10, 30))
    shifted = words + 5
    raw = [similarity.self_similarity(word) for word in shifted]
    base = [
        similarity.random_similarity(shifted[i], np.delete(shifted, i, axis=0).reshape(-1, 30))
        for i in range(40)
    ]
    assert np.mean(raw) > 0.9
    assert np.mean(raw) - np.mean(base) == pytest.approx(0, abs=0.01)


def test_words_of_one_direction_fill_their_sentence():
    assert similarity.intra_sentence_similarity(np.ones((4, 3))) == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: similarity.unit([[0.0, 0.0]]), "no direction"),
        (lambda: similarity.self_similarity([[1.0, 0.0]]), "at least 2 contexts, got 1"),
    ],
)
def test_what_has_no_answer_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
