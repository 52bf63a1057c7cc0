"""Run a notebook in a fresh kernel. For notebooks of our own only: nothing here contains a student's code."""

from __future__ import annotations

import os
from typing import Any

from course_utils.grading.exercise import Cell, ExerciseError, Notebook, course, source

CELL_SECONDS = 60
QUIET = ["--log-level=ERROR"]  # ipykernel warns on stderr about every local connection


def execute(notebook: Notebook, hash_seed: int = 0) -> dict[str, list[dict[str, Any]]]:
    """Run every cell in order. Returns the id of each code cell -> its outputs (notebook format 4).

    hash_seed: PYTHONHASHSEED of the kernel, which decides the order in which sets of strings are shown.
    Raises ExerciseError if a cell raises, and ImportError where nbclient is not installed.
    """
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellExecutionError
    except ImportError as error:
        raise ImportError(
            "Running an exercise needs nbformat and nbclient: pip install nbclient ipykernel."
        ) from error
    node = nbformat.from_dict({**notebook, "cells": [_normal(cell) for cell in notebook["cells"]]})
    try:
        client = NotebookClient(node, timeout=CELL_SECONDS, kernel_name="python3", extra_arguments=QUIET)
        client.execute(env={**os.environ, "PYTHONHASHSEED": str(hash_seed)})
    except CellExecutionError as error:
        raise ExerciseError(f"A cell of the notebook raised: {error}") from error
    return {course(cell)["id"]: cell["outputs"] for cell in node["cells"] if cell["cell_type"] == "code"}


def _normal(cell: Cell) -> Cell:
    """The cell with its source as one string and without old outputs."""
    fresh: Cell = {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}
    return {**cell, "source": source(cell), **fresh}
