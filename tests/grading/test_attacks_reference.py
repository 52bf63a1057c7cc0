"""The reference kernel comes to the same scores; each submission has a sandbox of its own."""

from collections.abc import Iterator

import pytest
from attack_runs import (
    LIMITS,
    Host,
    assert_as_foretold,
    assert_unchanged,
    attempt,
    each_attack,
    needs_bubblewrap,
    stage,
)
from attack_table import Attack

from course_utils.grading.sandbox import Grader

pytestmark = needs_bubblewrap


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    with stage(tmp_path_factory.mktemp("attacks")) as found:
        yield found


@pytest.fixture(scope="module")
def grader(places: dict[str, object]) -> Iterator[Grader]:
    with Grader("ipykernel", limits=LIMITS) as found:
        yield found


@each_attack
def test_attack_gains_and_harms_nothing(attack: Attack, grader: Grader, places: dict[str, object]) -> None:
    before = Host.now()
    assert_as_foretold(attack, attempt(attack, grader, places))
    assert_unchanged(before)
