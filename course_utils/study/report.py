"""From the files of the runs to results/study_NAME.json: tables, figures' data and verdicts. The predictions
that they are made of go beside it (`predictions`).

Rows by their field "kind", all made from the runs' predictions and the design alone:

=================  ===================================================================================
domain             size, base rate, raters' ceiling; "ceiling gap": the gap of a perfect model
score              a system on a test domain, by metric; "quantity": its mean out of domain and its gap
threshold          how often "positive" is said and true, the oracle's accuracy
without noise      accuracy against noise-free labels, and the gap in it
calibration        expected calibration error, what chance makes of it, the unbiased one; "reliability"
difference         first minus second: by domain, in and out of domain, in the gap
components         what varies with seeds, sentences and both; what another study is planned with
mcnemar            the exact test of each run
robustness         effective robustness, first minus second; "line": what it is measured from
hypothesis         effect, tests, verdict by the rules of `verdicts`; "view": with domains as drawn
plan               what seeds and rows can resolve, from the design's assumptions
stars              five classes from two; "stars difference"; "mixed": who is undecided where people are
excluded           what the design's rules left out, and why
=================  ===================================================================================
"""

from pathlib import Path
from typing import Any

import numpy as np

from course_utils import results
from course_utils.study import design as designs
from course_utils.study import predictions
from course_utils.study.claims import JUDGE, claims
from course_utils.study.design import Design
from course_utils.study.included import included
from course_utils.study.power import plan_rows
from course_utils.study.report_pairs import (
    compared,
    component_rows,
    difference_rows,
    hypothesis_rows,
    mcnemar_rows,
    robustness_rows,
)
from course_utils.study.report_scores import calibration_rows, domain_rows, noise_rows, score_rows
from course_utils.study.report_stars import mixed_rows, star_differences, star_rows
from course_utils.study.runs import Study

Row = dict[str, Any]


def report(design: Design | str, folder: Path | None = None, out: Path | None = None) -> Path:
    """Write a study's results file from its runs, and the predictions (.npz) beside it; returns its path.

    design: one of the course's, its name, or a file .yml. folder: where its runs are. out: where to write.
    Raises RunError while runs are missing, DesignError for an unknown design.
    """
    # Here, since they bring torch, which the rest of a report does without.
    from course_utils.study import execute, grid

    chosen = designs.load(design) if isinstance(design, str) else design
    study = execute.load_study(chosen, folder or grid.default_folder(chosen))
    found, kept = rows(chosen, study), included(chosen, study)[0]
    path = results.write(
        f"study_{chosen.name}",
        command=f"python -m experiments.study_runs {chosen.name}",
        rows=found,
        seeds=sorted({key.seed for key in study.runs}),
        seconds=seconds(study),
        # Rounding in another order is amplified by training; verdicts must not depend on it.
        tolerance={"relative": 0.1, "absolute": 0.03, "ignore": ["p", "p_holm", "values", "df"]},
        claims=claims(chosen, kept, found) if chosen.name == JUDGE else None,
        out=out,
    )
    predictions.save(kept, path.with_suffix(".npz"))
    return path


def rows(design: Design, study: Study) -> list[Row]:
    """All rows of the report; a function of the design and the runs, with nothing random left open.

    Raises DesignError for a design without hypotheses.
    """
    _ = design.first_hypothesis  # refused here, before anything is worked out
    kept, left_out = included(design, study)
    rng = np.random.default_rng(design.data_seed)
    domains, scores = domain_rows(design, kept), score_rows(design, kept)
    first, second = compared(design, kept)[0]
    return [
        *({"kind": "excluded", "sentence": sentence} for sentence in left_out),
        *hypothesis_rows(design, kept),
        *domains,
        *scores,
        *noise_rows(kept, domains, scores),
        *difference_rows(design, kept),
        *component_rows(design, kept),
        *mcnemar_rows(design, kept),
        *robustness_rows(design, kept),
        *calibration_rows(kept, rng),
        *star_rows(kept),
        *star_differences(kept, first, second),
        *mixed_rows(design, kept, first, second),
        *plan_rows(design),
    ]


def seconds(study: Study) -> float:
    """CPU seconds of all runs, as they noted them."""
    return float(sum(run.about.get("cpu_seconds", 0.0) for run in study.runs.values()))
