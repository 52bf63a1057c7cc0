"""`kill -9` of a worker, of the coordinator or of the dask scheduler loses no score and doubles none."""

import re

import pytest

from benchmarks.grading_kills import compare, submissions


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["workers", "coordinator", "scheduler"])
def test_every_score_survives_kills(victim: str) -> None:
    told: list[str] = []
    compare(40, 2, "stand-in", (victim,), told.append)
    assert "40 graded" in told[0]
    assert re.search("2 killed, .* calls; every score equal, none lost, none double", told[1])


def test_the_made_up_submissions_earn_different_points() -> None:
    found = submissions(120)
    assert len({tuple(sorted(given.answers.items())) for given in found if not given.reason}) == 64
    assert sum(bool(given.reason) for given in found) == 2
