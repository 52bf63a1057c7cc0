"""Ours to nbgrader and back keeps points and ids; a foreign assignment becomes a draft that hides no gap."""

import copy
import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import tiny_exercise

from course_utils.grading import exercise, lint, nbgrader_export, nbgrader_import, release
from course_utils.grading.assertions import shown_values
from course_utils.grading.exercise import Cell, Exercise, ExerciseError, Notebook, course, parse, source


@pytest.fixture(scope="module")
def tiny() -> Exercise:
    return parse("tiny", tiny_exercise.notebook())


@pytest.fixture(scope="module")
def exported(tiny: Exercise) -> Notebook:
    return nbgrader_export.export(tiny)


def theirs(cell: Cell) -> dict[str, Any]:
    return cell["metadata"]["nbgrader"]


def by_id(notebook: Notebook, name: str) -> Cell:
    return next(cell for cell in notebook["cells"] if cell["id"] == name)


def test_every_exported_cell_has_their_metadata_in_their_types(exported: Notebook) -> None:
    keys = {"schema_version", "grade_id", "grade", "solution", "locked", "task", "cell_type"}
    for cell in exported["cells"]:
        assert theirs(cell).keys() - {"points"} == keys
        assert theirs(cell)["schema_version"] == 3
        assert all(isinstance(theirs(cell)[name], bool) for name in ("grade", "solution", "locked", "task"))
        assert ("points" in theirs(cell)) == theirs(cell)["grade"]
    assert len({theirs(cell)["grade_id"] for cell in exported["cells"]}) == len(exported["cells"])


def test_answers_are_solutions_and_checks_have_points(exported: Notebook) -> None:
    answer, check = theirs(by_id(exported, "double-answer")), theirs(by_id(exported, "double-word"))
    assert (answer["solution"], answer["grade"], answer["locked"]) == (True, False, False)
    assert (check["solution"], check["grade"], check["locked"], check["points"]) == (False, True, True, 2)
    assert "### BEGIN SOLUTION" in source(by_id(exported, "double-answer"))


def test_a_hidden_check_and_its_value_stand_in_a_region_that_nbgrader_cuts_out(exported: Notebook) -> None:
    text = source(by_id(exported, "double-random")).splitlines()
    assert (text[0], text[-1]) == ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
    outside = [source(cell) for cell in exported["cells"] if cell["id"] != "double-random"]
    assert not [part for part in outside if "word0word0" in part or "student_seed" in part]
    assert "For instructors" not in json.dumps(exported)


def test_no_exported_check_shows_a_value_that_nbgrader_would_read_as_points(exported: Notebook) -> None:
    for cell in exported["cells"]:
        if theirs(cell)["grade"]:
            lines = [line for line in source(cell).splitlines() if line != nbgrader_export.END_HIDDEN]
            assert lines[-1].startswith("None  #")


def test_what_nbgrader_runs_fails_for_a_wrong_answer_and_passes_for_the_solution() -> None:
    found = exercise.load("01")
    cells = [cell for cell in nbgrader_export.export(found)["cells"] if cell["cell_type"] == "code"]
    for answer, fails in (("return merged", 0), ("return merged[:-1]", 4)):
        space: dict[str, Any] = {}
        failed = []
        for cell in cells:
            try:
                exec(source(cell).replace("return merged\n", f"{answer}\n"), space)
            except Exception:
                failed.append(cell["id"])
        assert len([name for name in failed if name.startswith("merge-step")]) == fails


@pytest.mark.parametrize("name", exercise.names())
def test_the_round_trip_keeps_every_cell_but_the_notes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = exercise.load(name)
    checks = [course(cell)["id"] for cell in found.cells(*exercise.CHECK_KINDS)]
    shown = [{"data": {"text/plain": "'a \"value\", with {braces}'"}}]
    monkeypatch.setattr(nbgrader_export, "execute", lambda notebook: dict.fromkeys(checks, shown))
    again = nbgrader_import.read(nbgrader_export.export(found)).notebook
    assert exercise.problems(again) == []
    kept = [cell for cell in found.notebook["cells"] if course(cell)["kind"] != "note"]
    assert [course(cell) for cell in again["cells"]] == [course(cell) for cell in kept]
    assert [source(cell).split() for cell in again["cells"]] == [source(cell).split() for cell in kept]
    assert parse(name, again).points() == found.points()


def test_points_that_were_changed_in_nbgrader_come_back(exported: Notebook) -> None:
    changed = copy.deepcopy(exported)
    theirs(by_id(changed, "double-word"))["points"] = 7
    assert parse("tiny", nbgrader_import.read(changed).notebook).points() == 8


def test_a_cell_that_was_added_or_renamed_in_nbgrader_is_told(exported: Notebook) -> None:
    changed = copy.deepcopy(exported)
    theirs(by_id(changed, "double-word"))["grade_id"] = "other"
    changed["cells"].append({"cell_type": "code", "source": "extra = 1", "metadata": {}})
    todo = " ".join(nbgrader_import.read(changed).todo)
    assert "double-word: it is called other" in todo
    assert "'extra = 1'" in todo


@pytest.mark.skipif(shutil.which("nbgrader") is None, reason="nbgrader is not installed (it need not be)")
def test_nbgrader_itself_releases_and_validates_it(exported: Notebook, tmp_path: Path) -> None:
    folder = tmp_path / "source" / "one"
    folder.mkdir(parents=True)
    (folder / "tiny.ipynb").write_text(exercise.dump_notebook(exported))
    (tmp_path / "nbgrader_config.py").write_text("")
    for command in (["generate_assignment", "one"], ["validate", "source/one/tiny.ipynb"]):
        done = subprocess.run(
            ["nbgrader", *command], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    released = (tmp_path / "release" / "one" / "tiny.ipynb").read_text()
    assert "word0word0" not in released
    assert "return word + word" not in released


def given(cell_type: str, text: str, **metadata: Any) -> Cell:
    """A cell of somebody's nbgrader assignment."""
    flags = {"grade": False, "solution": False, "locked": False, "schema_version": 3}
    marked = {"nbgrader": flags | metadata} if metadata else {}
    return {"cell_type": cell_type, "source": text, "metadata": marked}


SOLUTION = """\
def squares(n):
    ### BEGIN SOLUTION
    return [i**2 for i in range(1, n + 1)]
    ### END SOLUTION"""
TESTS = """\
from math import isclose
assert squares(2) == [1, 4]
assert isclose(sum(squares(3)), 14.0)
assert squares(1)
### BEGIN HIDDEN TESTS
assert squares(3) == [1, 4, 9]
### END HIDDEN TESTS"""


def foreign() -> Notebook:
    return {
        "cells": [
            given("markdown", "# Problem set 1"),
            given("code", "import math"),
            given("markdown", "## Part A\nWrite squares."),
            given("code", SOLUTION, solution=True, grade_id="squares"),
            given("code", TESTS, grade=True, locked=True, points=1, grade_id="correct_squares"),
            given("code", "assert squares(0) == []", grade=True, locked=True, points=0.5, grade_id="Zero!"),
            given("markdown", "Why?", grade=True, solution=True, points=3, grade_id="essay"),
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def test_comparisons_of_a_foreign_assignment_become_values() -> None:
    draft = nbgrader_import.read(foreign())
    check = by_id(draft.notebook, "correct-squares")
    assert source(check).endswith('check("correct-squares", lambda: repr([squares(2), sum(squares(3))]))')
    assert source(check).startswith("from math import isclose")
    assert source(by_id(draft.notebook, "correct-squares-hidden")).endswith("lambda: repr(squares(3)))")
    assert source(by_id(draft.notebook, "squares")).startswith("## Part A")
    assert source(by_id(draft.notebook, "squares-answer")) == SOLUTION


def test_points_of_a_foreign_assignment_keep_their_proportions() -> None:
    draft = nbgrader_import.read(foreign())
    points = {course(cell)["id"]: course(cell).get("points") for cell in draft.notebook["cells"]}
    assert points["correct-squares"] + points["correct-squares-hidden"] == 2 * points["zero"] == 2
    assert any("multiplied by 2" in line for line in draft.todo)


@pytest.mark.parametrize(
    "says",
    [
        "`assert squares(1)` is a verdict",
        "`assert isclose(sum(squares(3)), 14.0)` has a tolerance",
        "essay: graded by hand in nbgrader (3 points)",
        "correct-squares-hidden: draw its inputs from student_seed",
        "squares: set difficulty, importance and minutes",
        "format: task squares has no cell of kind help",
    ],
)
def test_a_draft_says_plainly_what_is_missing(says: str) -> None:
    assert any(says in line for line in nbgrader_import.read(foreign()).todo)


def test_a_finished_draft_is_an_exercise_whose_checks_work() -> None:
    notebook = nbgrader_import.read(foreign()).notebook
    help_ = {"course": {"id": "squares-help", "kind": "help", "task": "squares"}}
    notebook["cells"].append(
        {"id": "squares-help", "cell_type": "markdown", "source": "Think.", "metadata": help_}
    )
    found = parse("draft", notebook)
    assert release.references(found) == {"correct-squares": "'[[1, 4], 14]'", "zero": "'[]'"}
    assert any("easy to guess" in line for line in lint.lint(found)), (
        "what nbgrader accepts, the lint still refuses"
    )


def test_a_notebook_without_their_metadata_is_refused() -> None:
    with pytest.raises(ExerciseError, match="No cell has nbgrader's metadata"):
        nbgrader_import.read({"cells": [given("code", "x")], "metadata": {}})


@pytest.mark.parametrize(
    ("code", "values", "says"),
    [
        ("assert 4 == f(2)", ["f(2)"], ""),
        ("assert f(1) == 1 and f(2) == 4", ["f(1)", "f(2)"], ""),
        ("assert_equal(f(1), 1)", ["f(1)"], ""),
        ("np.testing.assert_allclose(f(1), 1.0)", ["f(1)"], "tolerance"),
        ("assert f(1) < 3", [], "is a verdict"),
        ("assert not f(1)", [], "is a verdict"),
        ("try:\n    f(-1)\nexcept ValueError:\n    pass", [], "inside a block"),
        ("for i in range(3):\n    assert f(i) == i", [], "inside a block"),
        ("%timeit f(1)", [], "is no Python"),
        ("print('ok')", [], ""),
    ],
)
def test_what_can_be_shown_and_what_is_named(code: str, values: list[str], says: str) -> None:
    found = shown_values(code)
    assert found.values == values
    assert bool(found.todo) == bool(says)
    assert all(says in line for line in found.todo)


def test_scale_makes_points_whole() -> None:
    assert nbgrader_import._scale([Fraction(1, 2), Fraction(1, 3), Fraction(2)]) == 6
