"""Scores as CSV: no cell runs in a spreadsheet, and what Canvas and Moodle need is where they look."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from published import absent, exercise, final, grade, invalid

from course_utils.grading.late import Policy
from course_utils.grading.publish import sheets
from course_utils.grading.records import Final, Manual
from course_utils.grading.roster import read_rows

EXERCISE = exercise()
POLICY = Policy("1970-01-02T00:00+00:00", free_days=1)
LATE = datetime(1970, 1, 3, 12, tzinfo=UTC).timestamp()
CLASS = [
    final("ann", grade()),
    final("bob", grade(public="wrong"), Manual("bob", "", 0.5, "=HYPERLINK(1)"), late_days=1, penalty=0.25),
    invalid("cem", "no notebook"),
    absent("dee"),
]


def handed_in_at(given: Final, when: float) -> Final:
    """The same with a time of submission."""
    assert given.attempt
    submission = replace(given.attempt.submission, submitted=when)
    return replace(given, attempt=replace(given.attempt, submission=submission))


CLASS[1] = handed_in_at(CLASS[1], LATE)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "\u00a0=", "\ufeff=", "＝"])
def test_a_cell_that_begins_like_a_formula_becomes_text(start: str) -> None:
    cell = next(csv.reader(io.StringIO(sheets.as_csv([[f"{start}cmd|' /C calc'!A0"]]), newline="")))[0]
    assert cell.startswith("'")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "text", ["ann;=1+1", "ann; ＝1", "ann\t-1", "ann|@x", "ann\n=1", 'ann;"=1+1"', "ann\n;=1", "ann;'=1"]
)
def test_no_formula_begins_where_a_spreadsheet_ends_cells_otherwise(delimiter: str, text: str) -> None:
    written = io.StringIO(sheets.as_csv([["x", text]]), newline="")
    cells = [cell.strip() for row in csv.reader(written, delimiter=delimiter) for cell in row]
    assert not any(cell.startswith(sheets.FORMULA) for cell in cells), cells


@pytest.mark.parametrize("value", ["ann", "a=b", "3-4", "a; b-c | d", 'say "hi"', "a,b", "", "ann\nbob"])
def test_other_text_reads_back_as_it_was(value: str) -> None:
    assert next(csv.reader(io.StringIO(sheets.as_csv([["x", value]]), newline="")))[1] == value


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    assert sheets.as_csv([[-1.5, 2, None]]) == "-1.5,2,\n"


def test_a_zero_byte_cannot_hide_a_formula() -> None:
    assert sheets.safe("\0=1") == "'=1"


def test_the_gradebook_tells_the_whole_story() -> None:
    found = {row["student"]: row for row in rows(sheets.gradebook(EXERCISE, CLASS, POLICY))}
    assert (found["ann"]["score"], found["ann"]["of"], found["ann"]["task double"]) == ("3", "3", "3")
    bob = found["bob"]
    assert (bob["days late"], found["cem"]["days late"], found["dee"]["days late"]) == ("2", "0", "0")
    assert (bob["score"], bob["charged days"], bob["penalty"], bob["manual points"]) == (
        "1.25",
        "1",
        "0.25",
        "0.5",
    )
    assert bob["comments"] == "'=HYPERLINK(1)"
    assert (found["cem"]["status"], found["cem"]["score"]) == ("invalid submission", "0")
    assert found["dee"]["status"] == "nothing handed in"


def test_a_score_without_a_sandbox_is_marked() -> None:
    (row,) = rows(sheets.gradebook(EXERCISE, [final("ann", grade(sandboxed=False))], POLICY))
    assert row["without sandbox"] == "yes"


def test_canvas_finds_students_by_login_and_points_in_the_second_row() -> None:
    points, ann, *_ = rows(sheets.canvas("Exercise 1 (77)", 3, CLASS))
    assert points["Student"] == "    Points Possible"
    assert (points["Exercise 1 (77)"], ann["Exercise 1 (77)"]) == ("3", "3")
    assert (ann["Student"], ann["SIS Login ID"]) == ("Ann", "ann")


def test_moodle_gets_a_grade_and_its_feedback() -> None:
    ann = rows(sheets.moodle("Exercise 1", CLASS, {"ann": "@see page"}))[0]
    assert (ann["ID number"], ann["Exercise 1"], ann["Exercise 1 feedback"]) == ("ann", "3", "'@see page")


EXPORTED = """\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Exercise 1 (77),Final (78)
    Points Possible,,,,,3,9
"Lee, Ann",1001,,ann,A,,5
"Ray, Bob",1002,,bob,A,9,6
"New, Zoe",1003,,zoe,A,2,7
"""


def test_an_exported_sheet_keeps_its_ids_and_other_columns() -> None:
    text, missing = sheets.fill(EXPORTED, "Exercise 1", CLASS)
    points, ann, bob, zoe = rows(text)
    assert (points["Exercise 1 (77)"], ann["Exercise 1 (77)"], bob["Exercise 1 (77)"]) == ("3", "3", "1.25")
    assert (ann["ID"], ann["Student"], ann["Final (78)"], zoe["Exercise 1 (77)"]) == (
        "1001",
        "Lee, Ann",
        "5",
        "2",
    )
    assert missing == ["cem", "dee"]


def test_a_sheet_with_semicolons_stays_one() -> None:
    sheet = 'Student;SIS Login ID;Exercise 1 (9)\n"Lee; Ann";ann;\n'
    filled, missing = sheets.fill(sheet, "Exercise 1", [final("ann", grade())])
    assert (filled, missing) == ('Student;SIS Login ID;Exercise 1 (9)\n"Lee; Ann";ann;3\n', [])


def test_a_new_column_is_added() -> None:
    text, _ = sheets.fill(EXPORTED, "Exercise 2", CLASS)
    assert rows(text)[1]["Exercise 2"] == "3"
    assert rows(text)[3]["Exercise 2"] == ""


def test_a_moodle_worksheet_is_filled_by_its_own_key() -> None:
    sheet = "Identifier,Full name,Email address,Grade\nParticipant 5,Ann Lee,ann,-\n"
    text, missing = sheets.fill(sheet, "Grade", CLASS[:1], key="Email address")
    assert (rows(text)[0]["Grade"], rows(text)[0]["Identifier"], missing) == ("3", "Participant 5", [])


@pytest.mark.parametrize("cell", ["ann", "Lee, Ann", "LEE@example.org", "1001", "Participant 1001"])
def test_the_roster_says_whom_a_row_names(cell: str) -> None:
    known = {"student": "ann", "name": "Ann Lee", "other": "Lee, Ann", "mail": "lee@example.org"}
    roster = read_rows([{**known, "moodle": "1001"}, {"student": "bob"}])
    text, missing = sheets.fill(f'who,Mark\nbob,\n"{cell}",\n', "Mark", CLASS[:2], "who", roster)
    assert ([row["Mark"] for row in rows(text)], missing) == (["1.25", "3"], [])


def test_two_rows_that_name_one_student_are_refused() -> None:
    roster = read_rows([{"student": "ann", "name": "Ann Lee"}])
    with pytest.raises(sheets.SheetError, match=r"Two rows name ann in the column 'who'"):
        sheets.fill("who,Mark\nAnn Lee,\nann-lee,\n", "Mark", CLASS[:1], "who", roster)


def test_a_participants_number_is_the_id_that_moodles_folder_had() -> None:
    text, _ = sheets.fill("Identifier,Grade\nParticipant 501,-\n", "Grade", [final("501", grade())])
    assert rows(text)[0]["Grade"] == "3"


def test_what_is_not_ours_in_a_sheet_stays_as_it_is() -> None:
    sheet = "ID number,Bonus,Grade,Note\nann,-1.5,-,+2\nzoe,-,-,=1\n"
    text, _ = sheets.fill(sheet, "Grade", CLASS[:1])
    assert text == "ID number,Bonus,Grade,Note\nann,-1.5,3,+2\nzoe,-,-,=1\n"


def test_what_waits_for_the_grader_is_blank_and_never_0() -> None:
    waiting = [final("bob", None), absent("dee")]
    assert [row["score"] for row in rows(sheets.gradebook(EXERCISE, waiting, POLICY))] == ["", "0"]
    assert [row["Ex"] for row in rows(sheets.canvas("Ex", 3, waiting))] == ["3", "", ""]
    assert [row["Ex"] for row in rows(sheets.moodle("Ex", waiting))] == ["", ""]
    text, missing = sheets.fill(EXPORTED, "Exercise 1", waiting)
    assert (rows(text)[2]["Exercise 1 (77)"], missing) == ("9", ["dee"])


@pytest.mark.parametrize(
    ("sheet", "column", "key", "says"),
    [
        ("", "x", "", "is empty"),
        ("x" * 200_000, "x", "", "is no CSV file"),
        ("who,mark\n", "mark", "", "has no column SIS Login ID or"),
        ("who,mark\n", "mark", "student", "has no column student; it has: who, mark"),
        ("ID,E (1),E (2)\n", "E", "", "2 columns are named 'E'"),
        (
            "ID,E\n1001,\n",
            "E",
            "",
            "No row was filled: the column 'ID' does not hold the roster's `student`.",
        ),
    ],
)
def test_a_sheet_that_cannot_be_filled_is_refused(sheet: str, column: str, key: str, says: str) -> None:
    with pytest.raises(sheets.SheetError) as raised:
        sheets.fill(sheet, column, CLASS, key)
    assert says in str(raised.value)
