"""What nbval says is read by cell id; a hanging cell fails, and what comes after it is no pass."""

from pathlib import Path

import pytest
import tiny_exercise

from course_utils.grading import release, splice, verdicts
from course_utils.grading.exercise import dump_notebook, parse

pytestmark = pytest.mark.xdist_group("exercises")


def test_right_wrong_and_hanging_answers(tmp_path: Path) -> None:
    student = release.student(parse("tiny", tiny_exercise.notebook()), {"double-word": "'wordword'"})
    given = {
        "right": "def double(word):\n    return word * 2",
        "wrong": "def double(word):\n    return word * 3",
        "hanging": "while True:\n    pass",
        "silent": "def double(word): ...",
    }
    paths = {name: tmp_path / f"{name}.ipynb" for name in given}
    for name, text in given.items():
        paths[name].write_text(dump_notebook(splice.splice(student, {"double": text})))
    said = verdicts.run(list(paths.values()), cell_timeout=1)
    assert said[paths["right"]]["double-word"].passed
    assert "wordwordword" in said[paths["wrong"]]["double-word"].message
    assert not said[paths["hanging"]]["double-answer"].passed
    assert not said[paths["hanging"]]["double-word"].passed
    assert not said[paths["silent"]]["double-word"].passed


def test_a_breakdown_of_pytest_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="pytest --nbval-lax exited with 4"):
        verdicts.run([tmp_path / "missing.ipynb"])
