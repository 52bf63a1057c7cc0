"""A student's page: everything escaped, nothing hidden shown, readable by all, and it says what to do."""

from dataclasses import replace
from pathlib import Path

import pytest
from browser import PageFactory
from published import HOSTILE, absent, exercise, final, grade, invalid, two_tasks

from course_utils.grading.publish import feedback
from course_utils.grading.records import (
    AND_SO,
    OWN_ERROR,
    WITHHELD,
    CheckResult,
    Final,
    Manual,
    public_beside_hidden,
)

EXERCISE = exercise()


def steps(given: Final) -> str:
    return " | ".join(feedback.next_steps(EXERCISE, given))


def test_points_are_shown_by_task_and_check() -> None:
    page = feedback.page(EXERCISE, final("ann", grade(public="You wrote it once.")))
    assert "1 <small>of 3 points</small>" in page
    assert page.index("✗ failed") < page.rindex("double-word") < page.index("<pre>You wrote it once.")
    assert page.index("✓ passed") < page.rindex("double-random")
    assert "On inputs drawn for you; they are not shown." in page


def test_text_of_a_student_cannot_become_markup() -> None:
    given = final(HOSTILE, grade(HOSTILE, HOSTILE, reason=HOSTILE), Manual("x", "double", 1, HOSTILE))
    page = feedback.page(EXERCISE, replace(given, name=HOSTILE))
    assert "<script" not in page
    assert "<b>" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "default-src 'none'" in page


def test_a_long_message_is_cut() -> None:
    page = feedback.page(EXERCISE, final("ann", grade(public="x" * 100_000)))
    assert len(page) < 20_000
    assert "cut after 2000 characters" in page


TRACEBACK = """\
... aceback (most recent call last)
Cell In[1], line 2
      1 # Try it.
----> 2 check(lambda: double("x"), {"xx": "Some known mistake."})

Cell In[1], line 53, in check(name, answer, mistakes)
---> 53     value = in_time(answer)

Cell In[1], line 4, in <lambda>()
----> 4 check(lambda: double("x"))

Cell In[1], line 3, in double(word)
      1 def double(word):
----> 3     return word / 2

TypeError: unsupported operand"""


def test_of_a_traceback_only_the_line_of_the_answer_and_the_error_remain() -> None:
    page = feedback.page(EXERCISE, final("ann", grade(public=TRACEBACK)))
    assert "<pre>In double, line 3: return word / 2\nTypeError: unsupported operand</pre>" in page
    assert "Some known mistake" not in page


def test_a_passed_check_shows_no_message_and_no_seed() -> None:
    given = grade()
    odd = replace(
        given, checks=tuple(replace(check, message="leftover") for check in given.checks), seed=987654
    )
    page = feedback.page(EXERCISE, final("ann", odd))
    assert "leftover" not in page
    assert "987654" not in page


def test_a_page_of_a_run_without_a_sandbox_is_stamped() -> None:
    assert "cannot be trusted" in feedback.page(EXERCISE, final("ann", grade(sandboxed=False)))
    assert "cannot be trusted" not in feedback.page(EXERCISE, final("ann", grade()))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (final("ann", grade(public="NotImplementedError: double", hidden="no")), "Task 1: still open"),
        (final("ann", grade(public="Your value: 1", hidden="no")), "double-word fails. Read what is said"),
        (final("ann", grade(hidden="Other words.")), "the checks in the notebook pass, other inputs do not"),
        (
            final("ann", grade(public="x", hidden="x"), answer=" "),
            "Before you hand in again: pytest --nbval-lax",
        ),
        (invalid("ann", "it is a PDF"), "it is the .ipynb file that you hand in"),
        (final("ann", None), "has not been graded yet"),
        (absent("ann"), "Nothing was handed in under your name"),
    ],
)
def test_the_next_step_fits_what_went_wrong(given: Final, says: str) -> None:
    assert says in steps(given)


def test_a_missing_and_an_ambiguous_answer_are_told_as_such() -> None:
    given = final("ann", grade(public="x", hidden="x"))
    assert given.attempt is not None
    bare = replace(given.attempt.submission, answers={})
    assert "no answer cell" in steps(replace(given, attempt=replace(given.attempt, submission=bare)))
    twice = replace(bare, problems={"double": "two cells answer it"})
    assert "two cells answer it" in steps(replace(given, attempt=replace(given.attempt, submission=twice)))


def lacks(name: str) -> str:
    return f"Cell In[1], line 1\n----> 1 check()\n\nNameError: name '{name}' is not defined"


def test_a_name_that_only_a_cell_of_ones_own_defines_is_explained() -> None:
    said = steps(final("ann", grade(lacks("helper"), "no")))
    assert "not defined: helper. Only answer cells are graded" in said
    assert "on your own machine" not in said


def test_an_error_of_the_answer_cell_itself_is_told_with_its_line() -> None:
    own = "Cell In[0], line 3\n----> 3 import nunpy\n\nModuleNotFoundError: No module named 'nunpy'"
    given = final("ann", grade(f"{OWN_ERROR}\n{own}{AND_SO}{lacks('double')}", "no"))
    page = feedback.page(EXERCISE, given)
    assert f"{OWN_ERROR}\nLine 3: import nunpy\nModuleNotFoundError: No module named" in page
    assert f"{AND_SO}NameError: name " in page
    assert "its answer cell stops with an error of its own" in steps(given)


def test_a_name_is_explained_at_the_earliest_task_that_lacks_it() -> None:
    given = grade(lacks("double"), "no")
    for name, says in {"double": "first mend Task 1", "helper": "not defined: helper."}.items():
        later = CheckResult("triple-word", "triple", "public-check", 1, 0, lacks(name))
        both = final("ann", replace(given, checks=(*given.checks, later)))
        assert both.attempt is not None
        handed_in = replace(both.attempt.submission, answers={"double": "helper", "triple": "helper"})
        both = replace(both, attempt=replace(both.attempt, submission=handed_in))
        first, second, _ = feedback.next_steps(two_tasks(), both)
        assert first.startswith("Task 1: not defined: double.")
        assert second.startswith(f"Task 2: {says}")


def test_public_points_that_do_not_count_are_explained() -> None:
    given = grade(hidden="Other words.")
    page = feedback.page(EXERCISE, final("ann", replace(given, checks=public_beside_hidden(given.checks))))
    assert "0 <small>of 3 points</small>" in page
    assert page.count("✓ passed") == 1
    assert WITHHELD in page
    assert "other inputs do not" in page


def test_full_points_need_no_next_step() -> None:
    assert steps(final("ann", grade())) == ""


def test_lateness_and_manual_points_stand_in_the_table_and_add_up() -> None:
    given = final("ann", grade(), Manual("ann", "", 0.5, "Nice tests."), late_days=2, penalty=1.0)
    page = feedback.page(EXERCISE, given)
    assert "Late by 2 days beyond the free ones" in page
    assert "Nice tests. (+0.5 points)" in page
    assert "2.5 <small>of 3 points</small>" in page


def test_what_came_too_late_is_no_count_of_days() -> None:
    page = feedback.page(EXERCISE, final("ann", grade(), late_days=0, penalty=3.0))
    assert "Handed in too late to count" in page
    assert "0 days" not in page


def test_points_of_people_stand_beside_the_tasks_title() -> None:
    page = feedback.page(EXERCISE, final("ann", grade(), Manual("ann", "double", 1, "Well done.")))
    assert "Added by your instructor (Task 1)" in page


def test_a_line_of_feedback_has_all_that_makes_the_score() -> None:
    notes = [Manual("ann", "double", 0.5, "Nice\x1b[31m tests."), Manual("ann", "", 0, "Come and see me.")]
    given = final("ann", grade(hidden="no"), *notes, late_days=1, penalty=1.0)
    none = replace(absent("bob"), manual=(Manual("bob", "", 2, "By mail."),))
    assert feedback.in_words(EXERCISE, [given, none, invalid("eva", "it is a PDF")]) == {
        "ann": "Task 1: 2; Late by 1 day beyond the free ones: -1; Added by your instructor (Task 1): 0.5; "
        "Your instructor (Task 1): Nice tests.; Your instructor: Come and see me.",
        "bob": "Nothing handed in.; Added by your instructor: 2; Your instructor: By mail.",
        "eva": "Invalid submission. it is a PDF",
    }


def test_a_comment_stands_at_its_task_or_check_alone() -> None:
    notes = [Manual("ann", item, 0, f"on {item}") for item in ("double", "double-word", "triple")]
    page = feedback.page(EXERCISE, final("ann", grade(), *notes))
    assert page.index("<p>on double</p>") < page.index("<p>on double-word</p>")
    assert "on triple" not in page


def test_an_invalid_submission_says_why() -> None:
    page = feedback.page(EXERCISE, invalid("ann", "<it> is a PDF"))
    assert "Invalid submission." in page
    assert "&lt;it&gt; is a PDF" in page


@pytest.mark.parametrize(
    "student", ["../../etc/passwd", "a/b", "..", "", "CON\0", "Ann", "ann", "x" * 300, "é"]
)
def test_no_name_of_a_student_leaves_the_folder(student: str, tmp_path: Path) -> None:
    (path,) = feedback.write(EXERCISE, [final(student, grade())], tmp_path)
    assert path.parent == tmp_path / "01_tiny"
    assert len(path.name) < 110


def test_two_students_never_share_a_file() -> None:
    names = ["ann", "Ann", "a/nn", "a-nn", "ann ", ".ann", "\u0061nn2", "a\u0308", "\u00e4"]
    assert len({feedback.file_name(name).lower() for name in names}) == len(names)


def test_nobody_has_the_file_of_another_by_the_name_of_it() -> None:
    """Not even who is called as the file is."""
    for name in ("m\u00fcller", "Ann", feedback.file_name("m\u00fcller")):
        assert feedback.file_name(feedback.file_name(name)) != feedback.file_name(name)


PAGES = {
    "failed": final(
        HOSTILE,
        grade("Your value:  1\nRight value: 2", "Other words.", sandboxed=False),
        Manual("", "", 1, "Hm"),
    ),
    "full": final("ann", grade()),
    "invalid": invalid("ann", "it is no notebook"),
    "absent": absent("ann"),
}


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "color_scheme", "width"),
    [
        ("failed", "light", 1280),
        ("failed", "dark", 400),
        ("full", "dark", 1280),
        ("invalid", "light", 400),
        ("absent", "dark", 400),
    ],
)
def test_pages_are_accessible_fit_and_ask_nobody(
    open_page: PageFactory, name: str, color_scheme: str, width: int
) -> None:
    tab = open_page(feedback.page(EXERCISE, PAGES[name]), color_scheme=color_scheme, width=width)
    tab.check()
    assert tab.axe() == []
    assert tab.overflow() == 0


@pytest.mark.browser
def test_the_keyboard_reaches_a_task_from_the_table(open_page: PageFactory) -> None:
    tab = open_page(feedback.page(EXERCISE, PAGES["failed"]))
    for _ in range(2):
        tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")
    assert tab.page.evaluate("document.querySelector(':target').textContent").startswith("Task 1")
