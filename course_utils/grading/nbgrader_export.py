"""An exercise as an nbgrader assignment: their cell metadata (schema 3) and their markers.

nbgrader scores a cell by whether it raises, so a hidden check needs its right value inside: it stands, with
the inputs of one seed, in a hidden-test region that nbgrader cuts out of what students get. What is lost
on the way: every student gets the same hidden inputs, and the score rests on a verdict in the student's
own process. Points, ids and texts are kept; notes for instructors stay out: nbgrader would release them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from course_utils.grading.execute import execute
from course_utils.grading.exercise import CHECK_KINDS, Cell, Exercise, Notebook, course, source
from course_utils.grading.release import SEED_LINE, notebook_of, reference_source

# nbgrader takes a number that a test shows for partial credit, and a text for full credit.
SILENT = "None  # nbgrader reads points out of a value that a test shows"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
SCHEMA_VERSION = 3


def export(exercise: Exercise, seed: int = 0) -> Notebook:
    """The exercise as an nbgrader source notebook, for COURSE/source/ASSIGNMENT/.

    seed: what the hidden inputs of all students are drawn from. Runs the solution once.
    """
    outputs = execute(notebook_of(exercise, solved=True, hidden_seed=seed))
    right = {
        course(cell)["id"]: "".join(outputs[course(cell)["id"]][-1]["data"]["text/plain"])
        for cell in exercise.cells(*CHECK_KINDS)
    }
    made = notebook_of(exercise, solved=False, hidden_seed=seed)
    (seed_cell,) = (cell for cell in made["cells"] if course(cell)["kind"] == "seed")
    markers = {course(cell)["id"]: source(cell) for cell in exercise.cells("answer")}
    public = {course(cell)["id"]: right[course(cell)["id"]] for cell in exercise.cells("public-check")}

    def text(cell: Cell) -> str:
        meta = course(cell)
        if meta["kind"] == "answer":
            return markers[meta["id"]]
        if meta["kind"] == "reference":
            return reference_source(public)
        if meta["kind"] == "hidden-check":
            return hidden_tests(f"{source(cell)}\n{SILENT}", meta["id"], right[meta["id"]], source(seed_cell))
        return f"{source(cell)}\n{SILENT}" if meta["kind"] == "public-check" else source(cell)

    # Students get it too, so it holds what the seed cell is made of and not the seed.
    made["metadata"]["course"]["seed"] = SEED_LINE.sub("student_seed = 0", source(seed_cell))
    cells = [_cell(cell, text(cell)) for cell in made["cells"] if cell is not seed_cell]
    return {**made, "cells": cells}


def _cell(cell: Cell, text: str) -> Cell:
    """The cell with nbgrader's metadata, which decides about editing, in place of our lock."""
    lock = ("deletable", "editable")
    kept = {key: value for key, value in cell["metadata"].items() if key not in lock}
    theirs = cell_metadata(course(cell), cell["cell_type"])
    return {**cell, "source": text, "metadata": {**kept, "nbgrader": theirs}}


def cell_metadata(meta: Mapping[str, Any], cell_type: str) -> dict[str, Any]:
    """nbgrader's metadata of a cell: answers are solutions, checks have points, the rest is locked."""
    is_check, is_answer = meta["kind"] in CHECK_KINDS, meta["kind"] == "answer"
    found: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "grade_id": meta["id"],
        "grade": is_check,
        "solution": is_answer,
        "locked": not is_answer,
        "task": False,
        "cell_type": cell_type,
    }
    return found | ({"points": meta["points"]} if is_check else {})


def hidden_tests(text: str, name: str, right: str, seed_source: str) -> str:
    """A hidden check that raises on a wrong value, inside a region that nbgrader cuts out at release."""
    entry = reference_source({name: right}).splitlines()[-2].strip().rstrip(",")
    return "\n".join([BEGIN_HIDDEN, seed_source, f"REFERENCE.update({{{entry}}})", text, END_HIDDEN])
