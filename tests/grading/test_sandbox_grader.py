"""What a Grader promises besides holding attacks: files, limits, recovery, and who may run it."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from attack_runs import needs_bubblewrap, score
from attack_table import RIGHT, WRONG, spliced

import course_utils
from course_utils.grading.sandbox import Grader, Limits

PROJECT = Path(course_utils.__file__).parents[1]
AS_USER = """
import os
from attack_runs import LIMITS, assert_as_foretold, score
from attack_table import ATTACKS, RIGHT, spliced
from course_utils.grading.sandbox import Grader

assert os.getuid() == 12345
some = {{
    "processes: fork bomb",
    "processes: kills its group",
    "memory: a list that grows",
    "memory: a grandchild that a thread started",
    "privilege: mounts",
    "privilege: a user namespace",
    "network: connects to the world",
}}
with Grader({kernel!r}, limits=LIMITS) as grader:
    for attack in ATTACKS:
        if attack.name in some:
            run = grader.run(spliced(attack.source))
            assert score(run) == 0, (attack, run)
            if attack.name.startswith("memory"):
                assert_as_foretold(attack, run)
            some.remove(attack.name)
    assert score(grader.run(spliced(RIGHT))) == 3
    assert not some
    print("all held")
"""


@needs_bubblewrap
@pytest.mark.parametrize("kernel", ["forked", "ipykernel"])
def test_files_are_there_to_read_and_no_more(kernel: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("2")
    answer = (
        "def double(word):\n    try:\n        open('rows.csv', 'a')\n    except OSError:\n"
        "        return word * int(open('rows.csv').read())\n"
    )
    with Grader(kernel, files={"rows.csv": tmp_path / "rows.csv"}) as grader:  # type: ignore[arg-type]
        assert score(grader.run(spliced(answer))) == 3


@needs_bubblewrap
@pytest.mark.parametrize("kernel", ["forked", "ipykernel"])
def test_a_library_that_asks_about_the_processor_says_nothing_into_a_right_answer(kernel: str) -> None:
    """Torch writes to standard error, in the middle of a check, where /proc/cpuinfo is not to be had."""
    answer = "import torch\ndef double(word):\n    torch.nn.Linear(2, 2)\n    return word + word"
    with Grader(kernel) as grader:  # type: ignore[arg-type]
        assert score(grader.run(spliced(answer))) == 3


@needs_bubblewrap
def test_the_run_as_a_whole_has_a_time_limit() -> None:
    slow = "import time\ntime.sleep(2)\n" + RIGHT
    with Grader(limits=Limits(cell_seconds=30, total_seconds=1)) as grader:
        assert grader.run(spliced(slow)).ended == "time"


ENDS_IN_HIDDEN = "import os\ndef double(word):\n    return word + word if word == 'word' else os._exit(0)"
ENDS_IN_PUBLIC = "import os\ndef double(word):\n    return word + word if word != 'word' else os._exit(0)"


@needs_bubblewrap
@pytest.mark.parametrize(
    ("answer", "passed", "reasons"),
    [
        (ENDS_IN_HIDDEN, [True, False], ["", "kernel died"]),
        (ENDS_IN_PUBLIC, [False, False], ["kernel died", "not run"]),
    ],
)
def test_a_kernel_that_dies_in_a_hidden_check_takes_no_visible_one_along(
    answer: str, passed: list[bool], reasons: list[str]
) -> None:
    with Grader() as grader:
        run = grader.run(spliced(answer))
    outcomes = [run.cells[name] for name in ("double-word", "double-random")]
    assert ([o.passed for o in outcomes], [o.reason for o in outcomes]) == (passed, reasons)
    assert run.ended == "kernel died"


@needs_bubblewrap
def test_hidden_checks_run_without_what_visible_ones_left_behind() -> None:
    """And the visible ones without the seed: each kind as if the other were not there."""
    tell = "def double(word):\n    return word + word if seen(word) else ''\n"
    both = f"def seen(word):\n    return ('student_seed' in globals()) == (word != 'word')\n{tell}"
    marks = f"def seen(word):\n    calls.append(word)\n    return len(calls) == 1\ncalls = []\n{tell}"
    with Grader() as grader:
        assert score(grader.run(spliced(both))) == 3
        assert score(grader.run(spliced(marks))) == 3


@needs_bubblewrap
def test_no_two_submissions_draw_the_same_numbers() -> None:
    answer = "import numpy\ndef double(word):\n    return str(numpy.random.random())"
    with Grader(preimport=["numpy"]) as grader:
        shown = {grader.run(spliced(answer)).cells["double-word"].message for _ in range(2)}
    assert len(shown) == 2


@needs_bubblewrap
def test_an_import_that_fails_is_told() -> None:
    with pytest.raises(RuntimeError, match="No module named 'nothing_of_this_name'"):
        Grader(preimport=["nothing_of_this_name"]).__enter__()


@needs_bubblewrap
def test_a_killed_sandbox_is_nobody_s_fault_and_starts_again() -> None:
    with Grader() as grader:
        assert grader._server is not None
        os.kill(grader._server.process.pid, signal.SIGKILL)
        grader._server.process.wait()
        assert score(grader.run(spliced(RIGHT))) == 3


def test_without_a_with_statement_it_says_so() -> None:
    with pytest.raises(RuntimeError, match="with statement"):
        Grader().run(spliced(RIGHT))


def test_without_bubblewrap_grading_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    from course_utils.grading.sandbox import SandboxMissing

    with pytest.raises(SandboxMissing, match="--unsafe-no-sandbox"):
        Grader().__enter__()


@pytest.mark.parametrize("kernel", ["forked", "ipykernel"])
def test_trusted_code_can_be_graded_without_a_sandbox(kernel: str) -> None:
    with Grader(kernel, sandbox=False) as grader:  # type: ignore[arg-type]
        assert score(grader.run(spliced(RIGHT))) == 3
        assert score(grader.run(spliced(WRONG))) == 0


def as_ordinary_user(command: list[str]) -> list[str]:
    """The command as user 12345. A folder that only root may enter on the way to Python is replaced."""
    seen = ["--dev-bind", "/", "/"]
    for needed in (Path(sys.base_prefix), Path(sys.prefix), PROJECT):
        for folder in reversed(needed.parents):
            if not folder.stat().st_mode & 0o001:
                below = [p for p in reversed(needed.parents) if p.is_relative_to(folder) and p != folder]
                seen += ["--perms", "0755", "--tmpfs", str(folder)]
                seen += [word for p in below for word in ("--perms", "0755", "--dir", str(p))]
                seen += ["--ro-bind", str(needed), str(needed)]
                break
    user = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "--bounding-set=-all"]
    return ["bwrap", *seen, "--", *user, "--inh-caps=-all", *command]


@needs_bubblewrap
@pytest.mark.skipif(os.getuid() != 0, reason="all other tests already run as an ordinary user")
@pytest.mark.parametrize("kernel", ["forked", "ipykernel"])
def test_an_ordinary_user_can_grade(kernel: str) -> None:
    """No root, no control group: the namespaces, the filter and the limits of processes remain."""
    script = AS_USER.format(kernel=kernel)
    variables = {
        "PYTHONPATH": f"{PROJECT}:{PROJECT / 'tests' / 'grading'}",
        "HOME": "/tmp",
        "PATH": os.environ["PATH"],
    }
    command = as_ordinary_user([sys.executable, "-B", "-c", script])
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, cwd="/")
    assert "all held" in done.stdout, done.stdout + done.stderr
