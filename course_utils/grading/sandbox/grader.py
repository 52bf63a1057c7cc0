"""One sandbox that many submissions go through, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

from course_utils.grading.exercise import Notebook
from course_utils.grading.sandbox.outcomes import Limits, Run

DEFAULTS = Limits()


class Grader:
    """A context manager that runs notebooks in a sandbox, each in a kernel of its own.

    kernel: "forked" forks a kernel for each notebook from one sandboxed process that has imported
    everything; "ipykernel" starts Jupyter's own kernel for each, ten times slower: the reference.
    preimport: modules to import once ("forked" only). limits: what each notebook may use.
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
        limits: Limits = DEFAULTS,
        sandbox: bool = True,
        files: Mapping[str, Path] | None = None,
    ) -> None:
        self.kernel, self.preimport, self.limits = kernel, tuple(preimport), limits
        self.sandbox, self.files = sandbox, dict(files or {})

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def run(self, notebook: Notebook) -> Run:
        """Run a spliced notebook and compare each check with its stored output.

        notebook: pristine cells with the student's answer cells in them. A check (`public-check`,
        `hidden-check`) must carry its expected outputs; the REFERENCE cell must stay empty, since whatever
        a cell holds, the student's code can read.
        Never raises for what the code does. Raises ValueError if the notebook itself is unfit: repeated
        ids, or a check without an expected output.
        """
        raise NotImplementedError("the kernels follow")
