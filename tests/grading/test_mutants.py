"""The file of known wrong answers is read as written, or refused."""

import pytest

from course_utils.grading import exercise, mutants
from course_utils.grading.exercise import ExerciseError

FILE = """\
# A header that is ignored.

# %% a-task: does too much
# says: too much
def f(x):
    return x + 2


# %% b-task: does nothing
# says: nothing
def g(x):
    return x
"""


def test_mutants_are_read_in_order() -> None:
    first, second = mutants.parse(FILE)
    assert (first.task, first.mistake, first.says) == ("a-task", "does too much", "too much")
    assert first.source == "def f(x):\n    return x + 2"
    assert second.slug == "b-task-does-nothing"


@pytest.mark.parametrize(
    "broken", ["# %% a-task does too much\n# says: x\n", "# %% a-task: too much\ndef f(): ...\n"]
)
def test_a_mutant_without_a_name_or_a_phrase_is_refused(broken: str) -> None:
    with pytest.raises(ExerciseError, match="A mutant must begin with"):
        mutants.parse(broken)


def test_mutants_of_unknown_tasks_and_missing_files_are_refused(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = exercise.load("01")
    monkeypatch.setattr(mutants, "instructor_folder", lambda: tmp_path)
    with pytest.raises(ExerciseError, match="is missing"):
        mutants.load(found)
    (tmp_path / f"{found.name}_mutants.py").write_text(FILE)
    with pytest.raises(ExerciseError, match="unknown tasks: a-task, b-task"):
        mutants.load(found)
