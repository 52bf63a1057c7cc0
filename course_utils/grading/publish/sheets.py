"""Scores as CSV: the gradebook's own sheet, and what Canvas and Moodle take in.

A spreadsheet runs a cell that begins like a formula, and names and comments come from students. Such a
cell gets an apostrophe in front, which spreadsheets take for "this is text" and do not show. So does what
begins like one after a semicolon, a tab or a bar: where the comma is the decimal sign, cells end there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from course_utils.grading import tables
from course_utils.grading.exercise import Exercise
from course_utils.grading.late import Policy
from course_utils.grading.records import WITHOUT_SCORE, Final
from course_utils.grading.roster import Roster

SIGNS = "=+-@＝＋－＠"  # what a spreadsheet takes for the beginning of a formula
FORMULA = (*SIGNS, "\t", "\r", "\n")
NEXT_CELL = re.compile(rf"[;\t|\r\n][\s\"\ufeff]*(?='*[{re.escape(SIGNS)}])")
CANVAS_KEYS = ("SIS Login ID", "SIS User ID", "ID", "Student")
MOODLE_KEYS = ("ID number", "Email address", "Username", "Full name", "Identifier")


class SheetError(ValueError):
    """A sheet that scores cannot be written into; the message says what it lacks."""


def safe(value: Any) -> Any:
    """A cell that no spreadsheet runs. Numbers stay numbers.

    >>> safe("=1+1"), safe("-ann"), safe(-1.5), safe("ann"), safe("ann;=1+1")
    ("'=1+1", "'-ann", -1.5, 'ann', "ann;'=1+1")
    """
    if not isinstance(value, str):
        return "" if value is None else value
    text = NEXT_CELL.sub(r"\g<0>'", value.replace("\0", ""))
    return f"'{text}" if text.lstrip(" \u00a0\ufeff").startswith(FORMULA) else text


def as_csv(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as the text of a CSV file (comma, quotes where needed, one line end), each cell safe."""
    return _written([safe(cell) for cell in row] for row in rows)


def _written(rows: Iterable[Sequence[Any]], between: str = ",") -> str:
    """Rows as the text of a CSV file, each cell as it is."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", delimiter=between).writerows(rows)
    return out.getvalue()


def number(value: float) -> int | float:
    """Points as people write them: whole where they are whole, else at most two decimals.

    >>> number(7.0), number(7.125)
    (7, 7.12)
    """
    return int(value) if value == int(value) else round(value, 2)


def score(final: Final, absent: int | str = "") -> int | float | str:
    """Points for a sheet; "" while a submission waits for the grader, or it failed: a 0 would be untrue.

    absent: what stands for a student who handed nothing in and was given nothing.
    """
    if status(final) in WITHOUT_SCORE:
        return ""
    return number(final.score) if final.attempt or final.manual else absent


def gradebook(exercise: Exercise, finals: Sequence[Final], policy: Policy) -> str:
    """The whole story of each student in one row: score, attempt, lateness, points of each task."""
    tasks = list(exercise.tasks())
    head = ["student", "name", "score", "of", "status", "attempt"]
    head += ["days late", "charged days", "penalty", "manual points"]
    rows: list[list[Any]] = [[*head, *(f"task {task}" for task in tasks), "comments", "without sandbox"]]
    for final in finals:
        earned = task_points(final)
        comments = " / ".join(entry.comment for entry in final.manual if entry.comment)
        rows.append(
            [
                *(final.student, final.name, score(final, absent=0), exercise.points(), status(final)),
                final.attempt.number if final.attempt else "",
                policy.days_late(final.attempt.submission.submitted) if final.attempt else 0,
                *(final.late_days, number(final.penalty)),
                number(sum(entry.points for entry in final.manual)),
                *(earned.get(task, 0) for task in tasks),
                *(comments, "" if is_sandboxed(final) else "yes"),
            ]
        )
    return as_csv(rows)


def canvas(title: str, points: float, finals: Sequence[Final]) -> str:
    """A sheet that Canvas imports. It finds a student by SIS Login ID, which is the roster's `student`.

    title: of the assignment; where it exists, write it as Canvas exports it, "Exercise 1 (12345)".
    """
    rows: list[list[Any]] = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]]
    rows.append(["    Points Possible", "", "", "", "", number(points)])
    rows += [[final.name, "", "", final.student, "", score(final)] for final in finals]
    return as_csv(rows)


def moodle(title: str, finals: Sequence[Final], feedback: Mapping[str, str] | None = None) -> str:
    """A sheet for Moodle's grade import. Map "ID number" to the roster's `student`.

    feedback: student -> a few words. Moodle wants it beside the grade, or drops the grade.
    """
    said = feedback or {}
    rows: list[list[Any]] = [["ID number", "Full name", title, f"{title} feedback"]]
    rows += [[final.student, final.name, score(final), said.get(final.student, "")] for final in finals]
    return as_csv(rows)


def fill(
    sheet: str, column: str, finals: Sequence[Final], key: str = "", roster: Roster | None = None
) -> tuple[str, list[str]]:
    """Write scores into a sheet that was exported from Canvas or Moodle, so that its own ids stay.

    column: which to fill, or its beginning; it is added if there is none. key: the column that names the
    students; found by its name if left out. roster: what names a student beside the roster's `student`.
    Returns the sheet, and the students it does not list. All other cells stay as they are, and what is
    between them.
    Raises SheetError if a column is missing, no row names a student, or two name the same.
    """
    text = sheet.removeprefix("\ufeff")
    try:
        between = tables.separator(text)
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=between))
    except csv.Error as error:
        raise SheetError(
            f"The sheet is no CSV file ({error}): export it from your course system again."
        ) from error
    if not rows:
        raise SheetError("The sheet is empty: export the gradebook from your course system first.")
    head = [cell.strip() for cell in rows[0]]
    place, target = _key_place(head, key), _column_place(head, column)
    if target == len(head):
        rows = [[*row, ""] for row in rows]
        rows[0][target] = safe(column)
    scores = {final.student: score(final) for final in finals}
    found = set()
    for row in rows[1:]:
        student = _named(row[place], roster or Roster()) if len(row) > max(place, target) else None
        if student not in scores:
            continue
        if student in found:
            raise SheetError(f"Two rows name {student} in the column {head[place]!r}: name another by --key.")
        found.add(student)
        row[target] = str(scores[student]) if scores[student] != "" else row[target]
    if not found:
        raise SheetError(
            f"No row was filled: the column {head[place]!r} does not hold the roster's `student`. Name "
            "another one with --key, or give the roster with --roster, for the other names of students."
        )
    return _written(rows, between), sorted(set(scores) - found)


def _named(cell: str, roster: Roster) -> str:
    """The student whom a cell names. Moodle's worksheet writes "Participant 501" for the id 501."""
    name = cell.strip().removeprefix("Participant ")
    return roster.find(name) or name


def _key_place(head: Sequence[str], key: str) -> int:
    wanted = (key,) if key else (*CANVAS_KEYS, *MOODLE_KEYS)
    for name in wanted:
        if name in head:
            return head.index(name)
    raise SheetError(f"The sheet has no column {' or '.join(wanted)}; it has: {', '.join(head)}.")


def _column_place(head: Sequence[str], column: str) -> int:
    """Where a column is, by its name or its beginning ("Exercise 1" for "Exercise 1 (12345)")."""
    found = [place for place, name in enumerate(head) if name == column or name.startswith(f"{column} (")]
    if len(found) > 1:
        raise SheetError(f"{len(found)} columns are named {column!r}: write the whole name, with its number.")
    return found[0] if found else len(head)


def task_points(final: Final) -> dict[str, int]:
    """Task -> points that its checks earned."""
    earned: dict[str, int] = {}
    for check in final.attempt.grade.checks if final.attempt and final.attempt.grade else ():
        earned[check.task] = earned.get(check.task, 0) + check.earned
    return earned


def status(final: Final) -> str:
    """What became of a student's submission, in words."""
    return final.attempt.status if final.attempt else "nothing handed in"


def is_sandboxed(final: Final) -> bool:
    """False if what counts was graded without a sandbox."""
    return final.attempt is None or final.attempt.grade is None or final.attempt.grade.sandboxed
