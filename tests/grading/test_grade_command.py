"""`course grade` from submissions to scores, in words that an instructor can act on."""

import csv
import re
from functools import partial
from pathlib import Path

import handed_in
import pytest
from click.testing import Result
from typer.testing import CliRunner

from benchmarks.grading_stand_in import StandIn
from course_utils.cli import grade as command
from course_utils.grading import exercise, grade
from course_utils.grading.gradebook import Gradebook
from course_utils.grading.sandbox.outcomes import SandboxMissing
from course_utils.grading.workers import GradingError, Task, grade_here

RUNNER = CliRunner()


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to grade the tiny exercise in, with a stand-in for the sandbox."""
    monkeypatch.setattr(exercise, "load", lambda name: handed_in.EXERCISE)
    monkeypatch.setattr(
        command,
        "_runner",
        lambda known, setting, workers, scheduler: partial(
            grade_here, Task(known, setting, StandIn), workers=1
        ),
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "lee.ipynb").write_bytes(handed_in.content())
    (tmp_path / "in" / "bo.ipynb").write_bytes(b"[")
    (tmp_path / "roster.csv").write_text("student,name,login\nann,Ann Lee,lee\nbo,Bo,\neve,Eve,\n")
    return tmp_path


def call(folder: Path, *arguments: str) -> Result:
    return RUNNER.invoke(command.app, [*arguments, "--gradebook", str(folder / "book.sqlite")])


def test_grading_and_grading_again(tiny: Path) -> None:
    arguments = ["tiny", str(tiny / "in"), "--roster", str(tiny / "roster.csv")]
    first = call(tiny, *arguments)
    assert "1 graded, 1 invalid" in first.output, first.output
    assert "0 graded, 0 invalid" in call(tiny, "run", *arguments).output
    with Gradebook(tiny / "book.sqlite") as book:
        assert [(f.name, f.score) for f in book.finals("tiny")] == [("Ann Lee", 3), ("Bo", 0), ("Eve", 0)]
    again = call(tiny, "regrade", "tiny").output
    assert "Nothing new to grade; since the version before:\n0 points of 0 students changed" in again


@pytest.fixture
def wrapped(tiny: Path) -> Path:
    """The class's files in a folder too deep: all of them lie in `downloads`."""
    for student in ("lee", "bo", "eve"):
        path = tiny / "around" / "downloads" / student / "x.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(handed_in.content(f"{handed_in.RIGHT}  # {student}"))
    return tiny


def test_files_that_name_nobody_in_the_roster_are_not_taken_in(wrapped: Path) -> None:
    roster = ["--roster", str(wrapped / "roster.csv")]
    done = call(wrapped, "tiny", str(wrapped / "around"), *roster)
    assert done.exit_code == 1
    assert "Nobody in the roster is named by these files, which name downloads." in done.output
    with Gradebook(wrapped / "book.sqlite") as book:
        assert (book.students(), book.attempts("tiny")) == ({}, [])
    assert "3 graded" in call(wrapped, "tiny", str(wrapped / "around" / "downloads"), *roster).output


def test_without_a_roster_a_class_of_one_is_warned_of_and_can_be_taken_out(wrapped: Path) -> None:
    said = call(wrapped, "tiny", str(wrapped / "around")).output
    assert "All 3 notebooks count as attempts of one student, downloads." in said
    assert "`course grade drop tiny downloads`" in said
    assert call(wrapped, "drop", "tiny", "downloads").exit_code == 1, "nobody said yes"
    assert "3 attempts of downloads removed" in call(wrapped, "drop", "tiny", "downloads", "--yes").output
    assert "has no attempt of 'downloads'" in call(wrapped, "drop", "tiny", "downloads", "--yes").output
    assert "one student" not in call(wrapped, "tiny", str(wrapped / "around" / "downloads")).output
    with Gradebook(wrapped / "book.sqlite") as book:
        assert list(book.students()) == ["bo", "eve", "lee"]


def test_canvas_says_who_is_late_and_not_since_when(tiny: Path) -> None:
    for name in ("zoe_LATE_17_56_hw.ipynb", "kim_18_57_hw.ipynb"):
        (tiny / "in" / name).write_bytes(b"[")
    said = call(tiny, "tiny", str(tiny / "in")).output
    assert "1 late, as Canvas says without a time: 17\n" in said
    with Gradebook(tiny / "book.sqlite") as book:
        times = {attempt.student: attempt.submission.submitted for attempt in book.attempts("tiny")}
    assert (times["17"], times["18"]) == (None, None)
    assert times["bo"] is not None


def test_whom_the_roster_does_not_have_is_named(tiny: Path) -> None:
    (tiny / "in" / "zoe\x1b[31m.ipynb").write_bytes(b"[")
    said = call(tiny, "tiny", str(tiny / "in"), "--roster", str(tiny / "roster.csv")).output
    assert "not in the roster: zoe [31m (" in said
    assert "not in the roster" not in call(tiny, "tiny", str(tiny / "in")).output


@pytest.mark.parametrize("options", [[], ["--read"]], ids=["write", "read"])
def test_a_folder_that_is_not_there_is_one_sentence(tiny: Path, options: list[str]) -> None:
    call(tiny, "tiny", str(tiny / "in"))
    done = call(tiny, "manual", "tiny", str(tiny / "none" / "points.csv"), *options)
    assert isinstance(done.exception, SystemExit)
    assert done.exit_code == 1
    assert re.fullmatch("course grade: .*No such file or directory.*\n", done.output)


def test_manual_points_and_late_days(tiny: Path) -> None:
    call(tiny, "tiny", str(tiny / "in"))
    path = tiny / "points.csv"
    assert "2 rows written" in call(tiny, "manual", "tiny", str(path)).output
    rows = list(csv.DictReader(path.open()))
    rows[0] |= {"points": "2.5", "comment": "well said"}
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert "1 entries read" in call(tiny, "manual", "tiny", str(path), "--read").output
    shown = call(tiny, "policy", "tiny", "--deadline", "2026-03-01T12:00Z", "--keep", "last").output
    assert "keep: last" in shown
    assert "deadline: 2026-03-01T12:00Z" in shown
    assert "public_needs_hidden: yes" in shown
    assert "public_needs_hidden: no" in call(tiny, "policy", "tiny", "--no-public-needs-hidden").output
    assert "keep must be one of" in call(tiny, "policy", "tiny", "--keep", "first").output
    with Gradebook(tiny / "book.sqlite") as book:
        assert book.manual("tiny")[0].comment == "well said"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["regrade", "tiny"], "There is no gradebook"),
        (["tiny", "in", "--kernel", "fast"], "--kernel is forked or ipykernel"),
        (["tiny", "in", "--names", "("], "is no regular expression"),
        (["tiny", "in", "--roster", "in/bo.ipynb"], "nothing in the column"),
        (["tiny", "roster.csv"], "no archive that can be read"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tiny: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tiny)
    (tiny / "in" / "bo.ipynb").write_text('student\n""\n,\n')
    done = call(tiny, *arguments)
    assert done.exit_code != 0
    assert says in " ".join(done.output.replace("│", " ").split())


class Missing(StandIn):
    def __enter__(self) -> StandIn:
        raise SandboxMissing("bubblewrap is missing: install it.")


def test_without_a_sandbox_grading_refuses_in_one_sentence() -> None:
    task = Task(handed_in.EXERCISE, grade.Setting(), Missing)
    with pytest.raises(GradingError, match=r"^bubblewrap is missing: install it\.$"):
        list(grade_here(task, [grade.Job(1, 1)], workers=1))


class DeadlyForOne(StandIn):
    def run(self, notebook: dict):
        if "kill" in str(notebook):
            raise SystemExit(1)
        return super().run(notebook)


def test_a_submission_that_ends_workers_is_given_up_and_others_are_graded() -> None:
    task = Task(handed_in.EXERCISE, grade.Setting(), DeadlyForOne)
    jobs = [grade.Job(number, 1, {"double": text}) for number, text in enumerate(["kill", handed_in.RIGHT])]
    assert [outcome.attempt for outcome in grade_here(task, jobs, workers=1)] == [1]


def test_without_a_sandbox_each_record_says_so() -> None:
    with grade.Session(handed_in.EXERCISE, grade.Setting(sandboxed=False), StandIn) as session:
        assert not session.grade(grade.Job(1, 1, {"double": handed_in.RIGHT})).grade.sandboxed
