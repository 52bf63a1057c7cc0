"""What a process of the grader does not import: a worker's start is paid for by each of them."""

import subprocess
import sys

import pytest

HEAVY = ["nbval", "pytest", "rfc3987_syntax"]


def imported(code: str) -> list[str]:
    """Which of the heavy packages a fresh Python has after this code."""
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint(*filter(sys.modules.get, {HEAVY}))"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "code",
    [
        "import course_utils.grading.sandbox.outcomes",
        "import course_utils.grading.workers",  # until it says that it is ready
        "from course_utils.cli import grade\nwith grade._plain_errors():\n"
        "    import course_utils.grading.cluster, course_utils.grading.batch",  # the coordinator
    ],
)
def test_only_who_compares_imports_pytest(code: str) -> None:
    assert imported(code) == []


@pytest.mark.parametrize(
    "code",
    ["from course_utils.grading.sandbox import Grader", "import course_utils.grading.nbval_cells"],
)
def test_who_compares_does_without_a_grammar_of_addresses(code: str) -> None:
    assert imported(code) == ["nbval", "pytest"]


def test_the_room_has_no_other_names() -> None:
    from course_utils.grading import sandbox

    with pytest.raises(AttributeError, match="has no attribute 'Grade'"):
        _ = sandbox.Grade
    assert sandbox.Grader.__name__ == "Grader"
