"""Sentence pairs: halves true, the rest from elsewhere, framed as BERT frames them."""

import pytest
import torch
from scipy import stats

from course_utils.objectives import sentences as s

DOCUMENTS = [[[d * 10 + i, d * 10 + i] for i in range(4)] for d in range(1, 5)]  # a token names its document


def owner(ids):
    return {i // 10 for i in ids}


def test_half_of_the_pairs_continue_and_the_rest_come_from_another_document(generator):
    labels, others = [], []
    for _ in range(4000):
        pair = s.next_sentence_pair(DOCUMENTS, 1, generator)
        labels.append(pair.label)
        assert owner(pair.first) == {2}
        assert (owner(pair.second) == {2}) == (pair.label == 0)
        if pair.label == 0:
            assert pair.first + pair.second == [i for sentence in DOCUMENTS[1] for i in sentence]
        else:
            others += owner(pair.second)
    assert stats.binomtest(sum(labels), len(labels)).pvalue > 1e-4
    assert stats.chisquare([others.count(d) for d in (1, 3, 4)]).pvalue > 1e-4


def test_sentence_order_keeps_both_segments(generator):
    labels = []
    for _ in range(2000):
        pair = s.sentence_order_pair(DOCUMENTS[0], generator)
        whole = pair.first + pair.second if pair.label == 0 else pair.second + pair.first
        assert whole == [i for sentence in DOCUMENTS[0] for i in sentence]
        labels.append(pair.label)
    assert stats.binomtest(sum(labels), len(labels)).pvalue > 1e-4


def test_truncation_takes_from_the_longer_segment(generator):
    first, second = s.truncate_pair(list(range(10)), list(range(100, 103)), 6, generator)
    assert len(first) == 3
    assert second == [100, 101, 102]
    assert first == list(range(first[0], first[0] + 3))  # what is left is contiguous
    assert s.truncate_pair([1], [2], 6, generator) == ([1], [2])


def test_frame_equals_the_reference_tokenizer():
    transformers = pytest.importorskip("transformers")
    vocab = {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"])}
    reference = transformers.BertTokenizer(vocab=vocab)("a b", "c")
    framed = s.frame_pair([5, 6], [7], cls=2, sep=3)
    assert framed.input_ids.tolist() == reference["input_ids"]
    assert framed.token_type_ids.tolist() == reference["token_type_ids"]


def test_bad_input_is_named(generator):
    with pytest.raises(ValueError, match="a pair needs at least 2"):
        s.sentence_order_pair([[1, 2]], generator)
    with pytest.raises(ValueError, match="at least two documents"):
        s.next_sentence_pair([DOCUMENTS[0]], 0, generator)


def test_the_same_generator_gives_the_same_pair():
    def draw():
        return s.next_sentence_pair(DOCUMENTS, 0, torch.Generator().manual_seed(5))

    assert draw() == draw()
