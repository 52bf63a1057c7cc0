"""The format of an exercise: one instructor notebook, read and validated.

A notebook is plain JSON here (dicts and lists), so that reading one needs nothing but Python. Every
cell carries our own metadata beside the notebook's cell id, and the two must agree: some editors
rewrite cell ids, others drop metadata, and an answer must be found again after either.

    "id": "merge-step-answer",
    "metadata": {"course": {"id": "merge-step-answer", "kind": "answer", "task": "merge-step"}}

Kinds: `title` and `task` (text, a header is added to both at release), `text`, `help` (the folded
ladder), `setup`, `reference` (filled at release), `seed` (what hidden inputs are drawn from), `answer`,
`given` (data, or a run of the answers; counts for nothing), `public-check`, `hidden-check`, `note` (for
instructors).
Checks carry `points`; a hidden check also carries the `message` that a student sees when it fails.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.paths import project_root

Cell = dict[str, Any]
Notebook = dict[str, Any]

TEXT_KINDS = {"title", "task", "text", "help", "note"}
CHECK_KINDS = {"public-check", "hidden-check"}
CODE_KINDS = {"setup", "reference", "seed", "answer", "given"} | CHECK_KINDS
UNSEEN_KINDS = {"seed", "hidden-check"}  # code that a student's notebook does not have
INSTRUCTOR_KINDS = {"note"} | UNSEEN_KINDS
CHECK_TAG = "nbval-check-output"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_TASK_FIELDS = {"difficulty": range(1, 6), "importance": range(1, 6), "minutes": range(1, 241)}


class ExerciseError(ValueError):
    """An exercise that breaks the format; the message lists every problem found."""


def course(cell: Cell) -> dict[str, Any]:
    """Our metadata of a cell, {} where there is none (a cell that a student added)."""
    found = cell.get("metadata", {}).get("course", {})
    return found if isinstance(found, dict) else {}


def answer_id(task: str) -> str:
    """The id of a task's answer cell.

    >>> answer_id("merge-step")
    'merge-step-answer'
    """
    return f"{task}-answer"


def source(cell: Cell) -> str:
    """A cell's source as one string; notebook files may hold it as a list of lines.

    >>> source({"source": ["a = 1\\n", "a"]})
    'a = 1\\na'
    """
    text = cell.get("source", "")
    return text if isinstance(text, str) else "".join(text)


def read_notebook(path: Path) -> Notebook:
    """Read a notebook file. Raises ExerciseError if it is not one."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ExerciseError(f"{path} is not a notebook: {error}. Download or save it again.") from error
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise ExerciseError(f"{path} is not a notebook: it has no list of cells. Download or save it again.")
    return notebook


def dump_notebook(notebook: Notebook) -> str:
    """The notebook as text, the same bytes for the same content: sources as lines, keys sorted."""
    cells = [{**cell, "source": source(cell).splitlines(keepends=True)} for cell in notebook["cells"]]
    return json.dumps({**notebook, "cells": cells}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Exercise:
    """One validated instructor notebook.

    name: the file name without its ending, such as "01_subword_tokenization".
    notebook: the whole source notebook; treat it as read-only and copy what you change.
    """

    name: str
    notebook: Notebook

    def cells(self, *kinds: str) -> Iterator[Cell]:
        """The cells of the given kinds, in order."""
        return (cell for cell in self.notebook["cells"] if course(cell)["kind"] in kinds)

    def tasks(self) -> dict[str, dict[str, Any]]:
        """Task id -> the metadata of its header cell (difficulty, importance, minutes, needs)."""
        return {course(cell)["id"]: course(cell) for cell in self.cells("task")}

    def points(self, *tasks: str) -> int:
        """Points of the given tasks' checks, of all tasks if none is given."""
        checks = [course(cell) for cell in self.cells(*CHECK_KINDS)]
        return sum(check["points"] for check in checks if not tasks or check["task"] in tasks)


def instructor_folder() -> Path:
    """The folder of the source notebooks. Raises ExerciseError outside a checkout."""
    root = project_root()
    if root is None:
        raise ExerciseError(
            "The exercises' sources are not in the installed package: run this in a checkout."
        )
    return root / "exercises" / "instructor"


def names() -> list[str]:
    """The names of all exercises, sorted."""
    return sorted(path.stem for path in instructor_folder().glob("[0-9]*.ipynb"))


def load(name: str) -> Exercise:
    """Read and validate an exercise's source.

    name: "01_subword_tokenization", or any beginning that only one exercise has ("01").
    Raises ExerciseError if none or several match, or if the notebook breaks the format.
    """
    matches = [known for known in names() if known == name] or [n for n in names() if n.startswith(name)]
    if len(matches) != 1:
        raise ExerciseError(f"{name!r} names {len(matches)} exercises; there are: {', '.join(names())}.")
    return parse(matches[0], read_notebook(instructor_folder() / f"{matches[0]}.ipynb"))


def parse(name: str, notebook: Notebook) -> Exercise:
    """Validate a source notebook. Raises ExerciseError that lists every problem."""
    found = problems(notebook)
    if found:
        raise ExerciseError(
            f"Exercise {name} breaks the format:\n" + "\n".join(f"- {line}" for line in found)
        )
    return Exercise(name, notebook)


def problems(notebook: Notebook) -> list[str]:
    """Everything in a source notebook that breaks the format, in words; [] if nothing does."""
    cells = notebook["cells"]
    found = [line for position, cell in enumerate(cells) for line in _cell_problems(position, cell)]
    if found:  # what follows reads the metadata that these problems are about
        return found
    return [*_repeated_ids(cells), *_missing_kinds(cells), *_task_problems(cells)]


def _cell_problems(position: int, cell: Cell) -> Iterator[str]:
    """Problems that one cell has on its own."""
    meta = course(cell)
    where = f"cell {position} ({meta.get('id', cell.get('id', 'no id'))})"
    if not _ID.match(str(meta.get("id", ""))) or meta.get("id") != cell.get("id"):
        yield f"{where}: the cell id and course.id must be the same words-with-hyphens"
    kind = meta.get("kind")
    if kind not in TEXT_KINDS | CODE_KINDS:
        yield f"{where}: unknown kind {kind!r}, expected one of {sorted(TEXT_KINDS | CODE_KINDS)}"
    elif cell.get("cell_type") != ("markdown" if kind in TEXT_KINDS else "code"):
        yield f"{where}: a cell of kind {kind} cannot be a {cell.get('cell_type')} cell"
    if kind in CHECK_KINDS | {"answer", "help"} and not meta.get("task"):
        yield f"{where}: it must name its task"
    if kind == "answer" and meta.get("id") != answer_id(meta.get("task", "")):
        yield f"{where}: the answer of a task has the task's name and -answer as its id"
    if kind in CHECK_KINDS:
        yield from (f"{where}: {line}" for line in _check_problems(cell, meta))
    if kind == "task":
        for field, allowed in _TASK_FIELDS.items():
            if meta.get(field) not in allowed:
                yield f"{where}: {field} must be from {allowed.start} to {allowed.stop - 1}"
    yield from (f"{where}: {line}" for line in _marker_problems(source(cell), kind == "answer"))


def _check_problems(cell: Cell, meta: dict[str, Any]) -> Iterator[str]:
    """A check needs its tag and points; a hidden one a message too."""
    if CHECK_TAG not in cell["metadata"].get("tags", []):
        yield f"a check needs the tag {CHECK_TAG}, or nbval runs it without comparing"
    if not isinstance(meta.get("points"), int) or meta["points"] < 1:
        yield "a check needs points, a whole number of at least 1"
    if meta["kind"] == "hidden-check" and not meta.get("message"):
        yield "a hidden check needs the message that a student sees when it fails"


def _marker_problems(text: str, is_answer: bool) -> Iterator[str]:
    """Solution markers come in pairs, in answer cells alone."""
    markers = [line.strip() for line in text.splitlines() if line.strip() in (BEGIN, END)]
    if markers != [BEGIN, END] * (len(markers) // 2):
        yield f"{BEGIN} and {END} must come in pairs, one after the other"
    if bool(markers) != is_answer:
        yield (
            "an answer cell needs a marked solution"
            if is_answer
            else "only an answer cell may hold a solution"
        )


def _repeated_ids(cells: list[Cell]) -> Iterator[str]:
    counts = Counter(course(cell)["id"] for cell in cells)
    yield from (f"the id {name} is used {count} times" for name, count in counts.items() if count > 1)


def _missing_kinds(cells: list[Cell]) -> Iterator[str]:
    """Every exercise has exactly one of these; the set-up comes before what it sets up."""
    kinds = [course(cell)["kind"] for cell in cells]
    for kind in ("title", "setup", "reference", "seed"):
        if kinds.count(kind) != 1:
            yield f"there must be one cell of kind {kind}, found {kinds.count(kind)}"


def _task_problems(cells: list[Cell]) -> Iterator[str]:
    """Every task has one answer, help and checks of both kinds; no cell names an unknown task."""
    tasks = [course(cell)["id"] for cell in cells if course(cell)["kind"] == "task"]
    found = Counter((course(cell).get("task"), course(cell)["kind"]) for cell in cells)
    for task in tasks:
        if found[task, "answer"] != 1:
            yield f"task {task} must have one answer cell, found {found[task, 'answer']}"
        missing = [kind for kind in ("help", *sorted(CHECK_KINDS)) if not found[task, kind]]
        yield from (f"task {task} has no cell of kind {kind}" for kind in missing)
    named = {task for task, _ in found if task} | {n for c in cells for n in course(c).get("needs", [])}
    yield from (f"there is no task {task}, but a cell names it" for task in sorted(named - set(tasks)))
