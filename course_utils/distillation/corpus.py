"""Unlabeled text for distillation: files of the reader's choice, cut into sentences and token rows.

A row is a sentence, since the batches of short rows waste no computation on padding. Sentences that occur in
a test set are left out by their letters and digits alone, so that spaces and marks cannot hide one.
"""

import lzma
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

_MARKUP = re.compile(r"<br\s*/?>")
_END = re.compile(r"(?<=[.!?])[\"')]*\s+(?=[\"'(A-Z0-9])|\n+")
_OTHER = re.compile(r"[\W_]+")


def sentences(text: str) -> list[str]:
    """The sentences of a text, cut after . ! ? before a capital, and at line ends; markup of lines removed.

    >>> sentences("Good. It works!<br />Really? yes.")
    ['Good.', 'It works!', 'Really? yes.']
    """
    pieces = _END.split(_MARKUP.sub("\\n", text))
    return [" ".join(piece.split()) for piece in pieces if piece and not piece.isspace()]


def letters(text: str) -> str:
    """Letters and digits alone, in lower case: what two copies of a sentence share.

    >>> letters("It's GOOD , really .") == letters("it's good, really")
    True
    """
    return _OTHER.sub("", text.lower())


def without(texts: Iterable[str], held_out: Iterable[str]) -> Iterator[str]:
    """The texts that equal none of the held-out ones in their letters, each once."""
    seen = {letters(text) for text in held_out}
    for text in texts:
        key = letters(text)
        if key and key not in seen:
            seen.add(key)
            yield text


def read_lines(places: Sequence[Path]) -> Iterator[str]:
    """The lines of .txt and .txt.xz files, in turn from each file until all have ended.

    places: files, or folders, which stand for all such files in them. Raises FileNotFoundError for a place
    without any.
    """
    readers = [_lines(file) for place in places for file in _files(place)]
    while readers:
        for reader in list(readers):
            line = next(reader, None)
            if line is None:
                readers.remove(reader)
            else:
                yield line


def _files(place: Path) -> list[Path]:
    files = [place] if place.is_file() else sorted([*place.glob("*.txt"), *place.glob("*.txt.xz")])
    if not files:
        raise FileNotFoundError(f"{place}: expected a .txt or .txt.xz file, or a folder with some")
    return files


def _lines(file: Path) -> Iterator[str]:
    opened = lzma.open if file.suffix == ".xz" else open
    with opened(file, "rt", encoding="utf-8") as lines:
        yield from lines


@dataclass(frozen=True)
class TokenRows(Sequence[list[int]]):
    """Many short rows of token ids in two arrays: 2 bytes a token where lists of Python take 40."""

    flat: NDArray[np.uint16]  # all ids
    starts: NDArray[np.int64]  # (rows + 1,)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, row: int) -> list[int]:  # type: ignore[override]
        if not 0 <= row < len(self):
            raise IndexError(f"there are {len(self)} rows, asked for row {row}")
        return self.flat[self.starts[row] : self.starts[row + 1]].tolist()

    def chosen(self, rows: NDArray[np.int64]) -> "TokenRows":
        """The rows with these numbers, in this order."""
        return packed([self[int(row)] for row in rows])

    @property
    def lengths(self) -> list[int]:
        """The number of tokens of each row."""
        return np.diff(self.starts).tolist()


def token_rows(
    texts: Iterable[str], tokenizer: Tokenizer, tokens: int, *, shortest: int = 6, chunk: int = 4096
) -> TokenRows:
    """Rows of the texts in order until they hold `tokens` tokens; rows under `shortest` tokens are left out.

    The tokenizer adds [CLS] and [SEP], cuts long texts, and must have ids below 65,536. Raises ValueError
    when the texts end before.
    """
    if tokenizer.get_vocab_size() > 2**16:
        raise ValueError(f"ids of {tokenizer.get_vocab_size()} tokens do not fit into 16 bits")
    rows: list[list[int]] = []
    held = 0
    for batch in _chunks(texts, chunk):
        for encoded in tokenizer.encode_batch(batch):
            if held >= tokens:
                return packed(rows)
            if len(encoded.ids) >= shortest:
                rows.append(encoded.ids)
                held += len(encoded.ids)
    if held < tokens:
        raise ValueError(f"the texts hold {held:,} tokens, {tokens:,} were asked for: give more text")
    return packed(rows)


def joined(parts: Sequence[TokenRows]) -> TokenRows:
    """All rows of some, one after another."""
    flat = np.concatenate([part.flat for part in parts])
    lengths = np.concatenate([np.diff(part.starts) for part in parts])
    return TokenRows(flat, np.concatenate([[0], np.cumsum(lengths)]))


def packed(rows: Sequence[list[int]]) -> TokenRows:
    """Rows of token ids in two arrays."""
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return TokenRows(np.fromiter((i for row in rows for i in row), np.uint16, int(starts[-1])), starts)


def _chunks(texts: Iterable[str], size: int) -> Iterator[list[str]]:
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
