"""The encoder: merge order, equality with the library, bad input."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from benchmarks.fuzzed_text import fuzzed_texts
from course_utils.subword import BPE, Splitter, apply_merges, count_words, train_bpe

os.environ["TOKENIZERS_PARALLELISM"] = "false"
ABC = {"a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4, "abc": 5}


@pytest.fixture(scope="module", params=list(Splitter))
def both(request, tmp_path_factory):
    """Our encoder, and the library's from the file that ours saved."""
    splitter = request.param
    unk_token = None if splitter is Splitter.BYTE_LEVEL else "[UNK]"
    counts = count_words(fuzzed_texts(1000, seed=2), splitter)
    ours = train_bpe(
        counts, num_merges=1500, splitter=splitter, special_tokens=["[UNK]", "[MASK]"], unk_token=unk_token
    )
    path = tmp_path_factory.mktemp("bpe") / "tokenizer.json"
    ours.save(path)
    return ours, Tokenizer.from_file(str(path))


def same(ours, library, text):
    theirs = library.encode(text)
    assert ours.encode(text) == theirs.ids
    assert ours.tokenize(text) == theirs.tokens
    assert ours.decode(theirs.ids) == library.decode(theirs.ids, skip_special_tokens=False)


def test_equal_to_the_library_on_fuzzed_text(both):
    for text in fuzzed_texts(2000, seed=3):
        same(*both, text)


@settings(max_examples=300)
@given(text=st.text())
def test_equal_to_the_library_on_any_text(both, text):
    same(*both, text)


@settings(max_examples=200)
@given(text=st.text())
def test_byte_level_gives_every_text_back(text):
    bpe = train_bpe(count_words(["a few words"], "byte_level"), num_merges=5, splitter="byte_level")
    assert bpe.decode(bpe.encode(text)) == text


@settings(max_examples=100)
@given(ids=st.lists(st.integers(0, 255), max_size=12))
def test_bytes_that_are_no_text_decode_as_the_library_decodes_them(ids, tmp_path_factory):
    ours = train_bpe({}, num_merges=0, splitter="byte_level")
    path = tmp_path_factory.getbasetemp() / "bytes.json"
    ours.save(path)
    assert ours.decode(ids) == Tokenizer.from_file(str(path)).decode(ids)


def test_merges_are_applied_in_training_order_not_longest_match():
    assert BPE(ABC, [("b", "c"), ("a", "b")]).tokenize("abc") == ["a", "bc"]
    assert BPE(ABC, [("a", "b"), ("b", "c")]).tokenize("abc") == ["ab", "c"]
    assert BPE(ABC, [("b", "c"), ("a", "bc")]).tokenize("abc") == ["abc"]
    assert BPE(ABC, [("b", "c"), ("a", "b"), ("ab", "c")]).tokenize("abc") == ["a", "bc"]


def test_no_merge_crosses_the_border_of_two_symbols_or_words():
    vocab = {"a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4}
    assert BPE(vocab, [("a", "b"), ("b", "c")]).tokenize("ab c abc") == ["ab", "c", "ab", "c"]


def test_runs_of_one_symbol_are_merged_from_the_left():
    assert apply_merges([0, 0, 0], {(0, 0): (0, 1)}) == [1, 0]
    assert apply_merges([0] * 5, {(0, 0): (0, 1), (1, 1): (1, 2)}) == [2, 0]


def test_a_word_of_a_hundred_thousand_characters_takes_no_quadratic_time():
    assert apply_merges([0] * 100_000, {(0, 0): (0, 1)}) == [1] * 50_000


def test_unknown_characters_are_unk_or_dropped():
    vocab = {"[UNK]": 0, "a": 1}
    assert BPE(vocab, [], unk_token="[UNK]").tokenize("ab日a") == ["a", "[UNK]", "[UNK]", "a"]
    assert BPE(vocab, []).tokenize("ab日a") == ["a", "a"]


def test_the_longest_special_token_is_found():
    bpe = BPE({"a": 0}, [], special_tokens={"<a": 1, "<a>": 2})
    assert bpe.encode("a<a>a<a") == [0, 2, 0, 1]


def test_a_repeated_word_comes_out_of_the_cache_unchanged():
    bpe = BPE(ABC, [("a", "b")])
    first = bpe.encode("abc abc")
    first.append(99)
    assert bpe.encode("abc abc") == [3, 2, 3, 2]


@pytest.mark.parametrize("text", ["\ud800", "a\udfff b"])
def test_lone_surrogates_are_refused(text):
    with pytest.raises(ValueError, match="lone surrogate"):
        BPE(ABC, []).encode(text)


def test_bad_input_is_named():
    with pytest.raises(TypeError, match="expected a str, got bytes"):
        BPE(ABC, []).encode(b"abc")
    with pytest.raises(ValueError, match=r"ids \[77\] are not in the vocabulary of 6 tokens"):
        BPE(ABC, []).decode([0, 77])
    with pytest.raises(ValueError, match=r"merge 1 \('a', 'c'\): \['ac'\] not in the vocabulary"):
        BPE(ABC, [("a", "b"), ("a", "c")])
    with pytest.raises(ValueError, match="two tokens share an id"):
        BPE({"a": 0, "b": 0}, [])
    with pytest.raises(ValueError, match="unk_token"):
        BPE(ABC, [], unk_token="[UNK]")
    with pytest.raises(ValueError, match="must not be empty"):
        BPE(ABC, [], special_tokens={"": 9})
