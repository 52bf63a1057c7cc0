"""`course exercises` tells in words what is wrong, and by its exit status that something is."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from course_utils.cli.exercises import app
from course_utils.grading import release

RUNNER = CliRunner()


def test_list_shows_tasks_and_points() -> None:
    done = RUNNER.invoke(app, ["list"])
    assert done.exit_code == 0
    assert "01_subword_tokenization: 25 points" in done.output
    assert "merge-step: 4 points" in done.output


def test_an_unknown_name_is_one_sentence() -> None:
    done = RUNNER.invoke(app, ["check", "99"])
    assert done.exit_code == 1
    assert "'99' names 0 exercises; there are: 01_" in done.output


def test_check_notices_an_edited_student_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = release.released_text("01")
    copy = tmp_path / "student.ipynb"
    monkeypatch.setattr(release, "released_path", lambda name: copy)
    monkeypatch.setattr(release, "released_text", lambda name: text)
    assert "differs from its source" in RUNNER.invoke(app, ["check", "01"]).output
    assert RUNNER.invoke(app, ["release", "01"]).exit_code == 0
    assert RUNNER.invoke(app, ["check", "01"]).exit_code == 0
    copy.write_text(text.replace("Task 1", "Task one"))
    assert RUNNER.invoke(app, ["check", "01"]).exit_code == 1
