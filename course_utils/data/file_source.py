"""``load_file``: the reader's own texts, checked row by row before anything is trained on them."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from course_utils.data import columns, splits
from course_utils.data.errors import DataError
from course_utils.data.file_readers import Record, read

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = ("train", "validation", "test")
WORDS = {"negative": 0, "positive": 1}


def load_file(
    path: str | Path,
    *,
    text: str = "text",
    label: str = "label",
    rating: str | None = None,
    split: str | None = None,
    group: str | None = None,
    labels: Sequence[str] | None = None,
    domain: str | None = None,
    encoding: str = "utf-8",
    skip_incomplete: bool = False,
) -> Dataset:
    """A CSV, TSV, JSONL or Parquet file with the columns that every data set of the course has.

    text, label: the names of the file's columns. rating, split, group: the names of further columns,
    if there are any. Without a split column the rows are split 70/10/20, whole groups and equal texts
    together. labels: the names of the classes in order, so that a row's label is its place there;
    without it, labels are whole numbers from 0 on, or the words negative (0) and positive (1).
    domain: by default the file's name without its ending. skip_incomplete: leave out the rows that
    `incomplete_rows` names.

    Raises DataError, which names file, line (row for Parquet) and remedy, for anything that cannot be
    used: it never repairs a row, and skips none unless it is told to.
    """
    path = Path(path)
    names, records = _rows(path, encoding)
    _require(path, names, [name for name in (text, label, rating, split, group) if name])
    if skip_incomplete:
        records = [record for record in records if not _lacks(record, text, label)]
    known = None if labels is None else {_plain(name): place for place, name in enumerate(labels)}
    texts = [_text(path, record, text) for record in records]
    found = [_label(path, record, label, known) for record in records]
    if path.suffix.lower() in (".csv", ".tsv"):
        _check_swallowed(path, names, records, text, label)
    ids = [where.split()[-1] for where, _ in records]
    groups = [_word(path, record, group) for record in records] if group else ids
    name = domain or path.stem
    return columns.dataset(
        {
            "text": texts,
            "label": found,
            "rating": [_number(path, record, rating) if rating else None for record in records],
            "domain": [name] * len(records),
            "split": [_split(path, record, split) for record in records]
            if split
            else splits.assign(groups, texts, salt=name),
            "id": ids,
            "group": groups,
        }
    )


def load_texts(
    path: str | Path, *, text: str = "text", encoding: str = "utf-8"
) -> tuple[list[str], list[dict[str, Any]]]:
    """The texts of a file without labels, and its rows as they are; raises DataError as `load_file`."""
    path = Path(path)
    names, records = _rows(path, encoding)
    _require(path, names, [text])
    return [_text(path, record, text) for record in records], [row for _, row in records]


def incomplete_rows(
    path: str | Path, *, text: str = "text", label: str = "label", encoding: str = "utf-8"
) -> list[str]:
    """Where the rows stand that have no text or no label: "line 7: no label", in order of the file."""
    path = Path(path)
    names, records = _rows(path, encoding)
    _require(path, names, [text, label])
    return [f"{record[0]}: no {lacks}" for record in records if (lacks := _lacks(record, text, label))]


def classes_in(path: str | Path, *, label: str = "label", encoding: str = "utf-8") -> list[str]:
    """The labels that occur in a file, as `load_file` compares them: numbers by size, words by alphabet.

    Case and spaces at the ends do not count: "Good" and " good" are one class.
    """
    path = Path(path)
    names, records = _rows(path, encoding)
    _require(path, names, [label])
    words = {_plain(row.get(label)) for _, row in records}
    return sorted((word for word in words if not _is_missing(word, word)), key=_by_size_then_alphabet)


def _by_size_then_alphabet(word: str) -> tuple[float, str]:
    """
    >>> sorted(["10", "b", "9", "a", "-1"], key=_by_size_then_alphabet)
    ['-1', '9', '10', 'a', 'b']
    """
    try:
        number = float(word)
    except ValueError:
        number = math.inf
    return number, word


def _rows(path: Path, encoding: str) -> tuple[list[str], list[Record]]:
    names, records = read(path, encoding)
    if not records:
        raise DataError(f"{path}: it has a header but no rows; it needs a line for every text")
    return names, records


def _lacks(record: Record, text: str, label: str) -> str:
    """ "text" or "label", whichever a row has not; "" if it has both."""
    row = record[1]
    value = row.get(text)
    if value is None or (isinstance(value, str) and not value.strip()):
        return "text"
    return "label" if _is_missing(row.get(label), _plain(row.get(label))) else ""


def _require(path: Path, names: list[str], wanted: list[str]) -> None:
    for name in wanted:
        if name not in names:
            remedy = "rename a column, or say which to take, for example text='review', label='stars'"
            if len(names) == 1 and ";" in names[0]:
                remedy = "the columns are separated by semicolons: save the file with commas, or as .tsv"
            raise DataError(
                f"{path}, line 1: there is no column {name!r} among {', '.join(map(repr, names))}; {remedy}"
            )


def _text(path: Path, record: Record, column: str) -> str:
    where, row = record
    value = row.get(column)
    if isinstance(value, list | tuple | dict):
        raise DataError(f"{path}, {where}: {column!r} holds {len(value)} values; give every text its own row")
    if value is None or (isinstance(value, str) and not value.strip()):
        raise DataError(f"{path}, {where}: {column!r} holds no text; fill it in, or remove the row")
    if not isinstance(value, str):
        raise DataError(f"{path}, {where}: {column!r} holds {value!r}, which is no text; put it in quotes")
    return value


def _label(path: Path, record: Record, column: str, known: dict[str, int] | None) -> int:
    """The class of a row: its place among the ``known`` names, or the number that stands there."""
    where, row = record
    value = row.get(column)
    word = _plain(value)
    if known is not None and word in known:
        return known[word]
    if _is_missing(value, word):
        raise DataError(f"{path}, {where}: {column!r} holds no label; fill it in, or remove the row")
    if known is not None:
        raise DataError(f"{path}, {where}: unknown label {value!r}; the labels are {', '.join(known)}")
    if word in WORDS:
        return WORDS[word]
    if not (word.isascii() and word.isdigit()):
        raise DataError(
            f"{path}, {where}: unknown label {value!r}; write a whole number from 0 on, negative or "
            "positive, or name the classes, for example labels=['bad', 'good']"
        )
    return int(word)


def _number(path: Path, record: Record, column: str) -> float:
    where, row = record
    try:
        value = float(row.get(column))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{path}, {where}: {column!r} holds {row.get(column)!r}; write a number")
    return value


def _split(path: Path, record: Record, column: str) -> str:
    word = _word(path, record, column)
    if word not in SPLITS:
        raise DataError(f"{path}, {record[0]}: unknown split {word!r}; the splits are {', '.join(SPLITS)}")
    return word


def _word(path: Path, record: Record, column: str) -> str:
    where, row = record
    value = row.get(column)
    word = "" if value is None else str(value).strip()
    if not word:
        raise DataError(f"{path}, {where}: {column!r} is empty; fill it in, or remove the row")
    return word


def _plain(value: Any) -> str:
    """A label as a comparable word; the 1.0 that a column with gaps makes of a 1 counts as 1.

    >>> _plain(1.0), _plain(" Positive "), _plain(True)
    ('1', 'positive', 'true')
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()


def _is_missing(value: Any, word: str) -> bool:
    return value is None or word in ("", "nan", "none", "null", "na", "n/a", "<na>")


def _check_swallowed(path: Path, names: list[str], records: list[Record], text: str, label: str) -> None:
    """Find a text that swallowed the next row, because its quote was closed one row too late.

    A text may hold line breaks. It is refused when one of its own lines is a whole row of this file:
    as many fields as the header, with a label that the file uses.
    """
    used = {_plain(row[label]) for _, row in records}
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    for where, row in records:
        for line in row[text].splitlines()[1:]:
            fields = next(csv.reader([line], delimiter=delimiter), [])
            if len(fields) == len(names) and _plain(fields[names.index(label)].strip('"')) in used:
                raise DataError(
                    f"{path}, {where}: two texts in one row: the quoted text goes on over the row "
                    f"{line[:60]!r}; close the quote at the end of the text"
                )
