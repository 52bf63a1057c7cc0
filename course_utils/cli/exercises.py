"""`course exercises`: list, release, check and lint the graded exercises."""

from typing import Annotated

import typer

from course_utils.grading import exercise, lint, release

app = typer.Typer(no_args_is_help=True, help="Make and check the graded exercises (needs a checkout).")

Name = Annotated[str, typer.Argument(help="An exercise, or the beginning of its name; all if left out.")]


def _chosen(name: str) -> list[str]:
    """The exercises that a command works on; a mistake in one of them is one message, not a stack trace."""
    try:
        return [exercise.load(name).name] if name else exercise.names()
    except exercise.ExerciseError as error:
        raise typer.BadParameter(str(error)) from error


@app.command("list")
def list_() -> None:
    """Show each exercise with its tasks, points and minutes."""
    for name in _chosen(""):
        found = exercise.load(name)
        typer.echo(f"{name}: {found.points()} points")
        for task, meta in found.tasks().items():
            typer.echo(f"  {task}: {found.points(task)} points, {meta['minutes']} minutes")


@app.command("release")
def release_(name: Name = "") -> None:
    """Write the student's notebook from the instructor's source."""
    for chosen in _chosen(name):
        typer.echo(f"Wrote {release.release(chosen)}")


@app.command()
def check(name: Name = "") -> None:
    """Fail if a student's notebook is not what its source makes now."""
    stale = [chosen for chosen in _chosen(name) if not release.is_current(chosen)]
    for chosen in stale:
        typer.echo(f"{chosen} differs from its source: run `course exercises release {chosen}`.", err=True)
    if stale:
        raise typer.Exit(1)


@app.command("lint")
def lint_(name: Name = "") -> None:
    """Refuse checks that show no value, a verdict, a guessable value or an unstable one."""
    found = [f"{chosen}: {line}" for chosen in _chosen(name) for line in lint.lint(exercise.load(chosen))]
    for line in found:
        typer.echo(line, err=True)
    if found:
        raise typer.Exit(1)
