"""What a sandboxed run is limited to, and what it reports: plain values, one JSON object each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# Every reason that a cell or a whole run may name. "" is a pass, or a run that went to its end.
REASONS = {
    "": "passed",
    "wrong value": "it showed another value, or none",
    "raised": "it raised an exception",
    "time": "it ran out of time: the cell's, the whole run's, or that of the processor",
    "memory": "it needed more memory than there is",
    "disk": "it wrote larger or more files than are allowed",
    "output": "it wrote more output than is read",
    "processes": "it started more processes or threads than are allowed",
    "kernel died": "its process ended before the cell did",
    "forged result": "it wrote to the grader in the kernel's place",
    "display hijacked": "what a cell shows was tampered with",
    "not run": "an earlier cell ended the run",
}


class SandboxMissing(RuntimeError):  # noqa: N818 - it says what is wrong, like FileNotFound
    """There is no sandbox on this machine; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    memory_mib: memory beyond what the imported packages take. cpu_seconds: of any one process.
    cell_seconds, total_seconds: by the clock, for a cell and for the whole notebook, each time that it runs.
    processes: processes and threads alive at once. open_files: of each process. file_mib: the largest
    file. disk_mib: all files together; they are gone after the run. output_kib: all that a cell shows.
    """

    memory_mib: int = 1024
    cpu_seconds: int = 60
    cell_seconds: float = 30
    total_seconds: float = 120
    processes: int = 64
    open_files: int = 256
    file_mib: int = 32
    disk_mib: int = 64
    output_kib: int = 256


@dataclass(frozen=True)
class CellOutcome:
    """What became of one official code cell.

    reason: a key of REASONS. message: at most 2,000 characters of plain text that its student may see.
    For a hidden check it is the check's own message, never anything that the cell showed.
    """

    passed: bool
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Run:
    """What became of one notebook.

    cells: cell id -> outcome, of every code cell of the notebook that was given, in order.
    ended: "" if every cell ran, else the reason (a key of REASONS) why the run stopped early.
    canary: whether a hijacked display hook was caught; then no check has passed.
    cpu_seconds: of the submission's processes. wall_seconds: of both runs together (see `Grader.run`).
    """

    cells: Mapping[str, CellOutcome] = field(default_factory=dict)
    ended: str = ""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    canary: bool = False
