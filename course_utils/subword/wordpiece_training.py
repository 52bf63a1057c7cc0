"""Train WordPiece: by likelihood (Schuster & Nakajima 2012), or by frequency, as libraries really do.

By likelihood: of all pairs take the one with the highest score

    score(ab) = count(ab) / (count(a) * count(b))

with the counts at that step: `count(a)` is how often token a occurs after all merges made so far. Where
tokens are drawn independently, score * total is the pair's probability over the one it would have by chance,
and log(score * total) - 1 is, for a pair that is rare beside its tokens, what each merged occurrence adds to
the log-likelihood of the text (`likelihood_gain` is exact). By frequency: take the most frequent pair.

Ties go to the smallest pair of ids. Ids are given to the special tokens, then to all characters in code point
order, then to the characters inside words (##x) in code point order, then to each merge's token in turn.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import log
from typing import Literal

from course_utils.subword.bpe_training import check_word_counts, count_pairs, learn_merges
from course_utils.subword.pair_index import PAIR_BITS, RIGHT, PairIndex
from course_utils.subword.wordpiece import PREFIX, SPECIAL_TOKENS, WordPiece


def train_wordpiece(
    word_counts: Mapping[str, int],
    *,
    vocab_size: int,
    criterion: Literal["likelihood", "frequency"] = "likelihood",
    min_count: int = 1,
    min_gain: float | None = None,
    special_tokens: Sequence[str] = SPECIAL_TOKENS,
    lowercase: bool = True,
) -> WordPiece:
    """Learn a vocabulary from normalized words and their counts.

    vocab_size: stop at this many tokens, special ones included. min_count: a pair must occur that often.
    min_gain: with the likelihood criterion, stop before a merge that adds less than this many nats to the
    logarithm of the training text's likelihood (`likelihood_gain`). lowercase: what the result does to texts.

    Raises ValueError if vocab_size is smaller than the initial vocabulary, or min_gain goes with frequency.

    >>> counts = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    >>> list(train_wordpiece(counts, vocab_size=18).vocab)[16:]
    ['##gs', 'bu']
    >>> list(train_wordpiece(counts, vocab_size=18, criterion="frequency").vocab)[16:]
    ['##ug', '##un']
    """
    check_word_counts(word_counts)
    if criterion not in ("likelihood", "frequency"):
        raise ValueError(f"criterion {criterion!r} is unknown; expected 'likelihood' or 'frequency'")
    if min_gain is not None and criterion == "frequency":
        raise ValueError("min_gain needs the criterion 'likelihood'; with 'frequency' give min_count")
    tokens = initial_pieces(word_counts, special_tokens)
    if vocab_size < len(tokens):
        raise ValueError(f"vocab_size {vocab_size} is below the {len(tokens)} tokens there are at the start")
    ids = {token: number for number, token in enumerate(tokens)}
    words = [[ids[piece] for piece in characters(word)] for word in word_counts]
    counts = list(word_counts.values())
    if criterion == "likelihood":
        learn_by_likelihood(words, counts, tokens, vocab_size, min_count, min_gain)
    else:
        learn_merges(words, counts, tokens, vocab_size, min_count, PREFIX)
    return WordPiece(tokens, lowercase=lowercase)


def characters(word: str) -> list[str]:
    """A word's characters as pieces.

    >>> characters("hug")
    ['h', '##u', '##g']
    """
    return [word[0], *(PREFIX + character for character in word[1:])]


def initial_pieces(word_counts: Mapping[str, int], special_tokens: Sequence[str] = ()) -> list[str]:
    """The vocabulary before the first merge; each character is there as the start of a word, seen or not.

    >>> initial_pieces({"ab": 1, "ac": 1}, ["[UNK]"])
    ['[UNK]', 'a', 'b', 'c', '##b', '##c']
    """
    inside = {character for word in word_counts for character in word[1:]}
    alphabet = sorted(inside.union(word[0] for word in word_counts))
    return list(dict.fromkeys([*special_tokens, *alphabet, *(PREFIX + one for one in sorted(inside))]))


def join_pieces(left: str, right: str) -> str:
    """The token that two neighbors make.

    >>> join_pieces("hu", "##g"), join_pieces("##u", "##g")
    ('hug', '##ug')
    """
    return left + right.removeprefix(PREFIX)


def likelihood_gain(merged: int, left: int, right: int, total: int, *, same: bool = False) -> float:
    """What a merge adds to the log-likelihood of the text, in nats.

    The text's log-likelihood is the sum over tokens t of count(t) * log(count(t) / total): tokens are drawn
    one by one, each with its relative frequency. merged: how many occurrences are merged. left, right: the
    counts of the two tokens before. total: the number of all tokens before. same: both are one token.

    A text of "ab" four times and "c" four times: merging leaves two tokens of four each.

    >>> round(likelihood_gain(4, 4, 4, 12), 3), round(8 * log(1 / 2) - 12 * log(1 / 3), 3)
    (7.638, 7.638)
    """
    gain = _times_log(merged) + _times_log(total) - _times_log(total - merged) - _times_log(left)
    if same:
        return gain + _times_log(left - 2 * merged)
    return gain + _times_log(left - merged) + _times_log(right - merged) - _times_log(right)


def _times_log(count: int) -> float:
    return count * log(count) if count else 0.0


def learn_by_likelihood(
    words: Sequence[Sequence[int]],
    counts: Sequence[int],
    tokens: list[str],
    vocab_size: int,
    min_count: int = 1,
    min_gain: float | None = None,
) -> list[tuple[int, int]]:
    """Merge the pair with the highest score until `tokens`, which grows, holds vocab_size entries.

    words: each a list of ids into `tokens`. counts: how often each word occurs. Returns the merged pairs.

    A merge lowers the counts of its two tokens, so the scores of all pairs with one of them change: each such
    pair goes onto the heap again, and an entry whose score is no longer the pair's is passed over.
    """
    index = PairIndex(words, counts)
    scores = _Scores(index, words, counts, max(min_count, 1))
    ids = {token: number for number, token in enumerate(tokens)}
    merges: list[tuple[int, int]] = []
    while len(tokens) < vocab_size and (pair := scores.best()) is not None:
        left, right = pair >> PAIR_BITS, pair & RIGHT
        token = join_pieces(tokens[left], tokens[right])
        new = ids.get(token, len(tokens))
        made, merged = index.merge(left, right, new)
        before = scores.token_counts[left], scores.token_counts[right], scores.total
        if min_gain is not None and likelihood_gain(merged, *before, same=left == right) < min_gain:
            break
        if new == len(tokens):
            ids[token] = new
            tokens.append(token)
        merges.append((left, right))
        scores.update(left, right, new, merged, made)
    return merges


class _Scores:
    """The scores of all pairs that occur often enough, and the highest of them."""

    def __init__(
        self, index: PairIndex, words: Sequence[Sequence[int]], counts: Sequence[int], min_count: int
    ) -> None:
        self._pair_counts, self._min_count = index.counts, min_count
        self.token_counts: Counter[int] = Counter()
        for word, count in zip(words, counts, strict=True):
            for symbol in word:
                self.token_counts[symbol] += count
        self.total = self.token_counts.total()
        self._pairs_with: defaultdict[int, set[int]] = defaultdict(set)
        for pair in index.counts:
            self._register(pair)
        self._heap = [
            (-self._score(pair), pair) for pair, count in index.counts.items() if count >= min_count
        ]
        heapify(self._heap)

    def _register(self, pair: int) -> None:
        self._pairs_with[pair >> PAIR_BITS].add(pair)
        self._pairs_with[pair & RIGHT].add(pair)

    def _score(self, pair: int) -> float:
        token_counts = self.token_counts
        return self._pair_counts[pair] / (token_counts[pair >> PAIR_BITS] * token_counts[pair & RIGHT])

    def best(self) -> int | None:
        """Take the pair with the highest score, of equals the smallest; None if no pair is left."""
        while self._heap:
            score, pair = heappop(self._heap)
            if self._pair_counts[pair] >= self._min_count and score == -self._score(pair):
                return pair
        return None

    def update(self, left: int, right: int, new: int, merged: int, made: set[int]) -> None:
        """Take note of a merge: new counts of three tokens, new pairs, and new scores of the old ones."""
        for token, change in ((left, -merged), (right, -merged), (new, merged)):
            self.token_counts[token] += change
        self.total -= merged
        for pair in made:
            self._register(pair)
        changed = self._pairs_with[left] | self._pairs_with[right] | self._pairs_with[new]
        for pair in changed:
            if self._pair_counts[pair] >= self._min_count:
                heappush(self._heap, (-self._score(pair), pair))
            else:
                self._pairs_with[pair >> PAIR_BITS].discard(pair)
                self._pairs_with[pair & RIGHT].discard(pair)


@dataclass(frozen=True)
class PairScore:
    """A candidate at one step, with everything its score is made of."""

    pair: tuple[str, str]
    count: int
    left_count: int
    right_count: int

    @property
    def score(self) -> float:
        """count / (left_count * right_count)."""
        return self.count / (self.left_count * self.right_count)


def score_pairs(
    words: Mapping[str, Sequence[str]], word_counts: Mapping[str, int]
) -> dict[tuple[str, str], PairScore]:
    """Every pair of neighboring pieces, scored from the counts in `words` as they are cut now.

    words: word -> its pieces.

    >>> counts = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    >>> score_pairs({word: characters(word) for word in counts}, counts)["##g", "##s"]
    PairScore(pair=('##g', '##s'), count=5, left_count=20, right_count=5)
    """
    tokens: Counter[str] = Counter()
    for word, pieces in words.items():
        for piece in pieces:
            tokens[piece] += word_counts[word]
    return {
        pair: PairScore(pair, count, tokens[pair[0]], tokens[pair[1]])
        for pair, count in count_pairs(words, word_counts).items()
    }


@dataclass(frozen=True)
class WordPieceStep:
    """One merge by likelihood: all candidates with their scores, the one taken, and the words after it."""

    chosen: PairScore
    token: str
    candidates: Mapping[tuple[str, str], PairScore]
    words: Mapping[str, tuple[str, ...]]


def trace_wordpiece(word_counts: Mapping[str, int]) -> Iterator[WordPieceStep]:
    """The textbook's trainer by likelihood, one merge at a time, everything counted anew before each.

    >>> step = next(trace_wordpiece({"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}))
    >>> step.token, step.chosen.score
    ('##gs', 0.05)
    """
    check_word_counts(word_counts)
    ids = {token: number for number, token in enumerate(initial_pieces(word_counts))}
    words = {word: tuple(characters(word)) for word in word_counts}
    while candidates := score_pairs(words, word_counts):
        chosen = min(candidates.values(), key=lambda one: (-one.score, ids[one.pair[0]], ids[one.pair[1]]))
        token = join_pieces(*chosen.pair)
        ids.setdefault(token, len(ids))
        words = {word: _merge(pieces, chosen.pair) for word, pieces in words.items()}
        yield WordPieceStep(chosen, token, candidates, words)


def _merge(pieces: Sequence[str], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    position = 0
    while position < len(pieces):
        if tuple(pieces[position : position + 2]) == pair:
            merged.append(join_pieces(*pair))
            position += 2
        else:
            merged.append(pieces[position])
            position += 1
    return tuple(merged)
