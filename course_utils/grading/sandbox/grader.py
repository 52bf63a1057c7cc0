"""One sandbox that many submissions go through, one after the other."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Literal

from course_utils.grading.exercise import CHECK_KINDS, UNSEEN_KINDS, Cell, Notebook, course, source
from course_utils.grading.nbval_cells import compare
from course_utils.grading.sandbox import leftovers
from course_utils.grading.sandbox.canary import Canary
from course_utils.grading.sandbox.channel import Executed, clean
from course_utils.grading.sandbox.forked import ForkedKernel, ForkServer
from course_utils.grading.sandbox.judge import TAMPERED, outcomes
from course_utils.grading.sandbox.outcomes import Limits, Run
from course_utils.grading.sandbox.reference import ReferenceKernel

DEFAULTS = Limits()


class Grader:
    """A context manager that runs notebooks in a sandbox, each in a kernel of its own.

    kernel: "forked" forks a kernel for each notebook from one sandboxed process that has imported
    everything; "ipykernel" starts Jupyter's own kernel for each, ten times slower: the reference.
    preimport: modules to import once, cells: sources to compile once, of cells that many notebooks share
    ("forked" only, both; student code can read them). limits: what each notebook may use.
    sandbox: False runs without bubblewrap, for code that is trusted. files: name -> file or folder that
    the code finds under this name in its working folder, read-only.

    A Grader is used by one thread at a time. It holds nothing of a notebook once `run` returned.
    Raises SandboxMissing on entry if bubblewrap is missing or cannot work here.
    """

    def __init__(
        self,
        kernel: Literal["forked", "ipykernel"] = "forked",
        *,
        preimport: Sequence[str] = (),
        cells: Sequence[str] = (),
        limits: Limits = DEFAULTS,
        sandbox: bool = True,
        files: Mapping[str, Path] | None = None,
    ) -> None:
        self.kernel, self.limits = kernel, limits
        self.preimport, self.cells = tuple(preimport), tuple(cells)
        self.sandbox, self.files = sandbox, dict(files or {})
        self._server: ForkServer | None = None

    def __enter__(self) -> Grader:
        leftovers.reap()
        if self.kernel == "forked":
            self._server = ForkServer(self.preimport, self.cells, self.files, self.sandbox)
            self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()

    def run(self, notebook: Notebook) -> Run:
        """Run a spliced notebook and compare each check with its stored output.

        It runs twice, each time in a fresh kernel: first as its student has it, without the seed and the
        hidden checks; then with these, and without the public checks. What a student is told of cells comes
        from the first run, and from the second one no more than which checks passed: whatever the code
        finds there, it has nobody to tell.

        notebook: pristine cells with the student's answer cells in them. A check (`public-check`,
        `hidden-check`) must carry its expected outputs; the REFERENCE cell must stay empty, since whatever
        a cell holds, the student's code can read.
        Never raises for what the code does. Raises ValueError if the notebook itself is unfit: repeated
        ids, or a check without an expected output. Raises RuntimeError if the sandbox itself broke down
        (somebody killed it, say): the submission has no outcome then, so run it again.
        """
        code = official(notebook)
        started = time.monotonic()
        seen = self._pass([cell for cell in code if course(cell).get("kind") not in UNSEEN_KINDS])
        hidden = self._pass(_for_hidden(code, seen))
        executed = {**hidden.executed, **seen.executed}
        canary = seen.canary or hidden.canary
        ended = next((p.ended for p in (seen, hidden) if p.ended in TAMPERED), seen.ended or hidden.ended)
        seconds = time.monotonic() - started
        checks = [cell for cell in code if course(cell).get("kind") in CHECK_KINDS]
        shown = {name: done.outputs for name, done in executed.items() if not done.ended}
        found = outcomes(code, executed, compare(checks, shown), ended, canary)
        return Run(found, ended, seen.cpu_seconds + hidden.cpu_seconds, seconds, canary)

    def _pass(self, code: Sequence[Cell]) -> _Pass:
        """Run cells in a fresh kernel; nothing for no cells."""
        if not code:
            return _Pass()
        kernel = self._start()
        try:
            executed, canary = self._execute(kernel, code)
        finally:
            kernel.close()
        return _Pass(executed, canary, kernel.ended, kernel.cpu_seconds)

    def _start(self) -> ForkedKernel | ReferenceKernel:
        """A fresh kernel."""
        if self.kernel == "ipykernel":
            return ReferenceKernel(self.limits, self.files, self.sandbox)
        if self._server is None:
            raise RuntimeError("Use a Grader in a with statement: with Grader() as grader: ...")
        if not self._server.is_alive():
            self._server.start()
        return self._server.fork(self.limits)

    def _execute(
        self, kernel: ForkedKernel | ReferenceKernel, code: Sequence[Cell]
    ) -> tuple[dict[str, Executed], bool]:
        """Run the cells until the end or until something ends the kernel, with canaries between them."""
        deadline = time.monotonic() + self.limits.total_seconds
        executed: dict[str, Executed] = {}
        caught = False

        def run(text: str) -> Executed:
            return kernel.execute(text, min(self.limits.cell_seconds, deadline - time.monotonic()))

        for cell in code:
            done = executed[cell["id"]] = run(clean(source(cell)))
            # The last one also finds a reply that was written in the kernel's place: a second one is left.
            if not done.ended and (course(cell).get("kind") == "answer" or cell is code[-1]):
                canary = Canary.fresh()
                done = run(canary.source)
                caught = caught or (not done.ended and canary.is_dead(done.outputs))
            if done.ended:
                break
        return executed, caught


@dataclass(frozen=True)
class _Pass:
    """What one kernel did: cell id -> what ran, whether a canary died, why it ended early, its CPU time."""

    executed: Mapping[str, Executed] = field(default_factory=dict)
    canary: bool = False
    ended: str = ""
    cpu_seconds: float = 0.0


def _for_hidden(code: Sequence[Cell], seen: _Pass) -> list[Cell]:
    """The cells of the second run: up to the one that ended the first run, if a hidden check is among them.

    Where that run was tampered with, no check counts, and there is nothing to run.
    """
    if seen.canary or seen.ended in TAMPERED:
        return []
    last = list(seen.executed)[-1] if seen.ended else ""
    before = takewhile(lambda cell: cell["id"] != last, code)
    cells = [cell for cell in before if course(cell).get("kind") != "public-check"]
    return cells if any(course(cell).get("kind") == "hidden-check" for cell in cells) else []


def official(notebook: Notebook) -> list[Cell]:
    """The code cells, in order. Raises ValueError if the notebook is unfit for grading."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    twice = [name for name, count in Counter(cell["id"] for cell in cells).items() if count > 1]
    if twice:
        raise ValueError(f"Cell ids must be unique, these are not: {', '.join(twice)}.")
    checks = [cell for cell in cells if course(cell).get("kind") in CHECK_KINDS]
    empty = [cell["id"] for cell in checks if not cell.get("outputs")]
    if empty:  # nbval would let them pass whatever they show
        raise ValueError(f"These checks have no expected output to compare with: {', '.join(empty)}.")
    return cells
