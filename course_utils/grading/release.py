"""Make what a student gets out of an exercise's source: stubs, public checks, the ladder of help.

Nothing else of the source goes in: the student's notebook is built up from the kinds of cells that
are meant for students, not cut down from the whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from course_utils.grading.execute import execute
from course_utils.grading.exercise import (
    BEGIN,
    CODE_KINDS,
    END,
    INSTRUCTOR_KINDS,
    Cell,
    Exercise,
    Notebook,
    course,
    dump_notebook,
    instructor_folder,
    load,
    source,
)

SEED_LINE = re.compile(r"^student_seed = .*$", re.MULTILINE)
REFERENCE_HEAD = """\
# The right value of each check. The outputs below show the same values, but running
# this notebook overwrites outputs; with this copy the checks still hold after that.
REFERENCE = {
"""


def stub(text: str, task: str) -> str:
    """An answer cell without its solution: the lines outside the markers, and one that raises.

    >>> print(stub("def f(x):\\n    ### BEGIN SOLUTION\\n    return x\\n    ### END SOLUTION", "task-f"))
    def f(x):
        raise NotImplementedError("task-f: your code goes here")
    """
    kept: list[str] = []
    hiding = False
    for line in text.splitlines():
        if line.strip() == BEGIN:
            hiding = True
            indent = line[: line.index(BEGIN)]
            kept.append(f'{indent}raise NotImplementedError("{task}: your code goes here")')
        elif line.strip() == END:
            hiding = False
        elif not hiding:
            kept.append(line)
    return "\n".join(kept)


def solution(text: str) -> str:
    """An answer cell with its solution and without the markers around it.

    >>> print(solution("def f(x):\\n    ### BEGIN SOLUTION\\n    return x\\n    ### END SOLUTION"))
    def f(x):
        return x
    """
    return "\n".join(line for line in text.splitlines() if line.strip() not in (BEGIN, END))


def references(exercise: Exercise) -> dict[str, str]:
    """The id of each public check -> the value it shows for the solution, as text."""
    outputs = execute(notebook_of(exercise, solved=True))
    public = [course(cell)["id"] for cell in exercise.cells("public-check")]
    return {name: "".join(outputs[name][-1]["data"]["text/plain"]) for name in public}


def student(exercise: Exercise, values: Mapping[str, str]) -> Notebook:
    """The student's notebook. values: what `references` found."""
    notebook = notebook_of(exercise, solved=False)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for count, cell in enumerate(code, start=1):
        meta = course(cell)
        if meta["kind"] == "reference":
            cell["source"] = reference_source(values)
        if meta["kind"] == "public-check":
            # Without a count nbval takes the cell for one that never ran, and compares nothing.
            cell.update(execution_count=count, outputs=[_result(values[meta["id"]], count)])
    return notebook


def notebook_of(exercise: Exercise, *, solved: bool, hidden_seed: int | None = None) -> Notebook:
    """The exercise without references and outputs.

    solved: with the solutions, else with stubs. hidden_seed: if given, the hidden checks are in, and
    draw their inputs from this seed.
    """
    cells = []
    for cell in exercise.notebook["cells"]:
        meta, text = course(cell), source(cell)
        if meta["kind"] in INSTRUCTOR_KINDS and (hidden_seed is None or meta["kind"] == "note"):
            continue
        if meta["kind"] == "answer":
            text = solution(text) if solved else stub(text, meta["task"])
        elif meta["kind"] == "seed":
            text = SEED_LINE.sub(f"student_seed = {hidden_seed}", text)
        elif meta["kind"] in ("title", "task"):
            text = _with_header(text, header(exercise, meta))
        cells.append(_clean(cell, text))
    return {
        "cells": cells,
        "metadata": {
            "course": {"exercise": exercise.name, "format": 1},
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def shared_sources(exercise: Exercise) -> list[str]:
    """The code that stands in every student's notebook, and is no student's: nothing of what is hidden."""
    cells = notebook_of(exercise, solved=False)["cells"]
    return [source(cell) for cell in cells if course(cell)["kind"] in CODE_KINDS - {"answer"}]


def header(exercise: Exercise, meta: Mapping[str, Any]) -> str:
    """What to expect of a task, or of the whole exercise: minutes, points, difficulty, importance."""
    tasks = exercise.tasks()
    if meta["kind"] == "title":
        minutes = sum(task["minutes"] for task in tasks.values())
        count = f"{len(tasks)} task{'s' if len(tasks) > 1 else ''}"
        return f"*{count} · about {minutes} minutes · {exercise.points()} points*"
    public = [course(cell) for cell in exercise.cells("public-check")]
    shown = sum(check["points"] for check in public if check["task"] == meta["id"])
    total = exercise.points(meta["id"])
    uses = f" · uses your answer to {', '.join(meta['needs'])}" if meta.get("needs") else ""
    return (
        f"*Difficulty {meta['difficulty']} of 5 · importance {meta['importance']} of 5 · "
        f"about {meta['minutes']} minutes · {total} points: "
        f"{shown} for the checks below, {total - shown} for inputs that you do not see{uses}*"
    )


def reference_source(values: Mapping[str, str]) -> str:
    """The code of the reference cell. Values are kept on one line each, as `repr` writes them."""
    one_line = {name: " ".join(text.split()) for name, text in values.items()}
    lines = (f'    "{name}": {json.dumps(text, ensure_ascii=False)},\n' for name, text in one_line.items())
    return REFERENCE_HEAD + "".join(lines) + "}"


def released_path(name: str) -> Path:
    """Where the student's notebook of an exercise is."""
    return instructor_folder().parent / f"{name}.ipynb"


def released_text(name: str) -> str:
    """The student's notebook of an exercise, made anew, as the text of its file."""
    exercise = load(name)
    return dump_notebook(student(exercise, references(exercise)))


def release(name: str) -> Path:
    """Write the student's notebook of an exercise; returns its path."""
    path = released_path(load(name).name)
    path.write_text(released_text(name), encoding="utf-8", newline="\n")
    return path


def is_current(name: str) -> bool:
    """Whether the student's notebook is what its source makes now."""
    path = released_path(load(name).name)
    return path.is_file() and path.read_text(encoding="utf-8") == released_text(name)


def _with_header(text: str, line: str) -> str:
    """The text with a line in italics under its heading."""
    heading, _, rest = text.partition("\n")
    return f"{heading}\n\n{line}\n\n{rest.strip()}"


def _clean(cell: Cell, text: str) -> Cell:
    """A fresh cell with our metadata, its tags, and a lock on what a student need not edit."""
    kept = {key: cell["metadata"][key] for key in ("course", "tags", "jupyter") if key in cell["metadata"]}
    lock = {"deletable": False, "editable": course(cell)["kind"] == "answer"}
    fresh: Cell = {
        "id": cell["id"],
        "cell_type": cell["cell_type"],
        "source": text,
        "metadata": {**kept, **lock},
    }
    return fresh | ({"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {})


def _result(text: str, count: int) -> dict[str, Any]:
    """The stored output of a check."""
    data = {"text/plain": text.splitlines(keepends=True)}
    return {"output_type": "execute_result", "execution_count": count, "metadata": {}, "data": data}
