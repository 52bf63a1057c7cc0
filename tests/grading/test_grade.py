"""One submission: only its answers count, only its own task suffers, and nothing hidden is told."""

import copy
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import handed_in
import psutil
import pytest
import tiny_exercise
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.grading_stand_in import StandIn
from course_utils.grading import hidden
from course_utils.grading.batch import Runner, changes, grade_pending
from course_utils.grading.exercise import Exercise, ExerciseError, Notebook, dump_notebook, parse, source
from course_utils.grading.grade import HIJACKED, Job, MakeGrader, Outcome, Session, Setting, imports, results
from course_utils.grading.gradebook import Gradebook
from course_utils.grading.intake_reader import RefusedError
from course_utils.grading.intake_reader import parse as parse_bytes
from course_utils.grading.late import Policy
from course_utils.grading.publish import feedback, sheets
from course_utils.grading.records import AND_SO, FAILED, GRADED, INVALID, OWN_ERROR, Submission
from course_utils.grading.sandbox.grader import Grader
from course_utils.grading.sandbox.outcomes import CellOutcome, Run, SandboxMissing
from course_utils.grading.splice import take
from course_utils.grading.workers import Task, grade_here

SEED = 41
OUTPUTS: hidden.Outputs = {
    "double-word": {"text/plain": "'wordword'"},
    "double-random": {"text/plain": "'word41word41'"},
}


def grade(job: Job) -> Outcome:
    with Session(handed_in.EXERCISE, Setting(), StandIn) as session:
        return session.grade(job)


def test_a_right_answer_earns_all_and_the_solution_is_asked_once() -> None:
    outcome = grade(Job(1, SEED, {"double": handed_in.RIGHT}))
    assert (outcome.grade.earned, outcome.grade.points) == (3, 3)
    assert outcome.expected == OUTPUTS
    again = grade(Job(1, SEED, {"double": handed_in.RIGHT}, expected=outcome.expected))
    assert again.expected is None
    assert again.grade.version == hidden.version(handed_in.EXERCISE)


@pytest.mark.parametrize(
    ("job", "says"),
    [
        (
            Job(1, SEED, {"double": handed_in.WRONG}, expected=OUTPUTS),
            ["It showed another value", "Other words."],
        ),
        (Job(1, SEED, {}, expected=OUTPUTS), ["no answer cell for double"] * 2),
        (Job(1, SEED, {}, {"double": "More than one cell"}, OUTPUTS), ["More than one cell"] * 2),
    ],
)
def test_a_failed_check_says_why_and_shows_nothing_hidden(job: Job, says: list[str]) -> None:
    found = grade(job).grade
    assert found.earned == 0
    assert [
        re.search(said, check.message) is not None for said, check in zip(says, found.checks, strict=True)
    ] == [
        True,
        True,
    ]
    assert "word41" not in json.dumps([check.message for check in found.checks])


def test_partial_credit_is_by_check() -> None:
    answer = "def double(word):\n    return 'wordword'"
    found = grade(Job(1, SEED, {"double": answer}, expected=OUTPUTS)).grade
    assert [check.earned for check in found.checks] == [2, 0]


def test_a_passed_check_of_a_task_that_cannot_be_taken_earns_nothing() -> None:
    job = Job(1, SEED, {}, {"double": "ambiguous"}, OUTPUTS)
    run = Run({name: CellOutcome(True) for name in OUTPUTS})
    assert sum(check.earned for check in results(handed_in.EXERCISE, job, run, OUTPUTS)) == 0


def test_the_sandboxs_words_for_a_public_check_get_the_right_value() -> None:
    told = "Your value:  'x'\nRight value: 'x'\nYou forgot to double."
    run = Run({name: CellOutcome(False, "wrong value", told) for name in OUTPUTS}, "time", canary=True)
    job = Job(1, SEED, {"double": "..."}, expected=OUTPUTS)
    public, secret = results(handed_in.EXERCISE, job, run, OUTPUTS)
    assert public.message == "Your value:  'x'\nRight value: 'wordword'\nYou forgot to double."
    assert secret.message == "Other words."


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
@pytest.mark.parametrize("kernel", ["forked", "ipykernel"])
def test_an_error_of_the_answer_cell_itself_is_told_before_that_of_the_check(kernel: str) -> None:
    with Session(handed_in.EXERCISE, Setting(kernel)) as session:
        public, secret = session.grade(Job(1, SEED, {"double": "def double(word) word"})).grade.checks
    own, then, found = public.message.partition(AND_SO)
    assert own.startswith(OWN_ERROR)
    assert "SyntaxError: " in own
    assert then
    assert found.endswith("NameError: name 'double' is not defined")
    assert secret.message == "Other words."


class Hijacked(StandIn):
    def run(self, notebook: dict) -> Run:
        return Run({}, "kernel died", canary=True)


def test_a_hijacked_display_is_a_suspicion_and_an_early_end_a_reason() -> None:
    with Session(handed_in.EXERCISE, Setting(), Hijacked) as session:
        found = session.grade(Job(1, SEED, {"double": handed_in.RIGHT}, expected=OUTPUTS)).grade
    assert found.suspicions == (HIJACKED,)
    assert "its process ended" in found.reason
    assert found.earned == 0


def test_the_graded_notebook_holds_no_right_value_but_in_outputs() -> None:
    notebook = hidden.graded_notebook(handed_in.EXERCISE, {"double": "pass"}, SEED, OUTPUTS)
    text = "\n".join(source(cell) for cell in notebook["cells"])
    assert "student_seed = 41" in text
    assert "wordword" not in text
    assert "return word + word" not in text
    shown = {cell["id"]: cell["outputs"] for cell in notebook["cells"] if cell.get("outputs")}
    assert {name: outputs[0]["data"] for name, outputs in shown.items()} == OUTPUTS


def test_seeds_differ_by_student_exercise_answers_and_gradebook() -> None:
    keys = [(b"k", "e", "a"), (b"k", "e", "b"), (b"k", "f", "a"), (b"l", "e", "a"), (b"k", "ea", "")]
    seeds = {hidden.submission_seed(*key, {"t": text}) for key in keys for text in ("x = 1", "x = 2")}
    assert len(seeds) == 10
    assert seeds == {hidden.submission_seed(*key, {"t": f"x = {n}"}) for key in keys for n in (1, 2)}
    two = {"t": "x = 1", "u": "\ud800"}
    same = hidden.submission_seed(b"k", "e", "a", dict(reversed(two.items())))
    assert same == hidden.submission_seed(b"k", "e", "a", two), "the order of cells decides nothing"


def test_each_attempt_meets_inputs_of_its_own_and_a_regrade_the_same(tmp_path: Path) -> None:
    """Three attempts, one of them an old answer in another file; then a grader that knows nothing of them."""
    answers = [handed_in.RIGHT, handed_in.WRONG, handed_in.RIGHT]
    with Gradebook(tmp_path / "book", create=True) as book:
        given = [Submission("ann", f"{n}", "x", answers={"double": a}) for n, a in enumerate(answers)]
        book.add("tiny", given)
        book.add("tiny", [Submission("bo", "0", "x", answers={"double": handed_in.RIGHT})])
    shutil.copy(tmp_path / "book", tmp_path / "again")
    with Gradebook(tmp_path / "book") as book:
        grade_pending(book, handed_in.EXERCISE, Setting(), here(handed_in.EXERCISE))
        first, second, third, other = [a.grade for a in book.attempts("tiny") if a.grade]
        assert first.seed == third.seed
        assert len({first.seed, second.seed, other.seed}) == 3
    with Gradebook(tmp_path / "again") as book:
        grade_pending(book, handed_in.EXERCISE, Setting(), here(handed_in.EXERCISE))
        again = [(a.grade.seed, a.grade.checks) for a in book.attempts("tiny") if a.grade]
        assert again == [(grade.seed, grade.checks) for grade in (first, second, third, other)]


def test_the_version_follows_code_and_points_but_no_text() -> None:
    def changed(name: str, key: str, value: object) -> str:
        notebook = tiny_exercise.notebook()
        cell = next(cell for cell in notebook["cells"] if cell["id"] == name)
        (cell if key == "source" else cell["metadata"]["course"])[key] = value
        return hidden.version(parse("tiny", notebook))

    same = hidden.version(handed_in.EXERCISE)
    assert changed("double", "source", "## Task 1\nDo it well.") == same
    assert len({same, changed("double-word", "points", 5), changed("setup", "source", "import math")}) == 3


def broken(text: str) -> Exercise:
    notebook = tiny_exercise.notebook()
    next(cell for cell in notebook["cells"] if cell["id"] == "double-random")["source"] = text
    return parse("tiny", notebook)


@pytest.mark.parametrize(("text", "says"), [("1 / 0", "ZeroDivisionError"), ("None", "nothing is shown")])
def test_a_solution_that_fails_is_the_exercises_fault(text: str, says: str) -> None:
    with hidden.Solution(broken(text)) as solution, pytest.raises(ExerciseError, match=says):
        solution.outputs(SEED)


def test_each_seed_finds_the_process_as_the_first_one_did() -> None:
    text = "import sys\nsys.visits = getattr(sys, 'visits', 0) + 1\n(student_seed, sys.visits, 'visits')"
    with hidden.Solution(broken(text)) as solution:
        shown = [solution.outputs(seed)["double-random"]["text/plain"] for seed in (1, 2)]
    assert shown == ["(1, 1, 'visits')", "(2, 1, 'visits')"]


def test_what_the_set_up_imports_is_loaded_once() -> None:
    assert imports(handed_in.EXERCISE) == ["random"]


ODD = st.none() | st.integers() | st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=2)


@settings(max_examples=200)
@given(data=st.data())
def test_no_change_outside_the_answer_changes_what_is_graded(data: st.DataObject) -> None:
    """Other cells are edited, retyped, dropped, moved, added: the graded notebook is the same bytes."""
    notebook = copy.deepcopy(handed_in.notebook(handed_in.RIGHT))
    pristine = graded(dump_notebook(notebook).encode())
    answer = next(cell for cell in notebook["cells"] if cell["id"] == "double-answer")
    others = [cell for cell in notebook["cells"] if cell is not answer]
    for cell in others:
        for key in data.draw(st.sets(st.sampled_from(["id", "source", "metadata", "cell_type", "outputs"]))):
            cell[key] = data.draw(ODD)
    kept: list = data.draw(st.permutations(others))[: data.draw(st.integers(0, len(others)))]
    kept += data.draw(st.lists(ODD, max_size=2))
    kept.insert(data.draw(st.integers(0, len(kept))), answer)
    notebook |= {"cells": kept, "metadata": data.draw(ODD), "nbformat": data.draw(ODD)}
    answer["metadata"]["tags"] = data.draw(ODD)
    answer["outputs"] = data.draw(ODD)
    assert graded(json.dumps(notebook).encode()) == pristine


def graded(content: bytes) -> bytes:
    """The notebook that is run for a file, as bytes."""
    try:
        taken = take(parse_bytes(content), handed_in.EXERCISE.tasks())
    except RefusedError as error:
        return str(error).encode()
    return (
        dump_notebook(hidden.graded_notebook(handed_in.EXERCISE, taken.answers, SEED, OUTPUTS)).encode()
        + repr(taken.problems).encode()
    )


def grade_in(exercise: Exercise, sandbox: MakeGrader, jobs: Iterable[Job]) -> Iterator[Outcome]:
    """Grade in this process."""
    with Session(exercise, Setting(), sandbox) as session:
        yield from map(session.grade, jobs)


def here(exercise: Exercise) -> Runner:
    """Grade in this process, with the stand-in."""
    return partial(grade_in, exercise, StandIn)


def test_what_is_pending_is_graded_and_a_changed_check_is_graded_again(tmp_path: Path) -> None:
    easy = tiny_exercise.notebook()
    check = next(cell for cell in easy["cells"] if cell["id"] == "double-word")
    check["source"] = 'check("double-word", lambda: double("word")[:4])'
    before, after = parse("tiny", easy), handed_in.EXERCISE
    with Gradebook(tmp_path / "book", create=True) as book:
        given = [("ann", handed_in.RIGHT), ("bo", handed_in.WRONG)]
        book.add("tiny", [Submission(name, name, "x", answers={"double": text}) for name, text in given])
        book.add("tiny", [Submission("eve", "none", "x", reason="It is no notebook.")])
        done = grade_pending(book, before, Setting(), here(before))
        assert (done.graded, done.invalid, done.left) == (2, 1, 0)
        assert [a.grade.earned for a in book.attempts("tiny") if a.grade] == [3, 2, 0]
        assert book.attempts("tiny", "eve")[0].status == INVALID
        idle = grade_pending(book, before, Setting(), here(before))
        assert (idle.graded, idle.invalid, idle.left) == (0, 0, 0)
        assert changes(book, before) == []
        grade_pending(book, after, Setting(), here(after))
        assert changes(book, after) == [], "a public point that did not count before was none to lose"
        book.set_policy("tiny", Policy(public_needs_hidden=False))
        (change,) = changes(book, after)
        assert (change.student, change.check, change.before, change.after) == ("bo", "double-word", 2, 0)
        assert book.count_grades() == 6


class Fragile(StandIn):
    """A sandbox that breaks down over one answer, so many times."""

    failures, started = 0, 0

    def __enter__(self) -> StandIn:
        Fragile.started += 1
        return self

    def run(self, notebook: Notebook) -> Run:
        if "fragile" in str(notebook) and Fragile.failures > 0:
            Fragile.failures -= 1
            raise RuntimeError("The sandbox ended, by no fault of the submission: grade it again.")
        return super().run(notebook)


@pytest.mark.parametrize(("failures", "started", "earned"), [(2, 3, 3), (3, 4, None)])
def test_a_broken_down_grader_is_replaced_and_costs_no_student_a_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int, started: int, earned: int | None
) -> None:
    """Twice is mended unseen. The third time the attempt has no score, and all others have theirs."""
    monkeypatch.setattr(Fragile, "failures", failures)
    monkeypatch.setattr(Fragile, "started", 0)
    answers = {"ann": f"# fragile\n{handed_in.RIGHT}", "bo": handed_in.RIGHT, "cy": handed_in.WRONG}
    run = partial(grade_in, handed_in.EXERCISE, Fragile)
    with Gradebook(tmp_path / "book", create=True) as book:
        book.add("tiny", [Submission(name, name, "x", answers={"double": a}) for name, a in answers.items()])
        done = grade_pending(book, handed_in.EXERCISE, Setting(), run)
        assert (done.graded, done.left) == ((3, 0) if earned else (2, 1))
        assert Fragile.started == started
        ann, bo, cy = book.finals("tiny")
        assert (bo.score, cy.score) == (3, 0)
        assert sheets.score(ann) == (3 if earned else "")
        if not earned:
            assert ann.attempt is not None
            assert ann.attempt.grade is not None
            assert (ann.attempt.status, ann.attempt.grade.checks) == (FAILED, ())
            assert "by no fault of the submission" in ann.attempt.grade.suspicions[0]
            page = feedback.page(handed_in.EXERCISE, ann)
            assert "Not graded yet" in page
            assert " points</small>" not in page
            again = grade_pending(book, handed_in.EXERCISE, Setting(), run)
            assert (again.graded, again.left) == (1, 0)
        assert [final.score for final in book.finals("tiny")] == [3, 3, 0]
        assert book.count_grades() == 3


class Surprised(StandIn):
    """A grader with a mistake that some answers bring out, in the run or in what it makes of the run."""

    def run(self, notebook: Notebook) -> Run:
        if "surprise" in str(notebook):
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "half a \ud800 character, \x1b[31m")
        done = super().run(notebook)
        return replace(done, ended="a reason of its own") if "unheard" in str(notebook) else done


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"double": "# surprise"}, "UnicodeDecodeError: "),
        ({"double": "# unheard"}, "KeyError: 'a reason of its own'"),
        ({"another": "a task that the exercise had once"}, "ExerciseError: No such task: another"),
    ],
)
def test_whatever_breaks_the_grader_is_one_submissions_failure(
    answers: dict[str, str], says: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Session(handed_in.EXERCISE, Setting(), Surprised) as session:
        found = session.grade(Job(1, SEED, answers, expected=OUTPUTS)).grade
        other = session.grade(Job(2, SEED, {"double": handed_in.RIGHT}, expected=OUTPUTS)).grade
    assert (found.status, found.checks, other.status, other.earned) == (FAILED, (), GRADED, 3)
    assert says in found.suspicions[0]
    found.suspicions[0].encode("utf-8")
    (logged,) = caplog.records
    assert "Traceback (most recent call last)" in logged.message
    assert all(line.isprintable() for line in logged.message.splitlines())


def test_without_a_sandbox_nothing_is_tried_again() -> None:
    class Gone(StandIn):
        def run(self, notebook: Notebook) -> Run:
            raise SandboxMissing("bubblewrap was uninstalled.")

    with Session(handed_in.EXERCISE, Setting(), Gone) as session, pytest.raises(SandboxMissing):
        session.grade(Job(1, SEED, {"double": handed_in.RIGHT}, expected=OUTPUTS))


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_a_sandbox_that_is_killed_in_a_run_is_replaced() -> None:
    class KilledOnce(Grader):
        kills = 0

        def _execute(self, *given: Any) -> Any:
            if not KilledOnce.kills:
                assert self._server is not None
                KilledOnce.kills += 1
                for process in psutil.Process(self._server.process.pid).children(recursive=True):
                    process.kill()
            return super()._execute(*given)

    def make(setting: Setting, exercise: Exercise, modules: list[str]) -> Grader:
        return KilledOnce(preimport=modules)

    with Session(handed_in.EXERCISE, Setting(), make) as session:
        found = session.grade(Job(1, SEED, {"double": handed_in.RIGHT}, expected=OUTPUTS)).grade
    assert (found.status, found.earned, KilledOnce.kills) == (GRADED, 3, 1)


def test_each_worker_has_one_core_and_what_it_starts_no_other() -> None:
    """So that a submission of many busy processes slows no neighbor."""
    cores = os.sched_getaffinity(0)
    tell = "import os\ndef double(word):\n    raise ValueError(f'cores {os.sched_getaffinity(0)}')"
    jobs = [Job(n, SEED, {"double": tell}, expected=OUTPUTS) for n in range(len(cores))]
    task = Task(handed_in.EXERCISE, make_grader=StandIn)
    found = [o.grade.checks[0].message for o in grade_here(task, jobs, len(cores))]
    assert sorted(found) == sorted(f"ValueError: cores {{{core}}}" for core in cores)
    assert os.sched_getaffinity(0) == cores


def test_a_job_that_gives_nothing_stays_pending(tmp_path: Path) -> None:
    with Gradebook(tmp_path / "book", create=True) as book:
        book.add("tiny", [Submission("ann", "1", "x", answers={"double": handed_in.RIGHT})])
        done = grade_pending(book, handed_in.EXERCISE, Setting(), lambda jobs: iter(()))
        assert (done.graded, done.left) == (0, 1)
        again = grade_pending(book, handed_in.EXERCISE, Setting(), here(handed_in.EXERCISE))
        assert (again.graded, again.left) == (1, 0)
