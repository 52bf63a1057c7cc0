"""What every experiment of the family does: make the missing runs, then write the results file."""

from course_utils.family import design, report, runs


def main(name: str) -> None:
    """Go on with a study where the last call stopped; prints each run and, at the end, the file written."""
    study = design.load(name)
    folder = runs.default_folder(study)
    for run in runs.run_missing(study, folder):
        print(run.file, flush=True)
    print(report.write(study, folder))
