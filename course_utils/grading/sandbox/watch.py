"""What a submission's processes use together, read from /proc: where no control group limits it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from course_utils.grading.sandbox.outcomes import Limits

_RESIDENT = ("RssAnon:", "RssShmem:", "VmSwap:")
_PROPORTIONAL = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")


@dataclass(frozen=True)
class Usage:
    """memory_kib: memory that is no file's, swapped out or not. tasks: threads."""

    memory_kib: int
    tasks: int


def usage(process: int) -> Usage:
    """What one process uses now; zeros if it has ended."""
    found = _fields(process, "status", (*_RESIDENT, "Threads:"))
    tasks = found.pop("Threads:", 0)
    return Usage(sum(found.values()), tasks)


def proportional_kib(process: int) -> int:
    """Memory that is no file's; of what so many processes share, each has its part. Takes milliseconds."""
    try:
        return sum(_fields(process, "smaps_rollup", _PROPORTIONAL).values())
    except PermissionError:  # it has made itself unreadable
        return usage(process).memory_kib


def _fields(process: int, file: str, names: Sequence[str]) -> dict[str, int]:
    """Numbers in one of a process's files; nothing if it has ended."""
    try:
        with open(f"/proc/{process}/{file}", encoding="ascii", errors="replace") as lines:
            words = [line.split() for line in lines]
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {line[0]: int(line[1]) for line in words if line and line[0] in names}


def tree(process: int) -> Iterator[int]:
    """A process and all its descendants. Orphans are among them: it is the init of its pid namespace."""
    waiting = [process]
    while waiting:
        yield (current := waiting.pop())
        waiting += _children(current)


def cpu_seconds(process: int) -> float:
    """Processor time of a process and its descendants, alive or waited for, so far; 0 if it has ended."""
    ticks = 0
    for one in tree(process):
        try:
            with open(f"/proc/{one}/stat", encoding="utf-8", errors="replace") as file:
                ticks += sum(int(field) for field in file.read().rpartition(")")[2].split()[11:15])
        except (FileNotFoundError, ProcessLookupError):
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


def _children(process: int) -> list[int]:
    """The children that any of a process's threads started."""
    found: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in os.listdir(f"/proc/{process}/task"):
            with suppress(FileNotFoundError, ProcessLookupError):
                found += map(int, Path(f"/proc/{process}/task/{task}/children").read_text().split())
    return found


class Watch:
    """Looks at a kernel now and then.

    What the kernel had at the start is not counted: it is shared with the others of its parent.
    """

    def __init__(self, process: int, limits: Limits) -> None:
        self.process, self.limits = process, limits
        self.shared_kib = usage(process).memory_kib

    def __call__(self) -> str:
        """The reason to end the kernel now, or ""."""
        found = {process: usage(process) for process in tree(self.process)}
        if sum(one.tasks for one in found.values()) >= self.limits.processes:
            return "processes"
        most = self.shared_kib + self.limits.memory_mib * 1024
        if sum(one.memory_kib for one in found.values()) <= most:  # though what they share is in each sum
            return ""
        return "memory" if sum(map(proportional_kib, found)) > most else ""
