"""Run every check, one stage after the other, and say at the end which of them failed.

    .venv/bin/python tools/check.py

A stage that fails does not stop the next one. The exit status is 0 only if all passed. Tests that failed
beside others are tried once more, alone: one that starts processes can lose a race on a busy machine. The
summary names such a second try, since it is a defect to look for; a plain `pytest` never tries twice.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable


class Stage(NamedTuple):
    name: str
    command: list[str]


class Outcome(NamedTuple):
    stage: Stage
    status: int
    seconds: float
    last_line: str

    @property
    def passed(self) -> bool:
        """Whether it found nothing to say."""
        return self.status == 0


STAGES = [
    Stage("book (built only if stale)", [PYTHON, "tools/book.py"]),
    Stage("lint", [PYTHON, "-m", "ruff", "check", "."]),
    Stage("format", [PYTHON, "-m", "ruff", "format", "--check", "."]),
    Stage("types", [PYTHON, "-m", "mypy"]),
    Stage("doctests", [PYTHON, "-m", "pytest", "-q", "--doctest-modules", "course_utils"]),
    # A file stays in one process, so that what its tests share (a browser, a model) is made once.
    Stage("tests", [PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--durations=20", "tests"]),
]
ALONE = ["--last-failed", "--last-failed-no-failures=none"]
SECOND_TRY = Stage("tests, second try", [PYTHON, "-m", "pytest", "-rA", "--show-capture=no", *ALONE, "tests"])
TESTS_FAILED = 1  # pytest's exit status; greater ones say that it did not come to run them all

# One thread a process: two threads of torch beside a second process are many times slower.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"}


def run(stage: Stage) -> Outcome:
    """Run one stage; its output is shown as it comes, and its last line is kept."""
    print(f"\n[test] {stage.name}: {' '.join(stage.command[1:])}", flush=True)
    started = time.perf_counter()
    shown = bytearray()
    with subprocess.Popen(
        stage.command,
        cwd=ROOT,
        env={**ENVIRONMENT, **os.environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        while chunk := os.read(process.stdout.fileno(), 65536):
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            shown += chunk
    lines = shown.decode(errors="replace").strip().splitlines()
    return Outcome(stage, process.returncode, time.perf_counter() - started, lines[-1] if lines else "")


def main() -> int:
    """Run all stages and print what became of each. Returns the exit status."""
    outcomes = [run(stage) for stage in STAGES]
    if outcomes[-1].status == TESTS_FAILED:
        outcomes.append(run(SECOND_TRY))
    failed = [outcome.stage.name for outcome in outcomes if not outcome.passed]
    if outcomes[-1].stage is SECOND_TRY and outcomes[-1].passed:
        failed.remove("tests")
    print("\n[test] summary")
    for stage, status, seconds, last_line in outcomes:
        word = "FAILED" if stage.name in failed else "ok" if status == 0 else "busy?"
        print(f"  {word:6} {stage.name:27} {seconds:5.0f} s  {last_line.strip('= ')}")
    print(f"[test] {'failed: ' + ', '.join(failed) if failed else 'all stages passed'}")
    print(outcomes[-1].last_line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
