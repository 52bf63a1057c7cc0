"""Windows over passages, the place of the answer in them, and the best span, against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.finetuning.windows import (
    answer_span,
    best_answer,
    best_span,
    most_context,
    windows,
)

passages = st.lists(st.sampled_from(["play", "playing", "don't", "zzz", "unplay"]), min_size=1, max_size=25)


@settings(max_examples=60)
@given(words=passages, stride=st.integers(1, 6), data=st.data())
def test_windows_cover_every_token_and_none_is_needless(small_tokenizer, words, stride, data):
    passage = "  ".join(words)
    made = windows(small_tokenizer, "play ?", passage, max_length=11, stride=stride)
    whole = small_tokenizer.encode(passage, add_special_tokens=False)
    seen = [place for w in made for place in range(w.begins, w.begins + len(w.offsets))]
    assert set(seen) == set(range(len(whole.ids)))
    assert all(len(w.ids) == len(w.segments) <= 11 for w in made)
    for window in made:
        stretch = slice(window.begins, window.begins + len(window.offsets))
        assert window.ids[window.first : -1] == whole.ids[stretch]
        assert window.segments[window.first - 1 : window.first + 1] == [0, 1]
    assert len(made) == 1 or made[-2].begins + len(made[-2].offsets) < len(whole.ids)
    # Each answer of whole words is in some window, at the characters it came from.
    first = data.draw(st.integers(0, len(whole.ids) - 1))
    start, end = whole.offsets[first]
    holders = [(w, span) for w in made if (span := answer_span(w, start, end))]
    assert holders
    for window, (left, right) in holders:
        assert window.offsets[left - window.first][0] <= start
        assert window.offsets[right - window.first][1] >= end


def test_windows_are_those_of_the_library_where_its_overlap_is_the_rest(small_tokenizer):
    question, passage, stride, room = "play ?", "play playing don't zzz unplay play", 2, 6
    made = windows(small_tokenizer, question, passage, max_length=11, stride=stride)
    small_tokenizer.enable_truncation(11, stride=room - stride, strategy="only_second")
    try:
        first = small_tokenizer.encode(question, passage)
    finally:
        small_tokenizer.no_truncation()
    theirs = [first, *first.overflowing]
    assert [w.ids for w in made] == [e.ids for e in theirs]
    assert [w.segments for w in made] == [e.type_ids for e in theirs]


def test_an_answer_across_a_border_is_in_the_overlap_only(small_tokenizer):
    passage = "play zzz unplay play play play zzz play"
    made = windows(small_tokenizer, "play", passage, max_length=8, stride=2)
    start = passage.index("play play play") + 5
    spans = [answer_span(w, start, start + len("play play")) for w in made]
    assert None in spans
    held = [w for w, span in zip(made, spans, strict=True) if span]
    assert held
    window, (left, right) = held[0], next(span for span in spans if span)
    begin, end = window.offsets[left - window.first][0], window.offsets[right - window.first][1]
    assert passage[begin:end] == "play play"


def test_an_answer_inside_a_word_takes_the_tokens_that_overlap(small_tokenizer):
    window = windows(small_tokenizer, "play", "don't zzz", max_length=20, stride=4)[0]
    assert answer_span(window, 1, 4) == (window.first, window.first + 1)  # "on'"


def all_pairs(starts, ends, max_tokens, allowed):
    pairs = itertools.product(range(len(starts)), repeat=2)
    valid = [(s, e) for s, e in pairs if s <= e < s + max_tokens and allowed[s]]
    return max(valid, key=lambda pair: starts[pair[0]] + ends[pair[1]], default=None)


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.booleans()), min_size=1, max_size=9),
    st.integers(1, 10),
)
def test_best_span_equals_brute_force(rows, max_tokens):
    starts, ends, allowed = zip(*rows, strict=True)
    expected = all_pairs(starts, ends, max_tokens, allowed)
    if expected is None:
        with pytest.raises(ValueError, match="no pair"):
            best_span(starts, ends, max_tokens, allowed)
    else:
        found = best_span(starts, ends, max_tokens, allowed)
        assert found == (*expected, starts[expected[0]] + ends[expected[1]])


def test_the_end_never_comes_before_the_start():
    start, end, _ = best_span([0, 0, 9], [9, 0, 0])
    assert (start, end) in {(0, 0), (2, 2)}


def logits_for(made, best):
    """Zeros, but for (window, token of the stretch) -> a high start and end."""
    rows = [np.zeros((2, len(w.ids))) for w in made]
    for (number, place), value in best.items():
        rows[number][:, made[number].first + place] = value
    return rows


def test_the_answer_is_the_passages_own_text_and_the_question_is_none(small_tokenizer):
    passage = "Play  PLAYING zzz"
    made = windows(small_tokenizer, "play", passage, max_length=20, stride=4)
    rows = logits_for(made, {})
    rows[0][0, made[0].first + 1] = rows[0][1, made[0].first + 2] = 3.0  # play ##ing
    rows[0][:, 1] = 99.0  # the question's token
    answer = best_answer(passage, made, rows, max_tokens=2)
    assert answer.text == "PLAYING"
    assert passage[answer.start : answer.end] == answer.text


def test_windows_are_compared_by_their_raw_logits(small_tokenizer):
    passage = "play in play in play in play in"
    made = windows(small_tokenizer, "play", passage, max_length=8, stride=4)
    rows = logits_for(made, {(0, 0): 1.0, (1, 1): 2.0})
    # A softmax in each window would prefer window 0, where nothing else competes.
    rows[1][:, made[1].first + 2] = 1.9
    assert best_answer(passage, made, rows, max_tokens=1).window == 1


def test_context_decides_which_window_owns_a_token(small_tokenizer):
    passage = "play in play in play in play in"
    made = windows(small_tokenizer, "play", passage, max_length=10, stride=2)
    owners = most_context(made)
    counts = np.zeros(8, dtype=int)
    for window, mine in zip(made, owners, strict=True):
        counts[window.begins : window.begins + len(mine)] += mine
    assert (counts == 1).all()
    assert not owners[1][0]  # the left edge of the second window is inside the first
    rows = logits_for(made, {(1, 0): 5.0})
    free = best_answer(passage, made, rows, max_tokens=1)
    bound = best_answer(passage, made, rows, max_tokens=1, by_context=True)
    assert (free.score, bound.score) == (10.0, 0.0)


def test_a_tokenizer_that_cuts_is_refused(small_tokenizer):
    small_tokenizer.enable_truncation(8)
    try:
        with pytest.raises(ValueError, match="no_truncation"):
            windows(small_tokenizer, "play", "zzz")
    finally:
        small_tokenizer.no_truncation()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: windows(t, "play", "zzz zzz", max_length=8, stride=5), "room for 4 tokens"),
        (lambda t: windows(t, "play", "  "), "the passage has no token"),
        (lambda t: answer_span(windows(t, "play", "zzz")[0], 2, 2), "to a later one"),
        (lambda t: best_span([1.0], [1.0], 0), "at least 1 token"),
        (lambda t: best_span([1.0], [1.0, 2.0]), "must be"),
        (lambda t: best_answer("zzz", windows(t, "play", "zzz"), []), "1 windows need as many logits"),
    ],
)
def test_what_cannot_be_is_refused(small_tokenizer, call, message):
    with pytest.raises(ValueError, match=message):
        call(small_tokenizer)
