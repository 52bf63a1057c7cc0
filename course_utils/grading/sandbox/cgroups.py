"""Control groups for one submission: memory and processes of all its processes together.

Version 1 and version 2 both occur, and often neither can be written by whoever grades. Then there is no
group, and the limits of each process and the grader's own watch (`watch.py`) remain.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from course_utils.grading.sandbox.outcomes import Limits

ROOT = Path("/sys/fs/cgroup")
SELF = Path("/proc/self/cgroup")
_SECONDS_TO_EMPTY = 2.0


@dataclass(frozen=True)
class Control:
    """One controller of a group. folder: the group's. limit: file -> value. events: file and key to read."""

    folder: Path
    limit: dict[str, str]
    events: tuple[str, str]


class Group:
    """The groups of one submission; [] of controls where there are none. Remove it when all has ended."""

    def __init__(self, controls: list[Control]) -> None:
        self.controls = controls

    def add(self, process: int) -> None:
        """Put a process in; what it starts is in too. One that has ended meanwhile needs no group.

        Raises ValueError for 0: that would be the writer.
        """
        if process < 1:
            raise ValueError(f"a process has a number of at least 1, got {process}")
        for control in self.controls:
            with suppress(ProcessLookupError):
                (control.folder / "cgroup.procs").write_text(str(process))

    def exceeded(self) -> str:
        """ "memory" or "processes" where the kernel stopped something for it, else ""."""
        for control in self.controls:
            file, key = control.events
            for line in (control.folder / file).read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == key and int(count) > 0:
                    return "memory" if key == "oom_kill" else "processes"
        return ""

    def remove(self) -> None:
        """Remove the groups. Raises OSError if something in them is still alive after two seconds."""
        for folder in {control.folder for control in self.controls}:
            deadline = time.monotonic() + _SECONDS_TO_EMPTY
            while folder.exists():
                try:
                    folder.rmdir()
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.005)


def create(name: str, limits: Limits) -> Group:
    """A group of this name with these limits, of the controllers that can be used here.

    name: unique on this machine; it begins with `leftovers.prefix`.
    """
    made: list[Control] = []
    for controls in _candidates(name, limits):
        if _usable(controls):
            made += controls
            if len({control.events[1] for control in made}) == 2:
                break
    return Group(made)


def _candidates(name: str, limits: Limits) -> Iterator[list[Control]]:
    """Groups to try, each a folder of its own: version 2 beside or below our own, then version 1."""
    make = {"": _version_2, "memory": _memory_1, "pids": _pids_1}
    for controller, place in _places():
        yield make[controller](place / name, limits)


def places() -> list[Path]:
    """The folders in which `create` tries to make a group."""
    return [place for _, place in _places()]


def _places() -> Iterator[tuple[str, Path]]:
    """(controller, folder in which a group may be made); "" names version 2."""
    own = dict(_memberships())
    if "" in own and (ROOT / "cgroup.controllers").exists():
        here = ROOT / own[""].lstrip("/")
        yield from (("", above) for above in dict.fromkeys((here.parent if here != ROOT else ROOT, here)))
        return
    for controller in ("memory", "pids"):
        if controller in own:
            yield controller, ROOT / controller / own[controller].lstrip("/")


def _memberships() -> Iterator[tuple[str, str]]:
    """(controller, path) of the groups that this process is in; "" names version 2."""
    for line in SELF.read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        yield from ((controller, path) for controller in controllers.split(","))


def _version_2(folder: Path, limits: Limits) -> list[Control]:
    memory = {"memory.max": str(limits.memory_mib << 20), "memory.swap.max": "0", "memory.oom.group": "1"}
    return [
        Control(folder, memory, ("memory.events", "oom_kill")),
        Control(folder, {"pids.max": str(limits.processes)}, ("pids.events", "max")),
    ]


def _memory_1(folder: Path, limits: Limits) -> list[Control]:
    size = str(limits.memory_mib << 20)
    return [Control(folder, {"memory.limit_in_bytes": size}, ("memory.oom_control", "oom_kill"))]


def _pids_1(folder: Path, limits: Limits) -> list[Control]:
    return [Control(folder, {"pids.max": str(limits.processes)}, ("pids.events", "max"))]


def _usable(controls: list[Control]) -> bool:
    """Make the group's folder and set its limits; leave nothing behind where that is refused."""
    folder = controls[0].folder
    try:
        folder.mkdir()
    except OSError:
        return False
    try:
        for control in controls:
            for file, value in control.limit.items():
                if os.path.exists(folder / file) or not file.endswith((".swap.max", ".oom.group")):
                    (folder / file).write_text(value)
            (folder / control.events[0]).read_text()
        return os.access(folder / "cgroup.procs", os.W_OK)
    except OSError:
        folder.rmdir()
        return False
