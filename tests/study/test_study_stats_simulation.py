"""Coverage and level, by simulation: a fast version of the experiment, and what its results file says."""

import numpy as np
import pytest

from course_utils import results
from experiments import study_simulation as simulation

# Beyond what chance does to so few draws: 4 standard errors of a share of 0.95 or 0.05.
FEW, SLACK = 150, 4 * np.sqrt(0.95 * 0.05 / 150)


@pytest.mark.parametrize(
    "case",
    [case for case in simulation.CASES if case.trusted],
    ids=lambda case: f"{case.method}, {case.data}",
)
def test_a_trusted_method_keeps_what_it_says(case):
    draws = FEW / case.share if case.method != "paired bootstrap" else FEW
    found = simulation.case_row(case, round(draws), np.random.default_rng(3))["found"]
    if case.interval:
        assert found >= 0.93 - SLACK
    else:
        assert found <= 0.07 + SLACK


@pytest.mark.parametrize(
    "case", [case for case in simulation.CASES if not case.trusted], ids=lambda case: case.data
)
def test_a_method_that_forgets_what_was_drawn_is_caught(case):
    assert simulation.case_row(case, round(FEW / case.share), np.random.default_rng(4))["found"] < 0.85


def test_the_results_hold_95_percent_to_be_93_to_97():
    kept = results.load("study_simulation")
    assert {(row["method"], row["data"]) for row in kept.table} == {
        (case.method, case.data) for case in simulation.CASES
    }
    wrong = [row for row in kept.rows(trusted=True) if not row["within"]]
    # Two effects of 3 levels each: the interval is wider than it would have to be, never too narrow.
    assert [row["data"] for row in wrong] == ["3 seeds, 3 test domains as rows"]
    assert wrong[0]["found"] > simulation.MOST
    assert not any(row["within"] for row in kept.rows(trusted=False))
