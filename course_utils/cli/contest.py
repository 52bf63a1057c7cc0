"""`course contest`: run the contest between pretraining objectives, and report what it found."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from course_utils.paths import cache_dir

if TYPE_CHECKING:  # torch is loaded by the commands that need it, not by `course --help`
    from course_utils.contest.design import Design
    from course_utils.contest.english.design import EnglishDesign

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
    text: Annotated[
        Path | None,
        typer.Option(help="For 'english': a folder of .txt files; default: WikiText from the hub."),
    ] = None,
) -> None:
    """Make every run that is missing; stop it at any time, and start it again to go on."""
    from course_utils.contest import runs
    from course_utils.contest.english import runs as english
    from course_utils.contest.english.design import EnglishDesign
    from course_utils.data.errors import DataError, SourceUnavailable

    place, contest = folder or default_folder(name), _design(name)
    try:
        if isinstance(contest, EnglishDesign):
            missing = english.run_missing(contest, place, jobs, text)
        elif text is None:
            missing = runs.run_missing(contest, place, jobs)
        else:
            raise typer.BadParameter(f"--text is for contests on English; '{name}' makes its own texts")
        for made in missing:
            typer.echo(f"{made.file} done", err=True)
    except (runs.RunError, DataError, SourceUnavailable, OSError) as problem:
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
    from course_utils.contest.english import report as english
    from course_utils.contest.english.design import EnglishDesign

    place, contest = folder or default_folder(name), _design(name)
    try:
        if isinstance(contest, EnglishDesign):
            typer.echo(str(english.write(contest, place, out)))
        else:
            typer.echo(str(reports.write(contest, place, out)))
    except (runs.RunError, ValueError, OSError) as problem:
        _fail("report", problem)


def default_folder(name: str) -> Path:
    """Where a contest's runs are kept unless another folder is asked for."""
    return cache_dir() / "contest" / name


def _design(name: str) -> "Design | EnglishDesign":
    from course_utils.contest import design

    try:
        return design.load(name)
    except FileNotFoundError as problem:
        raise typer.BadParameter(str(problem)) from problem


def _fail(command: str, problem: Exception) -> NoReturn:
    sys.stderr.write(f"course contest {command}: {problem}\n")
    raise typer.Exit(1) from problem
