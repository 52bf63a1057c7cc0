"""The table behind the 97%: what DistilBERT's figures on GLUE say when they are taken apart.

Figures: Sanh et al. (2019), table 1, the development sets of nine tasks, "medians of 5 runs with different
seeds". Nothing is run here; this is arithmetic on printed numbers, and a printed number is only known to half
a unit of its last place.
"""

from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]
Scores = Mapping[str, float]

TASKS = ("CoLA", "MNLI", "MRPC", "QNLI", "QQP", "RTE", "SST-2", "STS-B", "WNLI")
# System -> the score that is quoted, and its columns in the order of TASKS.
PRINTED = {
    "ELMo": (68.7, (44.1, 68.6, 76.6, 71.1, 86.2, 53.4, 91.5, 70.4, 56.3)),
    "BERT base": (79.5, (56.3, 86.7, 88.6, 91.8, 89.6, 69.3, 92.7, 89.0, 53.5)),
    "DistilBERT": (77.0, (51.3, 82.2, 87.5, 89.2, 88.5, 59.9, 91.3, 86.9, 56.3)),
}
TEACHER, STUDENT = "BERT base", "DistilBERT"
# What guessing scores, where the measure is known: a share of k balanced classes, or a correlation. The paper
# does not say how it measures MRPC and QQP (accuracy, F1, or their mean), so they have no entry.
GUESSING = {
    "CoLA": 0.0,
    "MNLI": 100 / 3,
    "QNLI": 50.0,
    "RTE": 50.0,
    "SST-2": 50.0,
    "STS-B": 0.0,
    "WNLI": 50.0,
}
# Sentence pairs of the two small development sets whose measure is accuracy: a score there is k of n.
PAIRS = {"RTE": 277, "WNLI": 71}
HALF = 0.05  # half a unit of the last printed place


def columns(system: str) -> dict[str, float]:
    """Task -> score, as printed.

    >>> columns("DistilBERT")["RTE"]
    59.9
    """
    return dict(zip(TASKS, PRINTED[system][1], strict=True))


def mean(scores: Scores, without: str | None = None) -> float:
    """The plain mean over tasks, one of them left out if named.

    >>> round(mean({"a": 1.0, "b": 3.0}), 1), mean({"a": 1.0, "b": 3.0}, without="a")
    (2.0, 3.0)
    """
    kept = [score for task, score in scores.items() if task != without]
    return sum(kept) / len(kept)


def explained(quoted: float, average: float) -> bool:
    """Whether rounding can make them differ: half a unit in the score, half a unit in the mean of columns.

    >>> explained(77.0, 77.011), explained(79.5, 79.722)
    (True, False)
    """
    return abs(quoted - average) <= 2 * HALF + 1e-9


def count_of(score: float, pairs: int) -> list[int]:
    """Every number of right answers out of `pairs` that is printed as `score` percent.

    >>> count_of(56.3, 71), count_of(53.5, 71), count_of(59.9, 277)
    ([40], [38], [166])
    """
    return [right for right in range(pairs + 1) if f"{100 * right / pairs:.1f}" == f"{score:.1f}"]


def system_rows() -> list[Row]:
    """A row for each system: the quoted score beside the mean of its columns."""
    rows = []
    for system, (quoted, _) in PRINTED.items():
        average = mean(columns(system))
        rows.append(
            {
                "part": "glue system",
                "system": system,
                "quoted": quoted,
                "mean_of_columns": average,
                "explained_by_rounding": explained(quoted, average),
                "without_wnli": mean(columns(system), "WNLI"),
            }
        )
    return rows


def task_rows() -> list[Row]:
    """A row for each task: both scores, the share kept, and the share kept of what exceeds guessing."""
    rows = []
    for task in TASKS:
        teacher, student = columns(TEACHER)[task], columns(STUDENT)[task]
        guess, pairs = GUESSING.get(task), PAIRS.get(task)
        above = None if guess is None else 100 * (student - guess) / (teacher - guess)
        rows.append(
            {
                "part": "glue task",
                "task": task,
                "teacher": teacher,
                "student": student,
                "kept": 100 * student / teacher,
                "guessing": guess,
                "kept_above_guessing": above,
                "pairs": pairs,
                "teacher_right": count_of(teacher, pairs) if pairs else None,
                "student_right": count_of(student, pairs) if pairs else None,
                "kept_without_it": _kept(task),
            }
        )
    return rows


def average_rows() -> list[Row]:
    """The retention, in every way of averaging that somebody might mean by it."""
    per_task = {row["task"]: row["kept"] for row in task_rows()}
    above = [row["kept_above_guessing"] for row in task_rows() if row["task"] in GUESSING]
    ways = {
        "as quoted": 100 * PRINTED[STUDENT][0] / PRINTED[TEACHER][0],
        "means of columns": _kept(None),
        "without WNLI": _kept("WNLI"),
        "mean of the tasks' shares": mean(per_task),
        "mean of the tasks' shares without WNLI": mean(per_task, "WNLI"),
        "median of the shares above guessing": sorted(above)[len(above) // 2],
    }
    return [{"part": "glue retention", "way": way, "kept": kept} for way, kept in ways.items()]


def _kept(without: str | None) -> float:
    return 100 * mean(columns(STUDENT), without) / mean(columns(TEACHER), without)


def claim() -> dict[str, Any]:
    """The entry of distilbert-glue; the rule stands in experiments/distillation_sizes.py."""
    systems = {row["system"]: row for row in system_rows()}
    wrong = [name for name, row in systems.items() if not row["explained_by_rounding"]]
    kept = {row["way"]: row["kept"] for row in average_rows()}
    tasks = {row["task"]: row for row in task_rows()}
    low, high = (choose(tasks, key=lambda task: tasks[task]["kept"]) for choose in (min, max))
    said = "; ".join(
        f"{name} {row['mean_of_columns']:.2f} ({row['quoted']} quoted)" for name, row in systems.items()
    )
    checked = (
        f"rounding cannot explain {', '.join(wrong)}, though a median of averages need not be the average of "
        "medians"
        if wrong
        else "all within rounding"
    )
    wnli = tasks["WNLI"]
    return {
        "verdict": "cannot tell" if wrong else "holds here only",
        "estimate": kept["means of columns"],
        "interval": None,
        "unit": "% of BERT base's mean over nine tasks, from the printed columns (exact but for rounding)",
        "seeds": 0,
        "sentence": (
            f"Means of the nine printed columns: {said}; {checked}. DistilBERT keeps "
            f"{kept['as quoted']:.1f}% by the quoted scores, {kept['means of columns']:.1f}% by the columns, "
            f"{kept['without WNLI']:.1f}% without WNLI, where it has {wnli['student_right'][0]} of "
            f"{wnli['pairs']} right and its teacher {wnli['teacher_right'][0]}. By task the share goes from "
            f"{tasks[low]['kept']:.0f}% ({low}) to {tasks[high]['kept']:.0f}% ({high}). The runs themselves "
            "were not repeated."
        ),
    }
