"""Train byte-pair encoding (Sennrich et al. 2016): merge the most frequent pair of symbols, again and again.

The tie-break is fixed: of the most frequent pairs the one with the smallest ids wins, left before right.
Ids are given to the special tokens first, then to the alphabet in code point order, then to each merge's
token in turn. So merges do not depend on the order of the text, and are those of the `tokenizers` library's
BpeTrainer, merge for merge.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, heapreplace
from itertools import pairwise

from course_utils.subword.bpe import BPE
from course_utils.subword.byte_level import byte_alphabet
from course_utils.subword.pair_index import PAIR_BITS, RIGHT, PairIndex
from course_utils.subword.splitting import Splitter

_PAIR = (1 << 2 * PAIR_BITS) - 1


@dataclass(frozen=True)
class MergeStep:
    """One merge: the pair, how often it occurred, the new token, and every pair that was as frequent.

    words: each distinct word's symbols after the merge.
    """

    pair: tuple[str, str]
    count: int
    token: str
    tied: tuple[tuple[str, str], ...]
    words: Mapping[str, tuple[str, ...]]


def train_bpe(
    word_counts: Mapping[str, int],
    *,
    num_merges: int | None = None,
    vocab_size: int | None = None,
    splitter: Splitter | str = Splitter.WHITESPACE,
    min_count: int = 1,
    special_tokens: Sequence[str] = (),
    unk_token: str | None = None,
) -> BPE:
    """Learn merges from words and their counts (`count_words` with the same splitter makes them).

    num_merges or vocab_size: when to stop; exactly one. Training ends earlier when no pair occurs
        min_count times.
    splitter: how texts are cut into words; "byte_level" puts all 256 bytes in the alphabet.
    special_tokens: strings that get the first ids and are found in a text before it is split.
    unk_token: the special token that stands for a character outside the alphabet; with None such characters
    are dropped, as the library does.

    Raises ValueError on counts below 1, an empty word, or both or neither of num_merges and vocab_size.

    >>> bpe = train_bpe({"low": 5, "lower": 2, "newest": 6, "widest": 3}, num_merges=4)
    >>> bpe.merges
    [('e', 's'), ('es', 't'), ('l', 'o'), ('lo', 'w')]
    >>> bpe.tokenize("lowest")
    ['low', 'est']
    """
    check_word_counts(word_counts)
    if (num_merges is None) == (vocab_size is None):
        raise ValueError("give exactly one of num_merges and vocab_size")
    tokens = initial_tokens(word_counts, splitter, special_tokens)
    size = len(tokens) + num_merges if num_merges is not None else vocab_size or 0
    if size < len(tokens):
        raise ValueError(
            f"num_merges {num_merges}, vocab_size {vocab_size}: "
            f"below the {len(tokens)} special tokens and characters that there are at the start"
        )
    ids = {token: number for number, token in enumerate(tokens)}
    words = [[ids[character] for character in word] for word in word_counts]
    pairs = learn_merges(words, list(word_counts.values()), tokens, size, min_count)
    merges = [(tokens[left], tokens[right]) for left, right in pairs]
    vocab = {token: number for number, token in enumerate(tokens)}
    special = {token: vocab[token] for token in special_tokens}
    return BPE(vocab, merges, splitter=splitter, special_tokens=special, unk_token=unk_token)


def initial_tokens(
    word_counts: Mapping[str, int], splitter: Splitter | str, special_tokens: Sequence[str] = ()
) -> list[str]:
    """The vocabulary before the first merge: special tokens, then the alphabet in code point order.

    >>> initial_tokens({"ba": 1, "ac": 1}, "whitespace", ["[UNK]"])
    ['[UNK]', 'a', 'b', 'c']
    """
    alphabet = set().union(*word_counts)
    if Splitter(splitter) is Splitter.BYTE_LEVEL:
        known = set(byte_alphabet().values())
        if alphabet - known:
            raise ValueError(
                f"{sorted(alphabet - known)[:5]} are not in the byte alphabet; "
                "count words with the splitter 'byte_level'"
            )
        alphabet = known
    return list(dict.fromkeys([*special_tokens, *sorted(alphabet)]))


def learn_merges(
    words: Sequence[Sequence[int]],
    counts: Sequence[int],
    tokens: list[str],
    vocab_size: int,
    min_count: int = 1,
    prefix: str = "",
) -> list[tuple[int, int]]:
    """Merge the most frequent pair until `tokens` holds vocab_size entries; return the merged pairs of ids.

    words: each a list of ids into `tokens`, which grows. counts: how often each word occurs. prefix: what a
    token inside a word starts with ("##" in WordPiece); the right token loses it when joined to the left one.

    The most frequent pair is found by a heap whose entries may be out of date: a pair's count only falls
    after it was made, so an entry promises at least the true count, and one that promises too much is put
    back with the true one. An entry is a single integer that sorts by falling count, then by rising pair.
    """
    index = PairIndex(words, counts)
    ids = {token: number for number, token in enumerate(tokens)}
    heap = [pair - (count << 2 * PAIR_BITS) for pair, count in index.counts.items()]
    heapify(heap)
    merges: list[tuple[int, int]] = []
    while heap and len(tokens) < vocab_size:
        pair = heap[0] & _PAIR
        count = index.counts[pair]
        if heap[0] != (current := pair - (count << 2 * PAIR_BITS)):
            heapreplace(heap, current)
            continue
        if count < max(min_count, 1):
            break
        heappop(heap)
        left, right = pair >> PAIR_BITS, pair & RIGHT
        token = tokens[left] + tokens[right].removeprefix(prefix)
        new = ids.setdefault(token, len(tokens))
        if new == len(tokens):
            tokens.append(token)
        merges.append((left, right))
        made, _ = index.merge(left, right, new)
        for pair in made:
            heappush(heap, pair - (index.counts[pair] << 2 * PAIR_BITS))
    return merges


def trace_bpe(
    word_counts: Mapping[str, int],
    *,
    splitter: Splitter | str = Splitter.WHITESPACE,
    special_tokens: Sequence[str] = (),
) -> Iterator[MergeStep]:
    """The textbook's trainer, one merge at a time: count every pair of every word anew before each merge.

    Yields the same merges as `train_bpe`, with what there was to choose from, until no pair is left.

    >>> step = next(trace_bpe({"low": 5, "lower": 2, "newest": 6, "widest": 3}))
    >>> step.pair, step.count, step.tied
    (('e', 's'), 9, (('e', 's'), ('s', 't')))
    """
    check_word_counts(word_counts)
    tokens = initial_tokens(word_counts, splitter, special_tokens)
    ids = {token: number for number, token in enumerate(tokens)}
    words = {word: tuple(word) for word in word_counts}
    while pairs := count_pairs(words, word_counts):
        count = max(pairs.values())
        tied = sorted(
            (pair for pair in pairs if pairs[pair] == count), key=lambda pair: (ids[pair[0]], ids[pair[1]])
        )
        token = "".join(tied[0])
        ids.setdefault(token, len(ids))
        words = {word: merge_pair(symbols, tied[0]) for word, symbols in words.items()}
        yield MergeStep(tied[0], count, token, tuple(tied), words)


def count_pairs(
    words: Mapping[str, Sequence[str]], word_counts: Mapping[str, int]
) -> Counter[tuple[str, str]]:
    """How often each pair of neighboring symbols occurs in the text.

    >>> count_pairs({"aba": ["a", "b", "a"]}, {"aba": 3})
    Counter({('a', 'b'): 3, ('b', 'a'): 3})
    """
    pairs: Counter[tuple[str, str]] = Counter()
    for word, symbols in words.items():
        for pair in pairwise(symbols):
            pairs[pair] += word_counts[word]
    return pairs


def merge_pair(symbols: Sequence[str], pair: tuple[str, str]) -> tuple[str, ...]:
    """`symbols` with each occurrence of `pair` joined, from left to right.

    >>> merge_pair(["a", "a", "a", "b"], ("a", "a"))
    ('aa', 'a', 'b')
    """
    merged: list[str] = []
    position = 0
    while position < len(symbols):
        width = 2 if tuple(symbols[position : position + 2]) == pair else 1
        merged.append("".join(symbols[position : position + width]))
        position += width
    return tuple(merged)


def check_word_counts(word_counts: Mapping[str, int]) -> None:
    """Raise TypeError or ValueError unless these are non-empty words with counts of at least 1."""
    if not isinstance(word_counts, Mapping):
        raise TypeError(f"expected word counts, got {type(word_counts).__name__}; make them with count_words")
    for word, count in word_counts.items():
        if not word or not isinstance(count, int) or count < 1:
            raise ValueError(
                f"word {word!r} with count {count!r}: expected a non-empty word and an integer >= 1"
            )
