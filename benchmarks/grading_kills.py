"""Does grading survive `kill -9`? Submissions graded undisturbed, then again under random kills.

    python -m benchmarks.grading_kills [--submissions 2000] [--kills 20] [--kernel stand-in | forked]

Two disturbed runs over the same submissions, each resumed by the same call until nothing is left: one on this
machine's cores, which loses workers and the coordinator, and one on a dask cluster, which loses workers, the
coordinator and the scheduler. Each run kills each of these at least once, first, in random order; the further
victims are drawn at random. Every score must equal the undisturbed run's, no attempt may be lost or graded
twice. The stand-in runs cells in the worker itself: it is fast, and contains nothing, but these answers are
our own. Writes results/benchmark_grading_kills.json; --no-file does not.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from benchmarks.grading_stand_in import StandIn
from course_utils import results
from course_utils.grading import exercise as exercises
from course_utils.grading import release
from course_utils.grading.batch import grade_pending
from course_utils.grading.cluster import grade_on
from course_utils.grading.exercise import Exercise, course, source
from course_utils.grading.grade import Setting, sandboxed_grader
from course_utils.grading.gradebook import Gradebook
from course_utils.grading.records import Submission
from course_utils.grading.workers import GradingError, Task, grade_here

EXERCISE = "01"
VICTIMS = {"cores": ("worker", "coordinator"), "cluster": ("worker", "coordinator", "scheduler")}
WORKERS = 2
SEED = 0  # of the moments and of the victims
TRIES = 5  # of a disturbed run that was over before somebody could be killed


@dataclass(frozen=True)
class Disturbance:
    """What a disturbed run met: who was killed, in order, and how many calls it took."""

    kills: tuple[str, ...]
    calls: int


def victims(setting: str, kills: int, rng: random.Random) -> list[str]:
    """Whom to kill, in order: each kind of process once, in random order, then at random.

    setting: "cores" or "cluster". Raises ValueError for fewer kills than there are kinds.

    >>> sorted(victims("cores", 2, random.Random(0)))
    ['coordinator', 'worker']
    """
    kinds = VICTIMS[setting]
    if kills < len(kinds):
        raise ValueError(f"{kills} kills cannot hit each of {', '.join(kinds)}: at least {len(kinds)}.")
    return [*rng.sample(kinds, k=len(kinds)), *rng.choices(kinds, k=kills - len(kinds))]


def submissions(count: int) -> list[Submission]:
    """Made-up submissions: each student solved other tasks, and every 50th file is no notebook."""
    exercise = exercises.load(EXERCISE)
    cells = {course(cell)["task"]: source(cell) for cell in exercise.cells("answer")}
    found = []
    for number in range(count):
        student = f"student-{number:05}"
        if number % 50 == 49:
            found.append(Submission(student, f"broken {number}", "x.ipynb", reason="It is no notebook."))
            continue
        solved = {task: bool(number >> place & 1) for place, task in enumerate(cells)}
        answers = {
            task: release.solution(text) if solved[task] else release.stub(text, task)
            for task, text in cells.items()
        }
        found.append(Submission(student, f"made up {number}", "x.ipynb", answers=answers))
    return found


def scores(book: Path) -> dict[str, tuple[int, ...]]:
    """Student -> what each check earned. Raises AssertionError if an attempt has no grade, or several."""
    with Gradebook(book) as open_book:
        attempts = open_book.attempts(exercises.load(EXERCISE).name)
        counts = open_book.count_grades()
    assert counts == len(attempts), f"{len(attempts)} attempts have {counts} grades"
    assert all(attempt.grade for attempt in attempts), "an attempt has no grade"
    return {a.student: tuple(check.earned for check in a.grade.checks) for a in attempts if a.grade}


def coordinate(book: Path, kernel: str, scheduler: str) -> None:
    """One `course grade`, as it would be called again after each kill."""
    exercise: Exercise = exercises.load(EXERCISE)
    task = Task(exercise, Setting(), StandIn if kernel == "stand-in" else sandboxed_grader)
    run = partial(grade_on, scheduler, task) if scheduler else partial(grade_here, task, workers=WORKERS)
    with Gradebook(book) as open_book, open_book.alone():
        left = grade_pending(open_book, exercise, task.setting, run).left
    if left:
        raise GradingError(f"{left} submissions are left: the same call tries them again.")


def disturbed(
    book: Path, setting: str, plan: Sequence[tuple[int, str]], kernel: str, rng: random.Random
) -> Disturbance:
    """Grade a gradebook, calling again whenever a call ended early.

    plan: (moment, victim) in order; a moment has come when so many grades are in the gradebook. Where grading
    is over before a moment is noticed, its victim lives.
    """
    killed, calls = list[str](), 0
    with _cluster(book.parent) if setting == "cluster" else contextlib.nullcontext() as cluster:
        while True:
            calls += 1
            call = _call(book, kernel, cluster.address() if cluster else "")
            while call.poll() is None:
                moment, victim = plan[len(killed)] if len(killed) < len(plan) else (sys.maxsize, "")
                if _graded(book) >= moment and _kill(victim, call, cluster, rng):
                    killed.append(victim)
                time.sleep(0.02)
            if call.returncode == 0:
                break
    return Disturbance(tuple(killed), calls)


def _graded(book: Path) -> int:
    with Gradebook(book) as open_book:
        return open_book.count_grades()


def _call(book: Path, kernel: str, scheduler: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.grading_kills", "--coordinate", str(book)]
    command += ["--kernel", kernel, "--scheduler", scheduler]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def _kill(victim: str, call: subprocess.Popen[bytes], cluster: Any, rng: random.Random) -> bool:
    """Kill -9 one process of that kind. Returns whether one was there."""
    if victim == "coordinator":
        call.kill()
        call.wait()
        return True
    if cluster:
        return bool(cluster.kill_scheduler() if victim == "scheduler" else cluster.kill_worker(rng))
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(call.pid).children()
        workers = [child for child in children if "course_utils.grading.workers" in child.cmdline()]
        if workers:
            os.kill(rng.choice(workers).pid, signal.SIGKILL)
            return True
    return False


class _Cluster:
    """A dask scheduler and workers on this machine, each its own process, that can be killed."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scheduler.json"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def address(self) -> str:
        """Where the scheduler listens; whatever was killed is started anew."""
        if self._dead("scheduler"):
            self._file.unlink(missing_ok=True)
            options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
            self._start("scheduler", *options, "--scheduler-file", str(self._file))
            self._wait_for_file()
        for number in range(WORKERS):
            if self._dead(f"worker {number}"):
                options = ["--nthreads", "1", "--no-dashboard", "--no-nanny", "--death-timeout", "30"]
                options += ["--local-directory", str(self._file.parent)]
                self._start(f"worker {number}", *options, "--scheduler-file", str(self._file))
        return str(json.loads(self._file.read_text())["address"])

    def kill_scheduler(self) -> bool:
        """Kill it, and its workers, which would wait for it in vain."""
        self.stop()
        return True

    def kill_worker(self, rng: random.Random) -> bool:
        """Kill one worker, and start another in its place."""
        name = f"worker {rng.randrange(WORKERS)}"
        self._processes[name].kill()
        self._processes[name].wait()
        self.address()
        return True

    def stop(self) -> None:
        """Kill everything."""
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _dead(self, name: str) -> bool:
        return name not in self._processes or self._processes[name].poll() is not None

    def _start(self, name: str, *options: str) -> None:
        command = [sys.executable, "-m", "distributed.cli.dask_" + name.split()[0], *options]
        self._processes[name] = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def _wait_for_file(self) -> None:
        while not (self._file.is_file() and self._file.read_text().endswith("}")):
            time.sleep(0.1)


@contextlib.contextmanager
def _cluster(folder: Path) -> Iterator[_Cluster]:
    made = _Cluster(folder)
    try:
        yield made
    finally:
        made.stop()


def compare(
    count: int,
    kills: int,
    kernel: str,
    settings: Sequence[str] = tuple(VICTIMS),
    tell: Callable[[str], object] = print,
) -> list[dict[str, Any]]:
    """The undisturbed run, and a disturbed one for each setting; returns a row for each of these.

    Raises AssertionError if any score differs, RuntimeError if a kind of victim was never killed.
    """
    rng, rows = random.Random(SEED), []
    with tempfile.TemporaryDirectory() as folder:
        empty, calm = Path(folder) / "empty.sqlite", Path(folder) / "calm.sqlite"
        with Gradebook(empty, create=True) as book:
            book.add(exercises.load(EXERCISE).name, submissions(count))
        shutil.copy(empty, calm)  # the same salt, so the same inputs for each student
        started = time.perf_counter()
        coordinate(calm, kernel, "")
        expected = scores(calm)
        tell(f"undisturbed: {len(expected)} graded in {time.perf_counter() - started:.0f} s")
        for setting in settings:
            for number in range(TRIES):
                book_path = Path(folder) / f"{setting}-{number}.sqlite"
                shutil.copy(empty, book_path)
                # Not in the last quarter: who is to be killed there may have finished before it is noticed.
                moments = sorted(rng.sample(range(3 * count // 4), kills))
                plan = list(zip(moments, victims(setting, kills, rng), strict=True))
                met = disturbed(book_path, setting, plan, kernel, rng)
                assert scores(book_path) == expected, f"scores differ after kills on the {setting}"
                if not (spared := set(VICTIMS[setting]) - set(met.kills)):
                    break
            else:
                raise RuntimeError(f"Never killed: {', '.join(sorted(spared))}. Grade more submissions.")
            died = {f"{kind}s_killed": met.kills.count(kind) for kind in VICTIMS["cluster"]}
            rows.append({"setting": setting, "submissions": count, **died, "calls": met.calls})
            told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in died.items())
            tell(f"{setting}: {told}, {met.calls} calls; every score equal, none lost, none double")
    return rows


def main() -> None:
    """Run it, or (--coordinate) be one of the calls that are killed."""
    parser = argparse.ArgumentParser(description="Grading under kill -9.")
    parser.add_argument("--submissions", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--kernel", choices=["stand-in", "forked"], default="stand-in")
    parser.add_argument("--no-file", action="store_true", help="write no results file")
    parser.add_argument("--coordinate", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--scheduler", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.coordinate:
        try:
            coordinate(chosen.coordinate, chosen.kernel, chosen.scheduler)
        except GradingError as error:
            sys.exit(str(error))
        return
    started = time.perf_counter()
    rows = compare(chosen.submissions, chosen.kills, chosen.kernel)
    if not chosen.no_file:
        results.write(
            "benchmark_grading_kills",
            command=f"python -m benchmarks.grading_kills --submissions {chosen.submissions} "
            f"--kills {chosen.kills} --kernel {chosen.kernel}",
            rows=rows,
            seeds=[SEED],
            seconds=time.perf_counter() - started,
            tolerance={"relative": 0, "absolute": 0, "ignore": ["calls"]},
        )


if __name__ == "__main__":
    main()
