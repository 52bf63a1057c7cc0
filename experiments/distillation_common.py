"""What the studies of task distillation share: teachers and what they say, unlabeled text, rows of a report.

Task and teachers: course_utils.distillation.task. The student of seed s has the teacher of seed s mod 5; what
a teacher says is cached (course_utils.distillation.outputs). Unlabeled text: sentences of the film reviews of
the hub's IMDb, training fold (COURSE_HUB_ROOT names a copy on disk), without those of the task.

Students compute in bf16 while they learn (sums, weights and tests in single precision): 1.6 times as fast on
a CPU with matrix units, several times slower on one without.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from scipy.stats import t as student_t
from torch import Tensor

from course_utils.distillation import task
from course_utils.distillation.corpus import without
from course_utils.distillation.job import without_labels
from course_utils.distillation.outputs import teacher_logits
from course_utils.finetuning.classifier import Example, epochs
from course_utils.models.heads import EncoderWithHead
from course_utils.stats import Interval
from course_utils.training import TrainingConfig
from experiments.distillation_general import film_sentences, held_out
from experiments.finetuning_common import run_missing

TEACHERS = 5
UNLABELED = 12_000  # sentences that the teachers label
SMALLEST = 0.01  # accuracy: one point, the smallest difference that would matter
SHORTEST = 8  # tokens of an unlabeled sentence, with [CLS] and [SEP]
BATCH, RATE = 32, 1e-4  # the rate at which three layers learnt best in first trials (5e-5 for six)

Record = dict[str, Any]
Row = dict[str, Any]
Values = Mapping[str, Mapping[int, float]]  # arm -> seed -> a number


@cache
def teacher(number: int) -> EncoderWithHead:
    """One of the five."""
    return task.teacher(number)


@cache
def training() -> tuple[Example, ...]:
    """The 8,000."""
    return tuple(task.load().training.examples)


@cache
def test() -> tuple[Example, ...]:
    """The 2,000."""
    return tuple(task.load().test.examples)


@cache
def unlabeled(count: int) -> tuple[Example, ...]:
    """The first so many film sentences that nobody rated; a longer list begins with a shorter one."""
    found: list[Example] = []
    texts = without(film_sentences(), held_out())
    while len(found) < count:
        batch = [text for text, _ in zip(texts, range(1000), strict=False)]
        if not batch:
            raise ValueError(f"the reviews hold {len(found):,} sentences that can be used, not {count:,}")
        rows = without_labels(batch, task.tokenizer_file(), task.LONGEST)
        found += [row for row in rows if SHORTEST <= len(row.ids) < task.LONGEST]
    return tuple(found[:count])


@cache
def said_of_training(number: int) -> Tensor:
    """A teacher's logits of the 8,000: (rows, 2)."""
    return teacher_logits(teacher(number), training())


@cache
def said_of_unlabeled(number: int) -> Tensor:
    """A teacher's logits of the first UNLABELED sentences: (sentences, 2)."""
    return teacher_logits(teacher(number), unlabeled(UNLABELED))


def drawn(rows: int, seed: int) -> list[int]:
    """Numbers of training sentences, drawn without replacement; the first of a larger draw at the seed."""
    return np.random.default_rng([seed, 11]).permutation(task.TRAIN)[:rows].tolist()


def config(rows: int, passes: float, seed: int, rate: float = RATE) -> TrainingConfig:
    """`passes` times through `rows` sentences."""
    steps = epochs(rows, BATCH, passes)
    return TrainingConfig(
        steps=steps,
        batch_size=BATCH,
        learning_rate=rate,
        precision="bf16",
        seed=seed,
        log_every=max(1, steps // 4),
    )


def interval(values: Sequence[float], tests: int = 1) -> Interval:
    """Mean over seeds and its t interval at 1 - 0.05 / tests, so that all `tests` hold together at 95%.

    Raises ValueError for fewer than 2 values.

    >>> str(interval([1.0, 2.0, 3.0]))
    '2.000 [-0.484, 4.484]'
    """
    if len(values) < 2:
        raise ValueError(f"an interval needs at least 2 seeds, got {len(values)}")
    level = 1 - 0.05 / tests
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5)
    half = error * float(student_t.ppf((1 + level) / 2, len(values) - 1))
    return Interval(mean, mean - half, mean + half, level)


def arm_row(arm: str, values: Mapping[int, float], cpu_seconds: float, **more: Any) -> Row:
    """Accuracy of one arm over its seeds."""
    found = interval(list(values.values()))
    return {
        "part": "arm",
        "arm": arm,
        **more,
        "accuracy": found.estimate,
        "low": found.low,
        "high": found.high,
        "values": list(values.values()),
        "arm_seeds": len(values),
        "cpu_seconds": cpu_seconds,
    }


def paired(values: Values, arm: str, against: str) -> list[float]:
    """Differences of two arms at the seeds that both have."""
    return [values[arm][seed] - values[against][seed] for seed in values[arm] if seed in values[against]]


def difference_row(values: Values, arm: str, against: str, tests: int = 1) -> Row:
    """The difference of two arms, paired by seed."""
    found = paired(values, arm, against)
    gain = interval(found, tests)
    return {
        "part": "difference",
        "arm": arm,
        "against": against,
        "difference": gain.estimate,
        "low": gain.low,
        "high": gain.high,
        "level": gain.level,
        "values": found,
        "arm_seeds": len(found),
    }


def verdict(low: float, high: float, least: float = SMALLEST) -> str:
    """ "holds here only" if a whole interval is above what matters, "does not hold" if below.

    >>> verdict(0.02, 0.03), verdict(-0.01, 0.005), verdict(0.0, 0.02)
    ('holds here only', 'does not hold', 'cannot tell')
    """
    if low > least:
        return "holds here only"
    return "does not hold" if high < least else "cannot tell"


def main(
    name: str,
    description: str,
    makers: Callable[[], dict[str, Callable[[], Record]]],
    report: Callable[[], str],
) -> None:
    """The command of a study: make the runs that are missing, then report."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--only", default="0/1", help="REST/OF: make every OFth run only, without a report")
    parser.add_argument("--report", action="store_true", help="only report")
    given = parser.parse_args()
    rest, of = (int(n) for n in given.only.split("/"))
    torch.set_num_threads(1)
    if not given.report:
        for run in run_missing(name, dict(list(makers().items())[rest::of])):
            print(run, flush=True)
    if of == 1:
        print(report())
