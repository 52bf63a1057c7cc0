"""Run an attack and look at everything that it must not have changed."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from attack_table import ATTACKS, HONEST, KINDS, POINTS, Attack, spliced

import course_utils
from course_utils.grading.exercise import course, source
from course_utils.grading.records import CheckResult, public_beside_hidden
from course_utils.grading.sandbox import Grader, Limits, Run
from course_utils.grading.sandbox.cgroups import ROOT

LIMITS = Limits(
    memory_mib=256,
    cpu_seconds=10,
    cell_seconds=30,
    total_seconds=60,
    processes=40,
    open_files=128,
    file_mib=4,
    disk_mib=8,
    output_kib=64,
)
# What the notebooks of all attacks share, compiled before the fork, as it is when a class is graded.
SHARED = [
    source(c) for c in spliced(HONEST.source)["cells"] if course(c)["kind"] in ("setup", "public-check")
]
OWN = f"course-{os.getpid()}-"  # how the names of control groups begin that this process makes
needs_bubblewrap = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap is not installed, so there is no sandbox to attack"
)
each_attack = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name.replace(" ", "-"))


@dataclass(frozen=True)
class Host:
    """What a submission could leave behind out here."""

    processes: frozenset[int]
    mounts: str
    groups: frozenset[str]
    files: frozenset[str]

    @classmethod
    def now(cls) -> Host:
        """As it is."""
        return cls(
            frozenset(process.pid for process in psutil.Process().children(recursive=True) if lives(process)),
            Path("/proc/self/mounts").read_text(),
            frozenset(name for _, names, _ in os.walk(ROOT) for name in names if name.startswith(OWN)),
            frozenset(os.listdir(tempfile.gettempdir())),
        )


def lives(process: psutil.Process) -> bool:
    """Whether it has not ended."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def assert_unchanged(before: Host) -> None:
    """The host is as it was, once a process that is on its way out has gone."""
    deadline = time.monotonic() + 5
    while Host.now() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert Host.now() == before


def filled(attack: Attack, places: dict[str, object]) -> str:
    """The attack's source with the places that it goes for."""
    text = attack.source
    for name, value in places.items():
        text = text.replace("{" + name + "!r}", repr(value)).replace("{" + name + "}", str(value))
    return text


def score(run: Run) -> int:
    """Points that count: those of the passed checks, the public one's beside the hidden one's alone."""
    earned = {name: points if run.cells[name].passed else 0 for name, points in POINTS.items()}
    checks = [CheckResult(name, "double", KINDS[name], POINTS[name], given) for name, given in earned.items()]
    return sum(check.earned for check in public_beside_hidden(checks))


def assert_as_foretold(attack: Attack, run: Run) -> None:
    """The right score and reason, and no more of the hidden check than its own message."""
    hidden = run.cells["double-random"]
    assert score(run) == attack.score, run
    assert (run.ended or run.cells["double-answer"].reason or hidden.reason) in attack.reasons, run
    assert hidden.passed or hidden.message == "Other words."
    for outcome in run.cells.values():
        outcome.message.encode("utf-8")
        assert len(outcome.message) <= 2000


def attempt(attack: Attack, grader: Grader, places: dict[str, object]) -> Run:
    """Run it, with the time that it is given."""
    grader.limits = replace(LIMITS, cell_seconds=attack.cell_seconds)
    return grader.run(spliced(filled(attack, places)))


def assert_honest_unharmed(grader: Grader) -> None:
    """The next student gets full marks."""
    grader.limits = LIMITS
    run = grader.run(spliced(HONEST.source))
    assert score(run) == 3, run


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[dict[str, object]]:
    """What attacks go for: a secret file and variable, two open sockets. Gives the places' names."""
    secret = folder / "secret"
    secret.write_text("secret")
    (folder / "tmp").mkdir()
    abstract = f"\0course-{os.getpid()}"
    with pytest.MonkeyPatch.context() as patch, socket.socket(socket.AF_UNIX) as local:
        patch.setattr(tempfile, "tempdir", str(folder / "tmp"))  # every temporary file in it is ours
        patch.setenv("COURSE_SECRET", "secret")
        local.bind(abstract)
        local.listen()
        with socket.create_server(("127.0.0.1", 0)) as server:
            project = str(Path(course_utils.__file__).parents[1])
            port = server.getsockname()[1]
            yield {"project": project, "secret": str(secret), "port": port, "abstract": abstract}
