"""Temperature, mixing weight, unlabeled text: `python -m experiments.distillation_sweep`.

Task and teachers: course_utils.distillation.task (6 layers, 384 wide). Student: the first and the last layer
of the pretrained encoder, a fresh head, tables frozen, rate 1e-4, batches of 32; 5 seeds, each with its own
teacher, sentences, head, order and dropout; the same 2,000 test sentences.

1. Temperature: 3,000 sentences once, the teacher's logits alone, no labels, T = 0.5, 1, 2, 4, 8, 16, 32,
   with T squared; beside them labels alone.
2. Mixing weight: the same sentences, T = 2, weight of the soft targets 0, 0.25, 0.5, 0.75, 1.
3. Unlabeled text at equal work: 1,000 sentences with labels (weight 0.7, T = 2) and 0, 1,000 or 3,000
   sentences that only the teacher has labeled; as many steps in all three, so that the labeled ones are seen
   4, 2 and 1 times.
4. Gradients: norm of the soft loss's gradient at the student's logits, for random students on the teacher's
   real logits, with and without T squared.

Claim `temperature-soft`, written before the runs: the mean accuracy at T = 2, 4, 8 and 16 minus that at T =
1, paired by seed, t interval over the 5 seeds.
  holds here only  the interval lies above 0.01, one point, the smallest difference that would matter
  does not hold    it lies below 0.01
  cannot tell      otherwise
The differences of single temperatures from 1 are told at 1 - 0.05 / 6 each. Two classes leave one number of
dark knowledge a sentence: how sure the teacher is. More classes may give another answer.

Runs lie in the cache folder, a file each; a call makes those that are missing (about 30 CPU minutes, and 38
for teachers and their logits if they are missing), then reports. `--only REST/OF` makes every OFth run and
reports nothing; `--report` only reports.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial

import numpy as np
import torch

from course_utils import data, results
from course_utils.distillation import task
from course_utils.distillation.job import Lesson, distil_task
from course_utils.distillation.losses import UNLABELED, soft_target_loss
from course_utils.distillation.students import from_layers, spread
from course_utils.finetuning.classifier import Example
from course_utils.models.encoder import Encoder
from course_utils.models.weights import load_encoder
from experiments import distillation_common as common
from experiments.distillation_common import Record, Row, Values
from experiments.finetuning_common import folder, read

NAME = "distillation_sweep"
SEEDS = range(5)
LAYERS = 2
ROWS, FEW = 3000, 1000
TEMPERATURES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
JUDGED = (2.0, 4.0, 8.0, 16.0)
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
TEXTS = {0: 4, 1000: 2, 3000: 1}  # unlabeled sentences -> passes
MIXED = Lesson(soft_weight=0.7, temperature=2.0)


@cache
def pretrained() -> Encoder:
    """The real encoder."""
    return load_encoder(data.small_model_dir())


def student() -> Encoder:
    """A fresh copy of its first and last layer."""
    return from_layers(pretrained(), spread(pretrained().config.num_layers, LAYERS))


def make(weight: float, temperature: float, seed: int) -> Record:
    """One run of parts 1 and 2: `weight` of soft targets at a temperature, on 3,000 sentences."""
    chosen = common.drawn(ROWS, seed)
    examples = [common.training()[i] for i in chosen]
    if weight == 1:
        examples = [example._replace(label=UNLABELED) for example in examples]
    logits = common.said_of_training(seed % common.TEACHERS)[chosen]
    lesson = Lesson(weight, temperature)
    return distil_task(student(), examples, logits, lesson, common.config(ROWS, 1, seed), test=common.test())[
        1
    ].record


def make_text(unlabeled: int, seed: int) -> Record:
    """One run of part 3."""
    chosen, number = common.drawn(FEW, seed), seed % common.TEACHERS
    examples: list[Example] = [common.training()[i] for i in chosen]
    logits = common.said_of_training(number)[chosen]
    if unlabeled:
        rows = np.random.default_rng([seed, 12]).permutation(common.UNLABELED)[:unlabeled].tolist()
        examples += [common.unlabeled(common.UNLABELED)[i] for i in rows]
        logits = torch.cat([logits, common.said_of_unlabeled(number)[rows]])
    config = common.config(len(examples), TEXTS[unlabeled], seed)
    return distil_task(student(), examples, logits, MIXED, config, test=common.test())[1].record


def makers() -> dict[str, Callable[[], Record]]:
    """Every run by its file, seed after seed."""
    found: dict[str, Callable[[], Record]] = {}
    for seed in SEEDS:
        for t in TEMPERATURES:
            found[f"soft-{t:g}-{seed}"] = partial(make, 1.0, t, seed)
        for weight in WEIGHTS[:-1]:  # weight 1 at T = 2 is in the line above
            found[f"mix-{weight:g}-{seed}"] = partial(make, weight, 2.0, seed)
        for count in TEXTS:
            found[f"text-{count}-{seed}"] = partial(make_text, count, seed)
    return found


def gradient_rows() -> list[Row]:
    """Part 4: mean norm over sentences of the gradient at the logits, students drawn once."""
    v = common.said_of_training(0)[:1000].double()
    z = torch.from_numpy(np.random.default_rng(0).normal(size=v.shape))
    rows = []
    for t in TEMPERATURES:
        row: Row = {"part": "gradient", "temperature": t}
        for name, squared in (("with_t_squared", True), ("without", False)):
            logits = z.clone().requires_grad_()
            soft_target_loss(logits, v, t, squared=squared).backward()
            assert logits.grad is not None
            row[name] = float(logits.grad.norm(dim=1).mean()) * len(v)
        rows.append(row)
    return rows


def report() -> str:
    """Write results/distillation_sweep.json from the seeds that have all runs, and return where."""
    there = {file.stem for file in folder(NAME).glob("*.json")}
    seeds = [s for s in SEEDS if {name for name in makers() if name.endswith(f"-{s}")} <= there]
    if len(seeds) < 2:
        raise ValueError(f"an interval needs 2 whole seeds, got {seeds}; run: python -m experiments.{NAME}")
    arms = {name.rpartition("-")[0] for name in makers()}
    records = {arm: {s: read(NAME, f"{arm}-{s}") for s in seeds} for arm in sorted(arms)}
    values = {arm: {s: r["accuracy"] for s, r in found.items()} for arm, found in records.items()}
    rows = [
        common.arm_row(arm, values[arm], float(np.mean([r["cpu_seconds"] for r in found.values()])))
        for arm, found in records.items()
    ]
    rows += differences(values) + teacher_rows(seeds) + gradient_rows()
    path = results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=seeds,
        seconds=sum(r["cpu_seconds"] for found in records.values() for r in found.values()),
        tolerance={"relative": 0.1, "absolute": 0.02, "ignore": ["cpu_seconds", "values"]},
        claims={"temperature-soft": claim(values, seeds)},
    )
    return str(path)


def differences(values: Values) -> list[Row]:
    """Each temperature from 1, each weight from labels alone, each amount of text from none."""
    rows = [
        common.difference_row(values, f"soft-{t:g}", "soft-1", tests=len(TEMPERATURES) - 1)
        for t in TEMPERATURES
        if t != 1
    ]
    mixes = [*(f"mix-{w:g}" for w in WEIGHTS[1:-1]), "soft-2"]
    rows += [common.difference_row(values, arm, "mix-0", tests=len(mixes)) for arm in mixes]
    texts = [f"text-{count}" for count in TEXTS if count]
    return rows + [common.difference_row(values, arm, "text-0", tests=len(texts)) for arm in texts]


def teacher_rows(seeds: Sequence[int]) -> list[Row]:
    """What the teachers reach."""
    answers = np.array([example.label for example in common.test()])
    values = {}
    for number in sorted({seed % common.TEACHERS for seed in seeds}):
        said = common.teacher_logits(common.teacher(number), common.test()).argmax(dim=1).numpy()
        values[number] = float((said == answers).mean())
    cost = float(np.mean([task.teacher_seconds(number) for number in values]))
    return [common.arm_row("teacher", values, cost)]


def claim(values: Values, seeds: Sequence[int]) -> Record:
    """The verdict by the rule at the top."""
    gains = [float(np.mean([values[f"soft-{t:g}"][s] for t in JUDGED])) - values["soft-1"][s] for s in seeds]
    gain = common.interval(gains)
    return {
        "verdict": common.verdict(gain.low, gain.high),
        "estimate": gain.estimate,
        "interval": [gain.low, gain.high],
        "unit": "accuracy",
        "seeds": len(seeds),
        "sentence": (
            "With two classes and the teacher's logits alone, temperatures of 2 to 16 changed a two-layer "
            f"student's accuracy by {100 * gain.estimate:+.1f} points against a temperature of 1 (95% "
            f"interval {100 * gain.low:+.1f} to {100 * gain.high:+.1f}, {len(seeds)} seeds)."
        ),
    }


if __name__ == "__main__":
    common.main(NAME, "Temperature, mixing weight and unlabeled text.", makers, report)
