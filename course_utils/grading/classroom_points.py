"""Points of a notebook's public checks, for GitHub Classroom: copied into each student's repository.

    python .github/classroom/points.py NOTEBOOK.ipynb

It runs plain nbval, watches which check cells pass, prints the points, and hands them to the step that
reports them. It needs pytest and nbval alone. Whoever owns the repository can change it: these points are for
the student to see. Grades come from the instructor's own grader.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOTES = "CLASSROOM_NOTES"  # where the plugin writes which cells passed


def pytest_runtest_logreport(report: Any) -> None:
    """As a pytest plugin: note the outcome of each cell, in order."""
    if report.when == "call" and NOTES in os.environ:
        with open(os.environ[NOTES], "a", encoding="utf-8") as out:
            out.write(json.dumps([report.nodeid.rpartition("Cell ")[2], report.outcome == "passed"]) + "\n")


def checks(notebook: dict[str, Any]) -> Iterator[tuple[int, str, int]]:
    """(place among the code cells, id, points) of each public check. nbval numbers code cells from 0."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for place, cell in enumerate(code):
        meta = cell.get("metadata", {}).get("course", {})
        if meta.get("kind") == "public-check":
            yield place, meta["id"], meta["points"]


def passed_cells(path: str) -> set[int]:
    """The places of the code cells that nbval passed; its report goes to this process's output."""
    notes = Path("classroom-notes.jsonl").absolute()
    notes.unlink(missing_ok=True)
    here = str(Path(__file__).parent.absolute())
    environment = {**os.environ, NOTES: str(notes), "PYTHONPATH": here}
    command = ["-m", "pytest", "--nbval-lax", "--nbval-cell-timeout=60", "-p", Path(__file__).stem, str(path)]
    subprocess.run([sys.executable, *command], env=environment, check=False)
    rows = (
        [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]
        if notes.exists()
        else []
    )
    return {int(place) for place, passed in rows if passed}


def result(notebook: dict[str, Any], passed: set[int]) -> dict[str, Any]:
    """What autograding-grading-reporter reads: points of each check, and what there is to earn."""
    rows = [(name, points, place in passed) for place, name, points in checks(notebook)]
    tests = [
        {"name": name, "status": "pass" if good else "fail", "score": points if good else 0}
        for name, points, good in rows
    ]
    whole = "pass" if all(good for *_, good in rows) else "fail"
    return {"version": 1, "status": whole, "max_score": sum(points for _, points, _ in rows), "tests": tests}


def main(path: str) -> None:
    """Run, print, and hand over. The exit status is 0: a failed check is a result."""
    found = result(json.loads(Path(path).read_text(encoding="utf-8")), passed_cells(path))
    for test in found["tests"]:
        print(f"{test['score']:>3}  {test['name']}")
    print(f"{sum(test['score'] for test in found['tests'])} of {found['max_score']} points of public checks")
    if "GITHUB_OUTPUT" in os.environ:
        encoded = base64.b64encode(json.dumps(found).encode()).decode()
        with open(os.environ["GITHUB_OUTPUT"], "a", encoding="utf-8") as out:
            out.write(f"result={encoded}\n")


if __name__ == "__main__":
    main(sys.argv[1])
