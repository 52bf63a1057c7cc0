"""`course compress`: a fine-tuned classifier made smaller or faster by a recipe."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:  # torch is loaded by the command itself, not by `course --help`
    from course_utils.compression.job import Rows
    from course_utils.compression.saved import Compressed


def compress(
    model: Annotated[
        Path | None, typer.Argument(help="The folder that `course finetune` saved the model in.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="Steps with commas, such as drop-layers=3,int8.")] = "int8",
    out: Annotated[
        Path | None, typer.Option(help="Folder for model and report; default: MODEL-compressed.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Rows for steps that need some, and to test on.")] = None,
    text: Annotated[str, typer.Option(help="The column with the texts.")] = "text",
    label: Annotated[str | None, typer.Option(help="The column with the labels, if there is one.")] = None,
    encoding: Annotated[str, typer.Option(help="How the file was saved.")] = "utf-8",
    skip_incomplete: Annotated[bool, typer.Option(help="Leave out rows without text or label.")] = False,
    seed: Annotated[int, typer.Option(help="Of the steps that draw or train.")] = 0,
    threads: Annotated[int | None, typer.Option(help="Threads of the processor; default: torch's.")] = None,
    steps: Annotated[bool, typer.Option("--steps", help="List the steps of recipes and stop.")] = False,
) -> None:
    """Make a fine-tuned model smaller or faster: a saved model, and a report on what it gained and lost.

    Stop it at any time; the same command goes on where it stopped.
    """
    if steps:
        typer.echo(_list())
        return
    if model is None:
        _fail("name the folder of a model, such as reviews-model/model, or --steps to see what can be done")
    from course_utils.compression import job
    from course_utils.compression import recipe as recipes

    with _plain_errors():
        _limit(threads)
        chain = recipes.parse(recipe)
        rows = _rows(model, data, text, label, encoding, skip_incomplete, seed)
        folder = out or model.with_name(f"{model.name}-compressed")
        before, after = job.run(model, folder, chain, rows, seed)
        _report(model, folder, before, after, rows)


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What a reader can mend is told in words, without a stack trace."""
    from course_utils.compression.job import CompressionError
    from course_utils.compression.onnx_model import EngineError
    from course_utils.compression.recipe import RecipeError
    from course_utils.data.errors import DataError, SourceUnavailable
    from course_utils.finetuning.saved import SavedModelError
    from course_utils.training import CheckpointError

    told = (RecipeError, CompressionError, EngineError, SavedModelError, CheckpointError)
    try:
        yield
    except KeyboardInterrupt:
        _fail("stopped; the same command goes on where it stopped", code=130)
    except (*told, DataError, SourceUnavailable, FloatingPointError, OSError) as problem:
        _fail(problem)


def _limit(threads: int | None) -> None:
    """Let torch use so many threads; None leaves its own number."""
    import torch

    from course_utils.compression.job import CompressionError

    if threads is None:
        return
    if threads < 1:
        raise CompressionError(f"--threads must be at least 1, got {threads}")
    torch.set_num_threads(threads)


def _rows(
    model: Path,
    data: Path | None,
    text: str,
    label: str | None,
    encoding: str,
    skip_incomplete: bool,
    seed: int,
) -> "Rows":
    """The reader's rows, if any were given; the model is looked at first, for its classes."""
    from course_utils.compression import job
    from course_utils.finetuning.saved import read_about

    classes = read_about(model)["classes"]
    if data is None:
        if label is not None:
            raise job.CompressionError("--label names a column of a file: give the file with --data")
        return job.Rows()
    if label is None:
        return job.read_texts(data, text=text, encoding=encoding, seed=seed)
    return job.read_labeled(
        data, classes, text=text, label=label, encoding=encoding, skip_incomplete=skip_incomplete
    )


def _report(source: Path, folder: Path, before: "Compressed", after: "Compressed", rows: "Rows") -> None:
    from course_utils.compression import job, measure, report
    from course_utils.compression.saved import size_on_disk

    sizes = (size_on_disk(source), size_on_disk(folder / job.MODEL))
    found = measure.compare(before, after, sizes, texts=rows.test_texts, labels=rows.test_labels)
    about = [("Model", str(source)), ("Recipe", after.recipe)]
    if rows.texts:
        about.append(("Rows", f"{len(rows.texts):,} for the steps, {len(rows.test_texts):,} to measure on"))
    _write(folder / "report.json", json.dumps(found, indent=2) + "\n")
    _write(folder / "report.html", report.page(found, about))
    notes = "".join(f"{note}\n" for note in after.notes)
    typer.echo(f"{after.recipe}\n{notes}{report.text(found)}\n{report.verdict(found)}")
    typer.echo(f"model: {folder / job.MODEL}\nreport: {folder / 'report.html'}")


def _list() -> str:
    """The steps with their parameters."""
    from course_utils.compression.registry import steps

    lines: list[str] = []
    for step in steps().values():
        needs = "" if step.needs == "nothing" else f" (needs {step.needs})"
        source = f"; {step.source}" if step.source else ""
        lines.append(f"{step.usage()}\n    {step.help}{needs}{source}")
        lines += [f"    {p.name.upper()}: {p.expected()}{_default(p)}" for p in step.parameters]
    return "\n".join(lines)


def _default(parameter: Any) -> str:
    return "" if parameter.required else f"; {parameter.default} if not given"


def _write(target: Path, content: str) -> None:
    """Whole, or not at all."""
    part = target.with_name(target.name + ".part")
    part.write_text(content, encoding="utf-8")
    part.replace(target)


def _fail(problem: object, code: int = 1) -> NoReturn:
    print(f"course compress: {problem}", file=sys.stderr)
    raise typer.Exit(code)
