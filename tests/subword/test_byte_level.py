"""The byte alphabet, and GPT-2's words on each code point."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from benchmarks.fuzzed_text import code_point_blocks
from course_utils.subword import split_words
from course_utils.subword.byte_level import byte_alphabet, to_byte_characters, to_bytes

LIBRARY = {
    "byte_level": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "whitespace": pre_tokenizers.WhitespaceSplit(),
    "punctuation": pre_tokenizers.BertPreTokenizer(),
}


def test_the_alphabet_is_gpt2s():
    assert set(byte_alphabet().values()) == set(pre_tokenizers.ByteLevel.alphabet())
    assert [byte_alphabet()[byte] for byte in b"\x00 A~\x7f\xad"] == ["Ā", "Ġ", "A", "~", "ġ", "Ń"]


@settings(max_examples=200)
@given(st.text())
def test_bytes_come_back(text):
    assert to_bytes(to_byte_characters(text)).decode() == text


@pytest.mark.parametrize("splitter", LIBRARY)
def test_each_code_point_is_split_as_the_library_splits_it(splitter):
    """Each stands between a letter, a digit, a space and a mark."""
    for block in code_point_blocks(step=31):
        text = "".join(f"a{one}1 {one}, " for one in block)
        assert split_words(text, splitter) == [word for word, _ in LIBRARY[splitter].pre_tokenize_str(text)]


@pytest.mark.parametrize("splitter", LIBRARY)
@settings(max_examples=300)
@given(text=st.text())
def test_any_text_is_split_as_the_library_splits_it(splitter, text):
    assert split_words(text, splitter) == [word for word, _ in LIBRARY[splitter].pre_tokenize_str(text)]


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="lone surrogate"):
        to_byte_characters("a\ud800")
    with pytest.raises(ValueError, match=r"\['日'\] are not in the byte alphabet"):
        to_bytes("日")
    with pytest.raises(ValueError, match="nonsense"):
        split_words("a", "nonsense")
