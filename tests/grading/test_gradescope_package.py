"""The autograder zip, in an empty tree laid out as Gradescope's, with nothing but what is in the zip."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from published import exercise
from test_gradescope_results import checked

from course_utils.grading import gradescope, gradescope_package
from course_utils.grading.exercise import dump_notebook
from course_utils.grading.grade import NO_FAULT
from course_utils.grading.gradescope_package import Options
from course_utils.grading.records import FAILED, Grade
from course_utils.grading.release import notebook_of, student
from course_utils.grading.splice import splice

EXERCISE = exercise()
SALT = b"k" * 32
needs_sandbox = pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The tree as Gradescope lays it out, before a submission is there."""
    place = tmp_path / "autograder"
    archive = gradescope_package.write(EXERCISE, tmp_path / "autograder.zip", Options(salt=SALT))
    with zipfile.ZipFile(archive) as found:
        found.extractall(place / "source")
        for member in found.infolist():
            (place / "source" / member.filename).chmod(member.external_attr >> 16)
    (place / "submission").mkdir()
    (place / "results").mkdir()
    shutil.copy(place / "source" / "run_autograder", place / "run_autograder")
    users = {"id": 5, "users": [{"email": "ann@example.org", "id": 17, "name": "Ann"}]}
    (place / "submission_metadata.json").write_text(json.dumps(users))
    return place


def solved(**answers: str) -> str:
    """A submission: the student's notebook with answers."""
    given = {"double": "def double(word):\n    return word + word"} | answers
    return dump_notebook(splice(student(EXERCISE, {"double-word": "'wordword'"}), given))


def run(root: Path) -> dict[str, Any]:
    """What results.json holds after run_autograder, started as Gradescope starts it."""
    clean = {"PATH": os.environ["PATH"], "AUTOGRADER_ROOT": str(root), "AUTOGRADER_PYTHON": sys.executable}
    done = subprocess.run(
        [root / "run_autograder"], cwd=root, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((root / "results" / "results.json").read_text())
    return checked(found)


def test_the_zip_has_their_two_files_at_its_root_and_they_run(root: Path) -> None:
    for name in ("setup.sh", "run_autograder"):
        path = root / "source" / name
        assert path.read_text().startswith("#!/usr/bin/env bash\n")
        assert os.access(path, os.X_OK)
        assert subprocess.run(["bash", "-n", path], check=False).returncode == 0


def test_the_zip_holds_what_grades_and_nothing_else(root: Path) -> None:
    names = {
        path.relative_to(root / "source").as_posix()
        for path in (root / "source").rglob("*")
        if path.is_file()
    }
    assert {
        "autograder.json",
        "exercise.ipynb",
        "requirements.txt",
        "course_utils/grading/gradescope.py",
    } <= names
    assert not [name for name in names if "mutants.py" in name and not name.startswith("course_utils/")]
    assert not [
        name for name in names if name.startswith(("course_utils/models", "course_utils/data", "results"))
    ]


def test_the_same_exercise_and_key_make_the_same_zip(tmp_path: Path) -> None:
    first, second = (gradescope_package.write(EXERCISE, tmp_path / name, Options(salt=SALT)) for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    other = gradescope_package.write(EXERCISE, tmp_path / "c")
    assert other.read_bytes() != first.read_bytes(), "a key of its own is drawn"


def test_requirements_are_pinned_and_hold_what_the_exercise_imports() -> None:
    found = gradescope_package.requirements(EXERCISE)
    assert all("==" in line for line in found)
    assert {"nbval", "ipykernel", "jinja2"} <= {line.partition("==")[0] for line in found}
    assert not [line for line in found if line.startswith("torch")]


def test_an_unknown_visibility_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'soon' is no visibility"):
        gradescope_package.write(EXERCISE, tmp_path / "x.zip", Options(hidden_visibility="soon"))


@needs_sandbox
def test_a_right_submission_gets_full_points(root: Path) -> None:
    (root / "submission" / "mine.ipynb").write_text(solved())
    found = run(root)
    assert (found["score"], len(found["tests"])) == (3, 2)
    assert found["extra_data"]["sandboxed"] is True


@needs_sandbox
def test_a_wrong_submission_is_told_why_and_sees_no_hidden_value(root: Path) -> None:
    (root / "submission" / "mine.ipynb").write_text(solved(double="def double(word):\n    return word"))
    found = run(root)
    assert found["score"] == 0
    assert [test["status"] for test in found["tests"]] == ["failed", "failed"]
    assert found["tests"][1]["output"] == "Other words."


@needs_sandbox
@pytest.mark.parametrize(("rule", "points"), [(True, 0), (False, 2)])
def test_visible_values_alone_earn_nothing_unless_the_instructor_says_so(
    root: Path, rule: bool, points: int
) -> None:
    config = root / "source" / "autograder.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"public_needs_hidden": rule}))
    fitted = solved(double="def double(word):\n    return 'wordword'")
    (root / "submission" / "mine.ipynb").write_text(fitted)
    found = run(root)
    assert found["score"] == points
    assert [test["status"] for test in found["tests"]] == ["passed", "failed"]


@needs_sandbox
def test_a_submission_cannot_write_its_own_results(root: Path) -> None:
    forged = json.dumps({"score": 100})
    target = root / "results" / "results.json"
    answer = f"open({str(target)!r}, 'w').write({forged!r})\ndef double(word):\n    return ''"
    (root / "submission" / "mine.ipynb").write_text(solved(double=answer))
    assert run(root)["score"] == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        (None, "", "There is no file"),
        ("essay.pdf", "%PDF", "There is no notebook"),
        ("mine.ipynb", "{", "Invalid submission"),
        ("results", "x", "There is no notebook"),
    ],
)
def test_a_submission_that_is_no_notebook_is_invalid(
    root: Path, name: str | None, content: str, says: str
) -> None:
    if name:
        (root / "submission" / name).write_text(content)
    found = checked(gradescope.run(root))
    assert found["score"] == 0
    assert says in found["output"]


def test_of_several_files_the_readable_notebook_of_that_name_is_graded(root: Path) -> None:
    for name in ("a.ipynb", "01_tiny.ipynb", "z.ipynb"):
        (root / "submission" / name).write_text(solved())
    (root / "submission" / "01_tiny.ipynb").write_text("{")
    found = list(gradescope.intake.collect(root / "submission", EXERCISE, names=gradescope.EVERY_FILE))
    best = gradescope.chosen(EXERCISE, found)
    assert best is not None
    assert not best.reason
    assert gradescope.chosen(EXERCISE, []) is None


def test_students_and_groups_have_a_seed_of_their_own(root: Path) -> None:
    assert gradescope.student(root) == "ann@example.org"
    path = root / "submission_metadata.json"
    path.write_text(json.dumps({"users": [{"email": "b@x"}, {"id": 3}]}))
    assert gradescope.student(root) == "3+b@x"
    path.unlink()
    assert gradescope.student(root) == "unknown"


def test_without_a_sandbox_nothing_is_graded_and_the_results_say_so(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "submission" / "mine.ipynb").write_text(solved())
    monkeypatch.setenv("PATH", "/nowhere")
    found = checked(gradescope.run(root))
    assert found["score"] == 0
    assert "was not graded: Grading needs bubblewrap" in found["output"]
    assert found["tests"] == []


def test_an_autograder_that_cannot_start_still_leaves_results(root: Path) -> None:
    clean = {"PATH": os.environ["PATH"], "AUTOGRADER_ROOT": str(root), "AUTOGRADER_PYTHON": "/bin/false"}
    (root / "results" / "results.json").write_text('{"score": 100}')
    done = subprocess.run([root / "run_autograder"], env=clean, check=False)
    assert done.returncode == 1
    found = checked(json.loads((root / "results" / "results.json").read_text()))
    assert (found["score"], "could not start" in found["output"]) == (0, True)


def test_a_grader_that_breaks_down_makes_no_score_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "submission" / "mine.ipynb").write_text(solved())
    failed = Grade(FAILED, "v1", 5, reason=NO_FAULT)
    monkeypatch.setattr(gradescope, "_grade", lambda *given: failed)
    found = checked(gradescope.run(root))
    assert found["output"].startswith(f"This submission was not graded: {NO_FAULT}")
    assert found["tests"] == []


def test_a_broken_autograder_still_leaves_results(root: Path) -> None:
    (root / "source" / "exercise.ipynb").write_text("{}")
    with pytest.raises(Exception, match="is not a notebook"):
        gradescope.main([str(root)])
    assert (
        "the autograder itself failed"
        in json.loads((root / "results" / "results.json").read_text())["output"]
    )


def test_the_solution_in_the_zip_is_the_source(root: Path) -> None:
    assert json.loads((root / "source" / "exercise.ipynb").read_text())["cells"]
    assert notebook_of(EXERCISE, solved=True)["cells"]
