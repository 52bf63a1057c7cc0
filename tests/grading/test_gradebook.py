"""The gradebook keeps every attempt and grades none twice; late days and manual points come on top."""

import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import handed_in
import pytest

from course_utils.grading import manual
from course_utils.grading.gradebook import Gradebook
from course_utils.grading.gradebook_tables import GradebookError
from course_utils.grading.late import Policy, counting
from course_utils.grading.manual import ManualError
from course_utils.grading.records import GRADED, PENDING, WITHHELD, CheckResult, Grade, Manual, Submission

NOON = 1772366400.0  # 2026-03-01T12:00Z
DAY = 86_400
CHECKS = (CheckResult("a", "t", "public-check", 6, 6), CheckResult("b", "t", "hidden-check", 4, 0, "No."))
GRADE = Grade(GRADED, "v1", 3, CHECKS, suspicions=("odd",), versions={"python": "3"}, graded_at=1.0)


def submission(student: str, mark: str, when: float | None = NOON) -> Submission:
    return Submission(student, mark, f"{student}.ipynb", when, {"t": "x = 1"}, {"u": "twice"})


@pytest.fixture
def book(tmp_path: Path):
    with Gradebook(tmp_path / "book.sqlite", create=True) as made:
        yield made


def test_what_is_written_is_read_back(book: Gradebook) -> None:
    assert book.add("tiny", [submission("ann", "1"), submission("bo", "2")]) == 2
    ann, bo = book.attempts("tiny")
    assert (ann.submission, ann.status, ann.number) == (submission("ann", "1"), PENDING, 1)
    assert book.record(ann.id, GRADE)
    assert book.attempts("tiny", "ann")[0].grade == GRADE
    assert [a.student for a in book.pending("tiny", "v1", sandboxed=True)] == ["bo"]
    assert book.exercises() == ["tiny"]
    assert bo.grade is None


def test_nothing_is_noted_or_graded_twice(book: Gradebook) -> None:
    book.add("tiny", [submission("ann", "1")])
    assert book.add("tiny", [submission("ann", "1", NOON + 5), submission("bo", "1")]) == 1
    (ann,) = book.attempts("tiny", "ann")
    assert [book.record(ann.id, GRADE), book.record(ann.id, GRADE)] == [True, False]
    assert book.count_grades() == 1


def test_the_first_time_that_was_noted_stands(book: Gradebook) -> None:
    book.set_policy("tiny", Policy("2026-03-01T12:00+00:00", public_needs_hidden=False))
    late = NOON + DAY
    for student, times in {"ann": (NOON, late), "eve": (late, NOON), "git": (None, late)}.items():
        for number, when in enumerate(times):
            book.add("tiny", [replace(submission(student, "1", when), path=f"{number}.ipynb")])
    for attempt in book.attempts("tiny"):
        book.record(attempt.id, GRADE)
    assert [(final.student, final.late_days) for final in book.finals("tiny")] == [
        ("ann", 0),
        ("eve", 1),
        ("git", 0),
    ]
    assert [attempt.submission.path for attempt in book.attempts("tiny")] == ["0.ipynb"] * 3


def test_a_students_attempts_can_be_taken_out_and_nobody_elses(book: Gradebook) -> None:
    """What only they handed in is forgotten, so that it can come in anew; what others share stays."""
    shared, refused = submission("ann", "1"), replace(submission("all", "2"), reason="One too many.")
    book.add("tiny", [shared, replace(shared, student="all"), refused])
    book.add("other", [submission("all", "2")])
    for attempt in book.attempts("tiny"):
        book.record(attempt.id, GRADE)
    book.drop("tiny", "all")
    assert [(a.student, a.grade) for a in book.attempts("tiny")] == [("ann", GRADE)]
    assert len(book.attempts("other")) == 1
    book.add("tiny", [submission("all", "2")])
    assert book.attempts("tiny", "all")[0].submission.reason == ""
    assert book.attempts("tiny", "all")[0].grade is None


def test_a_grade_without_a_sandbox_does_not_stand_for_one_with(book: Gradebook) -> None:
    book.add("tiny", [submission("ann", "1")])
    (ann,) = book.attempts("tiny")
    book.record(ann.id, replace(GRADE, sandboxed=False))
    assert book.pending("tiny", "v1", sandboxed=False) == []
    assert len(book.pending("tiny", "v1", sandboxed=True)) == 1


def test_a_new_version_is_pending_and_its_grade_the_latest(book: Gradebook) -> None:
    book.add("tiny", [submission("ann", "1")])
    (ann,) = book.attempts("tiny")
    book.record(ann.id, GRADE)
    assert len(book.pending("tiny", "v2", sandboxed=True)) == 1
    book.record(ann.id, new := replace(GRADE, version="v2"))
    assert book.attempts("tiny")[0].grade == new
    assert book.grade_before(ann.id, "v2") == GRADE


def test_a_grade_is_written_whole_or_not_at_all(book: Gradebook) -> None:
    book.add("tiny", [submission("ann", "1")])
    (ann,) = book.attempts("tiny")
    with pytest.raises(sqlite3.IntegrityError):
        book.record(ann.id, replace(GRADE, checks=(CHECKS[0], CHECKS[0])))
    assert book.count_grades() == 0


def test_one_grader_at_a_time(book: Gradebook) -> None:
    with Gradebook(book.path) as other:
        with book.alone(), pytest.raises(GradebookError, match="Another grader"), other.alone():
            pass
        with other.alone():
            pass


def test_files_that_are_no_gradebook_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GradebookError, match="There is no gradebook"):
        Gradebook(tmp_path / "none.sqlite")
    text = tmp_path / "notes.txt"
    text.write_text("not a database, but long enough to be taken for one" * 20)
    with pytest.raises(GradebookError, match="is not a gradebook"):
        Gradebook(text)
    with pytest.raises(GradebookError, match=r"cannot be opened .* is its folder there"):
        Gradebook(tmp_path / "nofolder" / "x.sqlite", create=True)


def test_salts_differ_and_stay(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "a", create=True) as a, Gradebook(tmp_path / "b", create=True) as b:
        assert a.salt() != b.salt()
        first = a.salt()
    with Gradebook(tmp_path / "a", create=True) as again:
        assert again.salt() == first


def test_late_days_are_counted_charged_and_limited() -> None:
    policy = Policy("2026-03-01T12:00+00:00", free_days=1, penalty=0.1, max_days=4, grace_minutes=10)
    assert [policy.days_late(NOON + late) for late in (-5, 600, 601, DAY + 601)] == [0, 0, 1, 2]
    assert policy.days_late(None) == 0
    assert [policy.charged_days(NOON + days * DAY) for days in (0, 1, 2)] == [0, 0, 1]


@pytest.mark.parametrize(("days", "off"), [(0, 0.0), (1, 0.0), (2, 1.0), (4, 3.0), (5, 6.0)], ids=str)
def test_deductions(book: Gradebook, days: int, off: float) -> None:
    limits = {"free_days": 1, "penalty": 0.1, "max_days": 4}
    policy = Policy("2026-03-01T12:00+00:00", **limits, public_needs_hidden=False)
    book.add("tiny", [submission("ann", "1", NOON + days * DAY)])
    (ann,) = book.attempts("tiny")
    book.record(ann.id, GRADE)
    book.set_policy("tiny", policy)
    (final,) = book.finals("tiny")
    assert (final.penalty, final.score) == (pytest.approx(off), pytest.approx(6 - off))


@pytest.mark.parametrize("deadline", ["2027-03-01", "2027-03-01+01:00", "2027-03-01T23:59", "tomorrow"])
def test_a_deadline_says_all_that_it_needs(deadline: str) -> None:
    with pytest.raises(ValueError, match=r"needs a date, a time and a UTC offset: 2027-03-01T23:59\+01:00\."):
        Policy(deadline)


@pytest.mark.parametrize(
    "wrong", [{"keep": "first"}, {"penalty": 2}, {"free_days": -1}, {"deadline": "2026-03-01T12:00"}]
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError):
        Policy(**wrong)


def test_public_points_count_only_beside_a_hidden_check_of_the_same_task(book: Gradebook) -> None:
    book.add("tiny", [submission(name, name) for name in ("ann", "bo", "cy")])
    ann, bo, cy = (attempt.id for attempt in book.attempts("tiny"))
    public, failed = CHECKS
    passed, other = replace(failed, earned=4, message=""), replace(failed, id="c")
    for attempt, checks in (
        (ann, (public, failed)),  # a table of the visible values
        (bo, (public, passed, other)),  # one of two hidden checks suffices
        (cy, (public, replace(passed, task="u", id="c"), failed)),  # that of another task does not
    ):
        book.record(attempt, replace(GRADE, checks=checks))
    assert [final.score for final in book.finals("tiny")] == [0, 10, 4]
    shown = book.finals("tiny")[0].attempt
    assert shown is not None
    assert shown.grade is not None
    assert (shown.grade.checks[0].passed, shown.grade.checks[0].message) == (True, WITHHELD)
    assert book.attempts("tiny")[0].grade == replace(GRADE, checks=(public, failed)), "kept as graded"
    book.set_policy("tiny", Policy(public_needs_hidden=False))
    assert [final.score for final in book.finals("tiny")] == [6, 10, 10]


def test_of_two_attempts_the_one_with_more_points_that_count_is_the_best(book: Gradebook) -> None:
    book.add("tiny", [submission("ann", "table"), submission("ann", "honest", NOON + 1)])
    table, honest = (attempt.id for attempt in book.attempts("tiny"))
    book.record(table, GRADE)
    book.record(honest, replace(GRADE, checks=(replace(CHECKS[0], earned=0), replace(CHECKS[1], earned=4))))
    (final,) = book.finals("tiny")
    assert (final.score, final.attempt and final.attempt.id) == (4, honest)


def test_best_or_last_of_several_attempts(book: Gradebook) -> None:
    book.add(
        "tiny",
        [submission("ann", "late", NOON + 9), submission("ann", "early"), submission("ann", "none", None)],
    )
    attempts = book.attempts("tiny")
    assert [a.submission.sha256 for a in attempts] == ["none", "early", "late"]
    assert [a.number for a in attempts] == [1, 2, 3]
    none, early, late = (replace(a, grade=GRADE) for a in attempts)
    worse = replace(late, grade=replace(GRADE, checks=()))
    assert counting([worse, early], Policy()) == early
    assert counting([worse, early], Policy(keep="last")) == worse
    assert counting([late, early, none], Policy()) == none, "of equals, the earliest"
    assert counting([], Policy()) is None


def test_manual_points_come_back_from_the_csv_as_they_went(book: Gradebook, tmp_path: Path) -> None:
    book.enroll({"=ann": "@Ann", "bo": "Bo;=1", "＝cy": "Cy"})
    entries = [
        Manual("=ann", "double", -1.5, "'=cmd()"),
        Manual("bo", "", 2.0, "no; -1|'=a;''=b; 'c"),
        Manual("＝cy", "", 1.0, "\"a\"; =1 and 'b'"),
    ]
    book.set_manual("tiny", entries)
    path = tmp_path / "points.csv"
    assert manual.write(path, book, handed_in.EXERCISE) == 3
    assert not any(
        cell.strip(' "').startswith(("=", "@", "＝"))
        for line in path.read_text(encoding="utf-8").splitlines()
        for cell in re.split("[,;|]", line)
    )
    assert manual.read(path, book, handed_in.EXERCISE) == entries
    assert [final.score for final in book.finals("tiny")] == [0.0, 2.0, 1.0]


def test_manual_points_without_their_columns_are_refused(book: Gradebook, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("id;item\nann;\n")
    with pytest.raises(
        ManualError, match=r"points.csv has no column `student`, `points`; it has: id, item\."
    ):
        manual.read(path, book, handed_in.EXERCISE)


@pytest.mark.parametrize("separator", [";", "\t"])
def test_manual_points_saved_where_the_comma_is_the_decimal_sign(
    book: Gradebook, tmp_path: Path, separator: str
) -> None:
    book.enroll({"ann": "Ann"})
    rows = [("student", "item", "points", "comment"), ("ann", "double", "-1,5", "late, but nice")]
    path = tmp_path / "points.csv"
    path.write_text("\n".join(map(separator.join, rows)), encoding="utf-8-sig")
    assert manual.read(path, book, handed_in.EXERCISE) == [Manual("ann", "double", -1.5, "late, but nice")]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("eve,,1,", "no student 'eve'"),
        ("bo,triple,1,", "no task and no check; .* The tasks are: double\\."),
        ("bo,,many,", "no number of points"),
        ('bo,,"1,000",', "no number of points"),
        ("bo,,nan,", "no number of points"),
        ("bo,,1,\nbo,,2,", "has a row for this item already"),
    ],
)
def test_a_wrong_row_of_manual_points_is_named(book: Gradebook, tmp_path: Path, row: str, says: str) -> None:
    book.enroll({"bo": "Bo"})
    path = tmp_path / "points.csv"
    path.write_text(f"student,item,points,comment\n{row}\n")
    with pytest.raises(ManualError, match=says):
        manual.read(path, book, handed_in.EXERCISE)
