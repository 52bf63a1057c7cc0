"""Re-analysis of the source's own table: `python -m experiments.study_reanalysis` (seconds).

Which differences between BERT and DistilBERT in the talk exceed sampling error, given its sample sizes, and
how many test rows would have been needed (`course_utils.study.reanalysis`). Nothing is random.

Two claims of the talk are lists of differences. What its own numbers allow to say of their sampling error,
by a rule that leaves nothing to judgment:
  exceeds            each difference exceeds it under the worst pairing, with rounding, at every size that its
                     test set may have had, corrected for the number of test sets
  does not exceed    one of them does not under any assumption
  cannot tell        otherwise: it hangs on what the source does not tell
That is sampling error alone: each model was run once. The claims' verdicts come from runs with seeds.
"""

import time
from typing import Any

from course_utils import results
from course_utils.study import reanalysis

CLAIMS = {"study-binary": ("steam", "imdb", "sst2"), "study-yelp": ("yelp", "yelp5")}
TITLES = {
    "steam": "games",
    "imdb": "films",
    "sst2": "SST-2",
    "yelp": "restaurants, two classes",
    "yelp5": "restaurants, five classes",
}

Row = dict[str, Any]


def claim_row(name: str, rows: list[Row]) -> Row:
    """What the source's numbers allow to say of the sampling error of a claim's differences."""
    by_set = {row["dataset"]: row["exceeds"] for row in rows if row["kind"] == "verdict"}
    answers = {dataset: by_set[dataset] for dataset in CLAIMS[name]}
    allowed = {
        row["dataset"]: row["seed_sd_allowed"]
        for row in rows
        if row["kind"] == "difference" and row["stated"] and row["dataset"] in answers
    }
    told = ", ".join(f"{TITLES[dataset]}: {answer}" for dataset, answer in answers.items())
    seeds = ", ".join(f"{100 * sd:.1f} ({TITLES[dataset]})" for dataset, sd in allowed.items())
    return {
        "kind": "claim",
        "claim": name,
        "sampling_error": verdict(list(answers.values())),
        "sentence": (
            "By the talk's own accuracies and sample sizes, does the difference exceed sampling error, "
            f"however the errors of the two models coincide? {told}. Each model was run once: the "
            f"differences drown in seeds whose standard deviation is above, in points, {seeds}."
        ),
    }


def verdict(answers: list[str]) -> str:
    """By the rule above.

    >>> verdict(["yes", "yes"]), verdict(["yes", "no"]), verdict(["yes", "not known"])
    ('exceeds', 'does not exceed', 'cannot tell')
    """
    if "no" in answers:
        return "does not exceed"
    return "exceeds" if set(answers) == {"yes"} else "cannot tell"


def measure() -> list[Row]:
    """All rows."""
    rows = reanalysis.difference_rows()
    rows += reanalysis.verdict_rows(rows) + reanalysis.size_rows() + reanalysis.gap_rows()
    return rows + [claim_row(name, rows) for name in CLAIMS]


def main() -> None:
    """Write the results file."""
    began = time.perf_counter()
    rows = measure()
    print(
        results.write(
            "study_reanalysis",
            command="python -m experiments.study_reanalysis",
            rows=rows,
            seeds=[],
            seconds=time.perf_counter() - began,
            tolerance={"relative": 1e-4, "absolute": 1e-6, "ignore": []},
        )
    )


if __name__ == "__main__":
    main()
