"""Take answers out of one notebook and put them into another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from course_utils.grading.exercise import Cell, ExerciseError, Notebook, answer_id, course, source


def answers(notebook: Notebook, tasks: Iterable[str]) -> dict[str, str]:
    """Task -> the source of its answer cell in a student's notebook; tasks without one are left out.

    A cell answers a task if our metadata or its cell id says so. Two cells that do are ambiguous, and
    neither is taken: a copy must not shadow an answer unseen.
    Raises ExerciseError that names every task with more than one answer.
    """
    found: dict[str, list[Cell]] = {}
    for cell in notebook["cells"]:
        for task in tasks:
            if _answers(cell, task):
                found.setdefault(task, []).append(cell)
    twice = sorted(task for task, cells in found.items() if len(cells) > 1)
    if twice:
        raise ExerciseError(
            f"More than one cell answers {', '.join(twice)}: keep one answer cell for each task."
        )
    return {task: source(cells[0]) for task, cells in found.items()}


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
    meta = course(cell)
    by_metadata = meta.get("kind") == "answer" and meta.get("task") == task
    return by_metadata or cell.get("id") == answer_id(task)
