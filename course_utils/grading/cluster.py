"""Grade on a dask.distributed cluster. Its machines need this course, its packages and a sandbox.

Give each dask worker one thread (`dask worker tcp://... --nthreads 1`): a worker grades one submission at a
time, whatever it has. Who can reach the scheduler can run code on the cluster; keep it in a closed network.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from uuid import uuid4

from course_utils.grading.grade import Job, Outcome, Session, Setting
from course_utils.grading.hidden import version
from course_utils.grading.workers import GradingError, Task

BATCH = 8  # submissions; a batch takes about a second
AHEAD = 200  # batches known to the scheduler at once
START_SECONDS = 30
PATIENCE_SECONDS = 5  # how long a lost scheduler goes unnoticed

_lock = threading.Lock()
_sessions: dict[tuple[str, Setting, Any], Session] = {}


def grade_on(address: str, task: Task, jobs: Iterable[Job]) -> Iterator[Outcome]:
    """Grade jobs on the cluster of a scheduler; outcomes come as they are ready, in any order.

    A batch whose workers died again and again gives no outcomes; the next `course grade` tries it again.
    Raises GradingError if the scheduler cannot be reached, or is gone, or the exercise itself fails.
    """
    from distributed import Client

    try:
        client = Client(address, timeout=START_SECONDS)
    except (OSError, ValueError) as error:
        raise GradingError(f"No scheduler answers at {address}: {error}.") from error
    try:
        yield from _outcomes(client, address, task, jobs)
    finally:
        client.close(timeout=5)


def _outcomes(client: Any, address: str, task: Task, jobs: Iterable[Job]) -> Iterator[Outcome]:
    """Keep some batches ahead of the workers, and hand on what comes back."""
    from distributed import wait

    remaining = iter(jobs)
    batches = iter(lambda: list(islice(remaining, BATCH)), [])
    waiting = {_submit(client, task, batch) for batch in islice(batches, AHEAD)}
    while waiting:
        try:
            ready = wait(waiting, timeout=PATIENCE_SECONDS, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            ready = set()
        if client.status != "running":
            raise GradingError(f"The scheduler {address} is gone: start one, and run the same command again.")
        for future in ready:
            yield from _results(future, address)
        waiting -= ready
        waiting |= {_submit(client, task, batch) for batch in islice(batches, len(ready))}


def _submit(client: Any, task: Task, batch: Sequence[Job]) -> Any:
    return client.submit(grade_batch, task, batch, pure=False, key=f"grade-{uuid4()}")


def _results(future: Any, address: str) -> list[Outcome]:
    """What a batch gave; nothing if it killed several workers."""
    from distributed import KilledWorker

    if future.status == "cancelled" or future.status == "lost":
        raise GradingError(f"The scheduler {address} lost its work: run the same command again.")
    error = future.exception()
    if isinstance(error, KilledWorker):
        return []
    if error is not None:
        raise GradingError(f"A worker of {address} failed: {error}") from error
    return list(future.result())


def grade_batch(task: Task, jobs: Sequence[Job]) -> list[Outcome]:
    """On the cluster: grade some jobs in this worker's own sandbox, which stays open for the next batch."""
    key = (version(task.exercise), task.setting, task.make_grader)
    with _lock:
        if key not in _sessions:
            for old in _sessions.values():
                old.__exit__(None, None, None)
            _sessions.clear()
            _sessions[key] = Session(task.exercise, task.setting, task.make_grader)
        return [_sessions[key].grade(job) for job in jobs]
