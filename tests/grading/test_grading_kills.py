"""`kill -9` of a worker, of the coordinator or of the dask scheduler loses no score and doubles none."""

import random
from pathlib import Path

import pytest

from benchmarks import grading_kills
from benchmarks.grading_kills import (
    TRIES,
    VICTIMS,
    Disturbance,
    compare,
    coordinate,
    submissions,
    victims,
)


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["cores", "cluster"])
def test_every_score_survives_kills_of_each_kind(setting: str) -> None:
    told: list[str] = []
    (row,) = compare(40, 3, "stand-in", (setting,), told.append)
    assert "40 graded" in told[0]
    assert "every score equal, none lost, none double" in told[1]
    died = {kind: row[f"{kind}s_killed"] for kind in VICTIMS[setting]}
    assert min(died.values()) >= 1
    assert sum(died.values()) <= 3


@pytest.mark.parametrize("setting", VICTIMS)
def test_each_kind_of_process_is_among_the_first_victims(setting: str) -> None:
    kinds = VICTIMS[setting]
    plans = [victims(setting, 20, random.Random(seed)) for seed in range(50)]
    assert all(sorted(plan[: len(kinds)]) == sorted(kinds) for plan in plans)
    assert {tuple(plan[:2]) for plan in plans} >= {("worker", "coordinator"), ("coordinator", "worker")}
    assert {kind for plan in plans for kind in plan[len(kinds) :]} == set(kinds)
    with pytest.raises(ValueError, match="cannot hit each of worker, coordinator"):
        victims(setting, len(kinds) - 1, random.Random(0))


def test_a_run_that_spared_somebody_is_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is tried again, and then refused."""
    runs = []

    def over_at_once(book: Path, *given: object) -> Disturbance:
        runs.append(book)
        coordinate(book, "stand-in", "")
        return Disturbance(("worker",), 1)

    monkeypatch.setattr(grading_kills, "disturbed", over_at_once)
    with pytest.raises(RuntimeError, match="Never killed: coordinator"):
        compare(4, 2, "stand-in", ("cores",), str)
    assert len(set(runs)) == TRIES


def test_the_made_up_submissions_earn_different_points() -> None:
    found = submissions(120)
    assert len({tuple(sorted(given.answers.items())) for given in found if not given.reason}) == 64
    assert sum(bool(given.reason) for given in found) == 2
