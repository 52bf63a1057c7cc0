"""The same runs over the workers of a dask.distributed cluster that the reader has.

Workers need this package, the study's folder under the same path, and one thread each, since a run's random
numbers belong to its process. A worker that dies costs its run's work since the last checkpoint: dask gives
the run to another worker.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from course_utils.study.design import Design
from course_utils.study.execute import make
from course_utils.study.processes import Outcome
from course_utils.study.runs import Key, RunError

if TYPE_CHECKING:
    from dask.distributed import Client

PATIENCE = 60  # seconds to wait for a scheduler, and for its first worker


def run(design: Design, folder: Path, keys: Sequence[Key], address: str) -> Iterator[Outcome]:
    """Make the runs on the cluster whose scheduler is at `address`; yields each as it is over.

    Raises RunError when there is no such scheduler, when it has no worker, and for workers with several
    threads.
    """
    try:
        from dask.distributed import Client, as_completed
    except ImportError as problem:
        raise RunError("--scheduler needs dask.distributed: pip install distributed") from problem
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, TimeoutError, ValueError) as problem:
        raise RunError(
            f"no dask scheduler answers at {address} ({problem}); start one: dask scheduler"
        ) from problem
    with client:
        _check_workers(client, address)
        place = folder.absolute()
        futures = {client.submit(_make, design, place, key.name, pure=False): key for key in keys}
        for future in as_completed(futures):
            raised = future.exception()
            yield Outcome(futures[future], None if raised is None else _words(raised))


def _make(design: Design, folder: Path, name: str) -> None:
    """What a worker does; the run comes by name, since dask has its own thoughts about tuples."""
    make(design, folder, next(key for key in design.keys if key.name == name))


def _check_workers(client: "Client", address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as problem:
        raise RunError(
            f"the scheduler at {address} has no workers; start some: dask worker {address} --nthreads 1"
        ) from problem
    wide = [worker for worker, threads in client.nthreads().items() if threads > 1]
    if wide:
        raise RunError(
            f"{len(wide)} workers have several threads, such as {wide[0]}; start them with: "
            f"dask worker {address} --nthreads 1 --nworkers 2"
        )


def _words(problem: BaseException) -> str:
    return f"{type(problem).__name__}: {problem}"
