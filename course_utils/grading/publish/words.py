"""What every report says in the same words, and how text from a student is made fit to be shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from course_utils.grading.exercise import Exercise, course, source
from course_utils.grading.records import AND_SO, OWN_ERROR

NO_SANDBOX = (
    "Graded without a sandbox (--unsafe-no-sandbox): the submission's code ran unprotected beside the "
    "grader, so this score cannot be trusted."
)
MAX_CHARACTERS = 2_000

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_KEPT = "\n\t"
_FRAME = re.compile(
    r"^Cell In\[\d+\], line \d+(?:, in (?P<name>[^(\n]+).*)?\n(?P<code>(?:[- ].*\n?)*)", re.MULTILINE
)
_ARROW = re.compile(r"^-+> +(\d+) (.*)$", re.MULTILINE)
_OURS = {None, "check", "in_time", "typed", "<lambda>"}  # frames of the notebook's own, which help nobody


def clean(text: str, limit: int = MAX_CHARACTERS) -> str:
    """Text from a student's process without terminal codes and invisible characters, cut to a length.

    Characters that turn the direction of text go too: they make a line read otherwise than it is.
    Escaping for HTML is left to the template.

    >>> clean("\\x1b[31mred\\x1b[0m and \\u202eright to left")
    'red and right to left'
    """
    plain = _ANSI.sub("", text[: 4 * limit])
    shown = "".join(
        letter
        for letter in plain
        if letter in _KEPT or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co")
    )
    return shown if len(shown) <= limit else f"{shown[:limit]}\n... (cut after {limit} characters)"


def told(message: str) -> str:
    """What a failed check says: the error, and of a traceback only the line of the answer that raised it.

    >>> print(told("Cell In[1], line 2, in f(x)\\n----> 2     return 1 / x\\n\\nZeroDivisionError: no"))
    In f, line 2: return 1 / x
    ZeroDivisionError: no
    """
    own, then, found = message.rpartition(AND_SO)
    if not then:
        return _error(message, _OURS)
    return f"{OWN_ERROR}\n{_error(own.removeprefix(OWN_ERROR).strip(), ())}{AND_SO}{_error(found, _OURS)}"


def _error(message: str, ours: Collection[str | None]) -> str:
    """The error at the end of a traceback, and the line that raised it in the last frame that is not ours.

    ours: names of frames; None is that of a cell outside of any function. Other messages are left whole.
    """
    frames = list(_FRAME.finditer(message))
    if not frames:
        return clean(message)
    error = message.rstrip().rsplit("\n\n", 1)[-1].strip()
    theirs = [frame for frame in frames if frame["name"] not in ours]
    arrow = _ARROW.search(theirs[-1]["code"]) if theirs else None
    if arrow is None or error.startswith("NotImplementedError"):  # a stub: where it stands says nothing
        return clean(error)
    name = theirs[-1]["name"]
    where = f"In {name}, line" if name else "Line"
    return clean(f"{where} {arrow[1]}: {arrow[2].strip()}\n{error}")


def task_titles(exercise: Exercise) -> dict[str, str]:
    """Task -> the heading of its text, "Task 1: One merge step"."""
    return {course(cell)["id"]: heading(source(cell)) for cell in exercise.cells("task")}


def exercise_title(exercise: Exercise) -> str:
    """The heading of the notebook, "Exercise 1: Build a tokenizer"."""
    return heading(source(next(exercise.cells("title"))))


def heading(markdown: str) -> str:
    """The first line of a text, without the marks of a heading.

    >>> heading("## Task 1: One step\\nIt is small.")
    'Task 1: One step'
    """
    return markdown.strip().partition("\n")[0].lstrip("# ").strip()
