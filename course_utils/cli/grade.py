"""`course grade`: grade submissions, grade again after a change, late days, manual points."""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from course_utils.grading.batch import Runner, Summary
    from course_utils.grading.exercise import Exercise
    from course_utils.grading.grade import Setting
    from course_utils.grading.gradebook import Gradebook
    from course_utils.grading.records import Submission
    from course_utils.grading.roster import Roster


class _RunByDefault(TyperGroup):
    """`course grade EXERCISE SUBMISSIONS` is `course grade run EXERCISE SUBMISSIONS`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put `run` before arguments that do not begin with a command of the group."""
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunByDefault,
    no_args_is_help=True,
    help="Grade submissions: course grade EXERCISE SUBMISSIONS --gradebook FILE.",
)

ExerciseName = Annotated[str, typer.Argument(help="An exercise, or the beginning of its name.")]
Book = Annotated[Path, typer.Option("--gradebook", help="The SQLite file with all scores.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes; 0 is one for each core.")]
Scheduler = Annotated[str, typer.Option(help="A dask scheduler, tcp://..., instead of this machine's cores.")]
Kernel = Annotated[str, typer.Option(help="forked (fast) or ipykernel (the reference).")]
Unsafe = Annotated[
    bool, typer.Option("--unsafe-no-sandbox", help="Run students' code unprotected; every record says so.")
]
DEFAULT_BOOK = Path("gradebook.sqlite")


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What an instructor can mend is told in words, without a stack trace; a full or missing disk, too."""
    from course_utils.grading.children import ChildError
    from course_utils.grading.exercise import ExerciseError
    from course_utils.grading.gradebook_tables import GradebookError
    from course_utils.grading.intake import IntakeError
    from course_utils.grading.intake_names import NamesError
    from course_utils.grading.manual import ManualError
    from course_utils.grading.roster import RosterError
    from course_utils.grading.sandbox.outcomes import SandboxMissing
    from course_utils.grading.workers import GradingError

    told = (ChildError, ExerciseError, GradebookError, IntakeError, NamesError, ManualError, RosterError)
    try:
        yield
    except (*told, SandboxMissing, GradingError, ImportError, OSError) as error:
        typer.echo(f"course grade: {error}", err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        typer.echo("course grade: stopped; the same command goes on where it was.", err=True)
        raise typer.Exit(130) from None


@app.command()
def run(
    exercise: ExerciseName,
    submissions: Annotated[
        Path, typer.Argument(exists=True, help="A folder, a zip, or a platform's download.")
    ],
    gradebook: Book = DEFAULT_BOOK,
    roster: Annotated[
        Path | None, typer.Option(help="CSV with student, name, and other names of theirs.")
    ] = None,
    names: Annotated[str, typer.Option(help="Regular expression with (?P<student>...) for paths.")] = "",
    workers: Workers = 0,
    scheduler: Scheduler = "",
    kernel: Kernel = "forked",
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Take in submissions and grade what has no grade yet. Stop it at any time; the same command goes on."""
    from course_utils.grading import exercise as exercises
    from course_utils.grading.gradebook import Gradebook
    from course_utils.grading.intake import collect
    from course_utils.grading.intake_names import marked_late, pattern
    from course_utils.grading.roster import read

    with _plain_errors():
        known, setting = exercises.load(exercise), _setting(kernel, unsafe_no_sandbox)
        students, own = read(roster) if roster else None, pattern(names) if names else None
        with Gradebook(gradebook, create=True) as book, book.alone():
            found = collect(submissions, known, roster=students, names=own)
            new = book.add(known.name, _unless_a_folder_lies_around_all(known, found, students))
            if students:
                book.enroll(students.names)
            typer.echo(f"{new} new submissions", err=True)
            if students and (strangers := sorted(book.students().keys() - students.names.keys())):
                typer.echo(f"{len(strangers)} not in the roster: {', '.join(strangers[:20])}", err=True)
            late = sorted({a.student for a in book.attempts(known.name) if marked_late(a.submission.path)})
            if late:
                typer.echo(f"{len(late)} late, as Canvas says without a time: {', '.join(late)}", err=True)
            _grade(book, known, setting, _runner(known, setting, workers, scheduler))


def _unless_a_folder_lies_around_all(
    exercise: "Exercise", found: "Iterable[Submission]", roster: "Roster | None"
) -> "Iterator[Submission]":
    """The submissions as they come. A folder around everybody's would make a class one student.

    Raises IntakeError behind the last one if the roster has nobody whom the files name. Without a roster it
    warns of many files of one student.
    """
    from course_utils.grading.intake import IntakeError

    named: Counter[str] = Counter()
    for given in found:
        named[given.student] += 1
        yield given
    students = sorted(named)
    if roster and students and not roster.names.keys() & named.keys():
        raise IntakeError(
            f"Nobody in the roster is named by these files, which name {', '.join(students[:20])}. If one "
            "folder lies around all others, unpack it and name the inner one; if files are named otherwise, "
            "use --names; if these are ids of your platform, put them into the roster. Nothing was taken in."
        )
    if not roster and len(students) == 1 and named.total() > 1:
        typer.echo(
            f"All {named.total()} notebooks count as attempts of one student, {students[0]}. If that is a "
            "folder around everybody's, grade the folder inside it, and take these out with "
            f"`course grade drop {exercise.name} {shlex.quote(students[0])}`.",
            err=True,
        )


@app.command()
def drop(
    exercise: ExerciseName,
    student: Annotated[str, typer.Argument(help="As the gradebook has them.")],
    gradebook: Book = DEFAULT_BOOK,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Take a student's attempts at an exercise out of the gradebook, with their grades."""
    from course_utils.grading import exercise as exercises
    from course_utils.grading.gradebook import Gradebook
    from course_utils.grading.gradebook_tables import GradebookError

    with _plain_errors(), Gradebook(gradebook) as book, book.alone():
        name = exercises.load(exercise).name
        count = len(book.attempts(name, student))
        if not count:
            raise GradebookError(f"{gradebook} has no attempt of {student!r} at {name}: is the name whole?")
        if not yes:
            typer.confirm(f"Remove {count} attempts of {student} at {name}, with their grades?", abort=True)
        book.drop(name, student)
    typer.echo(f"{count} attempts of {student} removed")


@app.command()
def regrade(
    exercise: ExerciseName,
    gradebook: Book = DEFAULT_BOOK,
    workers: Workers = 0,
    scheduler: Scheduler = "",
    kernel: Kernel = "forked",
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Grade the gradebook's submissions under the exercise as it is now, and show which points changed."""
    from course_utils.grading import exercise as exercises
    from course_utils.grading.batch import changes
    from course_utils.grading.gradebook import Gradebook

    with _plain_errors():
        known, setting = exercises.load(exercise), _setting(kernel, unsafe_no_sandbox)
        with Gradebook(gradebook) as book, book.alone():
            done = _grade(book, known, setting, _runner(known, setting, workers, scheduler))
            found = changes(book, known)
    if not (done.graded or done.invalid or done.left):
        typer.echo("Nothing new to grade; since the version before:")
    for change in found:
        before, after = ("-" if points is None else points for points in (change.before, change.after))
        typer.echo(f"{change.student}, attempt {change.attempt}: {change.check} {before} -> {after}")
    typer.echo(f"{len(found)} points of {len({c.student for c in found})} students changed")


@app.command()
def policy(
    exercise: ExerciseName,
    gradebook: Book = DEFAULT_BOOK,
    deadline: Annotated[str | None, typer.Option(help="Such as 2026-03-01T23:59+01:00; '' for none.")] = None,
    free_days: Annotated[int | None, typer.Option(help="Late days that cost nothing.")] = None,
    penalty: Annotated[float | None, typer.Option(help="Share of all points for each further day.")] = None,
    max_days: Annotated[
        int | None, typer.Option(help="Later than this earns nothing; -1 for no limit.")
    ] = None,
    grace_minutes: Annotated[float | None, typer.Option(help="A delay that is none.")] = None,
    keep: Annotated[str | None, typer.Option(help="The attempt that counts: best or last.")] = None,
    public_needs_hidden: Annotated[
        bool | None, typer.Option(help="Public points only where one of the task's hidden checks passes.")
    ] = None,
) -> None:
    """Show what of a grade counts (late days, attempts, public checks), after setting what is given."""
    from dataclasses import replace

    from course_utils.grading import exercise as exercises
    from course_utils.grading.gradebook import Gradebook

    given = {"deadline": deadline, "free_days": free_days, "penalty": penalty, "max_days": max_days}
    given |= {"grace_minutes": grace_minutes, "keep": keep}
    given |= {"public_needs_hidden": public_needs_hidden}
    changed: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if max_days is not None and max_days < 0:
        changed["max_days"] = None
    with _plain_errors(), Gradebook(gradebook) as book:
        name = exercises.load(exercise).name
        try:
            settings = replace(book.policy(name), **changed)  # type: ignore[arg-type]
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        if changed:
            book.set_policy(name, settings)
        for key, value in settings.as_json().items():
            typer.echo(f"{key}: {_in_words(value)}")


def _in_words(value: object) -> object:
    """A setting as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, "") else value


@app.command()
def manual(
    exercise: ExerciseName,
    file: Annotated[Path, typer.Argument(help="A CSV: student, item, points, comment.")],
    gradebook: Book = DEFAULT_BOOK,
    read: Annotated[
        bool, typer.Option("--read", help="Read the edited file back; else it is written.")
    ] = False,
) -> None:
    """Write manual points and comments to a CSV, or (--read) take the edited CSV in their place."""
    from course_utils.grading import exercise as exercises
    from course_utils.grading import manual as entries
    from course_utils.grading.gradebook import Gradebook

    with _plain_errors(), Gradebook(gradebook) as book:
        known = exercises.load(exercise)
        if read:
            found = entries.read(file, book, known)
            book.set_manual(known.name, found)
            typer.echo(f"{len(found)} entries read from {file}")
        else:
            typer.echo(f"{entries.write(file, book, known)} rows written to {file}")


def _setting(kernel: str, unsafe: bool) -> "Setting":
    """How to run submissions. Raises typer.BadParameter for a kernel that is none."""
    from course_utils.grading.grade import Setting

    if not re.fullmatch("forked|ipykernel", kernel):
        raise typer.BadParameter(f"--kernel is forked or ipykernel, not {kernel!r}.")
    if unsafe:
        typer.echo("No sandbox: students' code runs as you, and can do what you can.", err=True)
    return Setting(kernel, not unsafe)


def _runner(exercise: "Exercise", setting: "Setting", workers: int, scheduler: str) -> "Runner":
    """What grades jobs: this machine's cores, or a cluster."""
    from course_utils.grading.cluster import grade_on
    from course_utils.grading.workers import Task, cores, grade_here

    task = Task(exercise, setting)
    if scheduler:
        return partial(grade_on, scheduler, task)
    return partial(grade_here, task, workers=workers or len(cores()))


def _grade(book: "Gradebook", exercise: "Exercise", setting: "Setting", run: "Runner") -> "Summary":
    """Grade with a progress bar, and say in one line what was done."""
    from tqdm import tqdm

    from course_utils.grading.batch import grade_pending

    with tqdm(unit=" submissions", disable=None) as bar:
        done = grade_pending(
            book,
            exercise,
            setting,
            run,
            on_start=bar.reset,
            on_grade=lambda attempt, grade: bar.update(),
        )
    left = f", {done.left} not (the same command tries them again)" if done.left else ""
    typer.echo(f"{done.graded} graded, {done.invalid} invalid{left}: {book.path}")
    return done
