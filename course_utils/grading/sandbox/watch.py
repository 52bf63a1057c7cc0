"""What a submission's processes use together, read from /proc: where no control group limits it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from course_utils.grading.sandbox.outcomes import Limits

_KIB_FIELDS = ("RssAnon:", "RssShmem:")


@dataclass(frozen=True)
class Usage:
    """memory_kib: resident memory that is no file's. tasks: processes and threads."""

    memory_kib: int
    tasks: int


def usage(process: int) -> Usage:
    """What one process uses now; zeros if it has ended."""
    memory = tasks = 0
    try:
        with open(f"/proc/{process}/status", encoding="ascii", errors="replace") as file:
            for line in file:
                name, _, value = line.partition("\t")
                if name in _KIB_FIELDS:
                    memory += int(value.split()[0])
                elif name == "Threads:":
                    tasks = int(value)
    except (FileNotFoundError, ProcessLookupError):
        return Usage(0, 0)
    return Usage(memory, tasks)


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
    """The children of a process that is not of many threads: those of its first thread suffice."""
    try:
        with open(f"/proc/{process}/task/{process}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


class Watch:
    """Looks at a kernel now and then.

    What the kernel had at the start, and each copy of it has too, is not counted: it is shared.
    """

    def __init__(self, process: int, limits: Limits) -> None:
        self.process, self.limits = process, limits
        self.shared_kib = usage(process).memory_kib

    def __call__(self) -> str:
        """The reason to end the kernel now, or ""."""
        found = [usage(process) for process in tree(self.process)]
        if sum(one.tasks for one in found) >= self.limits.processes:
            return "processes"
        own_kib = sum(max(0, one.memory_kib - self.shared_kib) for one in found)
        return "memory" if own_kib > self.limits.memory_mib * 1024 else ""
