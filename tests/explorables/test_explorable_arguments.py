"""What the three explorables refuse, and that the message says what to do."""

import pytest

from course_utils.explorables import fertility_explorer, merge_stepper, wordpiece_walker
from course_utils.subword.wordpiece import WordPiece

ROW = {"domain": "films", "tokenizer": "BPE", "vocab_size": 500, "fertility": 1.5}


@pytest.mark.parametrize(
    ("words", "merges", "message"),
    [
        ({"two words": 1}, 3, "white space"),
        ({"": 1}, 3, "white space"),
        ({"low": 0}, 3, "at least 1"),
        ({"low": 1}, 0, "num_merges"),
        ("a" * 2001, 3, "at most 2000"),
        ({"low": 900}, 3, "at most 2000"),
    ],
)
def test_stepper_refuses(words, merges, message):
    with pytest.raises(ValueError, match=message):
        merge_stepper(words, merges)


def test_stepper_takes_text_and_counts_alike():
    text, counts = merge_stepper("b a b", 2), merge_stepper({"b": 2, "a": 1}, 2)
    assert text.data["words"] == counts.data["words"] == [["b", 2], ["a", 1]]


@pytest.mark.parametrize(
    ("vocab", "text", "message"),
    [
        ({"[UNK]": 0, "a": 2}, "a", "0, 1, 2"),
        (["[UNK]", "a\nb"], "a", "line break"),
        (["[UNK]"], "a" * 241, "at most 240"),
    ],
)
def test_walker_refuses(vocab, text, message):
    with pytest.raises(ValueError, match=message):
        wordpiece_walker(WordPiece(vocab), text)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ([], {}, "at least one row"),
        ([{"domain": "films"}], {}, "missing tokenizer, vocab_size, fertility"),
        ([ROW, ROW], {}, "two rows"),
        ([{**ROW, "interval": (2, 1)}], {}, "low, high"),
        ([{**ROW, "fertility": float("nan")}], {}, "fertility"),
        ([{**ROW, "vocab_size": 0}], {}, "vocab_size"),
        ([{**ROW, "unknown_rate": 30}], {}, "share"),
        ([ROW], {"domains": ["novels"]}, "novels.*the rows have.*films"),
    ],
)
def test_fertility_refuses(rows, options, message):
    with pytest.raises(ValueError, match=message):
        fertility_explorer(rows, **options)


def test_fertility_keeps_known_keys_and_drops_absent_ones():
    (kept,) = fertility_explorer([{**ROW, "seed": 3, "unknown_rate": None}]).data["rows"]
    assert kept == ROW
