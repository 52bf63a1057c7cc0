"""Hostile and broken submissions, each with what must become of it, written down before it is run.

The exercise has one task: write `double`, which writes a word twice. The public check is worth 1 point,
the hidden one 2; by default, the public point counts only if the hidden check passes. An attack that wants
to read or reach something sets `won`, and answers *rightly* if it succeeds, so that points in the result
are a hole in the sandbox. The table is attacks.txt: name, expected
score and reason, and the answer cell. {project}, {secret}, {port} and {abstract} are filled in by the tests.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.grading.exercise import Cell, Notebook

SEED = "5f2c"
SETUP = """\
import _thread
import random
import threading
import time


class WrongValueError(Exception):
    def _render_traceback_(self):
        return str(self).splitlines()


def in_time(answer, seconds=2):
    ended, start = threading.Event(), time.process_time()

    def watch():
        worked, idle = 0.0, 0
        while worked < seconds and idle < 5:
            before, left = worked, seconds - worked
            if ended.wait(left):
                return
            worked = time.process_time() - start
            idle = idle + 1 if worked - before < left / 20 else 0
        _thread.interrupt_main()

    threading.Thread(target=watch, daemon=True).start()
    try:
        return answer()
    except KeyboardInterrupt:
        raise WrongValueError("No value: does a loop in it never end?") from None
    finally:
        ended.set()


def typed(kind, value):
    if value is None:
        raise WrongValueError("Your function returned None: did you forget `return`?")
    if not isinstance(value, kind):
        raise WrongValueError(f"Your function returned {value!r}.")
    return value


def check(name, answer, mistakes=None):
    value = in_time(answer)
    right = REFERENCE.get(name, repr(value))
    if repr(value) != right:
        raise WrongValueError(f"Your value: {value!r}")
    return value
"""
HIDDEN = """\
rng = random.Random(f"double {student_seed}")
word = "".join(rng.choices("abcdefgh", k=8))
check("double-random", lambda: typed(str, double(word)))"""
RIGHT = "def double(word):\n    return word + word\n"
WRONG = "def double(word):\n    return word\n"
POINTS = {"double-word": 1, "double-random": 2}
KINDS = {"double-word": "public-check", "double-random": "hidden-check"}
HIDDEN_WORD = "".join(random.Random(f"double {SEED}").choices("abcdefgh", k=8))


@dataclass(frozen=True)
class Attack:
    """One submission.

    name: its kind, and what it does. source: its answer cell. score: the points that it must get. reasons:
    the named reason of its end, of its answer or of the hidden check; several where the two kernels, or the
    limit that is met first, may differ. cell_seconds: short where it would wait in any case.
    """

    name: str
    source: str
    score: int = 0
    reasons: tuple[str, ...] = ("wrong value",)
    cell_seconds: float = 30


def _cell(kind: str, name: str, text: str, **more: Any) -> Cell:
    meta = {"course": {"id": name, "kind": kind, "task": "double", **more}}
    return {"id": name, "cell_type": "code", "source": text, "metadata": meta, "outputs": []}


def shows(value: str) -> list[dict[str, Any]]:
    return [
        {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": value}}
    ]


def spliced(answer: str) -> Notebook:
    """The notebook as the grader runs it: hidden check, expected values, this answer."""
    public = _cell("public-check", "double-word", 'check("double-word", lambda: typed(str, double("word")))')
    hidden = _cell("hidden-check", "double-random", HIDDEN, message="Other words.")
    public["outputs"], hidden["outputs"] = shows("'wordword'"), shows(f"'{HIDDEN_WORD * 2}'")
    cells = [
        _cell("setup", "setup", SETUP),
        _cell("reference", "reference", "REFERENCE = {}"),
        _cell("seed", "seed", f"student_seed = {SEED!r}"),
        _cell("answer", "double-answer", answer),
        public,
        hidden,
    ]
    return {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


_HEAD = re.compile(
    r"^# %% (?P<name>.+)\n# score (?P<score>\d), (?P<reasons>[a-z ]+?)(, (?P<seconds>\d+) seconds a cell)?\n",
    re.MULTILINE,
)


def read(text: str) -> list[Attack]:
    """The attacks of attacks.txt.

    >>> read("# %% broken: empty\\n# score 0, raised or time, 3 seconds a cell\\nx = 1\\n")
    [Attack(name='broken: empty', source='x = 1\\n', score=0, reasons=('raised', 'time'), cell_seconds=3.0)]
    """
    heads = list(_HEAD.finditer(text))
    assert len(heads) == text.count("# %%"), "every attack needs a name, a score and a reason"
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return [
        Attack(
            head["name"],
            text[head.end() : end].rstrip() + "\n",
            int(head["score"]),
            tuple("" if reason == "passed" else reason for reason in head["reasons"].split(" or ")),
            float(head["seconds"] or 30),
        )
        for head, end in zip(heads, ends, strict=True)
    ]


# What a text file cannot hold well.
UNPRINTABLE = [
    Attack("broken: null characters", f"x = '\x00'\n{WRONG}", reasons=("raised", "wrong value")),
    Attack(
        "broken: half a character in the source", f"x = '\ud800'\n{WRONG}", reasons=("raised", "wrong value")
    ),
    Attack("broken: Windows line ends", RIGHT.replace("\n", "\r\n"), 3, ("",)),
    Attack("broken: a megabyte of source", f"#{'x' * 1_000_000}\n{RIGHT}", 3, ("",)),
]
ATTACKS = [*read(Path(__file__).with_name("attacks.txt").read_text(encoding="utf-8")), *UNPRINTABLE]
HONEST = next(attack for attack in ATTACKS if attack.name == "broken: honest")
