"""Many runs over the processes of one machine: one process and one thread a run.

A process that dies (killed, out of memory) costs its run's work since the last checkpoint: the run is started
again, at most `ATTEMPTS` times. A run that raises is reported, and the others go on. When the coordinator
dies, its processes end too.
"""

import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import parent_process
from pathlib import Path
from typing import Any, NamedTuple

from course_utils.study.design import Design
from course_utils.study.runs import Key

ATTEMPTS = 3


class Outcome(NamedTuple):
    """A run that is over; problem is what went wrong, or None."""

    key: Key
    problem: str | None = None


def run(design: Design, folder: Path, keys: Sequence[Key], processes: int) -> Iterator[Outcome]:
    """Make the runs, `processes` at a time; yields each as it is over."""
    context = _context()
    waiting, attempts = deque(keys), Counter[Key]()
    running: dict[int, tuple[Key, Any]] = {}  # sentinel -> run and process
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                key = waiting.popleft()
                attempts[key] += 1
                error_file(folder, key).unlink(missing_ok=True)
                process = context.Process(target=_work, args=(design, folder, key))
                process.start()
                running[process.sentinel] = (key, process)
            for sentinel in wait(list(running)):
                key, process = running.pop(sentinel)  # type: ignore[arg-type]
                process.join()
                raised = error_file(folder, key).is_file()
                if process.exitcode and not raised and attempts[key] < ATTEMPTS:
                    waiting.appendleft(key)
                else:
                    yield Outcome(key, _problem(folder, key, process.exitcode))
    finally:
        for _, process in running.values():
            process.terminate()


def _context() -> Any:
    """Processes that start from a server which has imported everything, where there is such a thing."""
    os.environ["OMP_NUM_THREADS"] = "1"  # read when the libraries are imported over there
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["course_utils.study.execute"])
    return context


def _work(design: Design, folder: Path, key: Key) -> None:
    """What a process does. What it raises goes into a file, since the process is gone by then."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from course_utils.study.execute import make

    try:
        make(design, folder, key)
    except Exception as problem:
        file = error_file(folder, key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{type(problem).__name__}: {problem}\n", encoding="utf-8")
        raise SystemExit(1) from problem


def error_file(folder: Path, key: Key) -> Path:
    """Where a run says what went wrong."""
    return folder / "errors" / f"{key.name}.txt"


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _problem(folder: Path, key: Key, exitcode: int) -> str | None:
    if exitcode == 0:
        return None
    file = error_file(folder, key)
    if file.is_file():
        return file.read_text(encoding="utf-8").strip()
    return f"its process died {ATTEMPTS} times (exit code {exitcode}); is there enough memory?"
