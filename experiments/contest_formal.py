"""The contest of pretraining objectives on the formal language: `python -m experiments.contest_formal`.

Makes the runs that are missing in the cache folder (about 45 minutes of one core in all) and writes
results/contest_formal.json. The design stands in course_utils/contest/formal.yml.
"""

from course_utils.cli.contest import default_folder
from course_utils.contest import design, report, runs

NAME = "formal"


def main() -> None:
    """Go on where the last call stopped, then report."""
    contest = design.load(NAME)
    for run in runs.run_missing(contest, default_folder(NAME), jobs=1):
        print(run.file, flush=True)
    print(report.write(contest, default_folder(NAME)))


if __name__ == "__main__":
    main()
