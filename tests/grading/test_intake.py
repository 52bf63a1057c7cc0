"""Whatever is handed in, each file gets its outcome, and the next one is read."""

import os
import stat
import struct
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import handed_in
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.grading_fuzz import run as fuzz
from course_utils.grading.children import Child, ChildError
from course_utils.grading.intake import DIED, IntakeError, Reader, collect
from course_utils.grading.intake_names import NamesError, owner, pattern, shared_beginning, students
from course_utils.grading.intake_reader import ReadLimits, RefusedError, parse
from course_utils.grading.records import Submission
from course_utils.grading.roster import RosterError, read, read_rows
from course_utils.grading.splice import Taken, take

ANSWER = {"double": handed_in.RIGHT}
ROSTER = read_rows(
    [{"student": "lee", "name": "Ann Lee", "id": "17"}, {"student": "bo", "name": "Bo", "id": "18"}]
)
SMALL = ReadLimits(file_mib=1, memory_mib=400, cpu_seconds=5)


def taken(source: Path, **options) -> dict[str, Submission]:
    found = list(collect(source, handed_in.EXERCISE, **options))
    assert len({given.student for given in found}) == len(found), "two submissions of one student"
    return {given.student: given for given in found}


def test_good_and_bad_files_of_a_folder(tmp_path: Path) -> None:
    good = handed_in.content()
    files = {
        "good": good,
        "unset": handed_in.content(None),
        "binary": b"\xff\xfe{",
        "empty": b"",
        "blank": b"\xef\xbb\xbf \n",
        "page": b"\n\n<!DOCTYPE html>\n<html>",
        "cut": good[:-20],
        "list": b"[]",
        "cells": handed_in.raw({}),
        "deep": b"[" * 100_000,
        "large": b'"' + b"x" * 2**20 + b'"',
        "number": b"9" * 10_000,
        "other": handed_in.content(metadata={"course": {"exercise": "02_other", "format": 1}}),
    }
    for name, content in files.items():
        (tmp_path / f"{name}.ipynb").write_bytes(content)
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "link.ipynb").symlink_to("/etc/passwd")
    (tmp_path / "roster.csv").write_text("student\n")
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "work.pdf").write_bytes(b"%PDF")
    (tmp_path / "linked").symlink_to("/etc", target_is_directory=True)
    found = taken(tmp_path, limits=SMALL)
    says = {
        "binary": "no text in UTF-8",
        "empty": "The file is empty.",
        "blank": "The file is empty.",
        "page": "a web page, not a notebook: download the .ipynb itself.",
        "cut": f"cut off or damaged at line {good[:-20].count(10) + 1}: download it again",
        "list": "no list of cells",
        "cells": "no list of cells",
        "deep": "nested too deep",
        "large": "larger than 1 MiB",
        "number": "no notebook: Exceeds the limit",
        "other": "a notebook of 02_other, not of tiny",
        "pipe": "no plain file",
        "link": "no plain file",
        "report": "no notebook (.ipynb) among the files: work.pdf",
    }
    assert {name: found[name].reason for name in says if says[name] not in found[name].reason} == {}
    assert set(found) == {*says, "good", "unset"}
    assert (found["good"].answers, found["good"].reason) == (ANSWER, "")
    assert (found["unset"].answers, found["unset"].reason) == ({}, "")


def test_a_file_that_ends_the_reading_process_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "good.ipynb").write_bytes(handed_in.content())
    (tmp_path / "bomb.ipynb").write_bytes(b'{"cells":[' + b"[]," * 5_000_000 + b"[]]}")
    limits = ReadLimits(memory_mib=300)
    found = taken(tmp_path, limits=limits)
    assert found["bomb"].reason == DIED
    assert found["good"].answers == ANSWER


def test_a_reading_process_that_cannot_start_is_no_students_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ChildError, match="did not start"):
        Child("course_utils.no_such_module").wait_ready()


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is nine hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def entry(name: str, mode: int = 0) -> zipfile.ZipInfo:
    made = zipfile.ZipInfo(name, (2026, 3, 1, 12, 0, 0))
    made.external_attr = mode << 16
    return made


@pytest.mark.usefixtures("far_east")
def test_an_archive_is_read_and_its_tricks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "hand-ins.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry("ann.ipynb"), handed_in.content())
        archive.writestr(entry("link.ipynb", stat.S_IFLNK | 0o777), "/etc/passwd")
        archive.writestr(entry("up/../../out.ipynb"), handed_in.content())
        archive.writestr(entry("/root/abs.ipynb"), handed_in.content())
        archive.writestr(entry("bomb.ipynb"), b"[" + b" " * 2**22)
        archive.writestr(entry("__MACOSX/ann.ipynb"), "junk")
    found = taken(path, limits=SMALL)
    assert found["ann"].answers == ANSWER
    assert found["ann"].submitted == 1772366400.0 - 9 * 3600, "an archive's times have no zone"
    assert "a link or a device" in found["link"].reason
    assert "leads out" in found["up"].reason
    assert "leads out" in found["(no name)"].reason
    assert "larger than 1 MiB" in found["bomb"].reason
    assert len(found) == 5


def test_an_archive_that_lies_about_sizes_or_is_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry("ann.ipynb"), b" " * 2**22)
    content = bytearray(path.read_bytes())
    place = content.index(b"PK\x01\x02")
    struct.pack_into("<L", content, place + 24, 10)  # its size, unpacked
    path.write_bytes(content)
    assert taken(path, limits=SMALL)["ann"].reason  # truncated, so no notebook; or its checksum is wrong
    struct.pack_into("<H", content, place + 8, 1)  # the flag of encryption
    path.write_bytes(content)
    assert "encrypted" in taken(path)["ann"].reason


def test_what_is_neither_a_folder_nor_an_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK nonsense")
    with pytest.raises(IntakeError, match="no folder and no archive that can be read: It is no zip archive"):
        taken(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("leeann_17_56789_tiny.ipynb", "lee"),
        ("leeann_LATE_17_56789_tiny-2.ipynb", "lee"),
        ("Ann Lee_17_assignsubmission_file/tiny.ipynb", "lee"),
        ("Ann Lee_99_assignsubmission_file/tiny.ipynb", "lee"),
        ("Eve_99_assignsubmission_file/tiny.ipynb", "99"),
        ("lee/tiny.ipynb", "lee"),
        ("Ann Lee.ipynb", "lee"),
        ("hw1-bo/work/tiny.ipynb", "bo"),
    ],
)
def test_names_stand_for_students(path: str, student: str) -> None:
    whose = owner(path, assignment="hw1-")
    assert whose is not None
    assert students([whose], ROSTER) == {whose: student}


def test_a_pattern_of_the_instructors_own() -> None:
    own = pattern(r"group \d+/(?P<student>[^/]+)/")
    whose = owner("group 3/bo/x.ipynb", own=own)
    assert whose is not None
    assert whose.ids == ("bo",)
    assert owner("elsewhere/bo.ipynb", own=own) is None
    for wrong in ("(", "student"):
        with pytest.raises(NamesError):
            pattern(wrong)


def test_gradescope_and_classroom(tmp_path: Path) -> None:
    who = "  :submitters:\n  - :name: Ann Lee\n    :sid: '17'\n"
    index = f"submission_5:\n{who}  :created_at: 2026-03-01 12:00:00 Z\n"
    (tmp_path / "submission_metadata.yml").write_text(index)
    (tmp_path / "submission_5").mkdir()
    (tmp_path / "submission_5" / "tiny.ipynb").write_bytes(handed_in.content())
    for account in ("hw-1-bo", "hw-1-eve"):
        (tmp_path / account / ".git").mkdir(parents=True)
        (tmp_path / account / "tiny.ipynb").write_bytes(handed_in.content())
    found = taken(tmp_path, roster=ROSTER)
    assert set(found) == {"lee", "bo", "eve"}
    assert found["lee"].submitted == 1772366400.0
    assert found["bo"].submitted is None, "a checkout's files have the time of the checkout"


def test_only_whole_words_are_shared() -> None:
    assert shared_beginning({"bert-1-ann", "bert-1-anton"}) == "bert-1-"
    assert shared_beginning({"ann", "anton"}) == shared_beginning({"a-b"}) == ""


def test_a_file_name_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "n\udcff.ipynb").write_bytes(handed_in.content())
    (found,) = taken(tmp_path).values()
    assert found.student.startswith("n? (")
    assert found.answers == ANSWER


def test_a_roster_is_refused_where_it_is_wrong(tmp_path: Path) -> None:
    for text, says in [
        ("id,b\n1,2\n", "has no column `student`; it has: id, b\\.$"),
        ("id;name\n1;2\n", "has no column `student`; it has: id, name\\.$"),
        ("", "it has: nothing"),
        ("student,b\n,2\n", "nothing in the column"),
        ("student\nx\nx\n", "again"),
        ("\xff", "UTF-8"),
    ]:
        path = tmp_path / "roster.csv"
        path.write_text(text, encoding="latin-1")
        with pytest.raises(RosterError, match=says):
            read(path)


@pytest.mark.parametrize(
    "text", ["student,name\rann,Ann\r", "student;name\r\nann;Ann\r\n", "name\tstudent\nAnn\tann"]
)
def test_a_roster_as_any_spreadsheet_saves_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "roster.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read(tmp_path / "roster.csv").names == {"ann": "Ann"}


def test_what_two_students_share_names_neither() -> None:
    roster = read_rows([{"student": "a", "section": "7"}, {"student": "b", "section": "7"}])
    assert roster.find("7") is None


def outcome(content: bytes) -> Taken | None:
    """What parsing and taking say of any bytes; None if they are refused."""
    try:
        return take(parse(content), ["double"])
    except RefusedError:
        return None


@settings(max_examples=150)
@given(st.binary(max_size=400))
def test_any_bytes_have_an_outcome(content: bytes) -> None:
    outcome(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150)
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "id": JSON | st.just("double-answer"),
                "cell_type": JSON | st.just("code"),
                "source": JSON,
                "metadata": JSON | st.fixed_dictionaries({"course": JSON}),
            },
        )
        | JSON,
        max_size=4,
    )
)
def test_any_json_in_a_cell_has_an_outcome(cells: list) -> None:
    found = outcome(handed_in.raw(cells))
    assert found is not None
    assert not set(found.answers) & set(found.problems)
    assert all(isinstance(text, str) and text.encode() for text in found.answers.values() if text)


def test_damaged_files_have_an_outcome() -> None:
    assert sum(fuzz(files=60, seed=7).values()) == 60


def test_the_reader_says_the_same_as_its_parts(tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(handed_in.content())
    with Reader() as reader:
        reply = reader.ask(op="read", path=str(path), member=None, tasks=["double"])
    assert reply["answers"] == outcome(handed_in.content()).answers == ANSWER  # type: ignore[union-attr]
