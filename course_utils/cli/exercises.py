"""`course exercises`: list, release, check and lint the graded exercises."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from course_utils.grading import exercise, lint, release

app = typer.Typer(no_args_is_help=True, help="Make and check the graded exercises (needs a checkout).")

Name = Annotated[str, typer.Argument(help="An exercise, or the beginning of its name; all if left out.")]


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What an author can mend is told in words, without a stack trace."""
    try:
        yield
    except (exercise.ExerciseError, ImportError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _chosen(name: str) -> list[str]:
    """The names of the exercises that a command works on."""
    return [exercise.load(name).name] if name else exercise.names()


def _fail(lines: list[str]) -> None:
    """Show what is wrong, and exit with 1 if anything is."""
    for line in lines:
        typer.echo(line, err=True)
    if lines:
        raise typer.Exit(1)


@app.command("list")
def list_() -> None:
    """Show each exercise with its tasks, points and minutes."""
    with _plain_errors():
        for found in map(exercise.load, exercise.names()):
            typer.echo(f"{found.name}: {found.points()} points")
            for task, meta in found.tasks().items():
                typer.echo(f"  {task}: {found.points(task)} points, {meta['minutes']} minutes")


@app.command("release")
def release_(name: Name = "") -> None:
    """Write the student's notebook from the instructor's source."""
    with _plain_errors():
        for chosen in _chosen(name):
            typer.echo(f"Wrote {release.release(chosen)}")


@app.command()
def check(name: Name = "") -> None:
    """Fail if a student's notebook is not what its source makes now."""
    with _plain_errors():
        stale = [chosen for chosen in _chosen(name) if not release.is_current(chosen)]
    _fail([f"{stem} differs from its source: run `course exercises release {stem}`." for stem in stale])


@app.command("lint")
def lint_(name: Name = "") -> None:
    """Refuse checks that show no value, a verdict, a guessable or unstable value, or miss a wrong answer."""
    found = []
    with _plain_errors():
        for chosen in map(exercise.load, _chosen(name)):
            lines = lint.lint(chosen) or lint.survivors(chosen)
            found += [f"{chosen.name}: {line}" for line in lines]
    _fail(found)
