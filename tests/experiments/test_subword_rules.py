"""The rules that say what to merge next, and the loop that follows them."""

from itertools import pairwise

import numpy as np
import pytest

from course_utils.subword import WordPiece
from course_utils.subword.wordpiece_training import train_wordpiece
from experiments.subword_rules import Counts, Pieces, cut, frequency, gain, score, train

WORDS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
MORE = {"low": 5, "lower": 2, "newest": 6, "widest": 3, "banana": 4, "aaaa": 2, "naan": 1}


def log_likelihood(state: Pieces) -> float:
    """Of the text under a unigram model, counted anew from the words as they are cut."""
    counts: dict[int, int] = {}
    for word, weight in zip(state.words, state.weights, strict=True):
        for piece in word:
            counts[piece] = counts.get(piece, 0) + weight
    total = sum(counts.values())
    return sum(count * np.log(count / total) for count in counts.values())


def test_score_of_the_well_known_toy_and_the_counts_of_each_step():
    state = Pieces(WORDS)
    scores = {}
    for left, right, pair, merged in state.pairs[: len(state.rows)].tolist():
        names = state.names[left], state.names[right]
        scores[names] = float(score(counts_of(state, left, right, pair, merged))[0])
    assert scores.pop(("##g", "##s")) == pytest.approx(1 / 20)
    assert list(scores.values()) == pytest.approx([1 / 36] * 5)


def counts_of(state: Pieces, left: int, right: int, pair: int, merged: int) -> Counts:
    counts = np.array(state.counts)
    same = np.array([left == right])
    pairs = np.array([pair]), np.array([merged])
    return Counts(*pairs, counts[[left]], counts[[right]], same, int(counts.sum()))


@pytest.mark.parametrize("rule", [frequency, score, gain])
def test_counts_stay_those_of_a_recount_through_every_merge(rule):
    state = Pieces(MORE)
    for _ in range(25):
        found = state.best(rule, 1)
        if found is None:
            break
        state.merge(found[0])
        recount = np.zeros(len(state.names), int)
        pairs: dict[tuple[int, int], int] = {}
        for word, weight in zip(state.words, state.weights, strict=True):
            for piece in word:
                recount[piece] += weight
            for pair in pairwise(word):
                pairs[pair] = pairs.get(pair, 0) + weight
        assert state.counts == recount.tolist()
        kept = {(left, right): n for left, right, n, _ in state.pairs[: len(state.rows)].tolist() if n}
        assert kept == pairs


@pytest.mark.parametrize("words", [WORDS, MORE, {"aaaaa": 3, "baa": 2, "ab": 4}, {"xxxx": 9, "xy": 1}])
def test_gain_is_the_exact_rise_of_the_log_likelihood(words):
    state = Pieces(words)  # in some a piece follows itself, even in runs
    for _ in range(6):
        found = state.best(gain, 1)
        if found is None:
            break
        row, promised = found
        before = log_likelihood(state)
        state.merge(row)
        assert log_likelihood(state) - before == pytest.approx(promised)


@pytest.mark.parametrize(("rule", "criterion"), [(frequency, "frequency"), (score, "likelihood")])
@pytest.mark.parametrize("min_count", [1, 3])
def test_loop_learns_what_the_course_trainer_learns(rule, criterion, min_count):
    ours, _ = train(MORE, rule, size=45, min_count=min_count)
    special = ["[UNK]"]
    theirs = train_wordpiece(
        MORE, vocab_size=46, criterion=criterion, min_count=min_count, special_tokens=special
    )
    assert [*special, *ours] == sorted(theirs.vocab, key=theirs.vocab.__getitem__)


def test_training_stops_at_size_at_minimum_count_and_at_threshold():
    assert len(train(WORDS, frequency, size=13)[0]) == 13
    assert all(step.count >= 10 for step in train(WORDS, frequency, size=100, min_count=10)[1])
    assert train(WORDS, score, size=100, threshold=0.051)[1] == []
    assert train(WORDS, score, size=100, threshold=0.05)[1][0].piece == "##gs"


def test_longest_match_is_that_of_the_course_class():
    vocab = ["[UNK]", "u", "un", "una", "##a", "##n", "##ffa", "##ble", "##f", "low", "lowe", "##st"]
    ours = WordPiece(vocab)
    for word in ("unaffable", "unable", "low", "lowest", "x", "unx"):
        assert cut(word, set(vocab)) == ours.tokenize(word)
