"""The contest of pretraining objectives on English: `python -m experiments.contest_english`.

Makes the runs that are missing in the cache folder (about 13 minutes of one core in all) and writes
results/contest_english.json. The design stands in course_utils/contest/english.yml.

The text is WikiText-103 from the hub, or the .txt files of the folder that COURSE_CONTEST_TEXT names. The
committed results were measured on novels in English published 1839 to 1928, 13.6 million words: about one
hundred files of a public collection (computationalstylistics/100_english_novels), which is not part of the
course. Treebank and minimal pairs come from the hub or a copy (COURSE_HUB_ROOT), the film reviews from
a package.
"""

import os
from pathlib import Path

from course_utils.cli.contest import default_folder
from course_utils.contest import design
from course_utils.contest.english import report, runs
from course_utils.contest.english.design import EnglishDesign

NAME = "english"
TEXT_VARIABLE = "COURSE_CONTEST_TEXT"


def main() -> None:
    """Go on where the last call stopped, then report."""
    contest = design.load(NAME)
    assert isinstance(contest, EnglishDesign)
    given = os.environ.get(TEXT_VARIABLE, "").strip()
    source = Path(given).expanduser() if given else None
    for run in runs.run_missing(contest, default_folder(NAME), jobs=1, source=source):
        print(run.file, flush=True)
    print(report.write(contest, default_folder(NAME)))


if __name__ == "__main__":
    main()
