"""What grading costs: ours against nbgrader's autograde and otter-grader, in one run.

    python -m benchmarks.grading [--submissions 40] [--nbgrader VENV] [--otter VENV] [--quick]

The same exercise (the one on numpy), the same answers. CPU seconds for each submission of the whole job, all
processes included: ours takes in, splices, draws hidden inputs, grades in the sandbox, keeps a gradebook, and
writes feedback, sheets and the summary; nbgrader autogrades and writes feedback; otter runs its own API over
all submissions in one process, its cheapest way. Peers are installed from the registry into a virtual
environment each, in the cache folder, unless one is named. Then the exercise on torch (ours alone), and the
time that two workers take against one.

--quick takes 3 submissions and no results file.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import grading_peers as peers
from course_utils import results
from course_utils.grading import exercise as exercises
from course_utils.grading import release
from course_utils.grading.exercise import Exercise, course, dump_notebook, read_notebook, source
from course_utils.grading.gradebook import Gradebook
from course_utils.grading.late import Policy
from course_utils.grading.splice import splice

NUMPY, TORCH = "02", "03"
SEED = 0
SHARE = "two workers' share of one worker's time"
MOST = {"numpy": 0.25, "torch": 0.8, SHARE: 0.6}
LEAST = {"nbgrader": 5.0, "otter": 8.0}

Answers = dict[str, dict[str, str]]


def answers(exercise: Exercise, count: int) -> Answers:
    """Student -> task -> answer: each task is solved by four of five students, and left as it was by one."""
    rng = random.Random(SEED)
    cells = {course(cell)["task"]: source(cell) for cell in exercise.cells("answer")}
    return {
        f"student{number:04}": {
            task: release.solution(text) if rng.random() < 0.8 else release.stub(text, task)
            for task, text in cells.items()
        }
        for number in range(count)
    }


def write_submissions(exercise: Exercise, given: Mapping[str, Mapping[str, str]], folder: Path) -> Path:
    """A folder of notebooks as students hand them in."""
    released = read_notebook(release.released_path(exercise.name))
    folder.mkdir()
    for student, found in given.items():
        (folder / f"{student}.ipynb").write_text(dump_notebook(splice(released, found)), encoding="utf-8")
    return folder


def ours(name: str, count: int, folder: Path, workers: int = 1) -> tuple[float, float, list[float]]:
    """(CPU seconds a submission, seconds in all, scores sorted) of our whole job."""
    exercise = exercises.load(name)
    folder.mkdir()
    handed_in = write_submissions(exercise, answers(exercise, count), folder / "in")
    commands = peers.ours_commands(name, handed_in, folder / "book.sqlite", workers)
    cost = peers.cost(commands, Path.cwd())
    with Gradebook(folder / "book.sqlite") as book:
        # The others know no such rule, and scores are held against theirs.
        book.set_policy(exercise.name, Policy(public_needs_hidden=False))
        scores = sorted(final.score for final in book.finals(exercise.name))
    return cost.cpu / count, cost.wall, scores


def nbgrader(environment: Path, count: int, folder: Path) -> tuple[float, list[float]]:
    """(CPU seconds a submission, scores sorted) of nbgrader."""
    exercise, python = exercises.load(NUMPY), environment / "bin" / "python"
    folder.mkdir()
    given = answers(exercise, count)
    peers.nbgrader_course(exercise, folder)
    peers.cost([[str(python), "-m", "nbgrader", "generate_assignment", peers.ASSIGNMENT]], folder)
    peers.nbgrader_submissions(given, folder)
    cost = peers.cost(peers.nbgrader_commands(python), folder)
    return cost.cpu / count, peers.scores_of_nbgrader(python, folder)


def otter(environment: Path, count: int, folder: Path) -> tuple[float, list[float]]:
    """(CPU seconds a submission, scores sorted) of otter-grader."""
    exercise, python = exercises.load(NUMPY), environment / "bin" / "python"
    command = peers.otter_files(exercise, answers(exercise, count), python, folder)
    cost = peers.cost([command], folder)
    return cost.cpu / count, sorted(float(line) for line in cost.said.splitlines()[-count:])


def rows(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Everything that is measured. Raises RuntimeError if a peer's scores are not ours."""
    count, many = (3, 4) if chosen.quick else (chosen.submissions, 400)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own, _, scores = ours(NUMPY, count, folder / "ours")
        found = [_row("ours", "numpy", own)]
        for peer, measure in (("nbgrader", nbgrader), ("otter", otter)):
            environment = getattr(chosen, peer) or peers.environment(peer)
            cpu, theirs = measure(environment, count, folder / peer)
            if theirs != scores:
                raise RuntimeError(f"{peer} gave other scores than ours: {theirs} against {scores}.")
            found.append(_row(peer, "numpy", cpu, cpu / own))
        found.append(_row("ours", "torch", ours(TORCH, count, folder / "torch")[0]))
        one, two = (ours(NUMPY, many, folder / f"workers {w}", w)[1] for w in (1, 2))
        found.append(_row("ours", SHARE, two / one))
    return found


def _row(grader: str, measured: str, value: float, times_ours: float = 1.0) -> dict[str, Any]:
    return {"grader": grader, "measured": measured, "value": value, "times_ours": times_ours}


def missed(found: list[dict[str, Any]]) -> list[str]:
    """The bars that were missed, in words."""
    lines = []
    for row in found:
        most = MOST.get(row["measured"], 0) if row["grader"] == "ours" else float("inf")
        if row["value"] > most:
            lines.append(f"ours, {row['measured']}: {row['value']:.2f}, at most {most}")
        if row["times_ours"] < LEAST.get(row["grader"], 0):
            lines.append(f"{row['grader']}: {row['times_ours']:.1f} x ours, at least {LEAST[row['grader']]}")
    return lines


def main() -> None:
    """Measure, print a line for each row, and write results/benchmark_grading.json."""
    parser = argparse.ArgumentParser(description="Grading against nbgrader and otter-grader.")
    parser.add_argument("--submissions", type=int, default=40)
    parser.add_argument("--nbgrader", type=Path, help="a virtual environment that has it")
    parser.add_argument("--otter", type=Path, help="a virtual environment that has it")
    parser.add_argument("--quick", action="store_true", help="3 submissions; writes no file")
    chosen = parser.parse_args()
    started = time.perf_counter()
    found = rows(chosen)
    for row in found:
        print("; ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    if not chosen.quick:
        tolerance = {"relative": 0, "absolute": 0, "ignore": ["value", "times_ours"]}
        results.write(
            "benchmark_grading",
            command=f"python -m benchmarks.grading --submissions {chosen.submissions}",
            rows=found,
            seeds=[SEED],
            seconds=time.perf_counter() - started,
            tolerance=tolerance,
        )
    problems = missed(found)
    print("\n".join(problems) or "All bars met.")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
