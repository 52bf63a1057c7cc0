"""Word tags on pieces and back, with the small WordPiece vocabulary written out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.finetuning.alignment import (
    IGNORED,
    align_tags,
    first_pieces,
    label_ids,
    missing_words,
    split_words,
    tag_set,
    tags_of_words,
)
from course_utils.metrics import entity_scores

WORDS = ["play", "playing", "unplay", "don't", "zzz", "?", ""]
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
sentences = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(TAGS)), min_size=1, max_size=8)


def test_every_word_keeps_its_number_whatever_the_pieces(small_tokenizer):
    ids, word_ids = split_words(small_tokenizer, ["playing", "don't", "play"])
    tokens = [small_tokenizer.id_to_token(i) for i in ids]
    assert tokens == ["[CLS]", "play", "##ing", "don", "'", "t", "play", "[SEP]"]
    assert word_ids == [None, 0, 0, 1, 1, 1, 2, None]


def test_one_text_is_no_list_of_words(small_tokenizer):
    with pytest.raises(ValueError, match="expected a list of words"):
        split_words(small_tokenizer, "playing")


def test_two_schemes_differ_on_the_pieces_behind_the_first():
    word_ids, tags = [None, 0, 0, 0, 1, 1, 2, None], ["B-LOC", "I-LOC", "O"]
    assert align_tags(word_ids, tags) == [None, "B-LOC", None, None, "I-LOC", None, "O", None]
    everything = [None, "B-LOC", "I-LOC", "I-LOC", "I-LOC", "I-LOC", "O", None]
    assert align_tags(word_ids, tags, "all") == everything


@settings(max_examples=60)
@given(rows=sentences)
def test_there_and_back_is_the_same_but_for_words_without_a_piece(small_tokenizer, rows):
    words, tags = (list(side) for side in zip(*rows, strict=True))
    _, word_ids = split_words(small_tokenizer, words)
    lost = set(missing_words(word_ids, len(words)))
    assert lost == {i for i, word in enumerate(words) if not word}
    for scheme in ("first", "all"):
        aligned = [tag or "O" for tag in align_tags(word_ids, tags, scheme)]
        back = tags_of_words(word_ids, aligned, len(words))
        assert back == ["O" if i in lost else tag for i, tag in enumerate(tags)]
        if not lost and scheme == "all":
            assert entity_scores([tags], [back]).f1 == entity_scores([tags], [tags]).f1


def test_the_loss_counts_one_token_a_word(small_tokenizer):
    _, word_ids = split_words(small_tokenizer, ["playing", "don't", "play"])
    labels = label_ids(align_tags(word_ids, ["B-PER", "I-PER", "O"]), tag_set([TAGS]))
    assert sum(label != IGNORED for label in labels) == 3
    assert labels[0] == labels[-1] == IGNORED


def test_words_that_are_cut_off_are_noticed(small_tokenizer):
    small_tokenizer.enable_truncation(4)
    try:
        _, word_ids = split_words(small_tokenizer, ["playing", "play", "play"])
    finally:
        small_tokenizer.no_truncation()
    assert missing_words(word_ids, 3) == [1, 2]
    assert tags_of_words(word_ids, ["B-PER"] * 4, 3, missing="O") == ["B-PER", "O", "O"]


def test_the_first_piece_decides():
    assert tags_of_words([None, 0, 0, None], ["O", "B-PER", "O", "O"], 1) == ["B-PER"]
    assert first_pieces([None, 1, 1, 0]) == {1: 1, 0: 3}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: align_tags([None, 0, 1], ["O"]), "word 1 has no tag"),
        (lambda: align_tags([0], ["O"], "last"), "'first' or 'all'"),
        (lambda: label_ids(["B-ORG"], {"O": 0}), r"no number for the tags \['B-ORG'\]"),
        (lambda: tags_of_words([None, 0], ["O"], 1), "2 tokens need as many predictions"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
