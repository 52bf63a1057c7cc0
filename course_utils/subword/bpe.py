"""Byte-pair encoding (Sennrich et al. 2016): apply learned merges to a text, in the order they were learned.

Follows the `tokenizers` library to the token. Left out: dropout, byte fallback, prefixes of inner tokens, and
normalization. Train with `bpe_training.train_bpe`; `save` and `load` use the library's file format.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from pathlib import Path

from course_utils.subword import bpe_file
from course_utils.subword.added_tokens import SpecialTokens
from course_utils.subword.byte_level import to_bytes
from course_utils.subword.checks import check_text
from course_utils.subword.splitting import Splitter, split_words

# Words that the encoder remembers, so that a frequent word is merged once; longer words are not worth it.
_CACHE_WORDS, _CACHE_LENGTH = 100_000, 256


class BPE:
    """A vocabulary and an ordered list of merges.

    vocab: token -> id. merges: pairs of tokens, in training order; the rank of a merge is its place here.
    splitter: how a text is cut into words. special_tokens: string -> id, found in a text before it is split.
    unk_token: stands for each character that is not in the vocabulary; with None such a character is dropped.

    Raises ValueError if a merge names a token that the vocabulary lacks, or two tokens share an id.

    >>> vocab = {"h": 0, "u": 1, "g": 2, "hu": 3, "ug": 4, "hug": 5}
    >>> bpe = BPE(vocab, [("u", "g"), ("h", "ug")], splitter="whitespace")
    >>> bpe.tokenize("hug hu"), bpe.encode("hug hu")
    (['hug', 'h', 'u'], [5, 0, 1])
    """

    def __init__(
        self,
        vocab: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        *,
        splitter: Splitter | str = Splitter.WHITESPACE,
        special_tokens: Mapping[str, int] | None = None,
        unk_token: str | None = None,
    ) -> None:
        self.vocab = dict(vocab)
        self.merges = [(left, right) for left, right in merges]
        self.splitter = Splitter(splitter)
        self.special = SpecialTokens(special_tokens or {})
        self.unk_token = unk_token
        self.tokens = {number: token for token, number in (self.vocab | self.special.ids).items()}
        self._check()
        self._ranks = {
            (self.vocab[left], self.vocab[right]): (rank, self.vocab[left + right])
            for rank, (left, right) in enumerate(self.merges)
        }
        self._unk = None if unk_token is None else self.vocab[unk_token]
        self._cache: dict[str, list[int]] = {}

    def _check(self) -> None:
        if len(self.tokens) != len(self.vocab | self.special.ids):
            raise ValueError("two tokens share an id; each token needs its own")
        if self.unk_token is not None and self.unk_token not in self.vocab:
            raise ValueError(
                f"unk_token {self.unk_token!r} is not in the vocabulary; add it as a special token"
            )
        for rank, (left, right) in enumerate(self.merges):
            missing = [token for token in (left, right, left + right) if token not in self.vocab]
            if missing:
                raise ValueError(
                    f"merge {rank} ({left!r}, {right!r}): {missing} not in the vocabulary; add them"
                )

    def encode(self, text: str) -> list[int]:
        """The ids of the tokens of `text`. Raises ValueError on a lone surrogate, TypeError if not a str."""
        check_text(text)
        ids: list[int] = []
        for _, piece, special in self.special.split(text):
            if special is not None:
                ids.append(special)
                continue
            for word in split_words(piece, self.splitter):
                ids += self._cache.get(word) or self._encode_word(word)
        return ids

    def tokenize(self, text: str) -> list[str]:
        """The tokens of `text`; raises as `encode` does."""
        return [self.tokens[number] for number in self.encode(text)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`. Exact at byte level; other splitters drop white space, so words run together.

        At byte level, bytes that are no valid UTF-8 (a token may end inside a character) become U+FFFD.
        Raises ValueError on an id that the vocabulary lacks.
        """
        numbers = list(ids)
        unknown = [number for number in numbers if number not in self.tokens]
        if unknown:
            raise ValueError(f"ids {unknown[:5]} are not in the vocabulary of {len(self.tokens)} tokens")
        tokens = [self.tokens[number] for number in numbers]
        if self.splitter is not Splitter.BYTE_LEVEL:
            return "".join(tokens)
        parts = (token.encode() if token in self.special.ids else to_bytes(token) for token in tokens)
        return b"".join(parts).decode("utf-8", errors="replace")

    def save(self, path: Path | str) -> None:
        """Write the file that `tokenizers.Tokenizer.from_file` and `load` read."""
        bpe_file.write(self, Path(path))

    @classmethod
    def load(cls, path: Path | str) -> "BPE":
        """Read the library's tokenizer.json, or `save`'s; raises ValueError on what this class cannot do."""
        try:
            return cls(**bpe_file.read(Path(path)))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def _encode_word(self, word: str) -> list[int]:
        """Ids of one word, remembered for the next time."""
        unknown = [] if self._unk is None else [self._unk]
        symbols: list[int] = []
        for character in word:
            symbols += [self.vocab[character]] if character in self.vocab else unknown
        ids = apply_merges(symbols, self._ranks)
        if len(self._cache) < _CACHE_WORDS and len(word) <= _CACHE_LENGTH:
            self._cache[word] = ids
        return ids


def apply_merges(symbols: Sequence[int], ranks: Mapping[tuple[int, int], tuple[int, int]]) -> list[int]:
    """Merge pairs of neighbors, the lowest rank first and the leftmost of equals, until none has a rank.

    symbols: ids of a word's characters. ranks: pair of ids -> (rank, id of the merged token). Takes
    n log n steps for n symbols: a heap holds the pairs, and entries that a merge has outdated are skipped.

    >>> apply_merges([7, 7, 8], {(7, 8): (0, 9), (7, 9): (1, 10)})
    [10]
    """
    row: list[int | None] = list(symbols)
    end = len(row)
    after, before = list(range(1, end + 1)), list(range(-1, end - 1))
    heap = [(*ranks[pair], at) for at, pair in enumerate(pairwise(symbols)) if pair in ranks]
    heapify(heap)
    while heap:
        rank, new, at = heappop(heap)
        right = after[at]
        if right == end or ranks.get((row[at], row[right])) != (rank, new):  # type: ignore[arg-type]
            continue
        row[at], row[right] = new, None
        after[at] = third = after[right]
        if third < end:
            before[third] = at
        for left, second in ((before[at], at), (at, third)):
            if left >= 0 and second < end and (merge := ranks.get((row[left], row[second]))):  # type: ignore[arg-type]
                heappush(heap, (*merge, left))
    return [symbol for symbol in row if symbol is not None]
