"""`course study`: run the generalization study as its design says, and report what it found."""

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:  # torch is loaded by the commands that need it, not by `course --help`
    from course_utils.study.design import Design
    from course_utils.study.grid import Progress

app = typer.Typer(no_args_is_help=True, help="Fine-tune on one domain, test on others.")


class Precision(StrEnum):
    """Of training; bf16 is faster on GPUs and on processors with matrix units, slower on others."""

    NO = "no"
    BF16 = "bf16"


Name = Annotated[str, typer.Argument(help="A design (`course study list` shows all), or a file .yml.")]
Folder = Annotated[
    Path | None, typer.Option(help="Where the study's files are; default: the cache folder, study/NAME.")
]
ChosenPrecision = Annotated[
    Precision | None,
    typer.Option(help="Train in another precision than the design's; use a --folder for it."),
]


@app.command("list")
def list_() -> None:
    """List the course's designs."""
    from course_utils.study import design

    for name in design.names():
        found = design.load(name)
        typer.echo(
            f"{name}: {len(found.keys)} runs; trained on {', '.join(found.seeds)}, tested on "
            f"{', '.join(found.domains)}. {found.question}"
        )


@app.command()
def run(
    name: Name,
    folder: Folder = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Runs at a time, one thread each; default: one a core.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Make the runs on a dask cluster, such as tcp://host:8786.")
    ] = None,
    only: Annotated[str, typer.Option(help='Only the runs named so, such as "six-layers--*--0".')] = "*",
    precision: ChosenPrecision = None,
) -> None:
    """Make every run that is missing; stop it at any time, and start it again to go on."""
    from course_utils.study import grid

    plan = _design(name, precision)
    place = folder or grid.default_folder(plan)
    failed = 0
    try:
        found = grid.run(
            plan,
            place,
            processes_=processes or grid.default_processes(),
            scheduler=scheduler,
            only=only,
        )
        for outcome in found:
            typer.echo(f"{outcome.key.name}: {outcome.problem or 'done'}", err=True)
            failed += outcome.problem is not None
    except _expected() as problem:
        _fail("run", problem)
    if failed:
        _fail("run", RuntimeError(f"{failed} runs failed; the same command tries them again"))
    typer.echo(f"the runs of '{plan.name}' are in {place}")


@app.command()
def status(name: Name, folder: Folder = None, precision: ChosenPrecision = None) -> None:
    """Show which runs there are, what they cost, and what is still to come."""
    from course_utils.study import grid

    plan = _design(name, precision)
    try:
        lines = grid.progress(plan, folder or grid.default_folder(plan))
    except _expected() as problem:
        _fail("status", problem)
    for line in lines:
        cost = "" if line.seconds is None else f", {line.seconds:.0f} CPU-s a run"
        typer.echo(f"{line.system} on {line.train}: {line.done} of {line.wanted}{cost}")
        if line.problem:
            typer.echo(f"  failed: {line.problem}")
    typer.echo(_to_come(lines))


@app.command()
def report(
    name: Name,
    folder: Folder = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the results; default: results/.")] = None,
    precision: ChosenPrecision = None,
) -> None:
    """Write study_NAME.json (tables, verdicts) and study_NAME.npz (predictions) from the runs alone."""
    from course_utils.study import grid
    from course_utils.study.report import report as write

    plan = _design(name, precision)
    place = folder or grid.default_folder(plan)
    try:
        path = write(plan, place, out)
        typer.echo(f"{path}\n{path.with_suffix('.npz')}")
        for line in _told(path):
            typer.echo(line)
    except _expected() as problem:
        _fail("report", problem)


def _told(path: Path) -> list[str]:
    """Each hypothesis of a report with its effect in points, its interval and its verdict."""
    from course_utils import results

    rows = results.parse(path.read_text(encoding="utf-8"), path.stem).table
    lines = []
    for row in (row for row in rows if row["kind"] == "hypothesis"):
        mean, low, high = (f"{100 * row[name]:+.1f}" for name in ("mean", "low", "high"))
        lines.append(f"{row['id']}: {mean} points [{low}, {high}]: {row['verdict']}")
    return lines


def _to_come(lines: "list[Progress]") -> str:
    """What is left to do, in words."""
    runs = sum(line.wanted - line.done for line in lines)
    if not runs:
        return "all runs are there"
    known = [line.remaining for line in lines if line.remaining is not None]
    guess = f"about {sum(known) / 60:.0f} CPU minutes" if len(known) == len(lines) else "cost not known yet"
    return f"{runs} runs to come, {guess}"


def _design(name: str, precision: Precision | None) -> "Design":
    from course_utils.study import design

    try:
        plan = design.load(name)
    except design.DesignError as problem:
        raise typer.BadParameter(str(problem)) from problem
    if precision is None:
        return plan
    return replace(plan, training=replace(plan.training, precision=precision.value))


def _expected() -> tuple[type[Exception], ...]:
    """What is not a bug: things that are missing, damaged, or do not fit together."""
    from course_utils.data.errors import DataError, SourceUnavailable
    from course_utils.study.runs import RunError

    return RunError, DataError, SourceUnavailable, ValueError, OSError


def _fail(command: str, problem: Exception) -> NoReturn:
    sys.stderr.write(f"course study {command}: {problem}\n")
    raise typer.Exit(1) from problem
