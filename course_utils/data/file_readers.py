"""Read CSV, TSV, JSONL and Parquet into records, each with the place it stands at.

A reader is strict: what cannot be read as meant raises DataError with file, line and remedy.
"""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from course_utils.data.errors import DataError

Record = tuple[str, dict[str, Any]]
"""Where a record stands ("line 7"), and its fields by column name."""


def read(path: Path, encoding: str) -> tuple[list[str], list[Record]]:
    """The column names of a file and its records; the kind of file is told by its name."""
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; check the name and the folder")
    kind = path.suffix.lower()
    if kind == ".parquet":
        return _read_parquet(path)
    if kind not in (".csv", ".tsv", ".jsonl"):
        raise DataError(f"{path}: its name must end in .csv, .tsv, .jsonl or .parquet")
    text = _decode(path, encoding)
    if not text.strip():
        raise DataError(f"{path}: the file is empty; it needs a line for every text")
    return _read_jsonl(path, text) if kind == ".jsonl" else _read_table(path, text, kind)


def _decode(path: Path, encoding: str) -> str:
    """The file's text without byte order mark."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    except LookupError as problem:
        raise DataError(
            f"{path}: there is no encoding {encoding!r}; take utf-8, cp1252, utf-16, ..."
        ) from problem
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        raise DataError(
            f"{path}, line {line}: byte 0x{content[problem.start]:02x} is not valid {encoding}; "
            "save the file as UTF-8, or say how it was saved, for example encoding='cp1252'"
        ) from problem


def _read_table(path: Path, text: str, kind: str) -> tuple[list[str], list[Record]]:
    delimiter = "\t" if kind == ".tsv" else ","
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = _numbered_rows(path, reader)
    _, header = next(rows)
    header = [name.strip() for name in header]
    _check_header(path, header)
    records = []
    for line, row in rows:
        if row:
            _check_width(path, line, header, row, delimiter)
            records.append((f"line {line}", dict(zip(header, row, strict=True))))
    return header, records


def _numbered_rows(path: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line that each starts on."""
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as problem:
        raise DataError(
            f"{path}, line {line}: a quoted field is broken ({problem}); "
            'a quoted text ends with one ", and a " inside it is written ""'
        ) from problem


def _check_header(path: Path, header: list[str]) -> None:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path}, line 1: the column {twice[0]!r} is there twice; rename one of them")


def _check_width(path: Path, line: int, header: list[str], row: list[str], delimiter: str) -> None:
    if len(row) == len(header):
        return
    mark = "tab" if delimiter == "\t" else "comma"
    remedy = (
        f"write one text a line, and put a text that holds a {mark} in double quotes"
        if len(row) > len(header)
        else "fill in what is missing, or remove the line"
    )
    raise DataError(
        f"{path}, line {line}: it has {len(row)} fields where the header has {len(header)}; {remedy}"
    )


def _read_jsonl(path: Path, text: str) -> tuple[list[str], list[Record]]:
    records: list[Record] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            records.append((f"line {number}", _json_object(path, number, line)))
    return list(records[0][1]), records


def _json_object(path: Path, number: int, line: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise DataError(f"{path}, line {number}: {name!r} is there twice; keep one of the two")
        return dict(pairs)

    try:
        found = json.loads(line, object_pairs_hook=unique)
    except json.JSONDecodeError as problem:
        raise DataError(
            f"{path}, line {number}: not one JSON object ({problem.msg} at column {problem.colno}); "
            "write exactly one object a line"
        ) from problem
    if not isinstance(found, dict):
        raise DataError(f'{path}, line {number}: not a JSON object; write {{"text": ..., "label": ...}}')
    return found


def _read_parquet(path: Path) -> tuple[list[str], list[Record]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as problem:
        raise DataError(f"{path}: not a Parquet file ({problem}); write it again, or use CSV") from problem
    rows = table.to_pylist()
    return table.column_names, [(f"row {number}", row) for number, row in enumerate(rows, start=1)]
