"""Whatever a student hands in, taking it in ends soon, and harms nobody else's submission."""

import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import handed_in
import pytest

from course_utils.grading import intake_listing
from course_utils.grading.gradebook import Gradebook
from course_utils.grading.intake import MAX_NOTEBOOKS, IntakeError, Reader, collect
from course_utils.grading.intake_listing import MAX_DEPTH
from course_utils.grading.intake_reader import MAX_PATH, ReadLimits
from course_utils.grading.records import Submission


def found(source: Path, limits: ReadLimits | None = None) -> dict[str, list[Submission]]:
    by_student: dict[str, list[Submission]] = {}
    for given in collect(source, handed_in.EXERCISE, limits=limits):
        by_student.setdefault(given.student, []).append(given)
    return by_student


@contextmanager
def within(seconds: float) -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < seconds


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A download in which Ann's submission is good; Eve has a folder."""
    for student in ("ann", "eve"):
        (tmp_path / "in" / student).mkdir(parents=True)
    (tmp_path / "in" / "ann" / "x.ipynb").write_bytes(handed_in.content())
    return tmp_path / "in"


def good(given: list[Submission]) -> bool:
    return [one.reason for one in given] == [""]


def notebooks(folder: Path, count: int, **changes: object) -> None:
    for number in range(count):
        answer = f"{handed_in.RIGHT}  # {number}"
        (folder / f"{number:03}.ipynb").write_bytes(handed_in.content(answer, **changes))


def test_of_many_notebooks_three_are_attempts(folder: Path) -> None:
    notebooks(folder / "eve", 200)
    (folder / "eve" / "tiny.ipynb").write_bytes(handed_in.content())
    given = found(folder)
    surplus, *attempts = given["eve"]
    assert [one.path for one in attempts] == ["eve/tiny.ipynb", "eve/000.ipynb", "eve/001.ipynb"]
    assert len(attempts) == MAX_NOTEBOOKS
    assert "198 more" in surplus.reason
    assert surplus.submitted is None, "it must not be the last attempt"
    assert good(given["ann"])


def test_notebooks_of_other_exercises_take_no_place(folder: Path) -> None:
    notebooks(folder / "eve", 12, metadata={"course": {"exercise": "02_other", "format": 1}})
    (folder / "eve" / "work.ipynb").write_bytes(handed_in.content())
    assert good(found(folder)["eve"])
    (folder / "eve" / "work.ipynb").unlink()
    assert len(found(folder)["eve"]) == MAX_NOTEBOOKS


def test_files_that_end_the_reading_process_are_few(folder: Path) -> None:
    for number in range(40):
        (folder / "eve" / f"{number}.ipynb").write_bytes(b'{"cells":[' + b"[]," * 4_000_000 + b"[]]}")
    with within(30):
        given = found(folder, ReadLimits(memory_mib=250))
    assert len(given["eve"]) == MAX_NOTEBOOKS + 1
    assert good(given["ann"])


def test_too_many_files_cost_their_student_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_listing, "MAX_FILES", 50)
    for number in range(51):
        (folder / "eve" / f"{number}").mkdir()
    given = found(folder)
    assert [one.reason for one in given["eve"]] == ["The folder holds more than 50 files."]
    assert good(given["ann"])
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("ann/x.ipynb", handed_in.content())
        for number in range(51):
            archive.writestr(f"eve/{number}.ipynb", b"")
    given = found(folder / "a.zip")
    assert [one.reason for one in given["eve"]] == ["The folder holds more than 50 files."]
    assert good(given["ann"])


def test_an_archive_with_too_many_members_is_refused_with_a_way_out(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(101):
            archive.writestr(f"{number}", b"")
    with pytest.raises(IntakeError, match=r"more than 100\. Unpack it, and name the folder"):
        found(tmp_path / "a.zip", ReadLimits(members=100))


def test_folders_that_cannot_be_listed_cost_their_student_alone(folder: Path) -> None:
    deep = folder / "eve" / "/".join("d" * 200 for _ in range(MAX_DEPTH))
    deep.mkdir(parents=True)
    (deep / "x.ipynb").write_bytes(handed_in.content())
    (folder / "shut").mkdir(mode=0)
    try:
        given = found(folder)
    finally:
        (folder / "shut").chmod(0o700)
    assert [one.reason for one in given["eve"]] == ["The folders are nested too deep."]
    assert good(given["ann"])


def test_a_folder_that_the_system_will_not_list(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = intake_listing.os.scandir

    def scandir(path: str):  # the tests may run as a user who may list everything
        if path.endswith("eve"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(intake_listing.os, "scandir", scandir)
    given = found(folder)
    assert [one.reason for one in given["eve"]] == ["The folder cannot be listed: Permission denied."]
    assert good(given["ann"])


def test_what_students_code_printed_into_gradescopes_index_harms_nobody(folder: Path) -> None:
    """The index repeats what the autograder said to each student."""
    printed = "".join(f"    - name: t{number}\n      output: {'x' * 90}\n" for number in range(20_000))
    (folder / "submission_metadata.yml").write_text(
        f"submission_1:\n  :submitters:\n  - :sid: ann\n  :results:\n    tests:\n{printed}"
    )
    (folder / "ann").rename(folder / "submission_1")
    assert good(found(folder, ReadLimits(cpu_seconds=4))["ann"])


def test_a_student_who_hands_in_often_does_not_stop_the_class(folder: Path) -> None:
    """Gradescope's index tells each attempt's results again, for all students in one file."""
    tries = f"  - :id: 1\n    :output: |-\n      :submitters:\n\n      {'x' * 2**20}\n" * 21
    (folder / "submission_metadata.yml").write_text(
        f"---\nsubmission_2:\n  :history:\n{tries}  :submitters:\n  - :sid: eve\n"
        "submission_1:\n  :created_at: 2026-03-01 12:00:00 Z\n"
        "  :submitters:\n  - :name: |-\n      A\n\n      B\n    :sid: ann\n  :score: 1.0\n"
    )
    (folder / "ann").rename(folder / "submission_1")
    (folder / "eve").rename(folder / "submission_2")
    (folder / "submission_2" / "x.ipynb").write_bytes(handed_in.content(handed_in.WRONG))
    given = found(folder)
    assert set(given) == {"ann", "eve"}
    assert good(given["ann"])
    assert given["ann"][0].submitted == 1772366400.0
    with pytest.raises(IntakeError, match="larger than 20 MiB"):
        found(folder, ReadLimits(index_mib=20))


def test_the_name_of_another_exercise_is_bounded(folder: Path) -> None:
    notebooks(folder / "eve", 1, metadata={"course": {"exercise": "x" * 2**20, "format": 1}})
    with Reader() as reader:
        path = str(folder / "eve" / "000.ipynb")
        assert reader.ask(op="read", path=path, member=None, tasks=[])["exercise"] == "x" * MAX_PATH


ODD = ["a\nb", "\x1b[2J", "\udcff\udcfe", "=cmd()", "'; DROP TABLE attempts; --", "\u202etxt", "a\\..\\b"]


@pytest.mark.parametrize("name", [*ODD, "n" * 249], ids=ascii)
def test_odd_names_are_stored(folder: Path, tmp_path: Path, name: str) -> None:
    (folder / "eve" / name).mkdir()
    (folder / "eve" / name / f"{name}.ipynb").write_bytes(handed_in.content())
    (folder / f"{name}.ipynb").write_bytes(b"[")
    with Gradebook(tmp_path / "book.sqlite", create=True) as book:
        assert book.add("tiny", collect(folder, handed_in.EXERCISE)) == 3
        attempts = book.attempts("tiny")
    assert all(one.student.isprintable() and one.submission.path.isprintable() for one in attempts)
    assert {one.student for one in attempts} > {"ann", "eve"}


def test_a_long_name_in_an_archive_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("ann/x.ipynb", handed_in.content())
        archive.writestr("eve/" + "d/" * 30_000 + "x.ipynb", handed_in.content())
        archive.writestr("eve/" + "n" * 60_000 + ".ipynb", handed_in.content())
    given = found(tmp_path / "a.zip")
    assert good(given["ann"])
    assert ["name" in one.reason for one in given["eve"]] == [True]
    assert max(len(one.path) for one in given["eve"]) <= 2000
