"""Answers that differ in names and layout alone are found; what everybody has, and horrors, are not."""

import pytest

from course_utils.grading.similarity import shape, twins

ANSWER = """
def merge(symbols, pair):
    '''Join.'''
    out: list = []
    i = 0
    while i < len(symbols):
        if tuple(symbols[i:i + 2]) == pair:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(symbols[i])
            i += 1
    return out
"""
RENAMED = (
    ANSWER.replace("out", "result")
    .replace("i ", "position ")
    .replace("[i", "[position")
    .replace("'''Join.'''", "# mine")
)
OTHER = ANSWER.replace("+= 2", "+= 1")
SHORT = "def f(x):\n    return x"


def test_names_comments_and_docstrings_do_not_count() -> None:
    assert shape(ANSWER) == shape(RENAMED.replace(": list", ""))
    assert shape(ANSWER) != shape(OTHER)


def test_names_from_outside_count() -> None:
    assert shape("def f(x):\n    return len(x)") != shape("def f(x):\n    return sum(x)")


def test_swapped_names_are_another_program() -> None:
    assert shape("def f(a, b):\n    return a - b") != shape("def f(a, b):\n    return b - a")


def test_twins_are_grouped_by_task() -> None:
    answers = {
        "ann": {"merge": ANSWER},
        "bob": {"merge": RENAMED.replace(": list", "")},
        "cem": {"merge": OTHER},
    }
    (group,) = twins(answers)
    assert (group.task, group.students) == ("merge", ("ann", "bob"))


def test_short_answers_and_what_everybody_has_are_left_out() -> None:
    assert twins({"ann": {"f": SHORT}, "bob": {"f": SHORT}}) == []
    assert twins({"ann": {"f": ANSWER}, "bob": {"f": ANSWER}}, known=[RENAMED.replace(": list", "")]) == []


@pytest.mark.parametrize(
    "horror",
    [
        "def f(",
        "\0",
        "x = '\ud800'",
        "(" * 5_000,
        "-" * 15_000 + "1",
        "+".join("1" * 9_000),
        "x" + ".y" * 9_000,
        "[" * 150 + "]" * 150,
        "if x:\n" + "".join(" " * depth + "if x:\n" for depth in range(1, 150)) + " " * 150 + "pass",
        "f" + "()" * 9_000,
        "é" * 30_000,
    ],
)
def test_a_horror_is_no_answer_and_no_crash(horror: str) -> None:
    found = shape(horror)
    assert found is None or found.nodes > 0
