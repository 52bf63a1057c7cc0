"""Sentence-pair objectives: next-sentence prediction and sentence-order prediction.

Devlin et al. 2019, section 3.1 (NSP); Lan et al. 2020, section 3.1 (SOP, ALBERT). A document is a list of
sentences, a sentence a list of token ids. Segments are runs of sentences, as in BERT's data preparation.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

Document = Sequence[Sequence[int]]


class SentencePair(NamedTuple):
    """Two segments and the class to predict: 0 is the true continuation (or order), 1 is not."""

    first: list[int]
    second: list[int]
    label: int


class Framed(NamedTuple):
    """[CLS] first [SEP] second [SEP], with the segment each token belongs to; both (length,)."""

    input_ids: Tensor
    token_type_ids: Tensor


def next_sentence_pair(documents: Sequence[Document], index: int, generator: Generator) -> SentencePair:
    """A segment of document `index` and, with probability 1/2 each, what follows it or another document's
    text.

    Label 0 (IsNext) or 1 (NotNext). Raises ValueError when the document has fewer than two sentences or
    there is no second document to draw from.
    """
    document = documents[index]
    _check_document(document, index)
    if len(documents) < 2:
        raise ValueError(
            "next-sentence prediction needs at least two documents to draw a wrong sentence from"
        )
    cut = _randint(1, len(document), generator)
    first = _join(document[:cut])
    if _randint(0, 2, generator) == 0:
        return SentencePair(first, _join(document[cut:]), 0)
    other = _randint(0, len(documents) - 1, generator)
    other += other >= index  # any document but this one, uniformly
    start = _randint(0, len(documents[other]), generator)
    return SentencePair(first, _join(documents[other][start:]), 1)


def sentence_order_pair(document: Document, generator: Generator) -> SentencePair:
    """Two consecutive segments in their order (label 0) or swapped (label 1), with probability 1/2 each."""
    _check_document(document, 0)
    cut = _randint(1, len(document), generator)
    first, second = _join(document[:cut]), _join(document[cut:])
    if _randint(0, 2, generator) == 0:
        return SentencePair(first, second, 0)
    return SentencePair(second, first, 1)


def truncate_pair(
    first: list[int], second: list[int], max_tokens: int, generator: Generator
) -> tuple[list[int], list[int]]:
    """Shorten the longer segment, one token at a time, until both together have at most `max_tokens`.

    A token is taken from the front or the back at random, as BERT does, to avoid a bias towards beginnings.
    """
    first, second = list(first), list(second)
    while len(first) + len(second) > max_tokens:
        longer = first if len(first) > len(second) else second
        longer.pop(0 if _randint(0, 2, generator) == 0 else -1)
    return first, second


def frame_pair(first: Sequence[int], second: Sequence[int], *, cls: int = 101, sep: int = 102) -> Framed:
    """[CLS] first [SEP] second [SEP]; segment 0 up to the first [SEP], segment 1 after it.

    >>> frame_pair([7], [8, 9]).token_type_ids
    tensor([0, 0, 0, 1, 1, 1])
    """
    ids = [cls, *first, sep, *second, sep]
    segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    return Framed(torch.tensor(ids), torch.tensor(segments))


def _join(sentences: Document) -> list[int]:
    return [token for sentence in sentences for token in sentence]


def _randint(low: int, high: int, generator: Generator) -> int:
    return int(torch.randint(low, high, (1,), generator=generator))


def _check_document(document: Document, index: int) -> None:
    if len(document) < 2:
        raise ValueError(f"document {index} has {len(document)} sentences; a pair needs at least 2")
