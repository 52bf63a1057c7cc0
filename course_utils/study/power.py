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


def plan_rows(design: Design) -> list[dict[str, Any]]:
    """For each number of seeds, test rows a domain, and discordance: the smallest gap that is found with the
    design's power, and the power to find its first hypothesis's smallest effect. `planned` marks the
    design's own numbers."""
    others = len(design.domains) - 1
    own_seeds, own_rows = max(design.seeds.values()), design.rows.test
    smallest = design.hypotheses[0].smallest_effect
    rows = []
    for seeds, count, share in product(sorted({*SEEDS, own_seeds}), sorted({*ROWS, own_rows}), DISCORDANCE):
        if seeds < 2:
            continue
        error = gap_error(design.power.seed_sd, seeds, count, share, others)
        rows.append(
            {
                "kind": "plan",
                "seeds": seeds,
                "rows": count,
                "discordance": share,
                "error": error,
                "detectable": smallest_detectable(error, seeds - 1, design.alpha, design.power.wanted),
                "power": power_of_test(smallest, error, seeds - 1, design.alpha),
                "planned": (seeds, count) == (own_seeds, own_rows),
            }
        )
    return rows


def gap_error(seed_sd: float, seeds: int, rows: int, discordance: float, others: int) -> float:
    """The standard error of a difference of gaps over one train domain and `others` other ones.

    >>> round(gap_error(0.015, seeds=10, rows=2000, discordance=0.15, others=3), 4)
    0.0088
    """
    sentences = (1 + 1 / max(1, others)) * discordance / rows * (1 + 1 / seeds) / 2
    return sqrt(seed_sd**2 / seeds + sentences)
