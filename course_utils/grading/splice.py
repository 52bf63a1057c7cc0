"""Take answers out of one notebook and put them into another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from course_utils.grading.exercise import Cell, ExerciseError, Notebook, answer_id, course, source

MAX_ANSWER = 100_000  # characters; the longest solution of this course has about 2,000


@dataclass(frozen=True)
class Taken:
    """The answers that a notebook holds.

    answers: task -> source. problems: task -> why its answer cannot be taken. A task in neither has no
    answer cell.
    """

    answers: dict[str, str]
    problems: dict[str, str]


def take(notebook: Notebook, tasks: Iterable[str]) -> Taken:
    """The answers in a notebook of which only the list of cells is trusted to be one.

    A cell answers a task if our metadata or its cell id says so, wherever it stands. Two cells that do
    are ambiguous, and neither is taken: a copy must not shadow an answer unseen.
    """
    taken = Taken({}, {})
    cells = [cell for cell in notebook["cells"] if isinstance(cell, dict)]
    for task in tasks:
        claims = [cell for cell in cells if _answers(cell, task)]
        if not claims:
            continue
        text = _code(claims[0])
        if len(claims) > 1:
            taken.problems[task] = f"More than one cell answers {task}: keep one answer cell for each task."
        elif text is None:
            taken.problems[task] = f"The cell of your answer to {task} is no code cell that can be read."
        elif len(text) > MAX_ANSWER:
            taken.problems[task] = f"Your answer to {task} is longer than {MAX_ANSWER:,} characters."
        else:
            taken.answers[task] = text
    return taken


def answers(notebook: Notebook, tasks: Iterable[str]) -> dict[str, str]:
    """Task -> the source of its answer cell; tasks without one are left out.

    Raises ExerciseError that names every task whose answer cannot be taken.
    """
    taken = take(notebook, tasks)
    if taken.problems:
        raise ExerciseError("\n".join(taken.problems.values()))
    return taken.answers


def splice(pristine: Notebook, given: Mapping[str, str]) -> Notebook:
    """A copy of a notebook in which the answer cells of the given tasks hold the given sources.

    Only sources change, and only of answer cells. Raises ExerciseError for a task that is not there.
    """
    known = {course(cell)["task"] for cell in pristine["cells"] if course(cell).get("kind") == "answer"}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ExerciseError(f"No such task: {', '.join(unknown)}; known: {', '.join(sorted(known))}.")

    def changed(cell: Cell) -> Cell:
        meta = course(cell)
        if meta.get("kind") != "answer" or meta["task"] not in given:
            return cell
        return {**cell, "source": given[meta["task"]]}

    return {**pristine, "cells": [changed(cell) for cell in pristine["cells"]]}


def _answers(cell: Cell, task: str) -> bool:
    """Whether a cell is a task's answer, by our metadata or, where an editor dropped that, by its cell id."""
    metadata: Any = cell.get("metadata")
    meta: Any = metadata.get("course") if isinstance(metadata, dict) else None
    by_metadata = isinstance(meta, dict) and meta.get("kind") == "answer" and meta.get("task") == task
    return by_metadata or cell.get("id") == answer_id(task)


def _code(cell: Cell) -> str | None:
    """The source of a code cell; None if the cell is none, or its source is no valid text."""
    text: Any = cell.get("source")
    lines = text if isinstance(text, list) else [text]
    if cell.get("cell_type") != "code" or not all(isinstance(line, str) for line in lines):
        return None
    try:
        "".join(lines).encode("utf-8")  # half of a surrogate pair is no text
    except UnicodeEncodeError:
        return None
    return source(cell)
