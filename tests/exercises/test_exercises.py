"""What every exercise must show: nothing leaks, right passes, wrong fails and is told why."""

import contextlib
import io
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest
from exercise_variants import (
    Runs,
    is_endless,
    run_by_nbval,
    student_notebook,
    with_answer,
    without_kernel,
)

from course_utils.grading import exercise, lint, mutants, release, splice
from course_utils.grading.execute import execute
from course_utils.grading.exercise import Exercise, Notebook, course, source
from course_utils.grading.mutants import Mutant
from course_utils.grading.verdicts import Verdict

# All tests share one long run of nbval: under pytest-xdist they belong on one worker.
pytestmark = pytest.mark.xdist_group("exercises")

EXERCISES = [exercise.load(name) for name in exercise.names()]
MUTANTS = [(found, mutant) for found in EXERCISES for mutant in mutants.load(found)]
# Without the time limit of a kernel, an answer that never ends would hang the tests.
ENDING = [(found, mutant) for found, mutant in MUTANTS if not is_endless(mutant)]
IN_KERNELS = [(found, mutant) for found in EXERCISES for mutant in run_by_nbval(found)]
RunsOf = Callable[[Exercise], Runs]

each_exercise = pytest.mark.parametrize("found", EXERCISES, ids=lambda found: found.name)


def public_checks(found: Exercise, *tasks: str) -> set[str]:
    """The ids of the public checks, of the given tasks or of all."""
    checks = [course(cell) for cell in found.cells("public-check")]
    return {check["id"] for check in checks if not tasks or check["task"] in tasks}


def failed(found: Exercise, runs: Runs, variant: str) -> set[str]:
    """The public checks that did not pass. A check without a verdict counts as failed."""
    said = runs[variant]
    return {name for name in public_checks(found) if name not in said or not said[name].passed}


@each_exercise
def test_stub_is_a_subset_of_the_solution(found: Exercise) -> None:
    for cell in found.cells("answer"):
        solved = iter(release.solution(source(cell)).splitlines())
        stub = release.stub(source(cell), course(cell)["task"]).splitlines()
        given = [line for line in stub if "raise NotImplementedError" not in line]
        assert len(given) < len(stub), f"the stub of {cell['id']} does not raise"
        assert all(line in solved for line in given), f"the stub of {cell['id']} has lines of its own"


@each_exercise
def test_student_notebook_holds_no_solution_and_nothing_hidden(found: Exercise) -> None:
    student = student_notebook(found)
    text = "\n".join(source(cell) for cell in student["cells"])
    for cell in found.cells("answer"):
        stub = release.stub(source(cell), "")
        secret = set(release.solution(source(cell)).splitlines()) - set(stub.splitlines())
        assert not [line for line in secret if len(line.strip()) > 12 and line.strip() in text]
    hidden = [*found.cells("hidden-check"), *found.cells("note")]
    assert not [cell["id"] for cell in hidden if source(cell) in text]
    assert "student_seed" not in text
    assert {course(cell)["kind"] for cell in student["cells"]}.isdisjoint(exercise.INSTRUCTOR_KINDS)


@each_exercise
def test_released_notebook_is_what_its_source_makes_byte_for_byte(found: Exercise) -> None:
    committed = release.released_path(found.name).read_bytes()
    assert committed == release.released_text(found.name).encode("utf-8")


@each_exercise
def test_student_notebook_needs_python_alone(found: Exercise) -> None:
    """It must run where nothing of the course is installed, and be a valid notebook for any editor."""
    nbformat = pytest.importorskip("nbformat")
    student = student_notebook(found)
    assert not [cell["id"] for cell in student["cells"] if "course_utils" in source(cell)]
    nbformat.validate(nbformat.reads(exercise.dump_notebook(student), as_version=4))


@each_exercise
def test_solution_passes_everything(found: Exercise, nbval_runs: RunsOf) -> None:
    said = nbval_runs(found)["solution"]
    assert said.keys() >= public_checks(found)
    assert not {name: verdict.message for name, verdict in said.items() if not verdict.passed}


@each_exercise
def test_empty_stub_fails_every_check(found: Exercise, nbval_runs: RunsOf) -> None:
    runs = nbval_runs(found)
    assert failed(found, runs, "stub") == public_checks(found)
    assert all("NotImplementedError" in runs["stub"][name].message for name in public_checks(found))


@each_exercise
def test_after_a_broken_answer_the_other_checks_still_run(found: Exercise, nbval_runs: RunsOf) -> None:
    task = mutants.load(found)[0].task
    dependents = {name for name, meta in found.tasks().items() if task in meta.get("needs", [])}
    broken = failed(found, nbval_runs(found), "crash")
    assert public_checks(found, task) <= broken <= public_checks(found, task, *dependents)


@each_exercise
def test_nbval_compares_the_values_themselves(found: Exercise, nbval_runs: RunsOf) -> None:
    """Without `check`'s own comparison a wrong value still fails, against the stored one."""
    runs = nbval_runs(found)
    wrong = failed(found, runs, "bare")
    assert wrong == failed(found, runs, mutants.load(found)[0].slug)
    assert all("Cell outputs differ" in runs["bare"][name].message for name in wrong)


@each_exercise
def test_checks_hold_after_the_outputs_were_cleared(found: Exercise, nbval_runs: RunsOf) -> None:
    """nbval compares nothing where no output is stored, which is what a student's own save can leave."""
    some = mutants.load(found)[0]
    said = nbval_runs(found)["cleared"]
    assert any(some.says in said[name].message for name in failed(found, nbval_runs(found), "cleared"))


@each_exercise
def test_an_endless_answer_hangs_no_cell(found: Exercise, nbval_runs: RunsOf) -> None:
    """Neither a check nor a demonstration may run into nbval's own time limit."""
    endless = [mutant for mutant in mutants.load(found) if is_endless(mutant)]
    assert endless, "every exercise needs an answer that never ends among its mutants"
    given = {course(cell)["id"] for cell in found.cells("given")}
    for mutant in endless:
        said = nbval_runs(found)[mutant.slug]
        wrong = [
            name for name in given | failed(found, nbval_runs(found), mutant.slug) if not said[name].passed
        ]
        assert all("does a loop in it never end" in said[name].message for name in wrong)


@each_exercise
def test_messages_name_the_tasks_that_the_headers_name(found: Exercise) -> None:
    """The set-up repeats `needs`, so that a failing check can send the student to an earlier task."""
    space: dict[str, object] = {}
    exec(source(next(found.cells("setup"))), space)
    tasks = found.tasks().items()
    assert space["NEEDS"] == {name: meta["needs"] for name, meta in tasks if meta.get("needs")}


@each_exercise
def test_every_task_has_at_least_three_known_wrong_answers(found: Exercise) -> None:
    counts = Counter(mutant.task for mutant in mutants.load(found))
    assert {task: counts[task] for task in found.tasks() if counts[task] < 3} == {}
    slugs = Counter(mutant.slug for mutant in mutants.load(found))
    assert max(slugs.values()) == 1, "two mutants have one name"


def assert_fails_and_is_named(found: Exercise, mutant: Mutant, said: dict[str, Verdict]) -> None:
    """It fails a check of its own task with the promised phrase, and none of a task that does without it."""
    wrong = {name for name in public_checks(found) if name not in said or not said[name].passed}
    own = wrong & public_checks(found, mutant.task)
    assert own, "this wrong answer passes"
    # nbval's message begins with the source of the cell, which names every mistake: look behind it.
    messages = [said[name].message.rpartition("Traceback:")[2] for name in own]
    assert any(mutant.says in message for message in messages), messages
    dependents = {name for name, meta in found.tasks().items() if mutant.task in meta.get("needs", [])}
    assert wrong <= public_checks(found, mutant.task, *dependents)


@pytest.mark.parametrize(("found", "mutant"), ENDING, ids=lambda value: getattr(value, "slug", None))
def test_wrong_answer_fails_and_is_named(found: Exercise, mutant: Mutant) -> None:
    assert_fails_and_is_named(found, mutant, without_kernel(with_answer(found, mutant)))


@pytest.mark.parametrize(("found", "mutant"), IN_KERNELS, ids=lambda value: getattr(value, "slug", None))
def test_nbval_says_so_too(found: Exercise, mutant: Mutant, nbval_runs: RunsOf) -> None:
    assert_fails_and_is_named(found, mutant, nbval_runs(found)[mutant.slug])


@each_exercise
def test_hidden_checks_draw_other_inputs_for_every_seed(found: Exercise) -> None:
    hidden = [course(cell)["id"] for cell in found.cells("hidden-check")]
    shown = []
    for seed in (1, 2, 3):
        outputs = execute(release.notebook_of(found, solved=True, hidden_seed=seed))
        shown.append({name: outputs[name][-1]["data"]["text/plain"] for name in hidden})
    for name in hidden:
        assert len({values[name] for values in shown}) == 3, name


def hidden_values(notebook: Notebook, task: str) -> dict[str, object]:
    """What a task's hidden checks show, without a kernel: all that runs here is ours."""
    space: dict[str, object] = {}
    shown: dict[str, object] = {}
    for cell in notebook["cells"]:
        meta, text = course(cell), source(cell)
        if meta["kind"] in ("setup", "reference", "seed", "answer"):
            exec(text, space)
        elif meta["kind"] == "given":
            with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
                exec(text, space)
        elif meta["kind"] == "hidden-check" and meta["task"] == task:
            space["check"] = lambda name, answer, mistakes=None: shown.update({name: answer()})
            try:
                exec(text, space)
            except Exception as error:
                shown[cell["id"]] = type(error)
    return shown


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(("found", "mutant"), ENDING, ids=lambda value: getattr(value, "slug", None))
def test_hidden_checks_catch_every_known_wrong_answer(found: Exercise, mutant: Mutant, seed: int) -> None:
    """Whoever copies the public values must still meet each trap, whatever the seed."""
    solved = release.notebook_of(found, solved=True, hidden_seed=seed)
    wrong = splice.splice(solved, {mutant.task: mutant.source})
    assert hidden_values(wrong, mutant.task) != hidden_values(solved, mutant.task)


@each_exercise
def test_lint_finds_nothing(found: Exercise) -> None:
    assert lint.lint(found) == []


@each_exercise
def test_the_students_command_works_from_the_root_of_the_repository(found: Exercise) -> None:
    path = release.released_path(found.name)
    root = path.parent.parent
    command = [sys.executable, "-m", "pytest", "--nbval-lax", str(path.relative_to(root))]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=root, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "configfile: pytest.ini" in done.stdout, "the time limit for a cell is set there"
    assert "NotImplementedError" in done.stdout
