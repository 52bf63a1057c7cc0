"""Clocks, unordered values, lists of verdicts, wrong answers that pass: each breaks one rule of the lint."""

import pytest
import tiny_exercise

from course_utils.grading import lint, mutants, trial
from course_utils.grading.exercise import Exercise, parse
from course_utils.grading.hidden import Solution
from course_utils.grading.mutants import Mutant

WRONG = Mutant("double", "forgets one", "", "def double(word):\n    return word")
HARMLESS = Mutant("double", "is no mistake", "", "def double(word):\n    return 2 * word")


def exercise_with(**sources: str) -> Exercise:
    """The tiny exercise with other sources; double_word stands for the cell double-word."""
    notebook = tiny_exercise.notebook()
    for name, text in sources.items():
        next(cell for cell in notebook["cells"] if cell["id"] == name.replace("_", "-"))["source"] = text
    return parse("tiny", notebook)


@pytest.mark.parametrize(
    "code",
    [
        "import time\ncheck('x', lambda: f(time.time()))",
        "import datetime\ncheck('x', lambda: f(datetime.datetime.now().year))",
        "from datetime import date\ncheck('x', lambda: f(date.today()))",
    ],
)
def test_a_check_that_reads_a_clock_is_refused(code: str) -> None:
    assert ["reads a clock" in line for line in lint.source_problems(code)] == [True]


def test_names_that_only_look_like_a_clock_are_accepted() -> None:
    assert list(lint.source_problems("check('x', lambda: f(model.time(), now, rows.now()))")) == []


def test_a_seed_cell_that_reads_a_clock_is_refused() -> None:
    found = exercise_with(seed="import time\n\nstudent_seed = 0\nyear = time.localtime().tm_year")
    assert ["seed: it reads a clock" in line for line in lint.lint(found)] == [True]


@pytest.mark.parametrize(
    "value", ["{'a': 1, 'b': 2}", "[{3, 1, 24}]", "Counter({'a': 31, 'b': 2})", "set('abcd')"]
)
def test_a_value_whose_order_is_open_is_refused(value: str) -> None:
    assert lint.shows_unordered(value)
    shown = [{"output_type": "execute_result", "data": {"text/plain": value}}]
    assert any("show sorted(...)" in line for line in lint.output_problems(shown))


@pytest.mark.parametrize("value", ["[('a', 1), ('b', 2)]", "'{a}: {b}'", "tensor([1, 2])", "a line of words"])
def test_a_value_in_a_fixed_order_is_accepted(value: str) -> None:
    assert not lint.shows_unordered(value)


@pytest.mark.parametrize("value", ["[True, False, True, True]", "(True, None)", "[False]"])
def test_a_list_of_verdicts_is_easy_to_guess(value: str) -> None:
    shown = [{"output_type": "execute_result", "data": {"text/plain": value}}]
    assert any("easy to guess" in line for line in lint.output_problems(shown))


def survivors(monkeypatch: pytest.MonkeyPatch, found: Exercise, *known: Mutant) -> list[str]:
    monkeypatch.setattr(mutants, "load", lambda exercise: list(known))
    return lint.survivors(found)


def test_a_sound_exercise_lets_no_known_wrong_answer_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    assert survivors(monkeypatch, exercise_with(), WRONG) == []


def test_a_wrong_answer_that_passes_is_named_with_the_kind_of_check(monkeypatch: pytest.MonkeyPatch) -> None:
    found = survivors(monkeypatch, exercise_with(), HARMLESS)
    assert "'is no mistake' passes every public-check (seed 0)" in found[0]
    assert [f"every hidden-check (seed {seed})" in found[seed + 1] for seed in (0, 1, 2)] == [True] * 3


def test_a_check_that_misses_the_mistake_does_not_hide_behind_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blind = exercise_with(double_word='check("double-word", lambda: double("")[:1])')
    found = survivors(monkeypatch, blind, WRONG)
    assert ["passes every public-check" in line for line in found] == [True]


def test_a_check_that_an_unanswered_notebook_passes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = survivors(
        monkeypatch, exercise_with(double_word='check("double-word", lambda: "wordword")'), WRONG
    )
    assert any(line.startswith("double-word: an unanswered notebook passes it") for line in found)


def repeating(text: str) -> list[str]:
    """What the rule says of a hidden check that shows this expression, written twice."""
    found = exercise_with(double_random=f'check("double-random", lambda: double(str({text})))')
    with Solution(found) as solution:
        return list(lint.repeating(found, solution))


@pytest.mark.parametrize(
    ("text", "different", "times"),
    [
        ("'words'", 1, 40),
        ("f'word{student_seed % 39}'", 39, 2),
        ("f'word{student_seed if student_seed % 8 else 0}'", 36, 5),
    ],
)
def test_a_hidden_check_that_shows_a_value_twice_is_refused(text: str, different: int, times: int) -> None:
    (line,) = repeating(text)
    assert f"40 students see {different} different values, and {times} of them 'word" in line


def test_a_hidden_check_that_differs_for_all_is_accepted() -> None:
    assert repeating("f'word{student_seed}'") == []


def test_what_one_student_sees_must_be_free_of_the_noise_of_floats() -> None:
    (line,) = repeating("12000 + student_seed + (student_seed == 7) / 3")
    assert "round to at most 6 decimals" in line


def test_a_hidden_check_that_fails_for_one_student_is_refused() -> None:
    (line,) = repeating("1200 + student_seed + 0 // (student_seed - 39)")
    assert "fails with seed 39: ZeroDivisionError" in line


def test_the_lint_draws_hidden_inputs() -> None:
    same = exercise_with(double_random='check("double-random", lambda: double("words"))')
    assert ["40 students see 1 different values" in line for line in lint.lint(same)] == [True]


def test_trial_keeps_what_was_shown_before_a_hang_and_kills_it(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = Mutant("double", "never ends", "", "def double(word):\n    while True:\n        pass")
    guarded = exercise_with(
        setup=(
            "import _thread, threading\n"
            "def in_time(answer, seconds=30):\n"
            "    timer = threading.Timer(seconds, _thread.interrupt_main)\n"
            "    timer.start()\n"
            "    try:\n"
            "        return answer()\n"
            "    finally:\n"
            "        timer.cancel()\n"
            "def check(name, answer, mistakes=None):\n"
            "    return in_time(answer)"
        )
    )
    shown = trial.run(
        {"endless": trial.of_mutant(guarded, endless, 0), "right": trial.of_solution(guarded, 0)}
    )
    assert shown["endless"]["double-word"] == trial.Shown(None, "KeyboardInterrupt: ")
    assert trial.failed(guarded, "double", shown["endless"], shown["right"]) == {
        "double-word",
        "double-random",
    }
    assert shown["right"]["double-random"].value == "'word0word0'"
