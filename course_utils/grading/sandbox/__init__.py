"""Run a notebook that holds a student's code in a sandbox, and compare what it shows outside of it.

    with Grader(preimport=["numpy"]) as grader:
        run = grader.run(notebook)
        run.cells["merge-step-borders"].passed

The kernel that runs the code knows no expected value: nbval compares, out here, what a check showed with
the output that is stored in the notebook. Whatever the code does in there, it can at most make its own
checks show other values. Hidden checks run in a second kernel, out of which only verdicts come.
"""

from typing import TYPE_CHECKING, Any

from course_utils.grading.sandbox.outcomes import REASONS, CellOutcome, Limits, Run, SandboxMissing

if TYPE_CHECKING:
    from course_utils.grading.sandbox.grader import Grader

__all__ = ["REASONS", "CellOutcome", "Grader", "Limits", "Run", "SandboxMissing"]


def __getattr__(name: str) -> Any:
    """`Grader` is imported when it is asked for: it brings pytest, which who reads results has no use for."""
    if name == "Grader":
        from course_utils.grading.sandbox.grader import Grader

        return Grader
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
