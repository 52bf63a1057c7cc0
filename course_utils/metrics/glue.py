"""GLUE's tasks, their metrics and its average (Wang et al. 2019).

A task with several metrics, or several test sets, counts once, by their mean; the average is over tasks. The
table of Devlin et al. (2019) averages its nine columns instead, MNLI twice, and has no WNLI.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

TASKS: dict[str, tuple[str, ...]] = {
    "CoLA": ("matthews",),
    "SST-2": ("accuracy",),
    "MRPC": ("f1", "accuracy"),
    "STS-B": ("pearson", "spearman"),
    "QQP": ("f1", "accuracy"),
    "MNLI": ("accuracy matched", "accuracy mismatched"),
    "QNLI": ("accuracy",),
    "RTE": ("accuracy",),
    "WNLI": ("accuracy",),
}
Score = float | Sequence[float]


def glue_average(scores: Mapping[str, Score], without: Collection[str] = ()) -> float:
    """The mean over tasks of each task's mean over its metrics.

    scores: task -> its score, or the scores of its metrics; all in one unit, percent as a rule.
    without: tasks that are left out, such as ("WNLI",). Raises ValueError unless every other task of
    `TASKS` is there, since an average of fewer compares with nothing, and for names that are no task's.

    >>> scores = dict.fromkeys(TASKS, 80.0) | {"MNLI": (70, 80), "WNLI": 65.1}
    >>> round(glue_average(scores), 3), glue_average(scores, without=["WNLI"])
    (77.789, 79.375)
    """
    unknown = sorted((set(scores) | set(without)) - set(TASKS))
    missing = [task for task in TASKS if task not in scores and task not in without]
    if unknown or missing:
        raise ValueError(f"GLUE's tasks are {list(TASKS)}; unknown: {unknown}, missing: {missing}")
    return task_average({task: score for task, score in scores.items() if task not in without})


def task_average(scores: Mapping[str, Score]) -> float:
    """The same over whatever tasks there are: a mean of means, tasks alike.

    >>> task_average({"MRPC": (90, 86), "RTE": 70})
    79.0
    """
    if not scores:
        raise ValueError("there are no tasks to average over")
    return float(np.mean([np.mean(score) for score in scores.values()]))


def column_average(scores: Mapping[str, Score]) -> float:
    """The mean over all numbers, a task with two of them counting twice, as in BERT's table.

    >>> column_average({"MNLI": (90, 86), "RTE": 70})
    82.0
    """
    numbers = [number for score in scores.values() for number in np.atleast_1d(np.asarray(score, float))]
    if not numbers:
        raise ValueError("there are no tasks to average over")
    return float(np.mean(numbers))
