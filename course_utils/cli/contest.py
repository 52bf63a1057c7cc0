"""`course contest`: run the contest between pretraining objectives, and report what it found."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from course_utils.paths import cache_dir

if TYPE_CHECKING:  # torch is loaded by the commands that need it, not by `course --help`
    from course_utils.contest.design import Design

app = typer.Typer(no_args_is_help=True, help="Compare pretraining objectives at equal compute.")

Name = Annotated[str, typer.Argument(help="A design; `course contest list` shows all.")]
Folder = Annotated[
    Path | None, typer.Option(help="Where the runs' files are; default: the cache folder, contest/NAME.")
]


@app.command("list")
def list_() -> None:
    """List the designs: entrants, seeds, compute."""
    from course_utils.contest import design

    for name in design.names():
        found = design.load(name)
        typer.echo(
            f"{name}: {len(found.entrants)} entrants x {len(found.seeds)} seeds, "
            f"{found.training.gigaflops:g} GFLOP a run, primary measure {found.primary}"
        )


@app.command()
def run(
    name: Name,
    folder: Folder = None,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time, one thread each.")] = 1,
) -> None:
    """Make every run that is missing; stop it at any time, and start it again to go on."""
    from course_utils.contest import runs

    place = folder or default_folder(name)
    try:
        for made in runs.run_missing(_design(name), place, jobs):
            typer.echo(f"{made.file} done", err=True)
    except (runs.RunError, OSError) as problem:
        _fail("run", problem)
    typer.echo(f"all runs of '{name}' are in {place}")


@app.command()
def report(
    name: Name,
    folder: Folder = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the results file; default: results/.")] = None,
) -> None:
    """Write results/contest_NAME.json from the runs' files alone."""
    from course_utils.contest import report as reports
    from course_utils.contest import runs

    try:
        typer.echo(str(reports.write(_design(name), folder or default_folder(name), out)))
    except (runs.RunError, ValueError, OSError) as problem:
        _fail("report", problem)


def default_folder(name: str) -> Path:
    """Where a contest's runs are kept unless another folder is asked for."""
    return cache_dir() / "contest" / name


def _design(name: str) -> "Design":
    from course_utils.contest import design

    try:
        return design.load(name)
    except FileNotFoundError as problem:
        raise typer.BadParameter(str(problem)) from problem


def _fail(command: str, problem: Exception) -> NoReturn:
    sys.stderr.write(f"course contest {command}: {problem}\n")
    raise typer.Exit(1) from problem
