"""What every experiment of the family does: make the missing runs, then write the results file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_utils.family import design, report, runs


def main(name: str, extra: Callable[[Path], list[dict[str, Any]]] | None = None) -> None:
    """Go on with a study where the last call stopped; prints each run and, at the end, the file written.

    extra: what else the study measures; gets the folder of the runs and returns rows for the results file.
    """
    study = design.load(name)
    folder = runs.default_folder(study)
    for run in runs.run_missing(study, folder):
        print(run.file, flush=True)
    print(report.write(study, folder, extra=extra(folder) if extra else []))
