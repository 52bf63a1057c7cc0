"""All runs of a study that are missing: the data first, then the runs, wherever they are made."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from statistics import mean

from course_utils.paths import cache_dir
from course_utils.study import cluster, data, execute, processes, runs
from course_utils.study.design import Design, DesignError
from course_utils.study.processes import Outcome
from course_utils.study.runs import Key


def default_folder(design: Design) -> Path:
    """Where a study is kept unless another folder is asked for."""
    return cache_dir() / "study" / design.name


def default_processes() -> int:
    """As many as there are cores; one where there is a GPU, which they would share."""
    import torch

    return 1 if torch.cuda.is_available() else os.cpu_count() or 1


def chosen(design: Design, only: str = "*") -> list[Key]:
    """The runs whose names match a pattern, such as "six-layers--movies--*", in the order of the design.

    Raises DesignError when none does.
    """
    keys = [key for key in design.keys if fnmatch(key.name, only)]
    if not keys:
        raise DesignError(f"no run matches {only!r}; their names are like {design.keys[0].name}")
    return keys


def run(
    design: Design,
    folder: Path,
    *,
    processes_: int = 1,
    scheduler: str | None = None,
    only: str = "*",
) -> Iterator[Outcome]:
    """Make the runs that are missing, on this machine or (with the address of a scheduler) on a dask cluster;
    yields each as it is over. Stop it at any time: the same call goes on.

    Raises RunError, DataError and SourceUnavailable for what keeps the study from running at all.
    """
    keys = chosen(design, only)
    data.prepare(design, folder)
    lacking = execute.missing(design, folder, keys)
    if scheduler is not None:
        yield from cluster.run(design, folder, lacking, scheduler)
    else:
        yield from processes.run(design, folder, lacking, processes_)


@dataclass(frozen=True)
class Progress:
    """How far the runs of a system are. seconds: mean CPU seconds of one of them, None before the first."""

    system: str
    train: str
    done: int
    wanted: int
    seconds: float | None
    problem: str | None  # of the last run that failed and is not made yet

    @property
    def remaining(self) -> float | None:
        """CPU seconds to go; None where nothing is known."""
        return None if self.seconds is None else self.seconds * (self.wanted - self.done)


def progress(design: Design, folder: Path) -> list[Progress]:
    """A line for each system and train domain, in the order of the design.

    A system that has no run on a domain yet is taken to cost what it costs on the others. Raises RunError for
    runs of another design.
    """
    keys = list(design.keys)
    lacking = set(execute.missing(design, folder, keys))
    spent: dict[tuple[str, str], list[float]] = {}
    for key in keys:
        if key not in lacking:
            about = runs.read_about(folder, key)
            spent.setdefault((key.system, key.train), []).append(about["cpu_seconds"])
    return [
        _line(design, folder, system, train, spent, lacking)
        for train in design.seeds
        for system in design.systems
    ]


def _line(
    design: Design,
    folder: Path,
    system: str,
    train: str,
    spent: dict[tuple[str, str], list[float]],
    lacking: set[Key],
) -> Progress:
    done = spent.get((system, train), [])
    elsewhere = [seconds for (name, _), found in spent.items() if name == system for seconds in found]
    wanted = sum((key.system, key.train) == (system, train) for key in design.keys)
    files = [processes.error_file(folder, key) for key in lacking if key[:2] == (system, train)]
    problems = [file.read_text(encoding="utf-8").strip() for file in files if file.is_file()]
    seconds = mean(done or elsewhere) if done or elsewhere else None
    return Progress(system, train, len(done), wanted, seconds, problems[-1] if problems else None)
