"""Each kind of untrustworthy check is refused, by its code or by what it shows."""

import pytest
import tiny_exercise

from course_utils.grading.exercise import Exercise, parse
from course_utils.grading.lint import lint, output_problems, source_problems, unguarded


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("assert f(1) == 2", "asserts"),
        ("assert f(1) == 2\nf(1)", "asserts"),
        ("x = f(1)", "shows no value"),
        ("f(1);", "shows no value"),
        ("", "shows no value"),
        ("f(1) == 2", "a verdict"),
        ("f(1)\n'passed'", "a constant"),
    ],
)
def test_code_that_shows_no_value_of_the_answer_is_refused(code: str, says: str) -> None:
    assert any(says in line for line in source_problems(code))


def test_code_that_shows_a_value_is_accepted() -> None:
    assert list(source_problems("word = 'x'\ncheck('name', lambda: f(word))")) == []


def shown(value: str) -> list[dict]:
    return [{"output_type": "execute_result", "data": {"text/plain": value}}]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("True", "a verdict"),
        ("None", "a verdict"),
        ("7", "easy to guess"),
        ("[1, 1, 0]", "easy to guess"),
        ("0.12345678", "round to at most 6"),
        ("[1.5e-17, 2345]", "round to at most 6"),
        ("abcd" * 101, "show at most 400"),
    ],
)
def test_a_value_that_proves_little_is_refused(value: str, says: str) -> None:
    assert any(says in line for line in output_problems(shown(value)))


@pytest.mark.parametrize("value", ["'n est'", "('es', 9, 12)", "[0.125, 3.75]", "Fraction(1, 36)"])
def test_a_short_rich_value_is_accepted(value: str) -> None:
    assert list(output_problems(shown(value))) == []


def test_printing_or_two_values_are_refused() -> None:
    stream = [{"output_type": "stream", "name": "stdout", "text": "x"}]
    assert "exactly one value" in next(output_problems(stream + shown("'n est'")))
    assert "exactly one value" in next(output_problems([]))


def with_check(code: str) -> Exercise:
    notebook = tiny_exercise.notebook()
    next(cell for cell in notebook["cells"] if cell["id"] == "double-word")["source"] = code
    return parse("tiny", notebook)


def test_a_value_that_changes_from_run_to_run_is_refused() -> None:
    unstable = with_check('check("double-word", lambda: [*{double(letter) for letter in "abcdefgh"}])')
    assert ["double-word" in line and "two runs differ" in line for line in lint(unstable)] == [True]


def test_a_sound_exercise_passes() -> None:
    assert lint(parse("tiny", tiny_exercise.notebook())) == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ('LETTERS = "abcde"\ncheck("double-word", lambda: double("word"))', "name 'LETTERS' is not defined"),
        (
            'LETTERS = ""\ncheck("double-word", lambda: double("word"))',
            "double-random: it shows another value",
        ),
    ],
)
def test_a_hidden_check_that_leans_on_a_visible_one_is_refused(code: str, says: str) -> None:
    notebook = tiny_exercise.notebook()
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    cells["double-word"]["source"] = code
    cells["double-random"]["source"] = (
        'check("double-random", lambda: double(LETTERS + f"word{student_seed}"))'
    )
    if "another value" in says:
        cells["setup"]["source"] += '\n\n\nLETTERS = "abcde"'
    (line,) = lint(parse("tiny", notebook))
    assert says in line
    assert "runs visible and hidden checks apart" in line


def test_a_visible_check_that_needs_the_seed_is_refused() -> None:
    (line,) = lint(with_check('check("double-word", lambda: double(f"word {student_seed}"))'))
    assert "name 'student_seed' is not defined" in line


@pytest.mark.parametrize(
    "code",
    ["f(1)", "in_time(f(1))", "print(*map(f, [1]))", "show(lambda: f(1))", "in_time(lambda: g())\nf(1)"],
)
def test_an_answer_used_without_a_time_limit_is_found(code: str) -> None:
    assert unguarded(code, {"f", "h"}) == ["f"]


@pytest.mark.parametrize(
    "code", ["in_time(lambda: f(1))", "x = check('name', lambda: [f(i) for i in 'ab'], {})"]
)
def test_an_answer_used_with_a_time_limit_is_accepted(code: str) -> None:
    assert unguarded(code, {"f"}) == []


def test_a_given_cell_that_could_hang_is_refused() -> None:
    notebook = tiny_exercise.notebook()
    notebook["cells"].append(tiny_exercise.cell("given", "demo", 'print(double("x"))'))
    (line,) = lint(parse("tiny", notebook))
    assert line.startswith("demo: it uses double without a time limit")
