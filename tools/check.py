"""Run every check, one stage after the other, and say at the end which of them failed.

    .venv/bin/python tools/check.py

A stage that fails does not stop the next one. The exit status is 0 only if all passed.
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
    passed: bool
    seconds: float
    last_line: str


STAGES = [
    Stage("book (built only if stale)", [PYTHON, "tools/book.py"]),
    Stage("lint", [PYTHON, "-m", "ruff", "check", "."]),
    Stage("format", [PYTHON, "-m", "ruff", "format", "--check", "."]),
    Stage("types", [PYTHON, "-m", "mypy"]),
    Stage("doctests", [PYTHON, "-m", "pytest", "-q", "--doctest-modules", "course_utils"]),
    # A file stays in one process, so that what its tests share (a browser, a model) is made once.
    Stage("tests", [PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile", "--durations=20", "tests"]),
]

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
    return Outcome(stage, process.returncode == 0, time.perf_counter() - started, lines[-1] if lines else "")


def main() -> int:
    """Run all stages and print what became of each. Returns the exit status."""
    outcomes = [run(stage) for stage in STAGES]
    print("\n[test] summary")
    for stage, passed, seconds, last_line in outcomes:
        print(
            f"  {'ok    ' if passed else 'FAILED'} {stage.name:27} {seconds:5.0f} s  {last_line.strip('= ')}"
        )
    failed = [outcome.stage.name for outcome in outcomes if not outcome.passed]
    print(f"[test] {'failed: ' + ', '.join(failed) if failed else 'all stages passed'}")
    print(outcomes[-1].last_line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
