"""WordPiece as in BERT (Wu et al. 2016, Devlin et al. 2019): cut words greedily into the longest pieces.

Equal to transformers' BertTokenizerFast in tokens, ids and offsets. Train with `wordpiece_training`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.subword.added_tokens import SpecialTokens
from course_utils.subword.checks import check_text
from course_utils.subword.normalization import BertNormalizer
from course_utils.subword.splitting import WORD_OR_MARK

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PREFIX = "##"
MAX_WORD_LENGTH = 100
_CACHE_WORDS = 100_000
# What the library's decoder does to a token to undo the splitting of English, in this order.
_CLEANUP = {
    **{f" {mark}": mark for mark in ".?!,"},
    " ' ": "'",
    **{f" {ending}": ending for ending in ("n't", "'m")},
    " do not": " don't",
    **{f" {ending}": ending for ending in ("'s", "'ve", "'re")},
}

# A piece's id, and where it starts and ends in the word.
Piece = tuple[int, int, int]


@dataclass(frozen=True)
class Attempt:
    """One look into the vocabulary on the way through a word: word[start:end] as `piece`, found or not."""

    start: int
    end: int
    piece: str
    found: bool


@dataclass
class Encoding:
    """What BERT is fed, in transformers' names, one entry a token.

    token_type_ids: 0 in the first text, 1 in the second. offsets: (start, end) in characters of the text that
    the token comes from, (0, 0) for [CLS] and [SEP].
    """

    input_ids: list[int] = field(default_factory=list)
    token_type_ids: list[int] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    offsets: list[tuple[int, int]] = field(default_factory=list)


class WordPiece:
    """A vocabulary, and the greedy search for the longest pieces in it.

    vocab: token -> id, or the tokens in order of their ids; a piece inside a word starts with "##".
    lowercase: whether the model is uncased. Words of more than 100 characters become [UNK].
    Raises ValueError if the vocabulary lacks [UNK], or two tokens share an id.

    >>> wordpiece = WordPiece(["[UNK]", "un", "##aff", "##able", "##a"])
    >>> wordpiece.tokenize("Unaffable, unaffected")
    ['un', '##aff', '##able', '[UNK]', '[UNK]']
    """

    def __init__(self, vocab: Mapping[str, int] | Sequence[str], *, lowercase: bool = True) -> None:
        if isinstance(vocab, Mapping):
            self.vocab = dict(vocab)
        else:
            self.vocab = {token: number for number, token in enumerate(vocab)}
            _refuse_repeated(vocab)
        self.ids = {number: token for token, number in self.vocab.items()}
        if len(self.ids) != len(self.vocab):
            raise ValueError("two tokens share an id; each token needs its own")
        if "[UNK]" not in self.vocab:
            raise ValueError(
                "the vocabulary lacks [UNK], which stands for words that no pieces make up; add it"
            )
        self.normalizer = BertNormalizer(lowercase)
        self.special = SpecialTokens(
            {token: self.vocab[token] for token in SPECIAL_TOKENS if token in self.vocab}
        )
        self._longest = max(map(len, self.vocab))
        self._cache: dict[str, list[Piece]] = {}

    @classmethod
    def load(cls, path: Path | str, *, lowercase: bool = True) -> "WordPiece":
        """Read a vocab.txt: one token a line, in order of the ids. Raises ValueError on a repeated token."""
        text = Path(path).read_text(encoding="utf-8")
        return cls(text.removesuffix("\n").split("\n"), lowercase=lowercase)

    def save(self, path: Path | str) -> None:
        """Write the vocabulary as a vocab.txt. Raises ValueError if the ids are not 0, 1, 2, ..."""
        if sorted(self.ids) != list(range(len(self.ids))):
            raise ValueError("a vocab.txt needs ids from 0 without gaps")
        Path(path).write_text(
            "".join(f"{self.ids[number]}\n" for number in range(len(self.ids))), encoding="utf-8"
        )

    def tokenize(self, text: str) -> list[str]:
        """The tokens of `text`, without [CLS] and [SEP].

        Raises ValueError on a lone surrogate, TypeError if `text` is not a str.
        """
        check_text(text)
        tokens: list[str] = []
        for _, part, special in self.special.split(text):
            if special is not None:
                tokens.append(part)
                continue
            for word in WORD_OR_MARK.findall(self.normalizer.normalize(part)):
                tokens += [self.ids[number] for number, _, _ in self._match(word)]
        return tokens

    def encode(self, text: str, pair: str | None = None) -> Encoding:
        """[CLS] text [SEP], or [CLS] text [SEP] pair [SEP]; raises as `tokenize` does.

        >>> wordpiece = WordPiece(["[UNK]", "[CLS]", "[SEP]", "a", "##b"])
        >>> encoding = wordpiece.encode("ab", "A c")
        >>> encoding.tokens, encoding.token_type_ids
        (['[CLS]', 'a', '##b', '[SEP]', 'a', '[UNK]', '[SEP]'], [0, 0, 0, 0, 1, 1, 1])
        >>> encoding.offsets
        [(0, 0), (0, 1), (1, 2), (0, 0), (0, 1), (2, 3), (0, 0)]
        """
        missing = [token for token in ("[CLS]", "[SEP]") if token not in self.vocab]
        if missing:
            raise ValueError(f"the vocabulary lacks {missing}; use tokenize, or add them")
        located = [(self.vocab["[CLS]"], 0, 0), *self._locate(text), (self.vocab["[SEP]"], 0, 0)]
        types = [0] * len(located)
        if pair is not None:
            located += [*self._locate(pair), (self.vocab["[SEP]"], 0, 0)]
            types += [1] * (len(located) - len(types))
        numbers = [number for number, _, _ in located]
        offsets = [(start, end) for _, start, end in located]
        return Encoding(numbers, types, [self.ids[number] for number in numbers], offsets)

    def decode(self, ids: Iterable[int], *, skip_special_tokens: bool = False) -> str:
        """A text of `ids`: pieces joined, words spaced, English punctuation drawn up, as the library does.

        Raises ValueError on an id that the vocabulary lacks.
        """
        numbers = list(ids)
        unknown = [number for number in numbers if number not in self.ids]
        if unknown:
            raise ValueError(f"ids {unknown[:5]} are not in the vocabulary of {len(self.ids)} tokens")
        tokens = [self.ids[number] for number in numbers]
        if skip_special_tokens:
            tokens = [token for token in tokens if token not in self.special.ids]
        parts = []
        for at, token in enumerate(tokens):
            part = token if at == 0 else token[2:] if token.startswith(PREFIX) else f" {token}"
            for old, new in _CLEANUP.items():
                part = part.replace(old, new)
            parts.append(part)
        return "".join(parts)

    def trace(self, word: str) -> list[Attempt]:
        """Every look into the vocabulary for one normalized word, up to a start where nothing is found.

        >>> wordpiece = WordPiece(["[UNK]", "un", "##do"])
        >>> [(attempt.piece, attempt.found) for attempt in wordpiece.trace("undo")]
        [('undo', False), ('und', False), ('un', True), ('##do', True)]
        """
        attempts: list[Attempt] = []
        start = 0
        while start < len(word) <= MAX_WORD_LENGTH:
            for end in range(len(word), start, -1):
                piece = PREFIX * (start > 0) + word[start:end]
                attempts.append(Attempt(start, end, piece, piece in self.vocab))
                if attempts[-1].found:
                    break
            if not attempts[-1].found:
                break
            start = attempts[-1].end
        return attempts

    def _match(self, word: str) -> list[Piece]:
        """The pieces of one normalized word, or [UNK] for all of it; remembered for the next time."""
        if word in self._cache:
            return self._cache[word]
        pieces = self._greedy(word) if len(word) <= MAX_WORD_LENGTH else None
        if pieces is None:
            pieces = [(self.vocab["[UNK]"], 0, len(word))]
        if len(self._cache) < _CACHE_WORDS:
            self._cache[word] = pieces
        return pieces

    def _greedy(self, word: str) -> list[Piece] | None:
        """The longest piece from the left, then the longest from there on; None as soon as there is none."""
        pieces: list[Piece] = []
        start = 0
        while start < len(word):
            prefix = PREFIX if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                number = self.vocab.get(prefix + word[start:end])
                if number is not None:
                    pieces.append((number, start, end))
                    break
            else:
                return None
            start = end
        return pieces

    def _locate(self, text: str) -> list[Piece]:
        """Each token's id, start and end in characters of `text`."""
        check_text(text)
        located: list[Piece] = []
        for shift, part, special in self.special.split(text):
            if special is not None:
                located.append((special, shift, shift + len(part)))
                continue
            normalized, places = self.normalizer.align(part)
            for found in WORD_OR_MARK.finditer(normalized):
                at = found.start()
                for number, start, end in self._match(found[0]):
                    located.append((number, shift + places[at + start], shift + places[at + end - 1] + 1))
        return located


def _refuse_repeated(tokens: Sequence[str]) -> None:
    seen: set[str] = set()
    for number, token in enumerate(tokens):
        if token in seen:
            raise ValueError(
                f"token {token!r} (id {number}) is in the vocabulary twice; each may stand there once"
            )
        seen.add(token)
