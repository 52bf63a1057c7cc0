"""WordPiece against transformers' BertTokenizerFast with bert-base-uncased's vocabulary."""

import os
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fuzzed_text import code_point_blocks, fuzzed_texts
from course_utils.data import small_model_dir
from course_utils.subword import BertNormalizer, WordPiece
from course_utils.subword.bert_characters import ACCENTS, ORDERED_MARKS

os.environ["TOKENIZERS_PARALLELISM"] = "false"
MARKS = [chr(point) for point in range(0x110000) if unicodedata.combining(chr(point))]
ORDERED = [chr(point) for point in sorted(ORDERED_MARKS)]


@pytest.fixture(scope="module")
def ours():
    return WordPiece.load(small_model_dir() / "vocab.txt")


@pytest.fixture(scope="module")
def library():
    from transformers import BertTokenizerFast

    return BertTokenizerFast(vocab=str(small_model_dir() / "vocab.txt")).backend_tokenizer


def same(ours, library, text, pair=None):
    theirs, mine = library.encode(text, pair), ours.encode(text, pair)
    assert mine.input_ids == theirs.ids
    assert mine.tokens == theirs.tokens
    assert mine.token_type_ids == theirs.type_ids
    assert mine.offsets == theirs.offsets


def test_each_code_point_is_encoded_as_the_library_encodes_it(ours, library):
    for block in code_point_blocks(step=31):
        same(ours, library, "".join(f"a{one}b " for one in block))


def test_each_code_point_is_normalized_as_the_library_normalizes_it(library):
    """In the tokens most rare characters are [UNK]; here they are seen."""
    from tokenizers import normalizers

    for lowercase in (True, False):
        theirs, mine = normalizers.BertNormalizer(lowercase=lowercase), BertNormalizer(lowercase)
        for block in code_point_blocks(step=31):
            text = "".join(f"a{one}b" for one in block)
            assert mine.normalize(text) == theirs.normalize_str(text)


def test_equal_to_the_library_on_fuzzed_text(ours, library):
    texts = list(fuzzed_texts(4000, seed=7))
    for text, pair in zip(texts[:1000], texts[1000:2000], strict=True):
        same(ours, library, text, pair)
    for text in texts[2000:]:
        same(ours, library, text)
        ids = ours.encode(text).input_ids
        for skip in (True, False):
            assert ours.decode(ids, skip_special_tokens=skip) == library.decode(ids, skip_special_tokens=skip)
        assert ["[CLS]", *ours.tokenize(text), "[SEP]"] == ours.encode(text).tokens


@settings(max_examples=500)
@given(text=st.text())
def test_equal_to_the_library_on_any_text(ours, library, text):
    same(ours, library, text)


marked = st.text(st.sampled_from([*"aZé \u0344\u0958", "\U0001d15e", *MARKS[::40], *ORDERED]), max_size=12)


@settings(max_examples=500)
@given(text=marked)
def test_marks_are_ordered_and_located_as_in_the_library(ours, library, text):
    from tokenizers import normalizers

    same(ours, library, text)
    assert BertNormalizer().normalize(text) == normalizers.BertNormalizer().normalize_str(text)


@settings(max_examples=200)
@given(text=st.text(max_size=30))
def test_every_normalized_character_has_a_place_in_the_text(text):
    normalized, places = BertNormalizer().align(text)
    assert len(normalized) == len(places)
    assert all(0 <= place < len(text) for place in places)
    assert normalized == BertNormalizer().normalize(text)


def test_what_offsets_point_at(ours):
    text = "Crème\u200b BRÛLÉE!"
    pieces = [text[start:end] for start, end in ours.encode(text).offsets]
    assert pieces == ["", "Cr", "ème", "BR", "ÛLÉ", "E", "!", ""]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I can't!", ["i", "can", "'", "t", "!"]),
        ("中文ok", ["中", "文", "ok"]),
        ("a\x00b\ufffdc\x85d", ["abc", "##d"]),
        ("[MASK] [mask]", ["[MASK]", "[", "mask", "]"]),
        ("ΣΑΣ", ["σ", "##α", "##σ"]),
        ("", []),
        ("a" * 101, ["[UNK]"]),
        ("a" * 101 + " b", ["[UNK]", "b"]),
    ],
)
def test_tokens_worked_out_by_hand(ours, text, tokens):
    assert ours.tokenize(text) == tokens


def test_the_limit_is_a_hundred_characters(ours):
    assert "[UNK]" not in ours.tokenize("a" * 100)


def test_a_mark_younger_than_the_librarys_tables_is_no_accent():
    assert 0x301 in ACCENTS
    assert BertNormalizer().normalize("a\u0301b\u1ac1") == "ab\u1ac1"


def test_the_trace_is_the_longest_match(ours):
    attempts = ours.trace("unaffable")
    assert [one.piece for one in attempts if one.found] == ours.tokenize("unaffable")
    assert attempts[0].piece == "unaffable"
    for one, other in pairwise(attempts):
        assert (other.start, other.end) == ((one.end, 9) if one.found else (one.start, one.end - 1))
    small = WordPiece(["[UNK]", "a"])
    assert [(one.piece, one.found) for one in small.trace("ab")] == [
        ("ab", False),
        ("a", True),
        ("##b", False),
    ]
    assert small.trace("a" * 101) == []


def test_a_vocabulary_is_saved_and_loaded(tmp_path, ours):
    ours.save(tmp_path / "vocab.txt")
    assert (tmp_path / "vocab.txt").read_bytes() == (small_model_dir() / "vocab.txt").read_bytes()
    assert WordPiece.load(tmp_path / "vocab.txt").vocab == ours.vocab


def test_cased_keeps_accents_and_capitals(library):
    cased = WordPiece(["[UNK]", "É", "e", "##a"], lowercase=False)
    assert cased.tokenize("É e Éa E") == ["É", "e", "É", "##a", "[UNK]"]


@pytest.mark.parametrize("text", ["\ud800", "a\udfff b"])
def test_lone_surrogates_are_refused(ours, text):
    for method in (ours.encode, ours.tokenize):
        with pytest.raises(ValueError, match="lone surrogate"):
            method(text)


def test_bad_input_is_named(ours, tmp_path):
    with pytest.raises(TypeError, match="expected a str, got NoneType"):
        ours.tokenize(None)
    with pytest.raises(ValueError, match=r"ids \[-1\] are not in the vocabulary of 30522 tokens"):
        ours.decode([101, -1])
    with pytest.raises(ValueError, match="lacks \\[UNK\\]"):
        WordPiece(["a"])
    with pytest.raises(ValueError, match="token 'a' \\(id 2\\) is in the vocabulary twice"):
        WordPiece(["[UNK]", "a", "a"])
    with pytest.raises(ValueError, match="share an id"):
        WordPiece({"[UNK]": 0, "a": 0})
    with pytest.raises(ValueError, match=r"lacks \['\[CLS\]', '\[SEP\]'\]"):
        WordPiece(["[UNK]", "a"]).encode("a")
    with pytest.raises(ValueError, match="without gaps"):
        WordPiece({"[UNK]": 0, "a": 2}).save(tmp_path / "vocab.txt")
