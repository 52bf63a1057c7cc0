"""`course grade publish`, `summary`, `fill`, `package`: what leaves the gradebook, and where courses live."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from course_utils.cli import grade
from course_utils.cli.grade import DEFAULT_BOOK, Book, ExerciseName

if TYPE_CHECKING:
    from course_utils.grading.exercise import Exercise
    from course_utils.grading.late import Policy
    from course_utils.grading.publish.summary import Summary
    from course_utils.grading.records import Final

app = grade.app

NoMistakes = Annotated[
    bool, typer.Option("--no-mistakes", help="Do not try out the known wrong answers (saves a minute).")
]


@contextmanager
def _plain_errors() -> Iterator[None]:
    """What an instructor can mend is told in words: the grader's own errors, and a sheet's."""
    from course_utils.grading.publish.sheets import SheetError

    with grade._plain_errors():
        try:
            yield
        except (SheetError, UnicodeDecodeError) as error:
            typer.echo(f"course grade: {error}", err=True)
            raise typer.Exit(1) from error


@app.command()
def publish(
    exercise: ExerciseName,
    gradebook: Book = DEFAULT_BOOK,
    out: Annotated[Path, typer.Option(help="The folder to write into.")] = Path("published"),
    no_mistakes: NoMistakes = False,
) -> None:
    """Write a feedback page for each student, sheets (own, Canvas, Moodle), and the instructor's summary."""
    from course_utils.grading.publish import feedback, sheets, summary
    from course_utils.grading.publish.words import exercise_title

    with _plain_errors():
        known, finals, policy = _finals(exercise, gradebook)
        pages = feedback.write(known, finals, out / "feedback")
        title = exercise_title(known)
        files = {
            f"{known.name}.csv": sheets.gradebook(known, finals, policy),
            f"{known.name}_canvas.csv": sheets.canvas(title, known.points(), finals),
            f"{known.name}_moodle.csv": sheets.moodle(title, finals, feedback.in_words(known, finals)),
            f"{known.name}_summary.html": summary.page(
                known, _summary(known, finals, no_mistakes), {final.student: final.name for final in finals}
            ),
        }
        for name, text in files.items():
            (out / name).write_text(text, encoding="utf-8", newline="")
    typer.echo(f"{len(pages)} feedback pages in {out / 'feedback' / known.name}")
    for name in files:
        typer.echo(f"{out / name}")


@app.command()
def summary(exercise: ExerciseName, gradebook: Book = DEFAULT_BOOK, no_mistakes: NoMistakes = False) -> None:
    """Show the class: scores, hardest checks, most common mistakes, time, what to look at."""
    from course_utils.grading.publish.summary import lines

    with _plain_errors():
        known, finals, _ = _finals(exercise, gradebook)
        for line in lines(known, _summary(known, finals, no_mistakes)):
            typer.echo(line)


@app.command()
def fill(
    exercise: ExerciseName,
    sheet: Annotated[Path, typer.Argument(help="A CSV exported from Canvas, or Moodle's grading worksheet.")],
    column: Annotated[
        str, typer.Option(help="The column to fill, or its beginning; added if there is none.")
    ],
    out: Annotated[Path, typer.Option(help="The CSV to write.")],
    key: Annotated[str, typer.Option(help="The column that names the students; found if left out.")] = "",
    roster: Annotated[
        Path | None, typer.Option(help="CSV with other names of the students, as for run.")
    ] = None,
    gradebook: Book = DEFAULT_BOOK,
) -> None:
    """Write scores into a sheet of your course system, so that its own ids and columns stay."""
    from course_utils.grading.publish import sheets
    from course_utils.grading.roster import read

    with _plain_errors():
        students = read(roster) if roster else None
        _, finals, _ = _finals(exercise, gradebook)
        text, missing = sheets.fill(sheet.read_text(encoding="utf-8-sig"), column, finals, key, students)
        out.write_text(text, encoding="utf-8", newline="")
    typer.echo(f"Wrote {out}")
    if missing:
        typer.echo(f"Not in the sheet: {', '.join(missing)}", err=True)


@app.command()
def package(
    exercise: ExerciseName,
    gradescope: Annotated[bool, typer.Option("--gradescope", help="An autograder zip.")] = False,
    classroom: Annotated[bool, typer.Option("--classroom", help="A GitHub Classroom template.")] = False,
    out: Annotated[Path | None, typer.Option(help="The zip, or the template's folder.")] = None,
    hidden_visibility: Annotated[
        str, typer.Option(help="Gradescope: visible, hidden, after_due_date or after_published.")
    ] = "visible",
    gradebook: Annotated[
        Path | None, typer.Option(help="Gradescope: take the key of hidden inputs and the policy from it.")
    ] = None,
    unsafe_no_sandbox: grade.Unsafe = False,
) -> None:
    """Make what Gradescope (--gradescope) or GitHub Classroom (--classroom) need for an exercise."""
    from dataclasses import replace

    from course_utils.grading import classroom as classrooms
    from course_utils.grading import exercise as exercises
    from course_utils.grading import gradescope_package
    from course_utils.grading.gradebook import Gradebook

    if gradescope == classroom:
        raise typer.BadParameter("choose one of --gradescope and --classroom.")
    with _plain_errors():
        known = exercises.load(exercise)
        if classroom:
            folder = out or Path(f"{known.name}_classroom")
            for path in classrooms.write(known, folder):
                typer.echo(path)
            return
        options = gradescope_package.Options(hidden_visibility, not unsafe_no_sandbox)
        if gradebook:
            with Gradebook(gradebook) as book:
                needs_hidden = book.policy(known.name).public_needs_hidden
                options = replace(options, salt=book.salt(), public_needs_hidden=needs_hidden)
        try:
            path = gradescope_package.write(known, out or Path(f"{known.name}_gradescope.zip"), options)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        typer.echo(f"Wrote {path}. It holds the solution: upload it to Gradescope, and give it to nobody.")


def _finals(exercise: str, gradebook: Path) -> "tuple[Exercise, list[Final], Policy]":
    """The exercise, what stands for each student, and by which policy."""
    from course_utils.grading import exercise as exercises
    from course_utils.grading.gradebook import Gradebook

    known = exercises.load(exercise)
    with Gradebook(gradebook) as book:
        return known, book.finals(known.name), book.policy(known.name)


def _summary(exercise: "Exercise", finals: "list[Final]", no_mistakes: bool) -> "Summary":
    from course_utils.grading import fingerprints
    from course_utils.grading.publish import summary

    return summary.of(exercise, finals, [] if no_mistakes else fingerprints.of_exercise(exercise))
