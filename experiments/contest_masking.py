"""The contest of masked objectives on the formal language: `python -m experiments.contest_masking`.

Makes the runs that are missing in the cache folder (about 20 minutes of one core in all) and writes
results/contest_masking.json. The design stands in course_utils/contest/masking.yml.
"""

from course_utils.cli.contest import default_folder
from course_utils.contest import design, report, runs

NAME = "masking"


def main() -> None:
    """Go on where the last call stopped, then report."""
    contest = design.load(NAME)
    for run in runs.run_missing(contest, default_folder(NAME), jobs=1):
        print(run.file, flush=True)
    print(report.write(contest, default_folder(NAME)))


if __name__ == "__main__":
    main()
