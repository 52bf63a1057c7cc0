"""Answers move from one notebook to another, and nothing else does."""

import copy

import pytest
import tiny_exercise

from course_utils.grading.exercise import ExerciseError, source
from course_utils.grading.splice import answers, splice


def by_id(notebook: dict, name: str) -> dict:
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def test_an_answer_is_found_by_metadata_where_an_editor_changed_the_cell_id() -> None:
    notebook = tiny_exercise.notebook()
    by_id(notebook, "double-answer")["id"] = "a1b2c3"
    assert answers(notebook, ["double"]) == {"double": tiny_exercise.ANSWER}


def test_an_answer_is_found_by_cell_id_where_an_editor_dropped_the_metadata() -> None:
    notebook = tiny_exercise.notebook()
    by_id(notebook, "double-answer")["metadata"] = {}
    assert answers(notebook, ["double"]) == {"double": tiny_exercise.ANSWER}


def test_a_missing_answer_is_left_out_and_other_tasks_are_ignored() -> None:
    assert answers(tiny_exercise.notebook(), ["triple"]) == {}


def test_a_copied_answer_is_ambiguous() -> None:
    notebook = tiny_exercise.notebook()
    twin = copy.deepcopy(by_id(notebook, "double-answer"))
    notebook["cells"].append({**twin, "id": "other"})
    with pytest.raises(ExerciseError, match="More than one cell answers double"):
        answers(notebook, ["double"])


def test_only_the_answer_changes_and_the_original_stays() -> None:
    pristine = tiny_exercise.notebook()
    before = copy.deepcopy(pristine)
    spliced = splice(pristine, {"double": "def double(word): ..."})
    assert pristine == before
    changed = [c["id"] for c, old in zip(spliced["cells"], before["cells"], strict=True) if c != old]
    assert changed == ["double-answer"]
    assert source(by_id(spliced, "double-answer")) == "def double(word): ..."


def test_an_answer_to_an_unknown_task_is_refused() -> None:
    with pytest.raises(ExerciseError, match="No such task: triple; known: double"):
        splice(tiny_exercise.notebook(), {"triple": "x = 1"})
