"""The instructor's summary: it counts what counts, names known mistakes, and accuses nobody."""

from dataclasses import replace

import pytest
from browser import PageFactory
from published import HOSTILE, absent, exercise, final, grade, invalid, two_tasks

from course_utils.grading import fingerprints, mutants
from course_utils.grading.fingerprints import Fingerprint
from course_utils.grading.mutants import Mutant
from course_utils.grading.publish import summary
from course_utils.grading.records import CheckResult, Final

EXERCISE = exercise()
ONCE = Fingerprint("double", "writes the word once", "You wrote it once", ("double-random", "double-word"))
THRICE = Fingerprint("double", "writes it three times", "three times", ("double-random", "double-word"))
EMPTY = Fingerprint("double", "fails on other words", "other", ("double-random",))
KNOWN = [ONCE, THRICE, EMPTY]
LONG = (
    "def double(word):\n" + "".join(f"    part{i} = word + str({i})\n" for i in range(9)) + "    return part1"
)
CLASS = [
    final("ann", grade(cpu_seconds=0.1), answer=LONG),
    final("bob", grade("You wrote it once.", "no", cpu_seconds=0.3), answer=LONG.replace("part", "piece")),
    final("cem", grade(hidden="no", suspicions=(f"canary {HOSTILE}",), cpu_seconds=0.2)),
    final("dee", grade(public="odd")),
    invalid("eva", "no notebook"),
    absent("fay"),
]


def test_invalid_and_absent_submissions_are_counted_but_have_no_score() -> None:
    found = summary.of(EXERCISE, CLASS, KNOWN)
    assert found.statuses == {"graded": 4, "invalid submission": 1, "nothing handed in": 1}
    assert found.scores == (0, 1, 2, 3)
    assert sum(students for *_, students in found.bins) == 4


def test_bins_cover_all_scores_once() -> None:
    many = [final(f"s{score}", grade(), points=score) for score in range(4)]
    assert sum(students for *_, students in summary.of(EXERCISE, many).bins) == 4
    assert summary.of(EXERCISE, many).bins[-1] == (2.4, 3.0, 4)


def test_the_hardest_check_comes_first_with_its_share() -> None:
    (first, share, students), *_ = summary.of(EXERCISE, CLASS).checks
    assert (share, students) == (0.5, 4)
    assert first.id in ("double-word", "double-random")


def test_mistakes_are_named_by_what_fails_and_by_what_was_said() -> None:
    found = {mistake: students for _, mistake, students in summary.of(EXERCISE, CLASS, KNOWN).mistakes}
    assert found == {"writes the word once": 1, "fails on other words": 1, summary.UNKNOWN: 1}


def test_without_a_telling_message_all_candidates_are_named() -> None:
    wrong = "Your value:  1\nRight value: 2"
    said = fingerprints.mistakes(KNOWN, grade(wrong, "no"))
    assert said == {"double": "writes the word once or writes it three times"}
    assert fingerprints.mistakes([ONCE] * 4, grade(wrong, "no")) == {"double": ""}


@pytest.mark.parametrize(
    ("public", "hidden"),
    [
        ("Cell In[1], line 2, in double(word)\n----> 2     return {}[word]\n\nKeyError: 'word'", "no"),
        ("NameError: name 'double' is not defined", "no"),
        ("No value after 3 seconds: does a loop in it never end?", "no"),
        ("It ran out of time: the cell's, the whole run's, or that of the processor.", "no"),
        ("Your notebook has no answer cell for double: its id and metadata are gone.", "no"),
        ("", "no (It was not compared: it needed more memory than there is.)"),
    ],
)
def test_an_answer_that_showed_no_value_made_no_mistake_of_the_known_ones(public: str, hidden: str) -> None:
    assert fingerprints.mistakes([THRICE, EMPTY], grade(public, hidden)) == {"double": ""}


def test_an_error_that_is_a_known_mistake_is_named() -> None:
    by_error = Fingerprint("double", "divides", "ZeroDivisionError", ("double-random", "double-word"))
    said = fingerprints.mistakes([by_error, THRICE], grade("ZeroDivisionError: by zero", "no"))
    assert said == {"double": "divides"}


def test_what_names_no_mistake_comes_last() -> None:
    stub = grade("NotImplementedError: double: your code goes here", "no")
    stubs = [final(f"stub{i}", stub) for i in range(3)]
    odd = [final(f"odd{i}", grade(public="odd")) for i in range(2)]
    once = final("bob", grade("You wrote it once.", "no"))
    found = summary.of(EXERCISE, [*stubs, *odd, once], KNOWN).mistakes
    assert [mistake for _, mistake, _ in found] == [
        "writes the word once",
        fingerprints.UNANSWERED,
        summary.UNKNOWN,
    ]


def test_a_task_that_may_fail_of_an_earlier_one_is_left_out() -> None:
    two = two_tasks()
    later = CheckResult("triple-word", "triple", "public-check", 1, 0, "Your value:  1\nRight value: 2")
    both, alone = grade("You wrote it once.", "no"), grade()
    finals = [
        final(name, replace(given, checks=(*given.checks, later)))
        for name, given in {"ann": both, "bob": both, "cem": alone}.items()
    ]
    assert summary.of(two, finals, KNOWN).mistakes == (
        ("double", "writes the word once", 2),
        ("triple", summary.UNKNOWN, 1),
    )


def test_a_stub_is_no_mistake() -> None:
    said = fingerprints.mistakes(KNOWN, grade("NotImplementedError: double: your code goes here", "no"))
    assert said == {"double": fingerprints.UNANSWERED}


def test_same_answers_are_grouped_and_suspicions_are_listed() -> None:
    found = summary.of(EXERCISE, CLASS)
    assert [group.students for group in found.twins] == [("ann", "bob")]
    assert list(found.suspicions) == ["cem"]


def test_an_empty_class_has_a_summary() -> None:
    found = summary.of(EXERCISE, [])
    assert "Nothing has been graded yet." in summary.page(EXERCISE, found, {})
    assert "Submissions: none" in "\n".join(summary.lines(EXERCISE, found))


def test_the_text_has_the_same_numbers() -> None:
    text = "\n".join(summary.lines(EXERCISE, summary.of(EXERCISE, CLASS, KNOWN)))
    assert "Mean: 1.5 of 3 points" in text
    assert "1x double: writes the word once" in text
    assert "same answer to double: ann, bob" in text
    assert "\x1b" not in text


def test_nothing_to_look_at_is_said() -> None:
    assert list(summary.lines(EXERCISE, summary.of(EXERCISE, [])))[-1] == "To look at: nothing"
    assert "To look at" in list(summary.lines(EXERCISE, summary.of(EXERCISE, CLASS)))


def page(finals: list[Final]) -> str:
    names = {given.student: HOSTILE if given.student == "ann" else given.name for given in finals}
    return summary.page(EXERCISE, summary.of(EXERCISE, finals, KNOWN), names)


def test_nothing_in_the_page_becomes_markup() -> None:
    assert "<script" not in page(CLASS)
    assert "\u202e" not in page(CLASS)


def test_scores_without_a_sandbox_are_stamped() -> None:
    assert "1 submissions: Graded without a sandbox" in page([final("ann", grade(sandboxed=False))])


@pytest.mark.browser
@pytest.mark.parametrize(("color_scheme", "width"), [("light", 1280), ("dark", 400)])
def test_the_page_is_accessible_and_fits(open_page: PageFactory, color_scheme: str, width: int) -> None:
    tab = open_page(page(CLASS), color_scheme=color_scheme, width=width)
    tab.check()
    assert tab.axe() == []
    assert tab.overflow() == 0


def test_fingerprints_are_tried_out_once_and_kept(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Mutant("double", "writes the word once", "once", "def double(word):\n    return word")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.setattr(mutants, "load", lambda found: [wrong])
    (found,) = fingerprints.of_exercise(EXERCISE)
    assert (found.mistake, found.failed) == ("writes the word once", ("double-random", "double-word"))
    monkeypatch.setattr(fingerprints.trial, "run", lambda notebooks: pytest.fail("tried out twice"))
    assert fingerprints.of_exercise(EXERCISE) == [found]
