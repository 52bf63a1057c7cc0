"""What the experiments on subwords share: words, splits, intervals, the languages."""

import unicodedata

import numpy as np
import pytest

from experiments.subword_common import (
    UNKNOWN,
    corrected_interval,
    mean_factor,
    measure,
    random_split,
    ratio_error,
    share_interval,
    split_words,
    with_letters,
    without_placeholders,
)
from experiments.subword_languages import altered_share, language_row, plain_words
from experiments.subword_sentences import LANGUAGES

BY_NAME = {language.name: language for language in LANGUAGES}


def test_corrected_interval_is_wider_than_the_plain_one_and_centered():
    values = [1.0, 2.0, 3.0, 4.0, 5.0]
    low, high = corrected_interval(values)
    plain = 2.776445 * np.std(values, ddof=1) / np.sqrt(5)  # Student's t with 4 degrees of freedom
    assert (low + high) / 2 == pytest.approx(3.0)
    assert (high - low) / 2 == pytest.approx(plain * np.sqrt(5 * (1 / 5 + 0.2 / 0.8)), rel=1e-5)
    with pytest.raises(ValueError, match="at least two splits, got 1"):
        corrected_interval([1.0])


def test_share_interval_is_exact_for_words_alone_and_wider_where_they_come_together():
    sizes = np.full(50, 20.0)
    apart = np.zeros(50)
    apart[:10] = 2  # 20 of 1,000 words, two a sentence
    together = np.zeros(50)
    together[0] = 20
    low, high = share_interval(apart, sizes)
    assert 0 < low < 0.02 < high < 0.05
    wide_low, wide_high = share_interval(together, sizes)
    assert 0 <= wide_low < low
    assert wide_high > high
    assert share_interval(np.zeros(50), sizes)[0] == 0
    assert share_interval(sizes, sizes)[1] == 1
    assert share_interval(np.zeros(50), sizes)[1] == pytest.approx(1 - 0.025 ** (1 / 1000))


def test_ratio_error_agrees_with_redrawing_the_sentences():
    rng = np.random.default_rng(0)
    sizes = rng.integers(5, 30, 400).astype(float)
    tokens = sizes * rng.uniform(1, 2, 400)
    draws = rng.integers(0, 400, (4000, 400))
    redrawn = tokens[draws].sum(1) / sizes[draws].sum(1)
    assert ratio_error(tokens, sizes) == pytest.approx(redrawn.std(), rel=0.06)


def test_interval_of_a_factor_stays_above_zero():
    made = mean_factor("factor", [1.1, 9.0])
    assert 0 < made["factor_low"] < made["factor"] < made["factor_high"]
    assert made["factor"] == pytest.approx(np.sqrt(1.1 * 9.0))


def test_placeholders_of_the_tweets_are_no_words():
    assert split_words(without_placeholders("@Anonymous: anonymous http://URL_REMOVED!")) == [
        ":",
        "anonymous",
        "!",
    ]


def test_random_split_is_a_partition_that_its_seed_decides():
    texts = [str(number) for number in range(50)]
    train, test = random_split(texts, np.random.default_rng(3))
    assert (len(train), len(test)) == (40, 10)
    assert sorted(train + test) == sorted(texts)
    assert random_split(texts, np.random.default_rng(3)) == (train, test)
    assert random_split(texts, np.random.default_rng(4)) != (train, test)


def test_unknown_is_counted_by_words_and_weighted():
    def spelled(word: str) -> list[str]:
        return [letter if letter != "x" else UNKNOWN for letter in word]

    assert measure({"axx": 1, "bc": 3}, spelled) == {"unknown": 0.25, "fertility": 9 / 4}


def test_marks_and_words_part_without_a_rest():
    words = {"a": 1, "-": 2, "न": 3, "😀": 4, "½": 5}
    assert with_letters(words) == {"a": 1, "न": 3, "½": 5}
    assert with_letters(words, wanted=False) == {"-": 2, "😀": 4}


def test_twelve_languages_in_eight_scripts_with_the_same_six_sentences():
    assert len(LANGUAGES) == 12
    assert len({language.script for language in LANGUAGES}) == 8
    assert {len(language.sentences) for language in LANGUAGES} == {6}
    for language in LANGUAGES:
        for sentence in language.sentences:
            assert unicodedata.is_normalized("NFC", sentence), sentence
            assert sentence == sentence.strip()


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("Russian", "CYRILLIC"),
        ("Greek", "GREEK"),
        ("Arabic", "ARABIC"),
        ("Hindi", "DEVANAGARI"),
        ("Korean", "HANGUL"),
    ],
)
def test_no_letter_of_another_script_hides_in_a_sentence(name, script):
    letters = {letter for text in BY_NAME[name].sentences for letter in text if letter.isalpha()}
    assert {unicodedata.name(letter).split()[0] for letter in letters} == {script}


def test_normalizer_changes_hindi_and_not_english():
    assert altered_share(BY_NAME["English"]) == 0
    assert altered_share(BY_NAME["Hindi"]) > 0.3
    assert plain_words("Ärztin, ZÜGE") == ["ärztin", ",", "züge"]
    assert split_words("Ärztin") == ["arztin"]


def test_cost_is_relative_to_english():
    def letters(word: str) -> list[str]:
        return list(word)

    rng = np.random.default_rng(0)
    english = language_row(BY_NAME["English"], plain_words, letters, rng)
    finnish = language_row(BY_NAME["Finnish"], plain_words, letters, rng)
    assert english["cost"] == 1
    assert finnish["cost_low"] < finnish["cost"] < finnish["cost_high"]
    assert language_row(BY_NAME["Chinese"], plain_words, letters, rng)["tokens_a_word"] is None
