"""The re-analysis of the source's table: against a computation by hand, simulation, and its own rules."""

import numpy as np
import pytest
from scipy.stats import norm

from course_utils import results
from course_utils.stats import mcnemar_mid_p
from course_utils.study import reanalysis
from course_utils.study.reanalysis import Reported
from experiments import study_reanalysis


def row(rows, **match):
    (found,) = (row for row in rows if all(row.get(key) == value for key, value in match.items()))
    return found


@pytest.fixture(scope="module")
def rows():
    return study_reanalysis.measure()


def test_the_table_is_the_sources():
    assert [one.difference for one in reanalysis.TABLE] == [-0.02, -0.01, -0.006, 0.0047, 0.0137]


def test_worst_pairing_by_hand(rows):
    """Of 50,000 rows 13.9% and 11.9% are wrong, never together: they disagree on 25.8%."""
    z = 0.02 * np.sqrt(50_000 / 0.258)
    found = row(rows, kind="difference", dataset="steam")
    assert found["p_worst"] == pytest.approx(2 * norm.sf(z))


def test_predictions_drawn_under_the_worst_pairing_give_that_p_value():
    rng = np.random.default_rng(1)
    pattern = rng.multinomial(200_000, [1 - 0.412, 0.209, 0.203])
    teacher = np.repeat([True, False, True], pattern)
    student = np.repeat([True, True, False], pattern)
    one = Reported("drawn", float(teacher.mean()), float(student.mean()), (200_000,))
    (found,) = reanalysis.difference_rows((one,))
    assert found["p_worst"] == pytest.approx(mcnemar_mid_p(teacher, student), rel=0.02)


def test_worst_is_the_largest_error(rows):
    for found in (row for row in rows if row["kind"] == "difference"):
        assert found["p_worst"] >= found["p_independent"] >= found["p_best"] >= found["p_best_rounded"]
        assert found["p_worst_rounded"] >= found["p_worst"]
        assert found["low_worst"] <= found["difference"] <= found["high_worst"]


def test_what_is_known_of_each_test_set(rows):
    told = {found["dataset"]: found["exceeds"] for found in rows if found["kind"] == "verdict"}
    assert told["steam"] == told["imdb"] == told["yelp5"] == "yes"
    assert told["sst2"] == "not known"


def test_no_is_said_only_if_the_most_favorable_pairing_does_not_help():
    """500 rows tell 2 points apart if the models err together, and not if their errors are independent."""
    exceeds = {}
    for name, student in (("two points", 0.82), ("one row", 0.802)):
        lone = reanalysis.difference_rows((Reported(name, 0.80, student, (500,)),))
        assert lone[0]["p_independent"] > 0.3
        exceeds[name] = reanalysis.verdict_rows(lone)[0]["exceeds"]
    assert exceeds == {"two points": "not known", "one row": "no"}


def test_the_seed_sd_allowed_is_the_one_that_hides_the_difference():
    one = Reported("two", 0.88, 0.86, (20_000,))
    sd = reanalysis.seed_sd_allowed(one, 20_000)
    rng, seen = np.random.default_rng(2), []
    for _ in range(4000):
        true = np.array([0.87, 0.87]) + sd * rng.normal(size=2)
        seen.append(np.subtract(*rng.binomial(20_000, true) / 20_000))
    assert np.mean(np.abs(seen) >= 0.02) == pytest.approx(0.05, abs=0.012)


def test_a_lead_at_home_makes_a_gap(rows):
    """The student's gap is larger on every other set, though it is ahead on two of the three."""
    found = [found for found in rows if found["kind"] == "gap"]
    assert [one["difference"] for one in found] == [0.01, 0.014, 0.0247]
    for one in found:
        assert one["difference"] == pytest.approx(one["home"] - one["away"])


def test_the_claims_follow_their_rule(rows):
    found = row(rows, kind="claim", claim="study-binary")
    assert found["sampling_error"] == "cannot tell"
    assert "SST-2: not known" in found["sentence"]


def test_the_results_file_is_what_the_command_makes(rows):
    """Nothing in it is random."""
    kept = results.load("study_reanalysis")
    table = [results.rounded(one, "row") for one in rows]
    made = results.Results("study_reanalysis", table, tolerance=kept.tolerance, scale=kept.scale)
    assert results.compare(kept, made) == []
