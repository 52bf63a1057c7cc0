"""An nbgrader assignment as a draft of an exercise, with the list of what its author must still do.

What nbgrader exported from an exercise of ours comes back with its points and ids. Of any other assignment
the answers, texts and points are taken over, and of its tests what compares two values: `assert f(1) == 2`
becomes a check that shows `f(1)`, and the solution says what is right. A verdict (`assert f(1)`), a
tolerance, a cell graded by hand have no such form: they are named, and never made into something that passes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from course_utils.grading.assertions import Converted, shown_values
from course_utils.grading.exercise import (
    BEGIN,
    CHECK_TAG,
    END,
    Cell,
    ExerciseError,
    Notebook,
    course,
    problems,
    source,
)
from course_utils.grading.nbgrader_export import BEGIN_HIDDEN, END_HIDDEN, SILENT
from course_utils.grading.set_up import standard_set_up

_HEADER = re.compile(r"\A(#[^\n]*)\n\n\*[^\n]* points[^\n]*\*\n\n?")
_SOLUTION = re.compile(r"^([ \t]*)#+\s*(BEGIN|END) SOLUTION\b.*$", re.MULTILINE)
_HIDDEN = re.compile(
    r"^[^\n]*BEGIN HIDDEN TESTS[^\n]*\n(.*?)^[^\n]*END HIDDEN TESTS[^\n]*$", re.DOTALL | re.MULTILINE
)
_GUESSES = {"difficulty": 3, "importance": 3, "minutes": 15}
SEED = "import random\n\nstudent_seed = 0"


@dataclass
class Draft:
    """An exercise that was read from an nbgrader notebook. todo: what its author must still do, in words."""

    notebook: Notebook
    todo: list[str] = field(default_factory=list)


def read(notebook: Notebook) -> Draft:
    """The draft of an exercise from an nbgrader source notebook (with solutions, not the released one).

    Raises ExerciseError for a notebook without nbgrader's metadata.
    """
    if not any(_theirs(cell) for cell in notebook["cells"]):
        raise ExerciseError("No cell has nbgrader's metadata: is this the notebook in source/ASSIGNMENT/?")
    is_ours = "seed" in notebook.get("metadata", {}).get("course", {})
    draft = _read_ours(notebook) if is_ours else _Reader(notebook).draft()
    draft.todo += [f"format: {line}" for line in problems(draft.notebook)]
    return draft


def _theirs(cell: Cell) -> dict[str, Any]:
    found = cell.get("metadata", {}).get("nbgrader", {})
    return found if isinstance(found, dict) else {}


def _read_ours(notebook: Notebook) -> Draft:
    """What `nbgrader_export.export` made: all is found again but the notes. Points may have changed."""
    cells, todo = (
        [],
        ["Notes for instructors are not exported: copy them from the old source."],
    )
    for cell in notebook["cells"]:
        meta, text = dict(course(cell)), source(cell)
        if not meta:
            todo.append(f"A cell was added in nbgrader and is left out: {text[:60]!r}")
            continue
        theirs = _theirs(cell)
        if "points" in theirs:
            meta["points"] = theirs["points"]
        if theirs.get("grade_id", meta["id"]) != meta["id"]:
            todo.append(f"{meta['id']}: it is called {theirs['grade_id']} in nbgrader; the old id was kept.")
        if meta["kind"] in ("title", "task"):
            text = _HEADER.sub(r"\1\n\n", text)
        elif meta["kind"] == "reference":
            text = "REFERENCE = {}"
        elif meta["kind"] == "hidden-check":
            text = _own_check(text)
        elif meta["kind"] == "public-check":
            text = text.removesuffix(f"\n{SILENT}")
        cells.append(_cell(meta, text, cell["cell_type"]))
        if meta["kind"] == "reference":
            cells.append(
                _cell({"id": "seed", "kind": "seed"}, notebook["metadata"]["course"]["seed"], "code")
            )
    return Draft(_notebook(cells), todo)


def _own_check(text: str) -> str:
    """A hidden check without the region's marks, the seed and the value that the export put around it."""
    inner = text.removeprefix(BEGIN_HIDDEN).removesuffix(END_HIDDEN)
    return (
        re.split(r"^REFERENCE\.update\(.*\)\n", inner, maxsplit=1, flags=re.MULTILINE)[-1]
        .strip("\n")
        .removesuffix(f"\n{SILENT}")
    )


class _Reader:
    """Reads a foreign assignment from top to bottom: a text, an answer, its tests, and again."""

    def __init__(self, notebook: Notebook) -> None:
        self._given = notebook["cells"]
        self._todo: list[str] = []
        self._cells: list[Cell] = []
        self._task = ""
        self._taken: set[str] = {"title", "setup", "reference", "seed"}
        self._scale = _scale([_points(cell) / len(_parts(cell)) for cell in self._given if _is_test(cell)])

    def draft(self) -> Draft:
        """The whole draft."""
        for cell in self._given:
            self._read(cell)
        if not any(course(cell)["kind"] == "title" for cell in self._cells):
            self._cells.insert(0, _cell({"id": "title", "kind": "title"}, "# Exercise", "markdown"))
            self._todo.append("Write a title: the notebook begins with none.")
        self._cells[1:1] = [
            _cell({"id": "setup", "kind": "setup"}, standard_set_up(), "code"),
            _cell({"id": "reference", "kind": "reference"}, "REFERENCE = {}", "code"),
            _cell({"id": "seed", "kind": "seed"}, SEED, "code"),
        ]
        if self._scale != 1:
            self._todo.append(f"All points were multiplied by {self._scale}: checks have whole points.")
        return Draft(_notebook(self._cells), self._todo)

    def _read(self, cell: Cell) -> None:
        theirs, text = _theirs(cell), source(cell)
        if theirs.get("task") or (theirs.get("grade") and theirs.get("solution")):
            self._by_hand(theirs, text)
        elif theirs.get("solution"):
            self._answer(theirs, text)
        elif theirs.get("grade"):
            self._test(cell)
        elif cell["cell_type"] == "markdown":
            self._text(text)
        elif text.strip():
            self._add({"id": self._name("given"), "kind": "given"}, text, "code")

    def _text(self, text: str) -> None:
        if not self._cells:
            self._add({"id": "title", "kind": "title"}, text, "markdown")
        else:
            self._add({"id": self._name("text"), "kind": "text"}, text, "markdown")

    def _by_hand(self, theirs: dict[str, Any], text: str) -> None:
        points = theirs.get("points", 0)
        self._add(
            {"id": self._name(str(theirs.get("grade_id", "by-hand"))), "kind": "text"}, text, "markdown"
        )
        self._todo.append(
            f"{theirs.get('grade_id')}: graded by hand in nbgrader ({points} points). It is a text here, "
            "without points: give these by the gradebook's sheet of manual points."
        )

    def _answer(self, theirs: dict[str, Any], text: str) -> None:
        self._task = self._name(str(theirs.get("grade_id", "task")))
        before = self._cells[-1] if self._cells else None
        header = {"id": self._task, "kind": "task", **_GUESSES}
        if before is not None and course(before)["kind"] == "text":
            self._cells[-1] = _cell(header, source(before), "markdown")
        else:
            self._add(header, f"## {self._task}", "markdown")
            self._todo.append(f"{self._task}: write what is to be done; no text stood above the answer.")
        marked = _SOLUTION.sub(lambda mark: f"{mark[1]}### {mark[2]} SOLUTION", text)
        if BEGIN not in marked:
            marked = f"{BEGIN}\n{marked}\n{END}"
            self._todo.append(
                f"{self._task}: the whole cell is the solution; move {BEGIN} below what students get."
            )
        self._add({"id": f"{self._task}-answer", "kind": "answer", "task": self._task}, marked, "code")
        self._todo.append(f"{self._task}: set difficulty, importance and minutes, and write the folded help.")

    def _test(self, cell: Cell) -> None:
        name = str(_theirs(cell).get("grade_id", "test"))
        if not self._task:
            self._todo.append(
                f"{name}: it stands above every answer, so it is no task's check, and is left out."
            )
            return
        converted = [(kind, shown_values(part)) for kind, part in _parts(cell).items()]
        usable = [(kind, found) for kind, found in converted if found.values]
        for _, found in converted:
            self._todo += [f"{name}: {line}" for line in found.todo]
        points = _points(cell) * self._scale
        if not usable or not points:
            self._todo.append(f"{name}: no check was made of it; {points} points are missing.")
            return
        for kind, found in usable:
            self._check(name, kind, found, int(points / len(usable)))

    def _check(self, name: str, kind: str, found: Converted, points: int) -> None:
        own = self._name(name if kind == "public-check" else f"{name}-hidden")
        meta: dict[str, Any] = {"id": own, "kind": kind, "task": self._task, "points": points}
        if kind == "hidden-check":
            meta["message"] = "Other inputs."
            self._todo.append(f"{own}: draw its inputs from student_seed, and write a message that helps.")
        else:
            self._todo.append(f"{own}: name the mistakes that lead to known wrong values.")
        shown = found.values[0] if len(found.values) == 1 else f"[{', '.join(found.values)}]"
        # As text, since `check` looks values up among the known mistakes, which a list cannot be.
        text = "\n".join([*found.before, f'check("{own}", lambda: repr({shown}))'])
        self._add(meta, text, "code")

    def _add(self, meta: dict[str, Any], text: str, cell_type: str) -> None:
        self._cells.append(_cell(meta, text, cell_type))

    def _name(self, wanted: str) -> str:
        """The name in words with hyphens, with a number where it is taken."""
        plain = re.sub(r"[^a-z0-9]+", "-", wanted.lower()).strip("-") or "cell"
        found, count = plain, 2
        while found in self._taken or f"{found}-answer" in self._taken:
            found, count = f"{plain}-{count}", count + 1
        self._taken.add(found)
        return found


def _is_test(cell: Cell) -> bool:
    theirs = _theirs(cell)
    return bool(theirs.get("grade") and not theirs.get("solution") and not theirs.get("task"))


def _parts(cell: Cell) -> dict[str, str]:
    """Kind of check -> the part of a test cell that it is made of: the visible one, the hidden region."""
    text = source(cell)
    parts = {"public-check": _HIDDEN.sub("", text), "hidden-check": "\n".join(_HIDDEN.findall(text))}
    return {kind: part for kind, part in parts.items() if part.strip()} or {"public-check": text}


def _points(cell: Cell) -> Fraction:
    return Fraction(str(_theirs(cell).get("points", 0)))


def _scale(points: Sequence[Fraction]) -> int:
    """The smallest whole number that makes all points whole.

    >>> _scale([Fraction(1), Fraction("0.5"), Fraction("2.25")])
    4
    """
    return math.lcm(*(value.denominator for value in points))


def _cell(meta: dict[str, Any], text: str, cell_type: str) -> Cell:
    tags = {"tags": [CHECK_TAG]} if meta["kind"].endswith("check") else {}
    hidden = {"jupyter": {"source_hidden": True}} if meta["kind"] in ("setup", "reference") else {}
    made: Cell = {"id": meta["id"], "cell_type": cell_type, "source": text}
    made["metadata"] = {"course": meta, **tags, **hidden}
    return made | ({"outputs": [], "execution_count": None} if cell_type == "code" else {})


def _notebook(cells: list[Cell]) -> Notebook:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
