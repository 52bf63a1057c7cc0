"""From what cells did to what is said about them: a reason and a message a student may see."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from course_utils.grading.exercise import CHECK_KINDS, Cell, course
from course_utils.grading.sandbox.channel import Executed, Output
from course_utils.grading.sandbox.outcomes import REASONS, CellOutcome

MOST_CHARACTERS = 2000
_SHOWN_CHARACTERS = 600
# Tampering with the grading itself; no check of such a run counts.
TAMPERED = {"forged result", "display hijacked"}
_BY_ERROR = {"MemoryError": "memory", "WrongValueError": "wrong value"}
_BY_NUMBER = {"[Errno 12]": "memory", "[Errno 27]": "disk", "[Errno 28]": "disk"}  # ENOMEM, EFBIG, ENOSPC
_COLORS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def outcomes(
    code: Sequence[Cell],
    executed: Mapping[str, Executed],
    equal: Mapping[str, bool],
    ended: str,
    canary: bool,
) -> dict[str, CellOutcome]:
    """Cell id -> outcome, for every code cell.

    executed: what ran. equal: what nbval said of each check. ended: why the run stopped early, or "".
    canary: whether a hijacked display was caught.
    """
    tampered = "display hijacked" if canary else ended if ended in TAMPERED else ""
    found = {}
    for cell in code:
        is_check = course(cell).get("kind") in CHECK_KINDS
        done = executed.get(cell["id"])
        if is_check and tampered:
            reason, message = tampered, _sentence(tampered)
        elif done is None:
            reason, message = "not run", _sentence("not run") + (f" ({ended})" if ended else "")
        else:
            reason, message = _of_cell(cell, done, not is_check or equal.get(cell["id"], False))
        found[cell["id"]] = CellOutcome(not reason, reason, _permitted(cell, reason, message))
    return found


def _of_cell(cell: Cell, done: Executed, is_equal: bool) -> tuple[str, str]:
    """(reason, message) of a cell that ran; ("", "") if it passed."""
    error = next((output for output in done.outputs if output["output_type"] == "error"), None)
    if done.ended:
        return done.ended, _sentence(done.ended)
    if error is not None:
        known = _BY_NUMBER.get(error["evalue"][:10], "raised")
        return _BY_ERROR.get(error["ename"], known), "\n".join(error["traceback"]) or _last_line(error)
    if not is_equal:
        right = " ".join(_text(cell["outputs"]).split())
        return "wrong value", f"Your value:  {_text(done.outputs)}\nRight value: {right}"
    return "", ""


def _permitted(cell: Cell, reason: str, message: str) -> str:
    """What a student may see of it: of a hidden check, nothing that it showed."""
    if reason and course(cell).get("kind") == "hidden-check":
        return str(course(cell).get("message", ""))
    return plain(message)


def plain(text: str) -> str:
    """Text without colors and control characters; of a long one the end, where errors say what they are.

    >>> plain("\\x1b[31mValueError\\x1b[0m: no\\x07")
    'ValueError: no'
    """
    found = _CONTROLS.sub("", _COLORS.sub("", text))
    return found if len(found) <= MOST_CHARACTERS else "... " + found[4 - MOST_CHARACTERS :]


def _sentence(reason: str) -> str:
    said = REASONS[reason]
    return said[0].upper() + said[1:] + "."


def _last_line(error: Mapping[str, Any]) -> str:
    return f"{error['ename']}: {error['evalue']}"


def _text(outputs: Sequence[Output]) -> str:
    """The plain text of outputs, for reading."""
    parts = [
        output.get("text") or output.get("data", {}).get("text/plain", "(no text)") for output in outputs
    ]
    text = "\n".join("".join(part) for part in parts) or "(nothing)"
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + " ..."
