"""One training loop for word pieces, any rule for what to merge next, and the greedy longest match.

Every step scores every pair again, by whole arrays: slower than the course's own trainers, and open to any
rule. Tests hold it to them, merge for merge.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from course_utils.subword.wordpiece_training import characters, initial_pieces, join_pieces


class Counts(NamedTuple):
    """What a rule may look at: arrays with one entry a pair (a, b), and the number of pieces in the text.

    pair: places where a stands before b, as the library counts them: aaa has (a, a) twice. merged: how often
    the pair would be joined, which in aaa is once. same: whether a and b are one piece.
    """

    pair: np.ndarray
    merged: np.ndarray
    left: np.ndarray
    right: np.ndarray
    same: np.ndarray
    total: int


# A rule maps counts to scores; the pair with the highest is merged.
Rule = Callable[[Counts], np.ndarray]


def frequency(counts: Counts) -> np.ndarray:
    """count(ab)."""
    return counts.pair.astype(float)


def score(counts: Counts) -> np.ndarray:
    """count(ab) / (count(a) count(b))."""
    return counts.pair / (counts.left * counts.right)


def gain(counts: Counts) -> np.ndarray:
    """Rise of sum(c log c) - N log N, the unigram log-likelihood of the pieces, in nats: exact.

    A pair of two equal pieces takes two occurrences of the one piece for each that it makes.
    """
    _, merged, left, right, same, total = counts
    after_left = np.where(same, left - 2 * merged, left - merged)
    after_right = np.where(same, 0, right - merged)
    before_right = np.where(same, 0, right)
    after = _nlogn(after_left) + _nlogn(after_right) + _nlogn(merged) - _nlogn(total - merged)
    return after - (_nlogn(left) + _nlogn(before_right) - _nlogn(np.asarray(total)))


def _nlogn(count: np.ndarray) -> np.ndarray:
    return count * np.log(np.maximum(count, 1))


@dataclass
class Step:
    """One merge: the new piece, how often its pair stood in the text then, and what the rule gave it."""

    piece: str
    count: int
    score: float


class Pieces:
    """Words cut into pieces, and the counts that the rules ask for, kept up to date through merges."""

    def __init__(self, words: Mapping[str, int]) -> None:
        self.names = initial_pieces(words)
        ids = {piece: number for number, piece in enumerate(self.names)}
        self.words = [[ids[piece] for piece in characters(word)] for word in words]
        self.weights = list(words.values())
        self.counts: list[int] = [0] * len(self.names)
        self.rows: dict[tuple[int, int], int] = {}
        self.pairs = np.zeros((1024, 4), np.int64)  # left, right, count, how often it would be joined
        self.where: dict[int, set[int]] = defaultdict(set)
        for number, word in enumerate(self.words):
            self._count(number, word, 1)

    def _count(self, number: int, word: list[int], sign: int) -> None:
        weight = sign * self.weights[number]
        for piece in word:
            self.counts[piece] += weight
        for pair in _adjacent(word):
            row = self._row(pair)
            self.pairs[row, 2] += weight
            if sign > 0:
                self.where[row].add(number)
        for pair, joined in _joined(word):
            self.pairs[self.rows[pair], 3] += weight * joined

    def _row(self, pair: tuple[int, int]) -> int:
        if pair not in self.rows:
            self.rows[pair] = len(self.rows)
            if len(self.rows) > len(self.pairs):
                self.pairs = np.concatenate([self.pairs, np.zeros_like(self.pairs)])
            self.pairs[self.rows[pair], :2] = pair
        return self.rows[pair]

    def best(self, rule: Rule, min_count: int) -> tuple[int, float] | None:
        """Row and score of the best pair, of equals the smallest ids; None when no pair is left."""
        table = self.pairs[: len(self.rows)]
        rows = np.flatnonzero(table[:, 2] >= min_count)
        if not len(rows):
            return None
        counts = np.array(self.counts)
        left, right, pair, merged = table[rows].T
        total = int(counts.sum())
        scores = rule(Counts(pair, merged, counts[left], counts[right], left == right, total))
        top = rows[scores == scores.max()]
        row = min(top.tolist(), key=lambda number: tuple(table[number, :2]))
        return row, float(scores.max())

    def merge(self, row: int) -> str:
        """Make one piece of a pair in every word, and return its name."""
        left, right, *_ = self.pairs[row].tolist()
        self.names.append(join_pieces(self.names[left], self.names[right]))
        self.counts.append(0)
        for number in self.where.pop(row, set()):
            word = self.words[number]
            merged = _replace(word, left, right, len(self.names) - 1)
            if len(merged) < len(word):
                self._count(number, word, -1)
                self._count(number, merged, 1)
                self.words[number] = merged
        return self.names[-1]


def _adjacent(word: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Neighbors; a run such as aaa has (a, a) twice, as the library counts it."""
    return pairwise(word)


def _joined(word: Sequence[int]) -> Iterable[tuple[tuple[int, int], int]]:
    """Each pair of neighbors and how often it would be joined: in a run of n equal pieces n // 2 times.

    >>> list(_joined([7, 7, 7, 8]))
    [((7, 7), 1), ((7, 8), 1)]
    """
    last = None
    for piece, run in groupby(word):
        if last is not None:
            yield (last, piece), 1
        last, length = piece, sum(1 for _ in run)
        if length > 1:
            yield (piece, piece), length // 2


def _replace(word: list[int], left: int, right: int, new: int) -> list[int]:
    """Every (left, right) from the left, made into one.

    >>> _replace([1, 2, 1, 2, 3], 1, 2, 9)
    [9, 9, 3]
    """
    out: list[int] = []
    for piece in word:
        if piece == right and out and out[-1] == left:
            out[-1] = new
        else:
            out.append(piece)
    return out


def train(
    words: Mapping[str, int], rule: Rule, size: int, min_count: int = 1, threshold: float = -np.inf
) -> tuple[list[str], list[Step]]:
    """Merge until the vocabulary has `size` entries, no pair is left, or the best score is below `threshold`.

    words: word -> count. Returns the vocabulary, alphabet first, and the merges.

    >>> words = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    >>> [step.piece for step in train(words, frequency, size=13)[1]]
    ['##ug', '##un']
    >>> [step.piece for step in train(words, score, size=13)[1]]
    ['##gs', 'bu']
    """
    state, steps = Pieces(words), []
    while len(state.names) < size:
        found = state.best(rule, min_count)
        if found is None or found[1] < threshold:
            break
        count = int(state.pairs[found[0], 2])
        steps.append(Step(state.merge(found[0]), count, found[1]))
    # Two different pairs can spell the same piece; a vocabulary holds it once.
    return list(dict.fromkeys(state.names)), steps


def cut(word: str, vocab: set[str]) -> list[str]:
    """Greedy longest match; ["[UNK]"] if the word cannot be spelled.

    >>> cut("hugs", {"hu", "##g", "##s", "##gs"})
    ['hu', '##gs']
    """
    pieces, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        end = next((end for end in range(len(word), start, -1) if mark + word[start:end] in vocab), None)
        if end is None:
            return ["[UNK]"]
        pieces.append(mark + word[start:end])
        start = end
    return pieces
