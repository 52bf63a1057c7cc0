"""Files as students hand them in, for the tests of the grader. The exercise is tiny_exercise's."""

import copy
import json
from typing import Any

import tiny_exercise

from course_utils.grading import release
from course_utils.grading.exercise import Notebook, dump_notebook, parse

EXERCISE = parse("tiny", tiny_exercise.notebook())
PRISTINE = release.student(EXERCISE, {"double-word": "'wordword'"})
RIGHT = "def double(word):\n    return word + word"
WRONG = "def double(word):\n    return word"


def notebook(answer: str | None) -> Notebook:
    """The student's notebook with an answer; None takes the answer's cell out."""
    made = copy.deepcopy(PRISTINE)
    cells = [cell for cell in made["cells"] if answer is not None or cell["id"] != "double-answer"]
    for cell in cells:
        if cell["id"] == "double-answer":
            cell["source"] = answer
    return {**made, "cells": cells}


def content(answer: str | None = RIGHT, **changes: Any) -> bytes:
    """The bytes of such a file. changes: to the notebook's top level."""
    return dump_notebook({**notebook(answer), **changes}).encode()


def raw(cells: Any) -> bytes:
    """A notebook whose cells may be anything that JSON holds."""
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
