"""WordPiece training: every score of the worked example, the textbook, both stops, the library's way."""

import os
from fractions import Fraction
from itertools import islice
from math import inf, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from benchmarks.fuzzed_text import fuzzed_texts
from course_utils.subword import (
    BertNormalizer,
    count_words,
    likelihood_gain,
    trace_wordpiece,
    train_wordpiece,
)
from course_utils.subword.bpe_training import learn_merges
from course_utils.subword.wordpiece_training import (
    characters,
    initial_pieces,
    learn_by_likelihood,
    score_pairs,
)

os.environ["TOKENIZERS_PARALLELISM"] = "false"
HUGS = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}


def scores(words):
    return {
        "".join(pair): Fraction(one.count, one.left_count * one.right_count)
        for pair, one in score_pairs(words, HUGS).items()
    }


def test_every_score_of_the_worked_example():
    """All from the counts at that step: a leading course divides by others in its second table."""
    first, second, third = islice(trace_wordpiece(HUGS), 3)
    assert scores({word: characters(word) for word in HUGS}) == {
        "h##u": Fraction(15, 15 * 36),
        "p##u": Fraction(17, 17 * 36),
        "b##u": Fraction(4, 4 * 36),
        "##u##g": Fraction(20, 36 * 20),
        "##u##n": Fraction(16, 36 * 16),
        "##g##s": Fraction(5, 20 * 5),
    }
    assert first.token == "##gs"
    assert set(scores(first.words).values()) == {Fraction(1, 36)}
    assert len(scores(first.words)) == 6
    assert second.token == "bu"
    assert (third.token, third.chosen.score) == ("bun", 4 / (4 * 16))


def test_the_score_of_hu_and_g():
    """After ##gs and hu: 10 hug out of 15 hu and 15 ##g, not out of the 20 or 36 of the start."""
    words = {
        "hug": ("hu", "##g"),
        "pug": ("p", "##u", "##g"),
        "pun": ("p", "##u", "##n"),
        "bun": ("b", "##u", "##n"),
        "hugs": ("hu", "##gs"),
    }
    assert scores(words) == {
        "hu##g": Fraction(10, 15 * 15),
        "hu##gs": Fraction(5, 15 * 5),
        "p##u": Fraction(17, 17 * 21),
        "b##u": Fraction(4, 4 * 21),
        "##u##g": Fraction(5, 21 * 15),
        "##u##n": Fraction(16, 21 * 16),
    }


word_counts = st.dictionaries(
    st.text("abc", min_size=1, max_size=10), st.integers(1, 6), min_size=1, max_size=15
)


@settings(max_examples=200)
@given(word_counts)
def test_the_incremental_trainer_makes_the_textbooks_merges(counts):
    base = initial_pieces(counts)
    steps = list(trace_wordpiece(counts))
    tokens, merges = learn(counts, base, vocab_size=10_000)
    assert [(tokens[left], tokens[right]) for left, right in merges] == [step.chosen.pair for step in steps]
    assert tokens == [*base, *dict.fromkeys(step.token for step in steps if step.token not in base)]


def learn(counts, base, **limits):
    ids = {token: number for number, token in enumerate(base)}
    tokens = list(base)
    words = [[ids[piece] for piece in characters(word)] for word in counts]
    return tokens, learn_by_likelihood(words, list(counts.values()), tokens, **limits)


def log_likelihood(words, counts):
    tokens = {}
    for word, pieces in words.items():
        for piece in pieces:
            tokens[piece] = tokens.get(piece, 0) + counts[word]
    total = sum(tokens.values())
    return sum(count * log(count / total) for count in tokens.values())


@settings(max_examples=100)
@given(word_counts)
def test_the_gain_is_the_difference_of_log_likelihoods_and_decides_the_stop(counts):
    words = {word: tuple(characters(word)) for word in counts}
    gains = []
    for step in trace_wordpiece(counts):
        gains.append(log_likelihood(step.words, counts) - log_likelihood(words, counts))
        words = step.words
    for limit in (-inf, 0.0, 2.0, 5.0, inf):
        _, merges = learn(counts, initial_pieces(counts), vocab_size=10_000, min_gain=limit + 1e-7)
        expected = next((at for at, gain in enumerate(gains) if gain < limit + 1e-7), len(gains))
        assert len(merges) == expected


def test_the_gain_by_hand():
    before = 4 * log(4 / 12) * 2 + 4 * log(4 / 12)
    after = 4 * log(4 / 8) * 2
    assert likelihood_gain(4, 4, 4, 12) == pytest.approx(after - before, abs=1e-12)
    before, after = 6 * log(6 / 8) + 2 * log(2 / 8), 3 * log(3 / 5) + 2 * log(2 / 5)
    assert likelihood_gain(3, 6, 6, 8, same=True) == pytest.approx(after - before, abs=1e-12)


def test_both_stops_and_the_minimum_count():
    start = len(initial_pieces(HUGS)) + 5
    assert len(train_wordpiece(HUGS, vocab_size=start).vocab) == start
    assert len(train_wordpiece(HUGS, vocab_size=start + 3).vocab) == start + 3
    assert len(train_wordpiece(HUGS, vocab_size=999, min_gain=inf).vocab) == start
    new = list(train_wordpiece(HUGS, vocab_size=999, min_count=10).vocab)[start:]
    assert new[0] == "hu"
    assert "##gs" not in new


def test_likelihood_prefers_rare_pairs_and_frequency_does_not():
    counts = {"the": 1000, "then": 300, "qx": 1}
    start = len(initial_pieces(counts)) + 5
    assert list(train_wordpiece(counts, vocab_size=start + 1).vocab)[-1] == "qx"
    frequent = train_wordpiece(counts, vocab_size=start + 1, criterion="frequency")
    assert list(frequent.vocab)[-1] == "th"


def test_the_librarys_trainer_merges_by_frequency():
    """Its ids for the pieces inside words change from run to run; given them, every new token is the same."""
    normalizer = BertNormalizer()
    texts = [normalizer.normalize(text) for text in fuzzed_texts(1500, seed=8)]
    library = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    library.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=100_000, min_frequency=2, show_progress=False)
    library.train_from_iterator(texts, trainer)
    theirs = sorted(library.get_vocab(), key=library.get_vocab().get)

    counts = count_words(texts, "punctuation")
    base = initial_pieces(counts)
    assert set(theirs[: len(base)]) == set(base)
    tokens = theirs[: len(base)]
    ids = {token: number for number, token in enumerate(tokens)}
    words = [[ids[piece] for piece in characters(word)] for word in counts]
    learn_merges(words, list(counts.values()), tokens, 100_000, min_count=2, prefix="##")
    assert len(tokens) > len(base) + 500
    assert tokens == theirs


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vocab_size": 3}, "vocab_size 3 is below the 16 tokens"),
        ({"vocab_size": 99, "criterion": "luck"}, "criterion 'luck' is unknown"),
        ({"vocab_size": 99, "criterion": "frequency", "min_gain": 1.0}, "min_gain needs the criterion"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        train_wordpiece(HUGS, **arguments)


def test_bad_counts_are_named():
    with pytest.raises(ValueError, match="expected a non-empty word"):
        train_wordpiece({"": 1}, vocab_size=10)
