"""One run of a study, from the prepared rows to its two files; killed at any time, it goes on.

A lock keeps two processes from making the same run. Checkpoints lie in `checkpoints/` of the study's folder
until the run is written.
"""

import platform
import shutil
import time
from pathlib import Path

import numpy as np
import torch
from filelock import FileLock
from threadpoolctl import threadpool_limits

from course_utils.study import data, runs, systems
from course_utils.study.design import Design
from course_utils.study.runs import About, Key, Part, Run, Study


def make(design: Design, folder: Path, key: Key) -> Key:
    """Make one run unless it is there, with one thread. The data must have been prepared.

    Raises RunError for data of another design, and what the run's own parts raise.
    """
    torch.set_num_threads(1)  # what a second one would change is the last digit
    place = folder / "checkpoints" / key.name
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")), threadpool_limits(1):
        if not runs.exists(folder, key):
            runs.write(folder, _made(design, folder, key, place))
        shutil.rmtree(place, ignore_errors=True)
    return key


def _made(design: Design, folder: Path, key: Key, place: Path) -> Run:
    began = time.process_time(), time.perf_counter()
    hashes = data.check(design, folder)
    resumed = any(place.iterdir())
    tables = {domain: data.read(folder, domain) for domain in design.domains}
    parts = data.held_out(tables)
    task = systems.Task(
        design.systems[key.system],
        design.training_of(key.system),
        tables[key.train].training_sample(design.rows.train, key.seed),
        [text for _, _, part in parts for text in part.texts],
        key.seed,
        place,
    )
    found = systems.score(task)
    ends = np.cumsum([len(part.texts) for _, _, part in parts])[:-1]
    pieces = np.split(found.scores, ends)
    scores = {(domain, part): piece for (domain, part, _), piece in zip(parts, pieces, strict=True)}
    about = {
        **_identity(design, key),
        "kind": found.kind,
        "training": {"rows": len(task.labels), "positive": sum(task.labels), **found.about},
        "data": hashes,
        "cpu_seconds": round(time.process_time() - began[0], 1),
        "wall_seconds": round(time.perf_counter() - began[1], 1),
        "resumed": resumed,  # the seconds are then those since the last checkpoint
        **_surroundings(design, key),
    }
    rows: dict[Part, runs.Rows] = {(domain, part): one.rows for domain, part, one in parts}
    return Run(about, rows, scores)


def _identity(design: Design, key: Key) -> About:
    return {
        "design": design.name,
        "fingerprint": design.fingerprint(key),
        "registration": design.registration(),
        **key._asdict(),
    }


def _surroundings(design: Design, key: Key) -> About:
    """Precision, device and versions: what the last digits depend on."""
    fine_tuned = design.systems[key.system].method == "fine-tune"
    return {
        "precision": design.training_of(key.system).precision if fine_tuned else "no",
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "versions": {"python": platform.python_version(), **systems.versions()},
    }


def missing(design: Design, folder: Path, keys: list[Key]) -> list[Key]:
    """Those of the runs that are not there; RunError for one that another design made."""
    for key in keys:
        if runs.exists(folder, key):
            runs.read_about(folder, key, design.fingerprint(key))
    return [key for key in keys if not runs.exists(folder, key)]


def load_study(design: Design, folder: Path, *, incomplete: bool = False) -> Study:
    """All runs of a design. Raises RunError while some are missing, unless `incomplete`, and for runs that
    are damaged, of another design, or tested on other rows."""
    keys = list(design.keys)
    lacking = missing(design, folder, keys)
    if lacking and not incomplete:
        raise runs.RunError(
            f"{len(lacking)} of {len(keys)} runs are missing, such as {lacking[0].name}; make them with: "
            f"course study run {design.name}"
        )
    there = [key for key in keys if key not in set(lacking)]
    return runs.gather(design.name, (runs.read(folder, key, design.fingerprint(key)) for key in there))
