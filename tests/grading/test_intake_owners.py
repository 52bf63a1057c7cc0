"""Nobody's file stands for somebody else: what the platform names decides, never what a student names."""

import os
import zipfile
from pathlib import Path

import handed_in
import pytest

from course_utils.grading.intake import collect
from course_utils.grading.intake_names import marked_late, owner, students
from course_utils.grading.records import Submission
from course_utils.grading.roster import Roster, read_rows

ROSTER = read_rows(
    [
        {"student": "lee", "name": "Ann Lee", "canvas": "1234", "mail": "lee@example.org"},
        {"student": "eve", "name": "Eve", "canvas": "5678", "mail": "eve@example.org"},
    ]
)
NAMES = read_rows([{"student": "lee", "name": "Ann Lee"}, {"student": "eve", "name": "Eve"}])
FORGED = "lee_1234_56789_x.ipynb"  # what Canvas would call a file of Ann Lee's


def place(folder: Path, *names: str) -> Path:
    """A folder with a notebook under each name; no two hold the same answer."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(handed_in.content(f"{handed_in.RIGHT}  # {number}"))
    return folder


def found(source: Path, roster: Roster = ROSTER) -> list[Submission]:
    return list(collect(source, handed_in.EXERCISE, roster=roster))


def whose(*paths: str, roster: Roster = ROSTER) -> list[str]:
    """The students of the files of one download."""
    owners = [known for known in map(owner, paths) if known]
    named = students(owners, roster)
    return [named[known] for known in owners]


@pytest.mark.parametrize(
    "folder", ["Eve_5678_assignsubmission_file", "submission_3", "eve", "eve/work", "eve_5678_1_x.ipynb"]
)
def test_a_folder_decides_before_the_name_of_a_file_in_it(tmp_path: Path, folder: str) -> None:
    who = "  :submitters:\n  - :name: Ann Lee\n    :sid: '5678'\n"
    (tmp_path / "submission_metadata.yml").write_text(f"submission_3:\n{who}")
    assert "lee" not in {given.student for given in found(place(tmp_path, f"{folder}/{FORGED}"))}


def test_an_archives_name_is_taken_off_only_where_all_names_begin_with_it(tmp_path: Path) -> None:
    for tops, expected in ((("eve/",), {"lee"}), (("eve/", "lee/"), {"eve", "lee"})):
        with zipfile.ZipFile(tmp_path / "eve.zip", "w") as archive:
            for top in tops:
                archive.writestr(f"{top}{FORGED}", handed_in.content())
            archive.writestr("__MACOSX/eve", "junk")
        assert {given.student for given in found(tmp_path / "eve.zip")} == expected


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("eve_5678_99_lee_1234_56789_x.ipynb", "eve or lee"),  # or a user eve_5678_99_lee
        ("eve_LATE_5678_99_1234_56789_x.ipynb", "eve or lee"),
        ("aaa_1234_23_5678_600_x.ipynb", "eve or lee"),
        ("aaa_1234_23_LATE_5678_600_x.ipynb", "eve or lee"),
        ("aaa_1234_23_b_5678_600_x.ipynb", "eve or lee"),
        ("aaa_1234_assignsubmission_file__5678_600_x.ipynb", "eve or lee"),
        ("aaa_17_23_5678_600_x.ipynb", "eve"),
        ("lee_1234_56789_01_tiny.ipynb", "lee"),
        ("eve_5678_99_01_notes.ipynb", "eve"),
        ("eve_x_5678_99_notes.ipynb", "eve"),
        ("eve_1234_5678_99_x.ipynb", "eve or lee"),  # a user who called themselves eve_1234
        ("eve_１２３４_5678_99_x.ipynb", "eve"),
        ("Eve_5678_assignsubmission_file_lee_1234_56789_x.ipynb", "eve or lee"),
        ("Eve_5678_assignsubmission_file_Ann Lee_1234_assignsubmission_file_x.ipynb", "eve"),
    ],
)
def test_the_platforms_part_of_a_name_decides(path: str, student: str) -> None:
    assert whose(path) == [student]


def test_no_name_on_canvas_hides_lateness() -> None:
    late = [
        "eve_LATE_99_600_x.ipynb",
        "eve_99_1_LATE_99_600_x.ipynb",
        "a_1_assignsubmission_file_LATE_9_6_x.ipynb",
    ]
    assert [marked_late(path) for path in late] == [True] * 3
    assert not marked_late("eve_99_600_LATE.ipynb")
    assert not marked_late("eve/eve_LATE_99_600_x.ipynb"), "a folder is not Canvas's"


def test_an_exact_id_goes_before_a_folded_name() -> None:
    roster = read_rows(
        [
            {"student": "a.b", "name": "C-D", "mail": "x.y@example.org"},
            {"student": "ab", "name": "Ann", "mail": "xy@example.org"},
            {"student": "cd", "name": "A B"},
        ]
    )
    assert [roster.find(key) for key in ("a.b", "ab", "cd")] == ["a.b", "ab", "cd"]
    assert [roster.find(key) for key in ("A-B", "A B")] == [None, "cd"], "written so, it is a name of cd's"
    assert roster.find("c d") == "cd", "an id, also where it is somebody's folded name"
    assert [roster.find(key) for key in ("x.y@example.org", "xy@example.org")] == ["a.b", "ab"]
    assert roster.find("X-Y@example.org") is None


def test_what_is_cleaned_of_a_name_becomes_nobody_else() -> None:
    roster = read_rows([{"student": "a.b"}, {"student": "ab"}])
    named = [roster.stranger(key) for key in ("ab.", "ab\x1b", "ab ", "x", "")]
    assert len(set(named)) == len(named)
    assert not set(named) & {"ab", "a.b"}
    assert named[-2:] == ["x", "(no name)"]


def test_ids_that_name_two_students_name_neither() -> None:
    forged = {"submission_1": (("1234", "eve@example.org"), "Ann Lee")}
    known = owner("submission_1/x.ipynb", submitters=forged)
    assert known is not None
    assert students([known], ROSTER)[known] == "eve or lee"


def test_a_display_name_stands_for_nobody_where_the_roster_knows_the_platforms_ids() -> None:
    forged = "Ann Lee_9_assignsubmission_file/x.ipynb"
    assert whose("Eve_5678_assignsubmission_file/x.ipynb", forged) == ["eve", "9"]
    assert whose("Ann Lee_5678_assignsubmission_file/x.ipynb") == ["eve"]


def test_a_display_name_that_two_have_stands_for_neither() -> None:
    """Where the roster lacks the platform's ids, it is all that there is."""
    lee, forged, eve = (
        f"{name}_assignsubmission_file/x.ipynb" for name in ("Ann Lee_7", "Ann Lee_9", "Eve_8")
    )
    assert whose(lee, eve, roster=NAMES) == ["lee", "eve"]
    assert whose(lee, forged, eve, roster=NAMES) == ["7", "9", "eve"]
    assert whose("lee/x.ipynb", forged, roster=NAMES) == ["lee", "9"]
    online = "Ann Lee_7_assignsubmission_onlinetext_/y.ipynb"
    assert whose(lee, online, roster=NAMES) == ["lee", "lee"], "one person's two folders"


def test_a_name_that_is_only_much_the_same_gives_way_to_the_very_name() -> None:
    """Accounts are chosen: whoever finds ann-lee free is not Ann Lee."""
    assert whose("Ann Lee/x.ipynb", "ann-lee/x.ipynb") == ["lee", "ann-lee"]
    assert whose("lee/x.ipynb", "lee/y.ipynb", "LEE/x.ipynb") == ["lee", "lee", "LEE"]
    assert whose("ANN LEE/x.ipynb", "ann-lee/x.ipynb") == ["ANN LEE", "ann-lee"], "neither is written so"
    assert whose("ann-lee/x.ipynb", "eve/x.ipynb") == ["lee", "eve"]


def test_a_git_folder_among_plain_folders_ends_no_lateness(tmp_path: Path) -> None:
    place(tmp_path, "lee/x.ipynb", "eve/x.ipynb")
    (tmp_path / "eve" / ".git").mkdir()
    assert all(given.submitted is not None for given in found(tmp_path))
    (tmp_path / "lee" / ".git").touch()
    assert all(given.submitted is not None for given in found(tmp_path)), "a file is no checkout"
    (tmp_path / "lee" / ".git").unlink()
    (tmp_path / "lee" / ".git").symlink_to(tmp_path / "eve" / ".git")
    assert all(given.submitted is not None for given in found(tmp_path)), "and neither is a link"
    (tmp_path / "lee" / ".git").unlink()
    (tmp_path / "lee" / ".git").mkdir()
    (tmp_path / "nothing").mkdir()
    assert [given.submitted for given in found(tmp_path)] == [None, None], "GitHub Classroom"


def test_a_checkout_that_cannot_be_entered_is_refused_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("bo", "eve", "lee"):
        (place(tmp_path, f"hw-{student}/x.ipynb") / f"hw-{student}" / ".git").mkdir()
    stat, scandir = os.stat, os.scandir

    def refused(real):  # the tests may run as a user who may enter everything
        def entered(path, **options):
            if "hw-eve" in os.fspath(path):
                raise PermissionError(13, "Permission denied")
            return real(path, **options)

        return entered

    monkeypatch.setattr(os, "stat", refused(stat))
    monkeypatch.setattr(os, "scandir", refused(scandir))
    given = {one.student: one for one in found(tmp_path)}
    assert [(student, one.submitted, bool(one.reason)) for student, one in given.items()] == [
        ("bo", None, False),
        ("eve", None, True),
        ("lee", None, False),
    ]
    assert given["eve"].reason == "The folder cannot be listed: Permission denied."


@pytest.mark.parametrize("name", ["Ann Lee_1234_assignsubmission_file/x.ipynb", "leeann_1234_56789_x.ipynb"])
def test_the_time_of_a_download_is_not_that_of_a_submission(tmp_path: Path, name: str) -> None:
    (given,) = found(place(tmp_path, name))
    assert (given.student, given.submitted) == ("lee", None)


def test_a_lone_folder_is_no_download_of_checkouts(tmp_path: Path) -> None:
    (place(tmp_path, "eve/x.ipynb") / "eve" / ".git").mkdir()
    (given,) = found(tmp_path)
    assert given.submitted is not None


def test_the_same_file_twice_is_one_attempt_at_the_earlier_time(tmp_path: Path) -> None:
    for name, when in (("a.ipynb", 2000), ("b.ipynb", 1000), ("c.ipynb", 3000)):
        (tmp_path / "eve").mkdir(exist_ok=True)
        (tmp_path / "eve" / name).write_bytes(handed_in.content())
        os.utime(tmp_path / "eve" / name, (when, when))
    (given,) = found(tmp_path)
    assert (given.submitted, given.path) == (1000, "eve/b.ipynb")
