"""A one-task exercise, small enough to break in every way."""

from typing import Any

from course_utils.grading.exercise import Cell, Notebook

ANSWER = '''\
def double(word):
    """Write a word twice."""
    ### BEGIN SOLUTION
    return word + word
    ### END SOLUTION'''


def cell(kind: str, name: str, text: str, cell_type: str = "code", **meta: Any) -> Cell:
    """A cell of the exercise format."""
    tags = {"tags": ["nbval-check-output"]} if kind.endswith("check") else {}
    found: Cell = {"id": name, "cell_type": cell_type, "source": text}
    return found | {"metadata": {"course": {"id": name, "kind": kind, **meta}, **tags}}


def notebook() -> Notebook:
    """A fresh, valid source notebook."""
    cells = [
        cell("title", "title", "# Exercise\nText.", "markdown"),
        cell("setup", "setup", "def check(name, answer, mistakes=None):\n    return answer()"),
        cell("reference", "reference", "REFERENCE = {}"),
        cell("seed", "seed", "import random\n\nstudent_seed = 0"),
        cell("task", "double", "## Task 1\nDo it.", "markdown", difficulty=1, importance=2, minutes=3),
        cell("answer", "double-answer", ANSWER, task="double"),
        cell(
            "public-check",
            "double-word",
            'check("double-word", lambda: double("word"))',
            task="double",
            points=2,
        ),
        cell(
            "hidden-check",
            "double-random",
            'check("double-random", lambda: double(f"word{student_seed}"))',
            task="double",
            points=1,
            message="Other words.",
        ),
        cell("help", "double-help", "Think.", "markdown", task="double"),
        cell("note", "double-note", "For instructors.", "markdown"),
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
