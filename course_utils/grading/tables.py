"""Tables that people saved: CSV files whose first line says what separates the columns.

Where the comma is the decimal sign, spreadsheets and course systems write semicolons in its place.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

SEPARATORS = (",", ";", "\t")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d{1,2}")


class TableError(ValueError):
    """A table that cannot be read; the message goes on after the file's name."""


def separator(text: str) -> str:
    """What separates the columns of a CSV file: of the three, what makes most of its first line.

    Raises csv.Error for a line that is none of a CSV file.

    >>> separator('student;"name, first";points\\n'), separator("student\\n")
    (';', ',')
    """
    line = re.split("[\r\n]", text, maxsplit=1)[0]
    return max(SEPARATORS, key=lambda one: len(next(csv.reader([line], delimiter=one), [])))


def read(path: Path, *wanted: str) -> list[dict[str, str]]:
    """The rows of a CSV file, by column. Cells that a row lacks are empty, further ones are left out.

    wanted: columns that it must have. Raises TableError where it lacks one, or is no CSV in UTF-8.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator(text))
        rows = [{name: value or "" for name, value in row.items() if name is not None} for row in reader]
    except OSError as error:
        raise TableError(f"cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"cannot be read: {error}. Save it as CSV in UTF-8.") from error
    head = reader.fieldnames or []
    if missing := [f"`{name}`" for name in wanted if name not in head]:
        raise TableError(f"has no column {', '.join(missing)}; it has: {', '.join(head) or 'nothing'}.")
    return rows


def number(text: str) -> float:
    """A number as people write it, 0 for nothing. Raises ValueError for anything else.

    A comma before three digits is refused: it may stand for thousands.

    >>> number("1,5"), number("-0.25"), number("")
    (1.5, -0.25, 0.0)
    """
    bare = text.strip()
    return float(bare.replace(",", ".") if _DECIMAL_COMMA.fullmatch(bare) else bare or 0)
