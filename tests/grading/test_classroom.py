"""The template repository for GitHub Classroom: what is in it, and that its points are nbval's."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from course_utils.grading import classroom, exercise
from course_utils.grading.exercise import course, source

NOTEBOOK = "01_subword_tokenization.ipynb"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template, with one task answered in the student's notebook."""
    place = tmp_path_factory.mktemp("classroom")
    found = exercise.load("01")
    classroom.write(found, place)
    notebook = json.loads((place / NOTEBOOK).read_text())
    answer = next(cell for cell in found.cells("answer") if course(cell)["task"] == "merge-step")
    for cell in notebook["cells"]:
        if cell["id"] == "merge-step-answer":
            cell["source"] = source(answer)
    (place / NOTEBOOK).write_text(json.dumps(notebook))
    return place


def test_the_workflow_runs_the_points_and_reports_them(folder: Path) -> None:
    (job,) = yaml.safe_load((folder / classroom.WORKFLOW).read_text())["jobs"].values()
    *_, checks, report = job["steps"]
    assert checks["run"] == f"python {classroom.POINTS} {NOTEBOOK}"
    assert (folder / classroom.POINTS).is_file()
    assert report["env"] == {f"{checks['id'].upper()}_RESULTS": "${{ steps.checks.outputs.result }}"}
    assert report["with"]["runners"] == checks["id"]


def test_students_get_no_solution_and_no_hidden_check(folder: Path) -> None:
    everything = "".join(
        path.read_text() for path in folder.rglob("*") if path.suffix in (".py", ".md", ".yml", ".txt")
    )
    assert "BEGIN SOLUTION" not in everything
    fresh = exercise.load("01")
    hidden = [course(cell)["id"] for cell in fresh.cells("hidden-check")]
    assert not [name for name in hidden if name in (folder / NOTEBOOK).read_text()]
    assert "torch" not in (folder / "requirements.txt").read_text()


def test_points_are_those_of_the_checks_that_nbval_passes(folder: Path) -> None:
    out = folder / "github-output"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, classroom.POINTS, NOTEBOOK],
        cwd=folder,
        env={**clean, "GITHUB_OUTPUT": str(out)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(base64.b64decode(out.read_text().removeprefix("result=")))
    earned = {test["name"]: test["score"] for test in found["tests"]}
    public = {
        course(cell)["id"]: course(cell)["points"] for cell in exercise.load("01").cells("public-check")
    }
    assert earned == {name: points if name.startswith("merge-step") else 0 for name, points in public.items()}
    assert found["max_score"] == sum(public.values())
    assert f"{sum(earned.values())} of {found['max_score']} points" in done.stdout
