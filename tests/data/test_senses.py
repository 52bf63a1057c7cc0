"""The course's own sentences: balanced, found where they say, and no sense given away by the form."""

from collections import Counter

import pytest

from course_utils.data import DataError
from course_utils.data import senses as module
from course_utils.data.senses import sense_sentences, word_span


def test_twelve_words_two_senses_ten_sentences():
    counts = Counter((row.word, row.sense) for row in sense_sentences())
    assert len(counts) == 24
    assert set(counts.values()) == {10}
    assert len({word for word, _ in counts}) == 12


def test_every_sentence_is_there_once_and_reads_as_one():
    texts = [row.text for row in sense_sentences()]
    assert len(set(texts)) == len(texts)
    assert all(text[0].isupper() and text[-1] in ".?" for text in texts)
    assert all(6 <= len(text.split()) <= 16 for text in texts)


def test_spans_are_the_words():
    assert all(row.text[slice(*row.span)] == row.word for row in sense_sentences())


def test_no_other_word_gives_half_of_a_sense_away():
    """A content word in most sentences of one sense would make the task a lookup."""
    for row_word in {row.word for row in sense_sentences()}:
        for sense in {row.sense for row in sense_sentences([row_word])}:
            texts = [row.text for row in sense_sentences([row_word]) if row.sense == sense]
            words = Counter(word for text in texts for word in set(text.lower().strip(".?").split()))
            common = {
                word for word, count in words.items() if count >= 5 and len(word) > 4 and word != row_word
            }
            assert not common, (row_word, sense, common)


def test_one_word_can_be_asked_for():
    assert {row.word for row in sense_sentences(["seal", "palm"])} == {"seal", "palm"}
    with pytest.raises(KeyError, match=r"no sentences for \['pike'\]: there are bank"):
        sense_sentences(["pike"])


@pytest.mark.parametrize(("text", "times"), [("Bats fly.", 0), ("a bat, a bat", 2), ("Bat", 0)])
def test_a_word_stands_exactly_once(text, times):
    with pytest.raises(DataError, match=f"{times} times: write the sentence anew"):
        word_span("bat", text)


def test_a_damaged_file_is_named(tmp_path, monkeypatch):
    file = tmp_path / "broken.yml"
    file.write_text("bat:\n  animal:\n    - Nothing flies here.\n")
    monkeypatch.setattr(module, "FILE", file)
    with pytest.raises(DataError, match=r"broken\.yml: 'bat' must stand exactly once"):
        sense_sentences()
