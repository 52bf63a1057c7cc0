"""Grade on the cores of this machine: one process for each, with one submission at a time.

A worker that dies, or is killed, takes only its one run with it, and that run is started again in
another. Workers know neither the gradebook nor each other; when this process dies, they end. Each has one
core, with all that it starts: a submission of many busy processes takes no time from another worker's.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import wait

from course_utils.grading.children import Child, connection
from course_utils.grading.exercise import Exercise, ExerciseError
from course_utils.grading.grade import Job, MakeGrader, Outcome, Session, Setting, sandboxed_grader
from course_utils.grading.sandbox.outcomes import SandboxMissing

TRIES = 3  # a run that has ended so many workers is given up until the next `course grade`
PATIENCE_SECONDS = 20
JOB_SECONDS = 900  # the sandbox's own limit is far below; this one is for a worker that hangs


class GradingError(RuntimeError):
    """Grading cannot go on; the message says why. What was graded is in the gradebook."""


@dataclass(frozen=True)
class Task:
    """What a worker needs to begin: the exercise with its solution, and how to run submissions."""

    exercise: Exercise
    setting: Setting = field(default_factory=Setting)
    make_grader: MakeGrader = sandboxed_grader


@dataclass
class _Worker:
    """One process on one core, and the job that it is at."""

    child: Child
    core: int
    job: Job | None = None
    since: float = 0.0


def cores() -> list[int]:
    """The cores that this process may use. Where a system pins no process to any, as macOS, all of them."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def grade_here(task: Task, jobs: Iterable[Job], workers: int) -> Iterator[Outcome]:
    """Grade jobs on so many processes, at most one a core; outcomes come as they are ready, in any order.

    Two on one core would let a busy submission take the time of another student's.
    A job that ends its worker TRIES times gives no outcome. Raises GradingError if there is no sandbox, the
    exercise's own solution fails, or workers keep dying on every job.
    """
    pool = _Pool(task, jobs)
    try:
        pool.start(min(workers, len(cores())))
        yield from pool.outcomes()
    finally:
        pool.stop()


class _Pool:
    def __init__(self, task: Task, jobs: Iterable[Job]) -> None:
        self._task, self._new = task, iter(jobs)
        self._again: deque[Job] = deque()
        self._tries: Counter[int] = Counter()
        self._given_up = 0
        self._workers: list[_Worker] = []

    def start(self, count: int) -> None:
        """Start workers side by side, no more than there are jobs, and give each one."""
        self._again.extend(islice(self._new, count))
        children = [Child("course_utils.grading.workers") for _ in self._again]
        self._workers = [_Worker(*pair) for pair in zip(children, cores(), strict=False)]
        for worker in self._workers:
            self._begin(worker)

    def outcomes(self) -> Iterator[Outcome]:
        """Whatever the workers find, until no job is left."""
        while busy := {worker.child.connection: worker for worker in self._workers if worker.job}:
            for ready in wait(list(busy), timeout=10):
                worker = busy[ready]  # type: ignore[index]
                outcome = self._answer(worker)
                if outcome:
                    yield outcome
            for worker in self._workers:
                if worker.job and time.monotonic() - worker.since > JOB_SECONDS:
                    worker.child.process.kill()  # its connection ends, and the next turn sees it

    def stop(self) -> None:
        """End all workers; one that is idle ends its sandbox itself."""
        for worker in self._workers:
            worker.child.stop(0 if worker.job else PATIENCE_SECONDS)

    def _begin(self, worker: _Worker) -> None:
        worker.child.wait_ready()
        with suppress(OSError):
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(worker.child.process.pid, {worker.core})
            worker.child.connection.send(self._task)
        self._give(worker)

    def _give(self, worker: _Worker) -> None:
        """Hand out the next job, if there is one."""
        worker.job = self._again.popleft() if self._again else next(self._new, None)
        worker.since = time.monotonic()
        if worker.job:
            with suppress(OSError):  # it died a moment ago: the next wait says so
                worker.child.connection.send(worker.job)

    def _answer(self, worker: _Worker) -> Outcome | None:
        """A worker's reply, or None if it died; it goes on, or another takes its place."""
        try:
            reply: Outcome | str = worker.child.connection.recv()
        except (EOFError, OSError):
            self._replace(worker)
            return None
        if isinstance(reply, str):
            raise GradingError(reply)
        self._given_up = 0
        self._give(worker)
        return reply

    def _replace(self, worker: _Worker) -> None:
        """Start another worker, and try the job of the dead one again, unless it was tried often."""
        job = worker.job
        assert job is not None
        self._tries[job.attempt] += 1
        if self._tries[job.attempt] < TRIES:
            self._again.append(job)
        else:
            self._given_up += 1
        if self._given_up == TRIES:
            raise GradingError("The grader's processes keep dying; what they said is above.")
        worker.child.stop()
        worker.child, worker.job = Child("course_utils.grading.workers"), None
        self._begin(worker)


def main() -> None:
    """A worker: a task, then jobs, until the other end is gone. Replies with outcomes, or with words."""
    pipe = connection()
    task: Task = pipe.recv()
    try:
        with Session(task.exercise, task.setting, task.make_grader) as session:
            while True:
                pipe.send(_done(session, pipe.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # nobody waits for an answer any more


def _done(session: Session, job: Job) -> Outcome | str:
    """The outcome, or why no job of this exercise can be graded."""
    try:
        return session.grade(job)
    except (ExerciseError, SandboxMissing) as error:
        return str(error)


if __name__ == "__main__":
    main()
