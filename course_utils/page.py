"""What every chapter shows of itself: its head, and numbers that the text takes from the code."""

from collections.abc import Sequence
from importlib.util import find_spec

from course_utils import results
from course_utils.boxes import Box, definitions
from course_utils.explorables.base import Html, join, tag

# What the reader can do afterwards (begins with a verb), the anchor of the section, the task of the exercise.
Goal = tuple[str, str, str]
# Results file with the running times -> where they were measured.
_TIMES = {"running_times": "On a laptop", "running_times_colab": "On Colab"}


def header(number: int, *, promise: str, prerequisites: str, goals: Sequence[Goal]) -> Box:
    """The head of chapter `number`: promise, prerequisites, measured running time, learning goals.

    goals: 3 to 5 of ("explain why ...", "anchor-of-the-section", "task_of_the_exercise").
    The times come from the results `running_times` and `running_times_colab`; what was not measured says so.
    Raises ValueError if there are not 3 to 5 goals.
    """
    if not 3 <= len(goals) <= 5:
        raise ValueError(f"a chapter has 3 to 5 learning goals, got {len(goals)}")
    facts: dict[str, object] = {"You need": prerequisites}
    facts |= {place: _running_time(name, number) for name, place in _TIMES.items()}
    html = tag(
        "div",
        tag("p", promise, class_="chapter-promise"),
        definitions(facts),
        tag("p", "Afterwards you can", class_="chapter-can"),
        tag("ul", *(tag("li", _goal(number, goal)) for goal in goals)),
        class_="chapter-head",
    )
    said = [promise, *(f"{term}: {fact}" for term, fact in facts.items()), "Afterwards you can"]
    return Box(
        html, "\n".join([*said, *(f"- {can} (section {anchor}, task {task})" for can, anchor, task in goals)])
    )


def glue(name: str, value: object, spec: str = "") -> None:
    """Give the text a value: ``{glue:text}`name` `` in the page becomes `value` in the format `spec`.

    `glue("films", 10605, ",")` gives 10,605. Where `myst_nb` is not installed (Colab) nothing happens.
    Raises ValueError if `value` cannot be written in the format `spec`.
    """
    text = format(value, spec)
    if find_spec("myst_nb") is not None:
        from myst_nb import glue as store

        store(name, text, display=False)


def _running_time(name: str, number: int) -> str:
    """The wall time of one chapter in words, with where it was measured."""
    if name not in results.names():
        return "not measured yet"
    measured = results.load(name)
    if all(row["chapter"] != number for row in measured.rows()):
        return "not measured yet"
    return f"{_duration(measured.value('wall_seconds', chapter=number))} ({measured.machine})"


def _duration(seconds: float) -> str:
    """Seconds in words, as fine as a plan for the day needs.

    >>> [_duration(seconds) for seconds in (7.2, 89, 91, 4000)]
    ['7 seconds', '1 minute', '2 minutes', '67 minutes']
    """
    number, unit = (round(seconds), "second") if seconds < 60 else (round(seconds / 60), "minute")
    return f"{number} {unit}" + ("" if number == 1 else "s")


def _goal(number: int, goal: Goal) -> Html:
    can, anchor, task = goal
    where = tag("span", f"(exercise {number}, task {task})", class_="chapter-where")
    return join([tag("a", can, href=f"#{anchor}"), " ", where])
