"""A template repository for GitHub Classroom: the student's notebook, and a workflow that checks every push.

The workflow runs the public checks alone, and its student can change it. Grades come from `course grade` over
a checkout of all repositories, with hidden checks, outside of what students can reach.
"""

from __future__ import annotations

from pathlib import Path

from course_utils.grading.exercise import Exercise
from course_utils.grading.gradescope_package import requirements
from course_utils.grading.release import released_path

POINTS = ".github/classroom/points.py"
WORKFLOW = ".github/workflows/classroom.yml"
_WORKFLOW = """\
name: Autograding Tests
on: [push, workflow_dispatch]
permissions:
  checks: write
  actions: read
  contents: read
jobs:
  run-autograding-tests:
    runs-on: ubuntu-latest
    timeout-minutes: 15
    if: github.actor != 'github-classroom[bot]'
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.11"
      - run: pip install --quiet --requirement requirements.txt
      - name: Public checks
        id: checks
        run: python {points} {notebook}
      - name: Report the points
        uses: classroom-resources/autograding-grading-reporter@v1
        env:
          CHECKS_RESULTS: "${{{{ steps.checks.outputs.result }}}}"
        with:
          runners: checks
"""
_README = """\
# {name}

Work on `{notebook}`: replace each `raise NotImplementedError`, and keep the other cells as they
are. Check it with

    pip install -r requirements.txt
    pytest --nbval-lax {notebook}

Every push runs the same checks, and the Actions tab shows what they say. Your grade also rests on inputs
that you do not see.
"""


def write(exercise: Exercise, folder: Path) -> list[Path]:
    """Write the template repository into a folder; returns the files. Existing ones are replaced."""
    notebook = released_path(exercise.name)
    points = Path(__file__).with_name("classroom_points.py").read_text(encoding="utf-8")
    files = {
        notebook.name: notebook.read_text(encoding="utf-8"),
        WORKFLOW: _WORKFLOW.format(points=POINTS, notebook=notebook.name),
        POINTS: points,
        "requirements.txt": "".join(f"{line}\n" for line in _student_requirements(exercise)),
        "README.md": _README.format(name=exercise.name, notebook=notebook.name),
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="\n")
    return [folder / name for name in files]


def _student_requirements(exercise: Exercise) -> list[str]:
    """What a student needs: nbval, a kernel, and what the exercise imports."""
    wanted = {"nbval", "ipykernel", "pytest", "numpy", "torch"}
    return [line for line in requirements(exercise) if line.partition("==")[0] in wanted]
