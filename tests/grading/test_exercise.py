"""The format refuses what would break later, and says where."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_exercise

from course_utils.grading import exercise
from course_utils.grading.exercise import ExerciseError, Notebook


def cell(notebook: Notebook, name: str) -> dict:
    return next(found for found in notebook["cells"] if found["id"] == name)


def test_a_valid_notebook_has_no_problems() -> None:
    assert exercise.problems(tiny_exercise.notebook()) == []


def test_tasks_and_points() -> None:
    found = exercise.parse("tiny", tiny_exercise.notebook())
    assert list(found.tasks()) == ["double"]
    assert found.points() == found.points("double") == 3
    assert found.points("other") == 0


BREAKS: list[tuple[str, Callable[[Notebook], object]]] = [
    ("must be the same", lambda nb: cell(nb, "title").update(id="other")),
    ("must be the same", lambda nb: cell(nb, "title").update(metadata={})),
    ("unknown kind 'quiz'", lambda nb: cell(nb, "title")["metadata"]["course"].update(kind="quiz")),
    ("cannot be a code cell", lambda nb: cell(nb, "title").update(cell_type="code")),
    ("must name its task", lambda nb: cell(nb, "double-help")["metadata"]["course"].pop("task")),
    ("has the task's name", lambda nb: cell(nb, "double-answer")["metadata"]["course"].update(task="triple")),
    ("needs the tag", lambda nb: cell(nb, "double-word")["metadata"].pop("tags")),
    ("needs points", lambda nb: cell(nb, "double-word")["metadata"]["course"].update(points=0)),
    ("needs the message", lambda nb: cell(nb, "double-random")["metadata"]["course"].pop("message")),
    (
        "difficulty must be from 1 to 5",
        lambda nb: cell(nb, "double")["metadata"]["course"].update(difficulty=6),
    ),
    ("must come in pairs", lambda nb: cell(nb, "double-answer").update(source="### BEGIN SOLUTION\nx = 1")),
    ("needs a marked solution", lambda nb: cell(nb, "double-answer").update(source="x = 1")),
    ("only an answer cell", lambda nb: cell(nb, "setup").update(source=tiny_exercise.ANSWER)),
    ("the id title is used 2 times", lambda nb: nb["cells"].append(cell(nb, "title"))),
    ("one cell of kind setup, found 0", lambda nb: nb["cells"].remove(cell(nb, "setup"))),
    ("one answer cell, found 0", lambda nb: nb["cells"].remove(cell(nb, "double-answer"))),
    ("no cell of kind hidden-check", lambda nb: nb["cells"].remove(cell(nb, "double-random"))),
    ("no task triple", lambda nb: cell(nb, "double")["metadata"]["course"].update(needs=["triple"])),
]


@pytest.mark.parametrize(("says", "damage"), BREAKS)
def test_each_break_of_the_format_is_named(says: str, damage: Callable[[Notebook], object]) -> None:
    notebook = tiny_exercise.notebook()
    damage(notebook)
    with pytest.raises(ExerciseError, match="breaks the format") as raised:
        exercise.parse("tiny", notebook)
    assert says in str(raised.value)


@pytest.mark.parametrize("content", ["", "[]", '{"cells": 5}', "{"])
def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_text(content)
    with pytest.raises(ExerciseError, match="is not a notebook"):
        exercise.read_notebook(path)


def test_a_file_of_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_bytes(b"\xff\xfe{")
    with pytest.raises(ExerciseError, match="is not a notebook"):
        exercise.read_notebook(path)


def test_a_written_notebook_reads_back_the_same() -> None:
    text = exercise.dump_notebook(tiny_exercise.notebook())
    again = json.loads(text)
    assert [exercise.source(c) for c in again["cells"]] == [
        c["source"] for c in tiny_exercise.notebook()["cells"]
    ]
    assert exercise.dump_notebook(again) == text


def test_load_takes_the_beginning_of_a_name_and_refuses_an_unknown_one() -> None:
    assert exercise.load("01").name.startswith("01_")
    with pytest.raises(ExerciseError, match="names 0 exercises"):
        exercise.load("99")
