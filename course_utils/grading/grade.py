"""Grade one submission: splice its answers, run it in the sandbox, score each check, say what went wrong."""

from __future__ import annotations

import ast
import logging
import re
import resource
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from platform import python_version
from typing import Any, Protocol

from course_utils.grading import release
from course_utils.grading.exercise import CHECK_KINDS, Exercise, Notebook, answer_id, course, source
from course_utils.grading.hidden import Outputs, Solution, graded_notebook, version
from course_utils.grading.records import AND_SO, FAILED, GRADED, OWN_ERROR, CheckResult, Grade
from course_utils.grading.sandbox.channel import clean
from course_utils.grading.sandbox.outcomes import REASONS, CellOutcome, Run, SandboxMissing

PACKAGES = ("bert-course", "ipykernel", "ipython", "nbval", "numpy", "torch")
HIJACKED = "A canary caught tampered output: a cell does not show what its code returned."
FORGED = "The code wrote to the grader in the kernel's place."
TRIES = 3  # of one run, each in a fresh sandbox
NO_FAULT = "The grader itself failed, which says nothing about this submission. It will be graded again."
_LONGEST = 1000  # characters of what it said
_log = logging.getLogger(__name__)


class Runs(Protocol):
    """What runs a spliced notebook: the sandbox's Grader, or a stand-in in a test."""

    def run(self, notebook: Notebook) -> Run:
        """Run it and say what became of each cell."""
        ...


@dataclass(frozen=True)
class Setting:
    """How submissions are run. kernel: "forked" or "ipykernel". sandboxed: False trusts every student."""

    kernel: str = "forked"
    sandboxed: bool = True


MakeGrader = Callable[[Setting, Exercise, list[str]], AbstractContextManager[Runs]]


@dataclass(frozen=True)
class Job:
    """One attempt to grade. expected: what the solution shows for the seed, None if nobody knows yet."""

    attempt: int
    seed: int
    answers: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    expected: Outputs | None = None


@dataclass(frozen=True)
class Outcome:
    """What a job gave. expected: what the solution shows, to be kept; None if the job brought it along."""

    attempt: int
    grade: Grade
    expected: Outputs | None = None


def sandboxed_grader(
    setting: Setting, exercise: Exercise, modules: list[str]
) -> AbstractContextManager[Runs]:
    """The sandbox's grader: what the exercise imports is loaded once, its own code compiled once."""
    from course_utils.grading.sandbox.grader import Grader  # here: it brings pytest, for workers alone

    kernel: Any = setting.kernel
    cells = release.shared_sources(exercise)
    return Grader(kernel, preimport=modules, cells=cells, sandbox=setting.sandboxed)


class Session:
    """Everything that grades one exercise, submission by submission. Use it in a `with`.

    make_grader: what runs notebooks; tests put a stand-in here.
    The sandbox starts with the first job. Raises SandboxMissing then if there is none, RuntimeError if it
    cannot import what the exercise needs. A sandbox that breaks down later is replaced by a fresh one.
    """

    def __init__(
        self, exercise: Exercise, setting: Setting, make_grader: MakeGrader = sandboxed_grader
    ) -> None:
        self._exercise, self._setting, self._make_grader = exercise, setting, make_grader
        self._version = version(exercise)
        self._open = ExitStack()
        self._solution = self._open.enter_context(Solution(exercise))
        self._sandbox = self._open.enter_context(ExitStack())
        self._grader: Runs | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def grade(self, job: Job) -> Outcome:
        """Run one attempt. Raises ExerciseError if the exercise's own solution fails.

        The status is FAILED, without checks, where the grader broke down over it, whatever the exception: it
        is told in `suspicions` and logged, and the next job is graded.
        """
        started, cpu = time.monotonic(), _own_cpu_seconds()
        right = job.expected or self._solution.outputs(job.seed)
        self._grader = self._grader or self._start()
        try:
            grade = self._graded(job, self._run(job, right), right)
        except SandboxMissing:
            raise
        except Exception as error:
            _log.error("Attempt %d could not be graded.\n%s", job.attempt, _inert(traceback.format_exc()))
            grade = self._failed(job, error)
        seconds, own = time.monotonic() - started, _own_cpu_seconds() - cpu
        grade = replace(grade, seconds=seconds, cpu_seconds=grade.cpu_seconds + own)
        return Outcome(job.attempt, grade, None if job.expected else right)

    def _run(self, job: Job, right: Outputs) -> Run:
        """What became of a submission. Raises what the grader raised when it failed for the last time."""
        notebook = graded_notebook(self._exercise, job.answers, job.seed, right)
        for _ in range(TRIES):
            try:
                self._grader = self._grader or self._start()
                return self._grader.run(notebook)
            except SandboxMissing:
                raise
            except Exception as error:
                failure = error
                self._grader = None
                with suppress(Exception):  # it is broken already
                    self._sandbox.close()
        raise failure

    def _start(self) -> Runs:
        modules = [*imports(self._exercise), *self._solution.modules()]
        return self._sandbox.enter_context(self._make_grader(self._setting, self._exercise, modules))

    def _graded(self, job: Job, run: Run, right: Outputs) -> Grade:
        ended = f"The run ended early: {REASONS[run.ended]}." if run.ended else ""
        grade = self._grade(job, GRADED, ended, _suspicions(run))
        checks = tuple(results(self._exercise, job, run, right))
        return replace(grade, checks=checks, cpu_seconds=run.cpu_seconds)

    def _failed(self, job: Job, error: Exception) -> Grade:
        said = clean(f"{type(error).__name__}: {error}")[:_LONGEST]
        return self._grade(job, FAILED, NO_FAULT, [f"Not graded: {said}"])

    def _grade(self, job: Job, status: str, reason: str, suspicions: Iterable[str]) -> Grade:
        """What every grade of this session has."""
        return Grade(
            status,
            self._version,
            job.seed,
            reason=reason,
            kernel=self._setting.kernel,
            sandboxed=self._setting.sandboxed,
            suspicions=tuple(suspicions),
            versions=versions(),
            graded_at=time.time(),
        )


def results(exercise: Exercise, job: Job, run: Run, right: Outputs) -> Iterable[CheckResult]:
    """The points and the message of each check, in the notebook's order."""
    for cell in exercise.cells(*CHECK_KINDS):
        meta = course(cell)
        outcome = run.cells.get(meta["id"], CellOutcome(False, "not run"))
        problem = job.problems.get(meta["task"], "")
        passed = outcome.passed and not problem
        own = run.cells.get(answer_id(meta["task"]), CellOutcome(True))
        message = problem or _message(meta, job, outcome, own, right)
        yield CheckResult(
            meta["id"],
            meta["task"],
            meta["kind"],
            meta["points"],
            meta["points"] if passed else 0,
            "" if passed else message,
        )


def imports(exercise: Exercise) -> list[str]:
    """The modules that the set-up of an exercise imports, sorted.

    An exercise may name others: `"preimport": [...]` in the `course` metadata of its set-up.
    """
    found: set[str] = set()
    for cell in exercise.cells("setup", "seed"):
        found |= set(course(cell).get("preimport", []))
        for node in ast.walk(ast.parse(source(cell))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    return sorted(found)


@cache
def versions() -> dict[str, str]:
    """The versions that a verdict rests on."""
    found = {"python": python_version()}
    for name in PACKAGES:
        try:
            found[name] = package_version(name)
        except PackageNotFoundError:  # a checkout that is not installed, or an exercise without torch
            continue
    return found


def _message(
    meta: Mapping[str, Any], job: Job, outcome: CellOutcome, own: CellOutcome, right: Outputs
) -> str:
    """What a student is told of a failed check. Of a hidden one never more than its own message says.

    own: what became of the answer cell itself, whose error may be why the check failed.
    """
    if meta["task"] not in job.answers:
        return f"Your notebook has no answer cell for {meta['task']}: its id and metadata are gone."
    if meta["kind"] == "hidden-check":
        ended = outcome.reason in ("time", "memory", "output", "processes", "kernel died", "not run")
        why = f" (It was not compared: {REASONS[outcome.reason]}.)" if ended else ""
        return f"{meta['message']}{why}"
    told = _last_blocks(outcome)
    # The sandbox knows no right values, so that the notebook's own message repeats the student's there.
    value = " ".join(right[meta["id"]]["text/plain"].split())
    told = re.sub(r"(?m)^Right value: .*$", lambda _: f"Right value: {value}", told)
    is_why = own.reason == outcome.reason == "raised"
    return f"{OWN_ERROR}\n{_last_blocks(own)}{AND_SO}{told}" if is_why else told


def _last_blocks(outcome: CellOutcome) -> str:
    """Of a traceback, the line that raised and what it raised; other messages whole."""
    blocks = (outcome.message or f"{REASONS[outcome.reason].capitalize()}.").split("\n\n")
    return "\n\n".join(blocks[-2:])


def _inert(text: str) -> str:
    """A text for a log: escapes in the place of what a terminal would obey, or no file can hold."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def _suspicions(run: Run) -> Iterable[str]:
    """What a person should look at."""
    if run.canary:
        yield HIJACKED
    if any(outcome.reason == "forged result" for outcome in run.cells.values()):
        yield FORGED


def _own_cpu_seconds() -> float:
    """Processor time of this process; the sandbox measures its own."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
