"""The time limit of a check: it stops an answer that works or waits without end, and no other."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from course_utils.grading import exercise
from course_utils.grading.exercise import source
from course_utils.grading.set_up import standard_set_up

SECONDS = 1.0  # long beside the moments in which a busy machine stands still


def defined(text: str) -> dict[str, Any]:
    """The names that a set-up cell defines."""
    space: dict[str, Any] = {}
    exec(text, space)
    return space


def forever(step: Callable[[], object]) -> None:
    """Call a function without end."""
    while True:
        step()


@pytest.fixture(scope="module")
def set_up() -> dict[str, Any]:
    """The set-up that every exercise shares."""
    return defined(standard_set_up())


def test_a_busy_machine_is_no_mistake(set_up: dict[str, Any]) -> None:
    """A process that was not let run, as on a machine with much to do, has not used its time."""

    def paused() -> str:
        time.sleep(2 * SECONDS)
        return "a value"

    assert set_up["in_time"](paused, SECONDS) == "a value"


def test_a_small_share_of_a_core_is_enough(set_up: dict[str, Any]) -> None:
    """A tenth of a core, say: it goes on, however long that takes, while it works."""

    def slow() -> str:
        while time.process_time() - began < SECONDS / 2:
            worked = time.process_time()
            while time.process_time() - worked < SECONDS / 40:
                pass
            time.sleep(9 * SECONDS / 40)
        return "a value"

    began = time.process_time()
    assert set_up["in_time"](slow, SECONDS) == "a value"


@pytest.mark.parametrize(("step", "most"), [(int, 2), (lambda: time.sleep(0.01), 10)], ids=["works", "waits"])
def test_an_answer_without_end_is_given_up(
    set_up: dict[str, Any], step: Callable[[], object], most: int
) -> None:
    began = time.perf_counter(), time.process_time()
    with pytest.raises(set_up["WrongValueError"], match="does a loop in it never end"):
        set_up["in_time"](lambda: forever(step), SECONDS)
    clocks = time.perf_counter() - began[0], time.process_time() - began[1]
    assert min(clocks) < most * SECONDS


def test_every_exercise_has_this_limit() -> None:
    """Word for word, but for the seconds: a model's step takes longer than a sum."""
    texts = [source(next(exercise.load(name).cells("setup"))) for name in exercise.names()]
    limits = {text[text.index("def in_time") : text.index("def typed")] for text in texts}
    assert len({limit.replace("seconds=5", "seconds=3") for limit in limits}) == 1
