"""The runs of a study that are missing, then its report: `python -m experiments.study_runs laptop`.

The same as `course study run` and `course study report`, in one command that a results file can name. Stop it
at any time: the same call goes on.
"""

import argparse

from course_utils.study import design, grid
from course_utils.study.report import report


def main() -> None:
    """Go on where the last call stopped, then write results/study_NAME.json."""
    parser = argparse.ArgumentParser(description="Run a design of the generalization study and report it.")
    parser.add_argument("design", help=f"one of {', '.join(design.names())}, or a file .yml")
    chosen = design.load(parser.parse_args().design)
    folder = grid.default_folder(chosen)
    for outcome in grid.run(chosen, folder, processes_=grid.default_processes()):
        print(f"{outcome.key.name}: {outcome.problem or 'done'}", flush=True)
    print(report(chosen, folder))


if __name__ == "__main__":
    main()
