"""How the entrants of the formal contest learn their own tasks: training loss above the floor, by compute.

Reads the final runs of `experiments.contest_formal` in the cache folder (and makes those that are missing). A
run logs its training loss about twenty times. Here the loss stands against the share of the compute that was
spent, minus the floor of the objective's own task on held-out texts, as a mean over seeds. Entrants whose
floor is not known (deshuffling, ELECTRA) have no curve. Nothing is judged here.

Run: python -m experiments.objectives_curves
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from course_utils import results
from course_utils.cli.contest import default_folder
from course_utils.contest import design, runs

NAME = "objectives_curves"
CONTEST = "formal"
POINTS = 20


def curve_rows(entrant: str, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each twentieth of the compute: loss minus floor, its mean over seeds, least and most.

    Between two logged steps the loss is interpolated, since two seeds may differ by a step.
    """
    shares = np.arange(1, POINTS + 1) / POINTS
    above = np.array([_above_floor(record, shares) for record in records])
    return [
        {
            "entrant": entrant,
            "compute": share.item(),
            "above_floor": of_share.mean().item(),
            "least": of_share.min().item(),
            "most": of_share.max().item(),
        }
        for share, of_share in zip(shares, above.T, strict=True)
    ]


def _above_floor(record: dict[str, Any], shares: np.ndarray) -> np.ndarray:
    """One run's training loss above its floor at these shares of its steps."""
    steps, losses = np.array(record["curve"], dtype=float).T
    return np.interp(shares, steps / steps[-1], losses) - record["own_task"]["floor"]


def main() -> None:
    """Make what is missing, collect the curves, write."""
    contest, folder = design.load(CONTEST), default_folder(CONTEST)
    for run in runs.run_missing(contest, folder, jobs=1):
        print(run.file, flush=True)
    by_entrant: dict[str, list[dict[str, Any]]] = {}
    for run in runs.final_runs(contest, folder):
        record = runs.read(contest, folder, run)
        if record.get("own_task") is not None:
            by_entrant.setdefault(run.entrant, []).append(record)
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=[row for entrant, records in by_entrant.items() for row in curve_rows(entrant, records)],
        seeds=contest.seeds,
        seconds=sum(record["cpu_seconds"] for records in by_entrant.values() for record in records),
        tolerance={"relative": 0.1, "absolute": 0.1, "ignore": []},
    )


if __name__ == "__main__":
    main()
