"""`course exercises`: list, release, check and lint the graded exercises."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from course_utils.grading import exercise, lint, nbgrader_export, nbgrader_import, release

app = typer.Typer(no_args_is_help=True, help="Make and check the graded exercises (needs a checkout).")

Name = Annotated[str, typer.Argument(help="An exercise, or the beginning of its name; all if left out.")]


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What an author can mend is told in words, without a stack trace."""
    try:
        yield
    except (exercise.ExerciseError, ImportError, OSError) as error:
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
    stale = []
    with _plain_errors():
        for chosen in _chosen(name):
            if release.is_current(chosen):
                typer.echo(f"{chosen} is what its source makes")
            else:
                stale.append(chosen)
    _fail([f"{stem} differs from its source: run `course exercises release {stem}`." for stem in stale])


@app.command("lint")
def lint_(name: Name = "") -> None:
    """Refuse checks that show no value, a verdict, a guessable or unstable value, or miss a wrong answer."""
    found = []
    with _plain_errors():
        for chosen in map(exercise.load, _chosen(name)):
            lines = lint.lint(chosen) or lint.survivors(chosen)
            if not lines:
                typer.echo(f"{chosen.name}: sound")
            found += [f"{chosen.name}: {line}" for line in lines]
    _fail(found)


@app.command("to-nbgrader")
def to_nbgrader(
    name: Annotated[str, typer.Argument(help="An exercise, or the beginning of its name.")],
    folder: Annotated[Path, typer.Argument(help="The folder of an nbgrader course.")],
) -> None:
    """Write an exercise into FOLDER/source/, as an nbgrader assignment."""
    with _plain_errors():
        found = exercise.load(name)
        path = folder / "source" / found.name / f"{found.name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(exercise.dump_notebook(nbgrader_export.export(found)), encoding="utf-8", newline="\n")
    typer.echo(f"Wrote {path}")


@app.command("from-nbgrader")
def from_nbgrader(
    file: Annotated[Path, typer.Argument(exists=True, help="The notebook in source/, with solutions.")],
    out: Annotated[Path, typer.Argument(help="The draft to write, such as exercises/instructor/14_x.ipynb.")],
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Turn an nbgrader assignment into the draft of an exercise, and list what its author must still do."""
    with _plain_errors():
        if out.suffix != ".ipynb":
            raise exercise.ExerciseError(
                f"The draft is a notebook: give it a name that ends in .ipynb, not {out}."
            )
        if out.exists() and not force:
            raise exercise.ExerciseError(f"{out} is there already: name another file, or use --force.")
        draft = nbgrader_import.read(exercise.read_notebook(file))
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(exercise.dump_notebook(draft.notebook), encoding="utf-8", newline="\n")
    typer.echo(f"Wrote {out}. Still to do:")
    for line in draft.todo:
        typer.echo(f"- {line}")
    typer.echo(f"- Write known wrong answers into {out.stem}_mutants.py, then run `course exercises lint`.")
