"""Publishing, packaging and nbgrader's two commands, as an instructor types them."""

import csv
import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.grading import exercise
from course_utils.grading.exercise import CHECK_KINDS, course
from course_utils.grading.gradebook import Gradebook
from course_utils.grading.records import GRADED, CheckResult, Grade, Submission

RUNNER = CliRunner()


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A gradebook of exercise 1 in which ann is right, bob fails one check, and cem waits."""
    known = exercise.load("01")
    checks = [course(cell) for cell in known.cells(*CHECK_KINDS)]
    path = tmp_path / "term.sqlite"
    with Gradebook(path, create=True) as made:
        made.enroll({"ann": "Ann =Lee", "bob": "Bob <b>", "cem": "Cem"})
        made.add(known.name, [Submission(name, name * 20, f"{name}.ipynb") for name in ("ann", "bob", "cem")])
        for attempt in made.attempts(known.name)[:2]:
            failed = {"score-start"} if attempt.student == "bob" else set()
            rows = tuple(
                CheckResult(
                    meta["id"],
                    meta["task"],
                    meta["kind"],
                    meta["points"],
                    0 if meta["id"] in failed else meta["points"],
                    "Random words." if meta["id"] in failed else "",
                )
                for meta in checks
            )
            made.record(attempt.id, Grade(GRADED, "v1", 5, rows, kernel="forked"))
    return path


def run(*arguments: object, code: int = 0) -> str:
    done = RUNNER.invoke(app, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done.output


def scores(path: Path, column: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as handle:
        return [row[column] for row in csv.DictReader(handle)]


def test_publish_writes_pages_sheets_and_a_summary(book: Path, tmp_path: Path) -> None:
    out = tmp_path / "published"
    said = run("grade", "publish", "01", "--gradebook", book, "--out", out, "--no-mistakes")
    assert "3 feedback pages" in said
    name = exercise.load("01").name
    assert sorted(path.name for path in (out / "feedback" / name).iterdir()) == [
        "ann.html",
        "bob.html",
        "cem.html",
    ]
    assert scores(out / f"{name}.csv", "score") == ["25", "24", ""]
    title = "Exercise 1: Build a tokenizer"
    assert scores(out / f"{name}_canvas.csv", title) == ["25", "25", "24", ""]
    assert scores(out / f"{name}_moodle.csv", f"{title} feedback")[2] == "Pending."
    assert "Bob &lt;b&gt;" in (out / "feedback" / name / "bob.html").read_text()
    assert "score-start" in (out / f"{name}_summary.html").read_text()


def test_summary_is_text(book: Path) -> None:
    said = run("grade", "summary", "01", "--gradebook", book, "--no-mistakes")
    assert "Mean: 24.5 of 25 points" in said
    assert "50% of 2 pass score-start (public-check)" in said


def test_fill_writes_into_an_exported_sheet_and_names_who_is_missing(book: Path, tmp_path: Path) -> None:
    sheet, out = tmp_path / "export.csv", tmp_path / "upload.csv"
    sheet.write_text("Student,ID,SIS Login ID,Exercise 1 (7)\nLee,1,ann,\nRay,2,bob,3\n")
    said = run("grade", "fill", "01", sheet, "--column", "Exercise 1", "--out", out, "--gradebook", book)
    assert scores(out, "Exercise 1 (7)") == ["25", "24"]
    assert "Not in the sheet: cem" in said


def test_fill_finds_students_by_the_rosters_other_names(book: Path, tmp_path: Path) -> None:
    sheet, out, roster = (tmp_path / name for name in ("export.csv", "upload.csv", "roster.csv"))
    sheet.write_text("Student,ID,Exercise 1 (7)\nLee,1001,\nRay,1002,3\n")
    roster.write_text("student,name,canvas\nann,Ann Lee,1001\nbob,Bob Ray,1002\n")
    given = ["01", sheet, "--column", "Exercise 1", "--out", out, "--gradebook", book]
    assert "Name another one with --key" in " ".join(run("grade", "fill", *given, code=1).split())
    assert not out.exists()
    run("grade", "fill", *given, "--roster", roster)
    assert scores(out, "Exercise 1 (7)") == ["25", "24"]


def test_a_sheet_without_students_is_one_sentence(book: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "export.csv"
    sheet.write_text("a,b\n1,2\n")
    out = tmp_path / "out.csv"
    said = run("grade", "fill", "01", sheet, "--column", "x", "--out", out, "--gradebook", book, code=1)
    assert "has no column SIS Login ID or" in said
    assert not out.exists()


def test_a_missing_gradebook_and_an_unknown_exercise_are_one_sentence(book: Path, tmp_path: Path) -> None:
    assert "course grade: " in run("grade", "publish", "01", "--gradebook", tmp_path / "no.sqlite", code=1)
    assert "names 0 exercises" in run("grade", "summary", "99", "--gradebook", book, code=1)


def test_package_makes_the_zip_with_the_gradebooks_key(book: Path, tmp_path: Path) -> None:
    out = tmp_path / "autograder.zip"
    said = run("grade", "package", "--gradescope", "01", "--out", out, "--gradebook", book)
    assert "It holds the solution" in said
    with zipfile.ZipFile(out) as archive:
        settings = json.loads(archive.read("autograder.json"))
    with Gradebook(book) as opened:
        assert bytes.fromhex(settings["salt"]) == opened.salt()
    assert settings["sandboxed"] is True
    assert settings["public_needs_hidden"] is True
    run("grade", "policy", "01", "--no-public-needs-hidden", "--gradebook", book)
    run("grade", "package", "--gradescope", "01", "--out", out, "--gradebook", book)
    with zipfile.ZipFile(out) as archive:
        assert json.loads(archive.read("autograder.json"))["public_needs_hidden"] is False


def test_package_makes_the_classroom_template(tmp_path: Path) -> None:
    run("grade", "package", "01", "--classroom", "--out", tmp_path / "template")
    assert (tmp_path / "template" / ".github" / "workflows" / "classroom.yml").is_file()


@pytest.mark.parametrize(
    "arguments", [[], ["--gradescope", "--classroom"], ["--gradescope", "--hidden-visibility", "soon"]]
)
def test_package_refuses_what_it_cannot_make(arguments: list[str], tmp_path: Path) -> None:
    run("grade", "package", "01", "--out", tmp_path / "x", *arguments, code=2)
    assert not (tmp_path / "x").exists()


def test_nbgrader_there_and_back(tmp_path: Path) -> None:
    run("exercises", "to-nbgrader", "01", tmp_path)
    name = exercise.load("01").name
    made = tmp_path / "source" / name / f"{name}.ipynb"
    draft = tmp_path / "drafts" / "draft.ipynb"
    assert "ends in .ipynb" in run("exercises", "from-nbgrader", made, draft.parent, code=1)
    run("exercises", "from-nbgrader", made, draft)
    draft.write_text("mine")
    assert "is there already" in run("exercises", "from-nbgrader", made, draft, code=1)
    assert draft.read_text() == "mine"
    said = run("exercises", "from-nbgrader", made, draft, "--force")
    assert "Still to do:" in said
    again = exercise.parse(name, exercise.read_notebook(draft))
    assert again.points() == exercise.load("01").points()


def test_a_notebook_that_is_not_nbgraders_is_one_sentence(tmp_path: Path) -> None:
    path = exercise.instructor_folder() / f"{exercise.load('01').name}.ipynb"
    assert "No cell has nbgrader's metadata" in run(
        "exercises", "from-nbgrader", path, tmp_path / "x.ipynb", code=1
    )
    assert not (tmp_path / "x.ipynb").exists()
