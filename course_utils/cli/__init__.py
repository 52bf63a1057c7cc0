"""The `course` command: thin wrappers, one module a group, around the rooms that do the work."""

import typer

from course_utils.cli import compress, contest, data, exercises, finetune, grade_publish, results, study

app = typer.Typer(
    no_args_is_help=True, help="Work with the course from a terminal.", pretty_exceptions_enable=False
)
app.add_typer(contest.app, name="contest")
app.add_typer(data.app, name="data")
app.add_typer(exercises.app, name="exercises")
app.add_typer(grade_publish.app, name="grade")
app.add_typer(results.app, name="results")
app.add_typer(study.app, name="study")
app.command("reproduce")(results.reproduce)
app.command("finetune")(finetune.finetune)
app.command("compress")(compress.compress)
app.command("predict")(finetune.predict)
