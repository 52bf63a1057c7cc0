"""The two kernels agree. All exercises and wrong answers: python -m course_utils.grading.sandbox.parity"""

from dataclasses import replace

from attack_runs import needs_bubblewrap

from course_utils.grading import exercise
from course_utils.grading.sandbox import CellOutcome, Run, parity


@needs_bubblewrap
def test_forked_and_reference_kernel_say_the_same() -> None:
    found = exercise.load("01")
    ours, theirs = parity.runs(found, "forked", 2), parity.runs(found, "ipykernel", 2)
    assert parity.differences(ours, theirs) == []
    assert all(outcome.passed for outcome in ours["solution"].cells.values())
    checks = {cell["id"] for cell in found.cells("public-check", "hidden-check")}
    assert not any(ours["stub"].cells[name].passed for name in checks)
    assert len(ours) == 4


def test_a_difference_is_told() -> None:
    one = Run({"a": CellOutcome(True), "b": CellOutcome(False, "raised")})
    other = replace(one, cells={"a": CellOutcome(True), "b": CellOutcome(False, "time")})
    assert parity.differences({"x": one}, {"x": one}) == []
    assert parity.differences({"x": one}, {"x": other}) == ["x, b: raised against time"]


def test_what_is_imported_before_the_fork() -> None:
    assert "collections" in parity.imported(exercise.load("01"))
    assert "torch" in parity.imported(exercise.load("03"))
