"""DistilBERT's ablation as a full factorial: `python -m experiments.distillation_factorial`.

Each on or off, all 16 cells, 3 seeds: soft targets (at masked tokens, T = 2), the cosine of the last states,
masked LM, and the start from the teacher's layers. Weights as in DistilBERT: 5, 1 and 2.

Teacher: the course's masked LM (6 layers of 384, 15% of tokens masked in all cells). Student: 3 layers of
384; its start is the first, third and last layer of the teacher and the teacher's head, or random; the
embedding tables are the teacher's, frozen, in either. General distillation: 90 steps of 16 unlabeled film
sentences (about 40,000 tokens, where DistilBERT read Wikipedia and books), rate 5e-4; cells without any loss
skip it. Then fine-tuning with labels alone: 1,500 of the task's sentences once, rate 1e-4; 2,000 test
sentences.
A seed draws the text, the masks, the sentences, head, order and random weights; cells of a seed share them.

Measured: the four main effects and the six interactions of pairs, by least squares with a term a seed (48
runs, 35 degrees of freedom), and what leaving one out of all four costs, with the same residual spread.

Claim `distil-ablation`, written before the runs. At our scale its order is asked: that leaving out the
teacher's start costs most, then soft targets, then the cosine, and that masked LM matters little. For each of
the four main effects, an interval at 1 - 0.05 / 4:
  holds here only  start, soft and cosine are above 0, masked LM's interval lies within -0.01 to 0.01, and the
                   estimates have DistilBERT's order
  does not hold    any of start, soft and cosine has its whole interval below 0.01, one point, or masked LM
                   its whole interval above it
  cannot tell      otherwise

Runs lie in the cache folder, a file each; a call makes those that are missing (about 40 CPU minutes), then
reports. `--only REST/OF` makes every OFth run and reports nothing; `--report` only reports.
"""

import copy
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t as student_t

from course_utils import results
from course_utils.distillation import corpus
from course_utils.distillation.general import Classroom, GeneralLoss, Pupil, Teacher, distil
from course_utils.distillation.job import Lesson, distil_task
from course_utils.distillation.students import (
    from_layers,
    random_student,
    set_dropout,
    share_embeddings,
    spread,
)
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM, MaskedLMHead
from course_utils.released import load_released
from course_utils.training import TrainingConfig
from experiments import distillation_common as common
from experiments.distillation_common import Record, Row
from experiments.finetuning_common import folder, read

NAME = "distillation_factorial"
FACTORS = ("soft", "cosine", "masked_lm", "start")
WEIGHT = {"soft": 5.0, "cosine": 1.0, "masked_lm": 2.0}
SEEDS = range(3)
LAYERS, ROWS = 3, 1500
STEPS, GENERAL_BATCH, GENERAL_RATE, POOL = 90, 16, 5e-4, 6000
DROPOUT = 0.1
SANH = {"soft": 2.96, "cosine": 1.46, "masked_lm": 0.31, "start": 3.69}
"""GLUE points that leaving each one out cost (Sanh et al. 2019, table 4)."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cell:
    """Which of the four are on."""

    soft: bool
    cosine: bool
    masked_lm: bool
    start: bool

    @property
    def name(self) -> str:
        """As 1 and 0 in the order of FACTORS."""
        return "".join(str(int(getattr(self, factor))) for factor in FACTORS)

    @property
    def loss(self) -> GeneralLoss | None:
        """The loss of general distillation; None without any."""
        weights = {name: weight * getattr(self, name) for name, weight in WEIGHT.items()}
        return GeneralLoss(**weights, masked_text=True) if any(weights.values()) else None


CELLS = tuple(Cell(*switches) for switches in itertools.product((False, True), repeat=4))


@cache
def masked_lm() -> MaskedLM:
    """The teacher."""
    return load_released("masked_lm").model


def student(cell: Cell, seed: int) -> tuple[Encoder, MaskedLMHead]:
    """Encoder and masked-LM head at their start."""
    teacher = masked_lm().encoder
    if cell.start:
        encoder = from_layers(teacher, spread(teacher.config.num_layers, LAYERS))
        head = copy.deepcopy(masked_lm().head)
    else:
        encoder = random_student(teacher, LAYERS, seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            head = MaskedLMHead(teacher.config)
    share_embeddings(encoder, teacher)
    encoder.stack.requires_grad_(True)
    return encoder, head.requires_grad_(True)


def make(cell: Cell, seed: int) -> Record:
    """General distillation, then fine-tuning."""
    began = time.process_time()
    encoder, head = student(cell, seed)
    if cell.loss:
        pupil = Pupil(encoder, masked_lm().encoder, head)
        set_dropout(pupil, 0.0)
        rows = text().chosen(np.random.default_rng([seed, 13]).permutation(len(text())))
        config = TrainingConfig(
            steps=STEPS, batch_size=GENERAL_BATCH, learning_rate=GENERAL_RATE, warmup=0.05, seed=seed
        )
        distil(Classroom({"student": pupil}), Teacher(masked_lm()), rows, cell.loss, config)
        set_dropout(pupil, DROPOUT)
    general = time.process_time() - began
    examples = [common.training()[i] for i in common.drawn(ROWS, seed)]
    config = common.config(ROWS, 1, seed)
    _, outcome = distil_task(encoder, examples, None, Lesson(soft_weight=0.0), config, test=common.test())
    return outcome.record | {"general_cpu_seconds": general}


@cache
def text() -> corpus.TokenRows:
    """Unlabeled film sentences as rows of tokens."""
    rows = [example.ids for example in common.unlabeled(POOL)]
    return corpus.packed(rows)


def makers() -> dict[str, Callable[[], Record]]:
    """Every run by its file, seed after seed."""
    return {f"{cell.name}-{seed}": partial(make, cell, seed) for seed in SEEDS for cell in CELLS}


@dataclass(frozen=True)
class Fit:
    """Least squares with factors coded -1/2 and 1/2: each coefficient is on minus off."""

    names: tuple[str, ...]
    effects: Array
    errors: Array
    spread: float  # residual standard deviation
    degrees: int

    def row(self, name: str, tests: int) -> Row:
        """An effect and its interval at 1 - 0.05 / tests."""
        place = self.names.index(name)
        half = float(student_t.ppf(1 - 0.025 / tests, self.degrees)) * self.errors[place]
        effect = float(self.effects[place])
        return {"effect": effect, "low": effect - half, "high": effect + half, "level": 1 - 0.05 / tests}


def fit(accuracies: Mapping[tuple[Cell, int], float]) -> Fit:
    """Main effects, interactions of pairs, and a term for each seed. Raises ValueError below 2 seeds."""
    seeds = sorted({seed for _, seed in accuracies})
    if len(seeds) < 2:
        raise ValueError(f"the factorial needs at least 2 whole seeds, got {seeds}")
    pairs = list(itertools.combinations(FACTORS, 2))
    names = (*FACTORS, *(" x ".join(pair) for pair in pairs))
    lines, y = [], []
    for (cell, seed), accuracy in accuracies.items():
        coded = {factor: getattr(cell, factor) - 0.5 for factor in FACTORS}
        # Times 2, so that an interaction is half the difference of two effects, as is usual.
        crossed = [2 * coded[a] * coded[b] for a, b in pairs]
        lines.append([*coded.values(), *crossed, *(float(seed == other) for other in seeds)])
        y.append(accuracy)
    x, target = np.array(lines), np.array(y)
    solution, *_ = np.linalg.lstsq(x, target, rcond=None)
    degrees = len(target) - x.shape[1]
    variance = float(((target - x @ solution) ** 2).sum()) / degrees
    errors = np.sqrt(variance * np.diag(np.linalg.inv(x.T @ x)))
    kept = len(names)
    return Fit(names, solution[:kept], errors[:kept], variance**0.5, degrees)


def report() -> str:
    """Write results/distillation_factorial.json from the seeds with all cells, and return where."""
    there = {file.stem for file in folder(NAME).glob("*.json")}
    seeds = [seed for seed in SEEDS if {f"{cell.name}-{seed}" for cell in CELLS} <= there]
    records = {(cell, seed): read(NAME, f"{cell.name}-{seed}") for seed in seeds for cell in CELLS}
    accuracies = {key: record["accuracy"] for key, record in records.items()}
    fitted = fit(accuracies)
    rows = [cell_row(cell, [records[cell, seed] for seed in seeds]) for cell in CELLS]
    for name in fitted.names:
        kind, tests = ("effect", len(FACTORS)) if name in FACTORS else ("interaction", 6)
        rows.append({"part": kind, "name": name, **fitted.row(name, tests), "sanh": SANH.get(name)})
    rows += [left_out_row(factor, accuracies, fitted, seeds) for factor in FACTORS]
    rows.append({"part": "fit", "spread": fitted.spread, "degrees": fitted.degrees, "runs": len(records)})
    path = results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=seeds,
        seconds=sum(r["cpu_seconds"] + r["general_cpu_seconds"] for r in records.values()),
        tolerance={"relative": 0.2, "absolute": 0.03, "ignore": ["cpu_seconds", "values", "spread"]},
        claims={"distil-ablation": claim(fitted, len(seeds))},
    )
    return str(path)


def cell_row(cell: Cell, found: Sequence[Record]) -> Row:
    """What one cell reached."""
    values = [record["accuracy"] for record in found]
    seconds = [record["cpu_seconds"] + record["general_cpu_seconds"] for record in found]
    return {
        "part": "cell",
        "cell": cell.name,
        **{factor: int(getattr(cell, factor)) for factor in FACTORS},
        "accuracy": float(np.mean(values)),
        "values": values,
        "cpu_seconds": float(np.mean(seconds)),
    }


def left_out_row(
    factor: str, accuracies: Mapping[tuple[Cell, int], float], fitted: Fit, seeds: Sequence[int]
) -> Row:
    """All four minus all but one, mean over seeds; its error from the spread of all cells."""
    whole = Cell(True, True, True, True)
    switches = {name: name != factor for name in FACTORS}
    values = [accuracies[whole, seed] - accuracies[Cell(**switches), seed] for seed in seeds]
    error = fitted.spread * (2 / len(seeds)) ** 0.5
    half = float(student_t.ppf(1 - 0.025 / len(FACTORS), fitted.degrees)) * error
    cost = float(np.mean(values))
    return {
        "part": "left out",
        "name": factor,
        "effect": cost,
        "low": cost - half,
        "high": cost + half,
        "level": 1 - 0.05 / len(FACTORS),
        "values": values,
        "sanh": SANH[factor],
    }


def claim(fitted: Fit, seeds: int) -> Record:
    """The verdict by the rule at the top."""
    found = {factor: fitted.row(factor, len(FACTORS)) for factor in FACTORS}
    said = ", ".join(
        f"{factor.replace('_', ' ')} {100 * row['effect']:+.1f} ({100 * row['low']:+.1f} to "
        f"{100 * row['high']:+.1f})"
        for factor, row in found.items()
    )
    return {
        "verdict": judge(found),
        "estimate": found["soft"]["effect"],
        "interval": [found["soft"]["low"], found["soft"]["high"]],
        "unit": "accuracy",
        "seeds": seeds,
        "sentence": (
            f"In 16 cells x {seeds} seeds after a very short general distillation, the main effects on "
            f"accuracy in points, with intervals at 98.75% each, were: {said}."
        ),
    }


def judge(found: Mapping[str, Row], least: float = common.SMALLEST) -> str:
    """The rule at the top, from the four main effects."""
    helps = ("start", "soft", "cosine")
    masked = found["masked_lm"]
    if any(found[name]["high"] < least for name in helps) or masked["low"] > least:
        return "does not hold"
    order = sorted(FACTORS, key=lambda name: -found[name]["effect"])
    little = -least < masked["low"] and masked["high"] < least
    as_told = order == ["start", "soft", "cosine", "masked_lm"]
    if all(found[name]["low"] > 0 for name in helps) and little and as_told:
        return "holds here only"
    return "cannot tell"


if __name__ == "__main__":
    common.main(NAME, "DistilBERT's ablation as a full factorial.", makers, report)
