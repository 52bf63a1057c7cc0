"""`course finetune` and `course predict`: a classifier from the reader's own rows, and its answers."""

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:  # torch is loaded by the commands that need it, not by `course --help`
    from course_utils.finetuning.job import Settings, Table
    from course_utils.finetuning.saved import Classifier


def finetune(
    file: Annotated[Path, typer.Argument(help="Rows to learn from: .csv, .tsv, .jsonl or .parquet.")],
    text: Annotated[str, typer.Option(help="The column with the texts.")] = "text",
    label: Annotated[str, typer.Option(help="The column with the labels: words or numbers.")] = "label",
    out: Annotated[
        Path | None, typer.Option(help="Folder for model and report; default: FILE-model.")
    ] = None,
    epochs: Annotated[float, typer.Option(help="Passes over the training rows.")] = 3.0,
    batch_size: Annotated[int, typer.Option(help="Rows a step.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Peak of the learning rate.")] = 5e-5,
    max_length: Annotated[int, typer.Option(help="Tokens of a text; the rest is cut off.")] = 128,
    rows: Annotated[int | None, typer.Option(help="Learn from so many rows only; for a first try.")] = None,
    seed: Annotated[int, typer.Option(help="Of the head, the order of rows and dropout.")] = 0,
    encoding: Annotated[str, typer.Option(help="How the file was saved.")] = "utf-8",
    skip_incomplete: Annotated[bool, typer.Option(help="Leave out rows without text or label.")] = False,
) -> None:
    """Fine-tune the small BERT on your own rows: a saved model, and a report on rows that it has not seen.

    Stop it at any time; the same command goes on where it stopped.
    """
    from course_utils.data.errors import DataError, SourceUnavailable
    from course_utils.finetuning import job
    from course_utils.training import CheckpointError

    folder = out or file.with_name(f"{file.stem}-model")
    try:
        settings = job.Settings(
            text, label, epochs, batch_size, learning_rate, max_length, rows, seed, encoding, skip_incomplete
        )
        table = job.read_table(file, settings)
        _tell(table, settings)
        classifier = job.train_job(file, folder, settings, table)
        _report(file, folder, settings, table, classifier)
    except KeyboardInterrupt:
        _fail("finetune", "stopped; the same command goes on from the last checkpoint", code=130)
    except (
        DataError,
        SourceUnavailable,
        job.JobError,
        CheckpointError,
        FloatingPointError,
        OSError,
    ) as problem:
        _fail("finetune", problem)


def predict(
    model: Annotated[
        Path,
        typer.Argument(help="The folder that `course finetune` or `course compress` saved the model in."),
    ],
    file: Annotated[Path, typer.Argument(help="Rows to label: .csv, .tsv, .jsonl or .parquet.")],
    text: Annotated[str, typer.Option(help="The column with the texts.")] = "text",
    out: Annotated[Path | None, typer.Option(help="The CSV to write; default: FILE-predicted.csv.")] = None,
    encoding: Annotated[str, typer.Option(help="How the file was saved.")] = "utf-8",
) -> None:
    """Label the rows of a file: its columns, the predicted class, and the probability of every class."""
    from course_utils.compression import saved
    from course_utils.data import load_texts
    from course_utils.data.errors import DataError
    from course_utils.finetuning.saved import SavedModelError

    target = out or file.with_name(f"{file.stem}-predicted.csv")
    try:
        classifier = saved.load(model)
        texts, rows = load_texts(file, text=text, encoding=encoding)
        _write_predictions(target, rows, classifier.probabilities(texts), classifier.classes)
    except (DataError, SavedModelError, OSError) as problem:
        _fail("predict", problem)
    typer.echo(f"{len(texts):,} rows labeled: {target}")


def _tell(table: "Table", settings: "Settings") -> None:
    """What was read, before the long part."""
    from course_utils.finetuning.job import cut_texts

    parts = ", ".join(f"{len(labels):,} {split}" for split, labels in table.labels.items())
    typer.echo(f"{len(table.classes)} classes ({', '.join(table.classes)}); rows: {parts}", err=True)
    if table.skipped:
        typer.echo(f"{len(table.skipped)} incomplete rows are left out", err=True)
    if cut := cut_texts(table, settings):
        typer.echo(
            f"{cut:,} texts are longer than {settings.max_length} tokens: their ends are cut off", err=True
        )


def _report(file: Path, folder: Path, settings: "Settings", table: "Table", classifier: "Classifier") -> None:
    from course_utils.finetuning import report
    from course_utils.finetuning.job import cut_texts

    found = report.evaluate(table, classifier.probabilities(table.texts["test"]), settings.seed)
    about = [
        ("File", file.name),
        ("Columns", f"{settings.text} (text), {settings.label} (label)"),
        ("Rows", ", ".join(f"{n:,} {split}" for split, n in found["rows"].items())),
        ("Left out", f"{len(table.skipped)} incomplete rows"),
        ("Cut", f"{cut_texts(table, settings):,} texts longer than {settings.max_length} tokens"),
        ("Training", f"{settings.epochs:g} epochs, rate {settings.learning_rate:g}, seed {settings.seed}"),
    ]
    (folder / "report.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (folder / "report.html").write_text(report.page(found, about), encoding="utf-8")
    accuracy = found["accuracy"]
    typer.echo(
        f"accuracy on {found['rows']['test']:,} test rows {accuracy['estimate']:.3f} "
        f"[{accuracy['low']:.3f}, {accuracy['high']:.3f}], a bag of words "
        f"{found['bag_of_words_accuracy']['estimate']:.3f}\n"
        f"model: {folder / 'model'}\nreport: {folder / 'report.html'}"
    )


def _write_predictions(
    target: Path, rows: list[dict[str, Any]], probabilities: Any, classes: tuple[str, ...]
) -> None:
    """The rows as they came, and what the model makes of them; whole, or not at all."""
    part = target.with_name(target.name + ".part")
    with part.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        names = list(dict.fromkeys(name for row in rows for name in row))
        writer.writerow([*names, "predicted", *(f"p({name})" for name in classes)])
        for row, p in zip(rows, probabilities, strict=True):
            cells = [row.get(name) for name in names]
            writer.writerow([*cells, classes[int(p.argmax())], *(f"{value:.4f}" for value in p)])
    part.replace(target)


def _fail(command: str, problem: object, code: int = 1) -> NoReturn:
    print(f"course {command}: {problem}", file=sys.stderr)
    raise typer.Exit(code)
