"""`course results` and `course reproduce`: look at what was measured, and measure it again."""

import json
from typing import Annotated

import typer

from course_utils import reproduction, results

app = typer.Typer(no_args_is_help=True, help="Look at what was measured.")

Name = Annotated[
    str, typer.Argument(help="A results file without its ending; `course results list` shows all.")
]


@app.command("list")
def list_() -> None:
    """Show each results file with its rows, claims, scale, date and seconds."""
    for name in results.names():
        found = results.load(name)
        typer.echo(
            f"{name}: {len(found.table)} rows, {len(found.claims)} claims, "
            f"{found.scale}, {found.date}, {found.seconds:.0f} s"
        )


@app.command()
def show(name: Name) -> None:
    """Show one results file: how it was made, its claims, its rows (one JSON object a line)."""
    found = _load(name)
    for field in ("command", "scale", "seeds", "versions", "machine", "date", "seconds", "tolerance"):
        typer.echo(f"{field}: {getattr(found, field)}")
    for claim, entry in found.claims.items():
        typer.echo(f"claim {claim}: {entry['verdict']}. {entry['sentence']}")
    for row in found.table:
        typer.echo(json.dumps(row, ensure_ascii=False))


def reproduce(
    name: Name,
    keep: Annotated[bool, typer.Option(help="Put the new file in place of the recorded one.")] = False,
) -> None:
    """Run a results file's command again and compare; exit status 1 if anything differs."""
    _load(name)
    try:
        differences = reproduction.reproduce(name, keep=keep)
    except (reproduction.ReproductionError, results.ResultsError) as error:
        typer.echo(f"Cannot reproduce '{name}': {error}", err=True)
        raise typer.Exit(2) from error
    for difference in differences:
        typer.echo(difference)
    typer.echo(
        f"{name}: {len(differences)} differences beyond the tolerance" if differences else f"{name}: agrees"
    )
    if differences:
        raise typer.Exit(1)


def _load(name: str) -> results.Results:
    """The results, with a mistake in the name or the file as one message, not a stack trace."""
    try:
        return results.load(name)
    except (FileNotFoundError, results.ResultsError) as error:
        raise typer.BadParameter(str(error)) from error
