"""`results.json` as Gradescope documents it, for every outcome, with nothing of a hidden check's inputs."""

import json
from typing import Any

import jsonschema
import pytest
from published import HOSTILE, exercise, grade, invalid

from course_utils.grading.publish.gradescope_results import VISIBILITIES, broken, results

# https://gradescope-autograders.readthedocs.io/en/latest/specs/, "Output format"; nothing else is allowed.
FORMATS = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
TEXT, VISIBILITY = {"type": "string"}, {"enum": list(VISIBILITIES)}
TEST = {
    "type": "object",
    "additionalProperties": False,
    "required": ["score", "max_score", "name"],
    "properties": {
        "score": {"type": "number"},
        "max_score": {"type": "number"},
        "status": {"enum": ["passed", "failed"]},
        "name": TEXT,
        "name_format": FORMATS,
        "number": TEXT,
        "output": TEXT,
        "output_format": FORMATS,
        "tags": {"type": "array"},
        "visibility": VISIBILITY,
        "extra_data": {"type": "object"},
    },
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["score"],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": TEXT,
        "output_format": FORMATS,
        "test_output_format": FORMATS,
        "test_name_format": FORMATS,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {"type": "array", "items": TEST},
        "leaderboard": {"type": "array"},
    },
}
EXERCISE = exercise()


def checked(found: dict[str, Any]) -> dict[str, Any]:
    """The results as they read back from the file, after a look at their format."""
    again = json.loads(json.dumps(found))
    jsonschema.validate(again, SCHEMA)
    return again


def test_a_graded_submission() -> None:
    found = checked(results(EXERCISE, grade(hidden="Other words.")))
    assert found["score"] == 2
    public, hidden = found["tests"]
    assert (public["number"], public["score"], public["max_score"], public["status"]) == (
        "1.1",
        2,
        2,
        "passed",
    )
    assert (hidden["number"], hidden["status"], hidden["output"]) == ("1.2", "failed", "Other words.")
    assert hidden["name"] == "Task 1: double-random (on inputs drawn for you)"
    assert found["stdout_visibility"] == "hidden"


def test_the_score_is_the_sum_of_the_tests() -> None:
    for given in (grade(), grade("a"), grade("a", "b")):
        found = checked(results(EXERCISE, given))
        assert found["score"] == sum(test["score"] for test in found["tests"])


@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_hidden_checks_can_wait_for_the_due_date(visibility: str) -> None:
    public, hidden = checked(results(EXERCISE, grade(), visibility))["tests"]
    assert (public["visibility"], hidden["visibility"]) == ("visible", visibility)


def test_an_unknown_visibility_is_refused() -> None:
    with pytest.raises(ValueError, match="'later' is no visibility"):
        results(EXERCISE, grade(), "later")


def test_text_of_a_student_is_plain_text() -> None:
    for test in checked(results(EXERCISE, grade(HOSTILE, HOSTILE)))["tests"]:
        assert test["output_format"] == "text"
        assert "\x1b" not in test["output"]


def test_no_seed_leaves() -> None:
    assert "987654" not in json.dumps(results(EXERCISE, grade(seed=987654)))


def test_an_invalid_submission_scores_nothing_and_says_why() -> None:
    given = invalid("ann", "it is a PDF").attempt
    assert given is not None
    assert given.grade is not None
    found = checked(results(EXERCISE, given.grade))
    assert (found["score"], found["tests"]) == (0, [])
    assert found["output"] == "Invalid submission: it is a PDF"


def test_a_run_without_a_sandbox_is_stamped() -> None:
    found = checked(results(EXERCISE, grade(sandboxed=False)))
    assert "cannot be trusted" in found["output"]
    assert found["extra_data"]["sandboxed"] is False


def test_a_broken_grader_is_no_score_of_the_student() -> None:
    assert "was not graded: no bubblewrap" in checked(broken("no bubblewrap"))["output"]
