"""Do the study's intervals cover, do its tests keep their level? `python -m experiments.study_simulation`

Each method is given data whose truth is known, thousands of times. An interval of 95% should hold the truth
in 93 to 97% of the draws; a test at 5% should reject a true null hypothesis in 3 to 7%. Exact tests may
reject less often, never more; Holm's correction keeps the chance of any false rejection at 5% or below.
Methods that are known to fail are shown beside them (`trusted` false): the interval over seeds alone where
sentences are drawn too, the one over sentences alone, single rows where whole reviews were drawn, and the
trusted crossed interval itself where few seeds happen to agree: of three that differ by chance alone, one
draw in five has an error below half of that over sentences, and there the interval is too narrow.
One trusted interval covers more than it says: 3 seeds crossed with 3 domains, where each variance has 2
degrees of freedom.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils import results, stats
from course_utils.study.gaps import row_values

DRAWS = 3000
LEAST, MOST = 0.93, 0.97

Array = NDArray[np.float64]
Trial = Callable[[np.random.Generator], bool]


@dataclass(frozen=True)
class Case:
    """A method on one kind of data. trial: whether the interval held the truth, or the test rejected a truth.

    conservative: a test that may reject less often than it says. trusted: whether the study uses it so.
    """

    method: str
    data: str
    interval: bool
    trial: Trial
    share: float = 1.0  # of the draws; less for a slow one
    conservative: bool = False
    trusted: bool = True


def crossed(rng: np.random.Generator, seeds: int, rows: int, seed_sd: float, row_sd: float) -> Array:
    """(seeds, rows) with a true mean of 0."""
    values = seed_sd * rng.normal(size=(seeds, 1)) + row_sd * rng.normal(size=(1, rows))
    return values + rng.normal(size=(seeds, rows))


def answers(rng: np.random.Generator, seeds: int, rows: int, seed_sd: float) -> tuple[Array, Array]:
    """Right or wrong of two systems alike that share the difficulty of a row: (seeds, rows) each."""
    hard = rng.normal(size=(1, rows))
    right = [
        (0.8 + seed_sd * rng.normal(size=(seeds, 1)) + hard + rng.normal(size=(seeds, rows)) > 0)
        for _ in range(2)
    ]
    return right[0].astype(np.float64), right[1].astype(np.float64)


def holds(found: stats.Interval, truth: float = 0.0) -> bool:
    """Whether an interval covers the truth."""
    return found.low <= truth <= found.high


def over_seeds(seeds: int) -> Trial:
    """Student's t over independent values."""
    return lambda rng: holds(stats.mean_estimate(rng.normal(size=seeds)).interval())


def over_both(seeds: int, rows: int, seed_sd: float, row_sd: float) -> Trial:
    """Seeds and rows crossed."""
    return lambda rng: holds(stats.crossed_estimate([crossed(rng, seeds, rows, seed_sd, row_sd)]).interval())


def that_agree(seeds: int, rows: int) -> Trial:
    """Only those draws in which seeds agree so well that the error is below half of that over rows alone."""

    def trial(rng: np.random.Generator) -> bool:
        while True:
            table = crossed(rng, seeds, rows, 0.0, 0.0)
            found = stats.crossed_estimate([table])
            if found.error < stats.mean_estimate(table.mean(axis=0)).error / 2:
                return holds(found.interval())

    return trial


def of_gaps(seeds: int, rows: int, seed_sd: float) -> Trial:
    """The difference of two systems' gaps over three domains, of right and wrong answers."""

    def trial(rng: np.random.Generator) -> bool:
        tables = [np.subtract(*answers(rng, seeds, rows, seed_sd)) for _ in range(3)]
        return holds(stats.crossed_estimate(tables, [1.0, -0.5, -0.5]).interval())

    return trial


def of_auc(seeds: int, rows: int) -> Trial:
    """The difference of two systems' AUC, paired by row."""
    labels = np.arange(rows) % 3 == 0

    def trial(rng: np.random.Generator) -> bool:
        hard = rng.normal(size=rows)
        scores = (
            labels + hard + rng.normal(size=(2, seeds, rows)) + 0.2 * rng.normal(size=(2, seeds, 1)) * labels
        )
        values = [np.stack([row_values("auc", labels, one) for one in system]) for system in scores]
        return holds(stats.crossed_estimate([values[0] - values[1]]).interval())

    return trial


def of_groups(grouped: bool) -> Trial:
    """Reviews of 4 sentences that share much of their difficulty, one table."""
    labels = np.repeat(np.arange(60), 4)

    def trial(rng: np.random.Generator) -> bool:
        values = crossed(rng, 4, 240, 0.05, 0.0) + 2 * np.repeat(rng.normal(size=(1, 60)), 4, axis=1)
        return holds(stats.crossed_estimate([values], groups=[labels if grouped else None]).interval())

    return trial


def one_side_only(seeds: int, rows: int, axis: int) -> Trial:
    """Seeds and rows vary; the interval is told of one of them."""
    return lambda rng: holds(
        stats.mean_estimate(crossed(rng, seeds, rows, 0.3, 3.0).mean(axis=axis)).interval()
    )


def by_bootstrap(rng: np.random.Generator) -> bool:
    """The paired bootstrap on the rows of one run."""
    a, b = answers(rng, 1, 200, 0.0)
    return holds(stats.bootstrap_interval((a - b)[0], rng=rng, resamples=299))


def equivalent(seeds: int) -> Trial:
    """Two one-sided tests where the truth is just as large as what they exclude."""
    return lambda rng: stats.mean_estimate(2 + rng.normal(size=seeds)).p_equivalence(2.0) <= 0.05


def paired_test(test: Callable[[Array, Array], float], rows: int) -> Trial:
    """A test of two systems alike on the same rows."""

    def trial(rng: np.random.Generator) -> bool:
        a, b = answers(rng, 1, rows, 0.0)
        return test(a[0] > 0.5, b[0] > 0.5) <= 0.05

    return trial


def unpaired(rng: np.random.Generator) -> bool:
    """Two accuracies on rows of their own."""
    a, b = rng.binomial(500, 0.8, size=2) / 500
    return stats.unpaired_difference(a, b, 500, 500).p_value <= 0.05


def flips(rng: np.random.Generator) -> bool:
    """The permutation test over 8 seeds."""
    a, b = rng.exponential(size=(2, 8))
    return stats.paired_permutation_test(a, b, rng=rng) <= 0.05


def any_of_ten(rng: np.random.Generator) -> bool:
    """Holm over ten true null hypotheses."""
    p = [stats.mean_estimate(values).p_value() for values in rng.normal(size=(10, 6))]
    return min(stats.holm(p)) <= 0.05


CASES = (
    *(Case("t over seeds", f"{n} seeds", True, over_seeds(n)) for n in (3, 10)),
    *(
        Case("crossed", f"{n} seeds, 300 rows, {name}", True, over_both(n, 300, seed_sd, row_sd))
        for n in (3, 10)
        for name, seed_sd, row_sd in (
            ("seeds vary most", 0.5, 0.5),
            ("both alike", 0.1, 1.0),
            ("rows vary most", 0.02, 3.0),
        )
    ),
    *(
        Case("crossed", f"{n} seeds, 3 test domains as rows", True, over_both(n, 3, 0.5, 1.0))
        for n in (3, 10)
    ),
    *(Case("crossed", f"gaps, {n} seeds, 3 x 300 rows", True, of_gaps(n, 300, 0.1), 0.5) for n in (3, 10)),
    *(Case("crossed", f"AUC, {n} seeds, 300 rows", True, of_auc(n, 300), 0.3) for n in (3, 10)),
    Case("crossed, groups drawn", "60 reviews of 4 sentences", True, of_groups(True)),
    Case("crossed, rows drawn", "60 reviews of 4 sentences", True, of_groups(False), trusted=False),
    Case("t over seeds", "10 seeds, rows vary too", True, one_side_only(10, 300, axis=1), trusted=False),
    Case("t over rows", "seeds vary too", True, one_side_only(2, 3000, axis=0), trusted=False),
    Case("paired bootstrap", "200 rows", True, by_bootstrap, 0.25),
    *(Case("equivalence test", f"{n} seeds", False, equivalent(n)) for n in (3, 10)),
    Case("McNemar, exact", "300 rows", False, paired_test(stats.mcnemar_exact, 300), conservative=True),
    Case("McNemar, mid-p", "300 rows", False, paired_test(stats.mcnemar_mid_p, 300)),
    Case("z test, unpaired", "500 rows each", False, unpaired),
    Case("permutation test", "8 seeds", False, flips, 0.3, conservative=True),
    Case("Holm", "10 true null hypotheses", False, any_of_ten, 0.5, conservative=True),
    Case("crossed", "3 seeds that happen to agree", True, that_agree(3, 300), 0.3, trusted=False),
)


def case_row(case: Case, draws: int, rng: np.random.Generator) -> dict[str, Any]:
    """How often the interval held the truth, or the test rejected it."""
    count = max(2, round(draws * case.share))
    found = float(np.mean([case.trial(rng) for _ in range(count)]))
    low, high = (LEAST, MOST) if case.interval else (0.0 if case.conservative else 1 - MOST, 1 - LEAST)
    return {
        "method": case.method,
        "data": case.data,
        "kind": "coverage" if case.interval else "size",
        "nominal": 0.95 if case.interval else 0.05,
        "found": found,
        "error": sqrt(max(found * (1 - found), 1e-9) / count),
        "draws": count,
        "within": low <= found <= high,
        "trusted": case.trusted,
    }


def measure(draws: int = DRAWS, seed: int = 2026) -> list[dict[str, Any]]:
    """A row for each case; each draws from a generator of its own."""
    return [case_row(case, draws, np.random.default_rng([seed, number])) for number, case in enumerate(CASES)]


def main() -> None:
    """Write the results file."""
    parser = argparse.ArgumentParser(description="Coverage of the study's intervals, size of its tests.")
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"of each case; default {DRAWS}")
    began = time.perf_counter()
    rows = measure(parser.parse_args().draws)
    print(
        results.write(
            "study_simulation",
            command="python -m experiments.study_simulation",
            rows=rows,
            seeds=[2026],
            seconds=time.perf_counter() - began,
            tolerance={"relative": 1e-6, "absolute": 0.005, "ignore": []},
        )
    )


if __name__ == "__main__":
    main()
