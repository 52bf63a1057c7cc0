"""A long passage in overlapping windows, where the answer lies in them, and the best span over all of them.

After Devlin et al. (2019), section 4.2, and their script for SQuAD.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from tokenizers import Tokenizer

Span = tuple[int, int]
OUTSIDE: Span = (0, 0)  # the place of an answer that is not in the window: [CLS]


class Window(NamedTuple):
    """[CLS] question [SEP] a stretch of the passage [SEP]."""

    ids: list[int]
    segments: list[int]  # 0 for the question and its marks, 1 for the passage and its [SEP]
    first: int  # the position of the stretch's first token in ids
    begins: int  # that token's place among the passage's tokens
    offsets: list[Span]  # of each token of the stretch: passage[start:end] is its text


class Answer(NamedTuple):
    """text is passage[start:end], score the sum of two logits, window the number of the window it is from."""

    text: str
    start: int
    end: int
    score: float
    window: int


def windows(
    tokenizer: Tokenizer, question: str, passage: str, *, max_length: int = 384, stride: int = 128
) -> list[Window]:
    """Windows of at most `max_length` tokens that move by `stride` tokens of the passage.

    stride is how far a window moves, as in BERT's script; in the libraries of Hugging Face the word means how
    much two windows overlap. question: its start is used if it would leave less than half of the window.
    Raises ValueError if the tokenizer cuts texts by itself, if windows would leave a gap, and for a passage
    without any token.
    """
    if tokenizer.truncation is not None:
        raise ValueError(
            "the tokenizer cuts long texts, so windows would miss the rest: no_truncation() first"
        )
    cls, sep = (_special(tokenizer, token) for token in ("[CLS]", "[SEP]"))
    asked = tokenizer.encode(question, add_special_tokens=False).ids[: max(1, max_length // 2 - 2)]
    whole = tokenizer.encode(passage, add_special_tokens=False)
    room = max_length - len(asked) - 3
    if not 1 <= stride <= room:
        raise ValueError(
            f"a window has room for {room} tokens of the passage: stride must be 1 to {room}, got {stride}"
        )
    if not whole.ids:
        raise ValueError("the passage has no token: there is nothing to answer from")
    head = [cls, *asked, sep]
    return [
        Window(
            ids=[*head, *whole.ids[begins : begins + room], sep],
            segments=[0] * len(head) + [1] * (len(whole.ids[begins : begins + room]) + 1),
            first=len(head),
            begins=begins,
            offsets=whole.offsets[begins : begins + room],
        )
        for begins in range(0, max(1, len(whole.ids) - room + stride), stride)
    ]


def _special(tokenizer: Tokenizer, token: str) -> int:
    number = tokenizer.token_to_id(token)
    if number is None:
        raise ValueError(f"the vocabulary has no {token}: windows are made for BERT's tokenizers")
    return int(number)


def answer_span(window: Window, start: int, end: int) -> Span | None:
    """Positions in window.ids of the first and the last token of passage[start:end].

    None if a part of the answer lies outside of the window. A token that only overlaps counts: "1990s" holds
    the answer "1990". Raises ValueError for an empty answer.
    """
    if not 0 <= start < end:
        raise ValueError(f"an answer goes from a character to a later one, got {start} to {end}")
    inside = [i for i, (left, right) in enumerate(window.offsets) if left < end and right > start]
    whole = bool(inside) and window.offsets[0][0] <= start and end <= window.offsets[-1][1]
    return (window.first + inside[0], window.first + inside[-1]) if whole else None


def context_sizes(window: Window) -> NDArray[np.float64]:
    """The context of each token of the stretch: the smaller of its two sides, and a little for length."""
    n = len(window.offsets)
    place = np.arange(n)
    return np.minimum(place, n - 1 - place) + 0.01 * n


def most_context(all_windows: Sequence[Window]) -> list[NDArray[np.bool_]]:
    """For each window, which tokens of its stretch have most context there (the first window on a tie)."""
    length = max(window.begins + len(window.offsets) for window in all_windows)
    best, owner = np.full(length, -np.inf), np.zeros(length, dtype=np.int64)
    for number, window in enumerate(all_windows):
        stretch = slice(window.begins, window.begins + len(window.offsets))
        sizes = context_sizes(window)
        better = sizes > best[stretch]
        best[stretch] = np.where(better, sizes, best[stretch])
        owner[stretch] = np.where(better, number, owner[stretch])
    return [owner[w.begins : w.begins + len(w.offsets)] == number for number, w in enumerate(all_windows)]


def best_span(
    starts: ArrayLike, ends: ArrayLike, max_tokens: int = 30, allowed: ArrayLike | None = None
) -> tuple[int, int, float]:
    """(start, end, sum): start <= end, at most `max_tokens` tokens, with the largest sum of logits.

    starts, ends: (tokens,), finite where a span may lie. allowed: (tokens,), which tokens may be a start.
    The first start, then the first end, wins a tie. Raises ValueError if no pair is left.

    >>> best_span([0.0, 5.0, 1.0], [4.0, 0.0, 3.0])
    (1, 2, 8.0)
    >>> best_span([0.0, 5.0, 1.0], [4.0, 0.0, 3.0], max_tokens=1)
    (1, 1, 5.0)
    """
    first, last = np.asarray(starts, dtype=np.float64), np.asarray(ends, dtype=np.float64)
    if first.ndim != 1 or first.shape != last.shape:
        raise ValueError(f"starts and ends must be (tokens,), got {first.shape} and {last.shape}")
    if max_tokens < 1:
        raise ValueError(f"an answer has at least 1 token, got max_tokens {max_tokens}")
    sums = first[:, None] + last[None, :]
    valid = np.triu(np.ones_like(sums, dtype=bool)) & ~np.triu(np.ones_like(sums, dtype=bool), max_tokens)
    if allowed is not None:
        valid &= np.asarray(allowed, dtype=bool)[:, None]
    sums = np.where(valid, sums, -np.inf)
    if not len(first) or not np.isfinite(sums.max()):
        raise ValueError("no pair of start and end is left to choose from")
    start, end = np.unravel_index(int(sums.argmax()), sums.shape)
    return int(start), int(end), float(sums[start, end])


def best_answer(
    passage: str,
    all_windows: Sequence[Window],
    logits: Sequence[ArrayLike],
    *,
    max_tokens: int = 30,
    by_context: bool = False,
) -> Answer:
    """The best span over all windows of one passage, as the passage's own text.

    logits: (2, tokens) for each window, starts then ends, over the whole of window.ids. Logits are compared
    as they are: a softmax in each window would make the windows without an answer as sure as the others.
    by_context: a span may start only where its first token has most context, as in BERT's script.
    """
    if len(all_windows) != len(logits) or not all_windows:
        raise ValueError(
            f"{len(all_windows)} windows need as many logits, got {len(logits)}, and at least one"
        )
    allowed = most_context(all_windows) if by_context else [None] * len(all_windows)
    found = []
    for number, (window, rows, starts_here) in enumerate(zip(all_windows, logits, allowed, strict=True)):
        if starts_here is not None and not starts_here.any():
            continue
        stretch = np.asarray(rows)[:, window.first : window.first + len(window.offsets)]
        first, last, score = best_span(stretch[0], stretch[1], max_tokens, starts_here)
        start, end = window.offsets[first][0], window.offsets[last][1]
        found.append(Answer(passage[start:end], start, end, score, number))
    return max(found, key=lambda answer: answer.score)
