"""Hidden checks call the student's functions: what these see then must not reach their student.

The notebook has two tasks. The answer to the first one looks around whenever a check calls it; the answer to
the second one raises all that was found, in a visible check, whose message its student gets to read.
"""

import json
from collections.abc import Iterator

import pytest
from attack_runs import LIMITS, needs_bubblewrap
from attack_table import HIDDEN_WORD, SEED, shows, spliced

from course_utils.grading.exercise import Notebook
from course_utils.grading.sandbox import Grader, Run
from course_utils.grading.sandbox.grader import official

pytestmark = needs_bubblewrap

# What must not come out: the inputs, the seed that they are drawn from, the code that draws them.
SECRETS = (HIDDEN_WORD, SEED, "abcdefgh", "double-random")
LOOK = {
    "arguments": "found.append(word)",
    "globals": "found.extend(map(str, list(globals().values())))",
    "frames": """
frame = sys._getframe(1)
while frame:
    found.extend(str(frame.f_locals.get(name)) for name in ('request', 'raw_cell', 'code'))
    frame = frame.f_back""",
    "the stack's source": """
for frame in inspect.stack(context=9):
    found.append(str(frame.code_context))""",
    "linecache": "found.append(str([lines for *_, lines, name in linecache.cache.values() if 'ipy' in name]))",  # noqa: E501
    "history": """
shell = get_ipython()
found.append(str([shell.user_ns.get(name) for name in ('In', '_ih', '_i', '_ii', '_iii', 'Out')]))
found.append(str(list(shell.history_manager.input_hist_raw)))""",
    "the collector": """
for item in gc.get_objects():
    if type(item) is type(double):
        found.append(str(item.__globals__.get('word')))""",
    "the process's memory": """
with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:
    for line in maps:
        if ' rw-p' in line and ('heap' in line or line.split()[4] == '0'):
            start, end = (int(part, 16) for part in line.split()[0].split('-'))
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except OSError:
                continue
            found.extend(str(hit) for hit in re.findall(rb'Random[(]f.{100}', data, re.DOTALL)[:20])""",
    "files": "open('found', 'w').write(word)",
    "the seed": "found.append(globals().get('student_' + 'seed', 'none'))",
    "the screen": "print(word); display(word); sys.__stderr__.write(word)",
}
ANSWER = """\
import gc, inspect, linecache, re, sys

found = []

def double(word):
    try:
        {look}
    except Exception as error:
        found.append(repr(error)[:200])
    return word + word
"""
TELL = """\
import os

def triple(word):
    kept = open('found').read() if os.path.exists('found') else ''
    known = [text for text in found if len(text) < 20 or 'Random(' in text]
    told = {text[max(0, text.find('Random(')):][:150] for text in known}
    raise ValueError(f'TOLD {kept} {sorted(told)}'[:1500])
"""


def notebook(look: str) -> Notebook:
    """Task 1 with its checks of both kinds, then task 2 with a visible one."""
    made = spliced(ANSWER.format(look=look.strip().replace("\n", "\n        ")))
    meta = {"kind": "answer", "id": "triple-answer", "task": "triple"}
    answer = {
        "id": meta["id"],
        "cell_type": "code",
        "source": TELL,
        "metadata": {"course": meta},
        "outputs": [],
    }
    meta = {"kind": "public-check", "id": "triple-word", "task": "triple"}
    text = 'check("triple-word", lambda: typed(str, triple("word")))'
    check = {"id": meta["id"], "cell_type": "code", "source": text, "metadata": {"course": meta}}
    return {**made, "cells": [*made["cells"], answer, {**check, "outputs": shows("'wordwordword'")}]}


def told(run: Run) -> str:
    """Everything that a student may be told of a run."""
    return json.dumps([[outcome.reason, outcome.message] for outcome in run.cells.values()])


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    with Grader(limits=LIMITS) as found:
        yield found


def assert_nothing_told(grader: Grader, look: str) -> None:
    run = grader.run(notebook(look))
    assert "TOLD" in run.cells["triple-word"].message, "the visible check tells what it may"
    assert run.cells["double-random"].message in ("", "Other words.")
    assert [secret for secret in SECRETS if secret in told(run)] == []


@pytest.mark.parametrize("look", LOOK)
def test_what_code_sees_of_hidden_checks_stays_in_the_sandbox(grader: Grader, look: str) -> None:
    assert_nothing_told(grader, LOOK[look])


@pytest.mark.parametrize("look", ["the stack's source", "the seed", "files"])
def test_so_it_does_with_jupyters_own_kernel(look: str) -> None:
    with Grader("ipykernel", limits=LIMITS) as reference:
        assert_nothing_told(reference, LOOK[look])


@pytest.mark.parametrize("look", sorted(set(LOOK) - {"history", "the screen"}))
def test_the_attack_would_work_if_one_kernel_ran_all_checks(grader: Grader, look: str) -> None:
    """So what the test above does not find is not there, rather than overlooked."""
    cells = official(notebook(LOOK[look]))
    kernel = grader._start()
    try:
        executed, _ = grader._execute(kernel, cells)
    finally:
        kernel.close()
    shown = str(executed["triple-word"].outputs)
    assert [secret for secret in SECRETS if secret in shown] != []
