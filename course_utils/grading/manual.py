"""Points and comments that people add: written as a CSV, edited anywhere, read back."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection
from pathlib import Path

from course_utils.grading import tables
from course_utils.grading.exercise import CHECK_KINDS, Exercise
from course_utils.grading.gradebook import Gradebook
from course_utils.grading.publish.sheets import FORMULA, NEXT_CELL
from course_utils.grading.records import Manual

COLUMNS = ("student", "name", "item", "points", "comment")
_GUARDED = re.compile(rf"({NEXT_CELL.pattern})'")  # what `_plain` made of the beginning of a next cell


class ManualError(ValueError):
    """A CSV of manual points that cannot be read back; the message names the line."""


def write(path: Path, book: Gradebook, exercise: Exercise) -> int:
    """Write the manual points of an exercise: a row for each entry, and one to fill in for everybody else.

    Returns the number of rows.
    """
    names, entries = book.students(), book.manual(exercise.name)
    marked = {entry.student for entry in entries}
    rows = [(e.student, names.get(e.student, e.student), e.item, f"{e.points:g}", e.comment) for e in entries]
    rows += [(student, name, "", "", "") for student, name in names.items() if student not in marked]
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(COLUMNS)
        # Points are numbers and may begin with a minus; every other column may hold a student's own text.
        writer.writerows([*map(_plain, row[:3]), row[3], _plain(row[4])] for row in sorted(rows))
    return len(rows)


def read(path: Path, book: Gradebook, exercise: Exercise) -> list[Manual]:
    """The entries in such a CSV; rows with neither points nor a comment are left out.

    Raises ManualError for an unknown student or item, points that are no number, or a row that comes twice.
    """
    try:
        rows = tables.read(path, "student", "points")
    except tables.TableError as error:
        raise ManualError(f"{path} {error}") from error
    students = set(book.students())
    found: dict[tuple[str, str], Manual] = {}
    for line, row in enumerate(rows, start=2):
        entry = _entry(f"{path}, line {line}", row, students, exercise)
        if (entry.student, entry.item) in found:
            raise ManualError(f"{path}, line {line}: {entry.student} has a row for this item already.")
        if entry.points or entry.comment:
            found[entry.student, entry.item] = entry
    return list(found.values())


def _entry(where: str, row: dict[str, str], students: Collection[str], exercise: Exercise) -> Manual:
    """One row, checked."""
    student, item, comment = (_unplain(row.get(name, "").strip()) for name in ("student", "item", "comment"))
    if student not in students:
        raise ManualError(f"{where}: there is no student {student!r}.")
    tasks, checks = exercise.tasks(), (cell["id"] for cell in exercise.cells(*CHECK_KINDS))
    if item not in {"", *tasks, *checks}:
        raise ManualError(
            f"{where}: {item!r} is no task and no check; leave it empty for the whole exercise. "
            f"The tasks are: {', '.join(tasks)}."
        )
    try:
        points = tables.number(row["points"])
    except ValueError:
        points = float("nan")
    if points != points or abs(points) == float("inf"):
        raise ManualError(f"{where}: {row['points']!r} is no number of points.")
    return Manual(student, item, points, comment)


def _plain(text: str) -> str:
    """Text that no spreadsheet runs: an apostrophe before what would begin a formula."""
    guarded = NEXT_CELL.sub(r"\g<0>'", text)
    return f"'{guarded}" if guarded.startswith((*FORMULA, "'")) else guarded


def _unplain(text: str) -> str:
    """What `_plain` was given; a spreadsheet may have dropped the apostrophe already."""
    bare = text[1:] if text.startswith("'") and text[1:].startswith((*FORMULA, "'")) else text
    return _GUARDED.sub(r"\1", bare)
