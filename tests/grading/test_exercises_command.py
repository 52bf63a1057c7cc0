"""`course exercises` tells in words what is wrong, and by its exit status that something is."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from course_utils.cli.exercises import app
from course_utils.grading import lint, release

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
    done = RUNNER.invoke(app, ["check", "01"])
    assert (done.exit_code, done.output) == (0, "01_subword_tokenization is what its source makes\n")
    copy.write_text(text.replace("Task 1", "Task one"))
    assert RUNNER.invoke(app, ["check", "01"]).exit_code == 1


def test_lint_says_which_exercises_are_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint, "lint", lambda found: [])
    monkeypatch.setattr(lint, "survivors", lambda found: ["swapped passes."] if "02" in found.name else [])
    done = RUNNER.invoke(app, ["lint", "01"])
    assert (done.exit_code, done.output) == (0, "01_subword_tokenization: sound\n")
    done = RUNNER.invoke(app, ["lint", "02"])
    assert done.exit_code == 1
    assert "sound" not in done.output
