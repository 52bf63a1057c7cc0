"""A distilled student against what would embarrass it: `python -m experiments.distillation_controls`.

Task: course_utils.distillation.task (8,000 sentences to learn from, 2,000 to test; teachers of 6
layers of 384).
Seeds draw head, order and dropout; the student of seed s has the teacher of seed s mod 5.

  Seeds 0 to 9:
  distilled      3 layers of 384 from the long general distillation (experiments/distillation_general.py),
                 then the 8,000 sentences (weight 0.7 for the teacher, T = 2) and 12,000 film sentences that
                 only the teacher has labeled, each once
  undistilled    the same size: first, third and last layer of the pretrained encoder, labels alone, 1.5
                 times through the 8,000
  Seeds 0 to 4:
  quick          2 layers of 192 from the general distillation, then as `distilled`, twice through
  quick-labels   the same start, labels alone, 1.5 times
  Seeds 0 to 2, 1.5 times through the 8,000, start as `undistilled` unless said otherwise:
  task-only      distillation on the task alone: teacher's logits (0.7, T = 2) and labels
  general-only   the start of `distilled`, labels alone
  smoothed       labels smoothed by 0.1, no teacher
  self           the `undistilled` student of the seed is the teacher (0.7, T = 2)
  random         random layers under the pretrained tables, labels alone
  words          TF-IDF of words and pairs of words with logistic regression (no seed)
  majority       the larger class of the training sentences

Rates: 1e-4 for 384 wide, 5e-4 for 192 wide; linear decay, batches of 32, tables frozen.

Written before the runs, and not changed after them:
  retention    a student's accuracy over its teacher's. For the interval the two students of a teacher are
               averaged first, so that it is over 5 teachers; the bar is 0.97.
               kept / not kept / cannot tell: the interval above, below, around the bar
  the control  accuracy of distilled minus undistilled, paired by seed, t interval over 10 seeds; one point is
               the smallest difference that matters: better / not better / cannot tell
  others       differences from undistilled, paired over 3 seeds at 1 - 0.05 / 5 each: they settle only what
               is large

Runs lie in the cache folder, a file each, the important ones first; a call makes those that are missing
(about 100 CPU minutes, and 38 for teachers and logits if they are missing), then reports. `--only REST/OF`
makes every OFth run and reports nothing; `--report` reports on the seeds that are there.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from course_utils import data, results
from course_utils.distillation import task
from course_utils.distillation.job import Lesson, Outcome, distil_task
from course_utils.distillation.students import from_layers, random_student, spread
from course_utils.finetuning.classifier import Example, predict
from course_utils.finetuning.features import bag_of_words, right_share
from course_utils.models.config import EncoderConfig
from course_utils.models.counting import count_parameters
from course_utils.models.encoder import Encoder
from course_utils.models.weights import load_encoder
from course_utils.stats import Interval
from experiments import distillation_common as common
from experiments import distillation_general as general
from experiments.distillation_common import Record, Row, Values
from experiments.finetuning_common import folder, read

NAME = "distillation_controls"
SEEDS = range(10)
PASSES = 1.5
QUICK_RATE, QUICK_PASSES = 5e-4, 2.0
SOFT, HARD = Lesson(soft_weight=0.7, temperature=2.0), Lesson(soft_weight=0.0)
SMOOTHED = Lesson(soft_weight=0.0, smoothing=0.1)
BAR = 0.97
MAIN, NARROW = ("distilled", "undistilled"), ("quick", "quick-labels")
CONTROLS = ("task-only", "general-only", "smoothed", "self", "random")
SEEDS_OF = dict.fromkeys(MAIN, 10) | dict.fromkeys(NARROW, 5) | dict.fromkeys(CONTROLS, 3)


@cache
def pretrained() -> Encoder:
    """The real encoder."""
    return load_encoder(data.small_model_dir())


def start(layers: int) -> Encoder:
    """A fresh copy of some of its layers, from the first to the last."""
    return from_layers(pretrained(), spread(pretrained().config.num_layers, layers))


def more_text(number: int) -> tuple[list[Example], Tensor]:
    """The 8,000 and the unlabeled sentences, and what a teacher says of them."""
    examples = [*common.training(), *common.unlabeled(common.UNLABELED)]
    said = [common.said_of_training(number), common.said_of_unlabeled(number)]
    return examples, torch.cat(said)


def make_distilled(name: str, passes: float, rate: float, seed: int) -> Record:
    """A student of the general distillation, taught on labeled and unlabeled sentences."""
    examples, said = more_text(seed % common.TEACHERS)
    config = common.config(len(examples), passes, seed, rate)
    return distil_task(general.student(name), examples, said, SOFT, config, test=common.test())[1].record


def on_task(
    encoder: Encoder, lesson: Lesson, seed: int, said: Tensor | None = None, rate: float = common.RATE
) -> Outcome:
    """On the 8,000 alone."""
    config = common.config(task.TRAIN, PASSES, seed, rate)
    return distil_task(encoder, common.training(), said, lesson, config, test=common.test())[1]


def make_labels(build: Callable[[int], Encoder], rate: float, lesson: Lesson, seed: int) -> Record:
    """Labels alone, smoothed or not."""
    return on_task(build(seed), lesson, seed, rate=rate).record


def make_task_only(seed: int) -> Record:
    """Teacher and labels on the task's own sentences."""
    return on_task(start(3), SOFT, seed, common.said_of_training(seed % common.TEACHERS)).record


def make_undistilled(seed: int) -> Record:
    """Labels alone; what it says of the training sentences is kept where `self` learns from it."""
    config = common.config(task.TRAIN, PASSES, seed)
    model, outcome = distil_task(start(3), common.training(), None, HARD, config, test=common.test())
    if seed >= SEEDS_OF["self"]:
        return outcome.record
    said = predict(model, common.training())
    return outcome.record | {"said": [[round(x, 4) for x in row] for row in said.tolist()]}


def make_self(seed: int) -> Record:
    """The undistilled student of the seed is the teacher of one that starts as it did, with another head."""
    said = torch.tensor(read(NAME, f"undistilled-{seed}")["said"])
    return on_task(start(3), SOFT, seed + 1000, said).record


def make_baselines(_seed: int) -> Record:
    """What needs no network."""
    learn, test = task.load().training, task.load().test
    words = bag_of_words().fit(list(learn.texts), list(learn.labels))
    larger = int(np.mean(learn.labels) >= 0.5)
    return {
        "words": right_share(words, list(test.texts), test.labels),
        "majority": float(np.mean(np.array(test.labels) == larger)),
    }


def make_teacher(number: int) -> Record:
    """What a teacher reaches, and how sure it is."""
    said = common.teacher_logits(common.teacher(number), common.test())
    answers = torch.tensor([example.label for example in common.test()])
    return {
        "accuracy": float((said.argmax(dim=1) == answers).double().mean()),
        "positive": [round(p, 5) for p in said.double().softmax(dim=1)[:, 1].tolist()],
        "cpu_seconds": task.teacher_seconds(number),
    }


ARMS: dict[str, Callable[[int], Record]] = {
    "distilled": partial(make_distilled, "halved", 1.0, common.RATE),
    "undistilled": make_undistilled,
    "quick": partial(make_distilled, "quick", QUICK_PASSES, QUICK_RATE),
    "quick-labels": partial(make_labels, lambda seed: general.student("quick"), QUICK_RATE, HARD),
    "task-only": make_task_only,
    "general-only": partial(make_labels, lambda seed: general.student("halved"), common.RATE, HARD),
    "smoothed": partial(make_labels, lambda seed: start(3), common.RATE, SMOOTHED),
    "self": make_self,
    "random": partial(make_labels, lambda seed: random_student(pretrained(), 3, seed), common.RATE, HARD),
}


def makers() -> dict[str, Callable[[], Record]]:
    """Every run by its file: teachers, then the main pair, the narrow one and the controls, by seed."""
    found: dict[str, Callable[[], Record]] = {"baselines-0": partial(make_baselines, 0)}
    found |= {f"teacher-{number}": partial(make_teacher, number) for number in range(common.TEACHERS)}
    for group in (MAIN, NARROW, CONTROLS):
        for seed in range(SEEDS_OF[group[0]]):
            found |= {f"{arm}-{seed}": partial(ARMS[arm], seed) for arm in group}
    return found


def records(arm: str, seeds: Sequence[int]) -> dict[int, Record]:
    """The runs of an arm that are there."""
    there = {file.stem for file in folder(NAME).glob("*.json")}
    return {seed: read(NAME, f"{arm}-{seed}") for seed in seeds if f"{arm}-{seed}" in there}


def retention(students: dict[int, float], teachers: dict[int, float]) -> Interval:
    """Student over teacher: mean of each teacher's students first, then a t interval over teachers.

    Raises ValueError when fewer than 2 teachers have students.
    """
    shares = {
        number: [
            value / teachers[number] for seed, value in students.items() if seed % len(teachers) == number
        ]
        for number in teachers
    }
    return common.interval([float(np.mean(found)) for found in shares.values() if found])


def report() -> str:
    """Write results/distillation_controls.json from the runs that are there, and return where.

    Raises ValueError while a main arm has fewer than 2 seeds, or teachers are missing.
    """
    teachers = records("teacher", range(common.TEACHERS))
    if len(teachers) < common.TEACHERS or not records("baselines", [0]):
        raise ValueError(f"teachers are missing; make them with: python -m experiments.{NAME}")
    found = {arm: records(arm, range(count)) for arm, count in SEEDS_OF.items()}
    found = {arm: runs for arm, runs in found.items() if len(runs) > 1 or arm in MAIN}
    values = {arm: {seed: run["accuracy"] for seed, run in runs.items()} for arm, runs in found.items()}
    of_teachers = {number: run["accuracy"] for number, run in teachers.items()}
    seconds = {
        arm: float(np.mean([run["cpu_seconds"] for run in runs.values()])) for arm, runs in found.items()
    }
    rows = [common.arm_row("teacher", of_teachers, teachers[0]["cpu_seconds"])]
    rows += [common.arm_row(arm, values[arm], seconds[arm], **size(arm)) for arm in found]
    rows += [retention_row(arm, values[arm], of_teachers) for arm in found]
    rows += difference_rows(values)
    rows += [{"part": "baseline", "arm": a, "accuracy": v} for a, v in records("baselines", [0])[0].items()]
    path = results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=sorted(found["distilled"]),
        seconds=sum(run["cpu_seconds"] for runs in found.values() for run in runs.values()),
        tolerance={"relative": 0.1, "absolute": 0.02, "ignore": ["cpu_seconds", "values", "judged"]},
    )
    return str(path)


@cache
def shape(narrow: bool) -> EncoderConfig:
    """The configuration of the two kinds of students."""
    return (general.STUDENTS["quick"](pretrained()) if narrow else start(3)).config


def size(arm: str) -> Row:
    """Parameters of the encoder of an arm."""
    config = shape(arm in NARROW)
    return {"parameters": count_parameters(config)["total"], "layers": config.num_layers}


def retention_row(arm: str, students: dict[int, float], teachers: dict[int, float]) -> Row:
    """How much of the teacher's accuracy an arm keeps, and whether it is the bar."""
    kept = retention(students, teachers)
    low, high = kept.low, kept.high
    judged = "kept" if low > BAR else "not kept" if high < BAR else "cannot tell"
    return {"part": "retention", "arm": arm, "retention": kept.estimate, "low": low, "high": high,
            "judged": judged, "arm_seeds": len(students)}  # fmt: skip


def difference_rows(values: Values) -> list[Row]:
    """Each arm against what it has to beat."""
    rows = [common.difference_row(values, "distilled", "undistilled")]
    if "general-only" in values and "task-only" in values:
        rows += [common.difference_row(values, "distilled", arm, 2) for arm in ("general-only", "task-only")]
    if "quick" in values and "quick-labels" in values:
        rows.append(common.difference_row(values, "quick", "quick-labels"))
    controls = [arm for arm in CONTROLS if arm in values]
    rows += [common.difference_row(values, arm, "undistilled", len(controls)) for arm in controls]
    for row in rows[:1]:
        row["judged"] = {"holds here only": "better", "does not hold": "not better"}.get(
            common.verdict(row["low"], row["high"]), "cannot tell"
        )
    return rows


if __name__ == "__main__":
    common.main(NAME, "A distilled student and its controls.", makers, report)
