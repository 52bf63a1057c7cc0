"""What a design can resolve, worked out before its runs from assumptions that it states.

The difference of two systems' gaps varies with the seed (standard deviation: the design's), and with the
sentences. On a share of them, the discordance, exactly one of the two systems is right; half of that variance
is assumed to be the sentence's own, the same whatever the seed, and half to change with the seed.
"""

from itertools import product
from math import sqrt
from typing import Any

from course_utils.stats import power_of_test, smallest_detectable
from course_utils.study.design import Design

SEEDS = (3, 5, 10, 20)
ROWS = (500, 1000, 2000, 5000, 50_000)
DISCORDANCE = (0.1, 0.2)
MANY = 1e6  # degrees of freedom: the normal distribution


def plan_rows(design: Design) -> list[dict[str, Any]]:
    """For each number of seeds, test rows in every domain, and discordance: the smallest gap for which an
    uncorrected t test comes out below alpha with the design's power, and its power at the first hypothesis's
    smallest effect. `planned` marks the design's own numbers.

    The optimistic side: verdicts correct for several hypotheses, ask for an estimate of at least the smallest
    effect (at a true effect of that size half of all estimates lie below it), and look at robustness too.
    Raises DesignError for a design without hypotheses.
    """
    others = len(design.domains) - 1
    own_seeds, own_rows = max(design.seeds.values()), design.rows.test
    smallest = design.first_hypothesis.smallest_effect
    rows = []
    for seeds, count, share in product(sorted({*SEEDS, own_seeds}), sorted({*ROWS, own_rows}), DISCORDANCE):
        if seeds < 2:
            continue
        error = gap_error(design.power.seed_sd, seeds, count, share, others)
        df = degrees_of_freedom(design.power.seed_sd, seeds, error)
        rows.append(
            {
                "kind": "plan",
                "seeds": seeds,
                "rows": count,
                "discordance": share,
                "error": error,
                "detectable": smallest_detectable(error, df, design.alpha, design.power.wanted),
                "power": power_of_test(smallest, error, df, design.alpha),
                "planned": (seeds, count) == (own_seeds, own_rows),
            }
        )
    return rows


def degrees_of_freedom(seed_sd: float, seeds: int, error: float) -> float:
    """Satterthwaite's (1946), of an error of which the seeds' part has seeds - 1 and the rest as good as all.

    >>> round(degrees_of_freedom(0.01, seeds=3, error=0.0085), 1)
    9.4
    """
    part = seed_sd**2 / seeds
    return min(MANY, (seeds - 1) * error**4 / part**2) if part else MANY


def gap_error(seed_sd: float, seeds: int, rows: int, discordance: float, others: int) -> float:
    """The standard error of a difference of gaps over one train domain and `others` other ones.

    >>> round(gap_error(0.015, seeds=10, rows=2000, discordance=0.15, others=3), 4)
    0.0088
    """
    sentences = (1 + 1 / max(1, others)) * discordance / rows * (1 + 1 / seeds) / 2
    return sqrt(seed_sd**2 / seeds + sentences)
