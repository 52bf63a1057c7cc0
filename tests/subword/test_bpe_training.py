"""The trainer: known examples, the textbook, and the `tokenizers` library, merge for merge."""

import json
import os
from collections import Counter
from itertools import islice, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from benchmarks.fuzzed_text import fuzzed_texts
from course_utils.subword import Splitter, count_words, trace_bpe, train_bpe
from course_utils.subword.pair_index import PAIR_BITS, PairIndex

os.environ["TOKENIZERS_PARALLELISM"] = "false"
SENNRICH = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
PRE_TOKENIZERS = {
    Splitter.BYTE_LEVEL: pre_tokenizers.ByteLevel(add_prefix_space=False),
    Splitter.WHITESPACE: pre_tokenizers.WhitespaceSplit(),
    Splitter.PUNCTUATION: pre_tokenizers.BertPreTokenizer(),
}


def library(texts, splitter, vocab_size, min_count=0, special_tokens=()):
    """(vocab, merges) that the library learns."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = PRE_TOKENIZERS[splitter]
    alphabet = pre_tokenizers.ByteLevel.alphabet() if splitter is Splitter.BYTE_LEVEL else []
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_count,
        show_progress=False,
        initial_alphabet=alphabet,
        special_tokens=list(special_tokens),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer.get_vocab(), [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]


def test_sennrichs_dictionary_and_where_ties_decide():
    steps = list(islice(trace_bpe(SENNRICH), 4))
    assert [step.token for step in steps] == ["es", "est", "lo", "low"]
    assert [step.count for step in steps] == [9, 9, 7, 7]
    assert [step.tied for step in steps] == [
        (("e", "s"), ("s", "t")),
        (("es", "t"),),
        (("l", "o"), ("o", "w")),
        (("lo", "w"),),
    ]
    assert steps[-1].words == {
        "low": ("low",),
        "lower": ("low", "e", "r"),
        "newest": ("n", "e", "w", "est"),
        "widest": ("w", "i", "d", "est"),
    }
    assert train_bpe(SENNRICH, num_merges=4).merges == [step.pair for step in steps]


words = st.text("abcd", min_size=1, max_size=12)
word_counts = st.dictionaries(words, st.integers(1, 5), min_size=1, max_size=20)


@settings(max_examples=150)
@given(word_counts)
def test_the_incremental_trainer_makes_the_textbooks_merges(counts):
    textbook = [step.pair for step in trace_bpe(counts)]
    assert train_bpe(counts, num_merges=1000).merges == textbook


@settings(max_examples=300)
@given(word_counts, st.integers(4, 60), st.integers(1, 4))
def test_merges_and_ids_are_the_librarys(counts, vocab_size, min_count):
    texts = [" ".join([word] * count) for word, count in counts.items()]
    vocab, merges = library(texts, Splitter.WHITESPACE, vocab_size, min_count)
    ours = train_bpe(counts, vocab_size=max(vocab_size, len(set("".join(counts)))), min_count=min_count)
    assert ours.merges == merges
    assert ours.vocab == vocab


@pytest.mark.parametrize("splitter", PRE_TOKENIZERS)
def test_merges_are_the_librarys_on_fuzzed_text(splitter):
    texts = list(fuzzed_texts(1500, seed=1))
    ours = train_bpe(
        count_words(texts, splitter), num_merges=2000, splitter=splitter, special_tokens=["[UNK]"]
    )
    vocab, merges = library(texts, splitter, len(ours.vocab), special_tokens=["[UNK]"])
    assert ours.merges == merges
    assert ours.vocab == vocab


def test_the_order_of_the_text_does_not_matter():
    counts = count_words(["the cat sat on the mat", "a cat that sat"], "whitespace")
    shuffled = list(counts.items())
    Random(0).shuffle(shuffled)
    assert train_bpe(dict(shuffled), num_merges=20).merges == train_bpe(counts, num_merges=20).merges


def test_a_special_token_that_a_merge_spells_is_used_again():
    counts = {"abab": 3, "abc": 2}
    vocab, merges = library(["abab abab abab abc abc"], Splitter.WHITESPACE, 10, special_tokens=["ab"])
    ours = train_bpe(counts, vocab_size=10, special_tokens=["ab"])
    assert (ours.vocab, ours.merges) == (vocab, merges)


@settings(max_examples=100)
@given(word_counts, st.lists(st.integers(0, 30), max_size=6))
def test_the_index_counts_as_recounting_does(counts, choices):
    symbols = {word: ["abcd".index(one) for one in word] for word in counts}
    index = PairIndex(list(symbols.values()), list(counts.values()))
    for new, choice in enumerate(choices, start=4):
        alive = sorted(pair for pair, count in index.counts.items() if count)
        if not alive:
            break
        pair = alive[choice % len(alive)]
        left, right = divmod(pair, 1 << PAIR_BITS)
        before = sum(map(len, symbols.values()))
        weighted = sum(len(row) * counts[word] for word, row in symbols.items())
        _, merged = index.merge(left, right, new)
        symbols = {word: naive_merge(row, left, right, new) for word, row in symbols.items()}
        assert merged == weighted - sum(len(row) * counts[word] for word, row in symbols.items())
        assert sum(map(len, symbols.values())) < before
        recounted = Counter()
        for word, row in symbols.items():
            for one, other in pairwise(row):
                recounted[one << PAIR_BITS | other] += counts[word]
        assert {pair: count for pair, count in index.counts.items() if count} == dict(recounted)


def naive_merge(row, left, right, new):
    merged, at = [], 0
    while at < len(row):
        if row[at : at + 2] == [left, right]:
            merged.append(new)
            at += 2
        else:
            merged.append(row[at])
            at += 1
    return merged


def test_training_stops_at_the_minimum_count():
    assert train_bpe(SENNRICH, num_merges=99, min_count=7).merges == [
        ("e", "s"),
        ("es", "t"),
        ("l", "o"),
        ("lo", "w"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "exactly one of num_merges and vocab_size"),
        ({"num_merges": 1, "vocab_size": 9}, "exactly one"),
        ({"num_merges": -1}, "num_merges -1"),
        ({"vocab_size": 3}, "vocab_size 3: below the 10 special tokens and characters"),
        ({"num_merges": 1, "splitter": "nonsense"}, "nonsense"),
        ({"num_merges": 1, "unk_token": "[UNK]"}, "unk_token"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        train_bpe(SENNRICH, **arguments)


@pytest.mark.parametrize("counts", [{"": 1}, {"a": 0}, {"a": -2}, {"a": 1.5}])
def test_bad_counts_are_named(counts):
    with pytest.raises(ValueError, match="expected a non-empty word and an integer >= 1"):
        train_bpe(counts, num_merges=1)


def test_texts_in_place_of_counts_are_refused():
    with pytest.raises(TypeError, match="count_words"):
        train_bpe(["low", "lower"], num_merges=1)
    with pytest.raises(TypeError, match=r"pass \[text\]"):
        count_words("low lower", "whitespace")


def test_byte_level_needs_words_in_the_byte_alphabet():
    with pytest.raises(ValueError, match="not in the byte alphabet"):
        train_bpe({"日": 1}, num_merges=1, splitter="byte_level")


def test_no_words_make_no_merges():
    assert train_bpe({}, num_merges=5).merges == []
