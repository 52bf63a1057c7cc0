"""The runs of a study: which there are, which are missing, and how one is made.

A run is one JSON file, written whole or not at all, so that a study goes on where it was stopped. All runs
are made one after the other in one process with one thread.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from course_utils import paths
from course_utils.contest.compute import steps_for
from course_utils.contest.models import seeded
from course_utils.contest.runs import COUNTS, UNTRAINED, Run, RunError
from course_utils.family.design import Study
from course_utils.family.shape import Shape, make_shape
from course_utils.family.variants import Batch, Item, Variant, make_variant
from course_utils.family.worlds import World, make_world
from course_utils.models.flops import training_flops
from course_utils.objectives import SpecialTokens
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train

_SAMPLED = 32  # batches that the mean cost of a step is taken from

Record = dict[str, Any]


def default_folder(study: Study) -> Path:
    """Where the runs lie unless another folder is asked for."""
    return paths.cache_dir() / "experiments" / f"family_{study.name}"


def tuning_runs(study: Study) -> list[Run]:
    """Every arm that has several learning rates with each of them, on the tuning seeds."""
    return [
        Run("tune", arm, seed, rate)
        for seed in study.tuning_seeds
        for arm in study.arms
        for rate in study.rates(arm)
        if len(study.rates(arm)) > 1
    ]


def final_runs(study: Study, folder: Path) -> list[Run]:
    """The baselines, then every seed of every arm; by seed, so that a study stopped early has whole seeds.

    Raises RunError while tuning runs are missing.
    """
    rates = {arm: chosen_rate(study, folder, arm) for arm in study.arms}
    baselines = [Run("final", COUNTS, study.seeds[0]), Run("final", UNTRAINED, study.seeds[0])]
    return baselines + [Run("final", arm, seed, rates[arm]) for seed in study.seeds for arm in study.arms]


def chosen_rate(study: Study, folder: Path, arm: str) -> float:
    """The only learning rate of an arm, or the one with the best mean primary measure when tuning."""
    rates = study.rates(arm)
    if len(rates) == 1:
        return rates[0]
    sign = 1 if study.measures[study.primary].better == "low" else -1

    def score(rate: float) -> float:
        found = [read(study, folder, Run("tune", arm, seed, rate)) for seed in study.tuning_seeds]
        return sign * sum(record["measures"][study.primary] for record in found)

    return min(rates, key=score)


def read(study: Study, folder: Path, run: Run) -> Record:
    """The record of a run; RunError when it is missing or of another design."""
    path = folder / run.file
    if not path.is_file():
        raise RunError(f"{path} is missing; make it with: python -m experiments.family_{study.name}")
    record: Record = json.loads(path.read_text(encoding="utf-8"))
    if record["design"] != study.fingerprint():
        raise RunError(f"{path} was made by another design; move the old runs away")
    return record


def run_missing(study: Study, folder: Path) -> Iterator[Run]:
    """Make every run that is not there yet; yields each as it is done."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    world = make_world(study)
    for stage in (tuning_runs, partial(final_runs, folder=folder)):
        for run in stage(study):
            if (folder / run.file).exists():
                read(study, folder, run)
                continue
            record = make(study, world, run)
            part = folder / f".{run.file}.{os.getpid()}"
            part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            part.replace(folder / run.file)
            yield run


def make(study: Study, world: World, run: Run) -> Record:
    """Make one run."""
    begun = time.process_time()
    record = {"design": study.fingerprint(), **asdict(run), **_found(study, world, run)}
    return record | {"cpu_seconds": round(time.process_time() - begun, 2)}


def _found(study: Study, world: World, run: Run) -> Record:
    if run.entrant == COUNTS:
        texts = max((study.arms[arm].texts or study.texts for arm in study.arms), default=0)
        return {"baselines": world.baselines(world.corpus(texts or study.texts_read or 4096, run.seed))}
    arm = next(iter(study.arms)) if run.entrant == UNTRAINED else run.entrant
    variant, shape = variant_of(study, arm), shape_of(study, world, arm)
    model = seeded(run.seed, lambda: variant.build(shape))
    if run.entrant == UNTRAINED:
        return {"measures": world.measure(model.eval(), "final", run.seed)}
    spent = pretrain(study, world, model, variant, shape, run)
    return {**spent, "measures": world.measure(model.cpu().eval(), run.stage, run.seed)}


def variant_of(study: Study, arm: str) -> Variant:
    """The variant of an arm."""
    return make_variant(study.arms[arm].variant, study.arms[arm].options)


def shape_of(study: Study, world: World, arm: str) -> Shape:
    """The encoder of an arm."""
    fields = {**study.shape, **study.arms[arm].shape}
    return make_shape(world.language.process.vocab_size, study.length, fields)


@dataclass
class Meter:
    """A variant's loss that also counts what it spends."""

    variant: Variant
    shape: Shape
    flops: int = field(default=0, init=False)
    tokens: int = field(default=0, init=False)

    def __call__(self, model: nn.Module, batch: Batch) -> LossTerms:
        """The loss of the batch; its operations and places are added up."""
        self.flops += training_flops(self.variant.forward_flops(self.shape, batch))
        self.tokens += batch["input_ids"].numel()
        return self.variant.loss(model, batch)


def pretrain(
    study: Study, world: World, model: nn.Module, variant: Variant, shape: Shape, run: Run
) -> Record:
    """Train the model in place for the study's compute or tokens; what that took."""
    arm = study.arms[run.entrant]
    batch_size = arm.batch_size or study.batch_size
    collate = partial(_collate, variant, world.language.tokens)
    steps = steps_of(study, world, variant, shape, batch_size, run.seed)
    read_texts = steps * batch_size
    corpus = world.corpus(arm.texts or study.texts or read_texts, run.seed)
    meter = Meter(variant, shape)
    config = TrainingConfig(
        steps=steps,
        batch_size=batch_size,
        learning_rate=run.learning_rate,
        log_every=max(1, steps // 20),
        seed=run.seed,
    )
    begun = time.process_time()
    history = train(model, meter, TrainingData(items(corpus, read_texts, run.seed), collate), config)
    return {
        "steps": steps,
        "texts_read": read_texts,
        "texts": len(corpus),
        "flops": meter.flops,
        "processed_tokens": meter.tokens,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "train_seconds": round(time.process_time() - begun, 2),
        "curve": [[line["step"], round(line["loss"], 5)] for line in history],
    }


def steps_of(study: Study, world: World, variant: Variant, shape: Shape, batch_size: int, seed: int) -> int:
    """The number of steps for the study's compute, or for its tokens."""
    if study.texts_read:
        return study.texts_read // batch_size
    corpus = items(world.corpus(_SAMPLED * batch_size, seed), _SAMPLED * batch_size, seed)
    generator = Generator().manual_seed(seed)
    total = 0
    for first in range(0, len(corpus), batch_size):
        batch = variant.collate(corpus[first : first + batch_size], world.language.tokens, generator)
        total += training_flops(variant.forward_flops(shape, batch))
    return steps_for(study.gigaflops * 1e9, total / _SAMPLED)


def items(corpus: Tensor, count: int, seed: int) -> list[Item]:
    """The corpus once for each turn until there are `count` items; the training shuffles all turns together.

    That is how BERT's copies of its data were shuffled too.
    """
    return [Item(corpus[i % len(corpus)], i % len(corpus), i // len(corpus), seed) for i in range(count)]


def _collate(variant: Variant, tokens: SpecialTokens, batch: list[Item], generator: Generator) -> Batch:
    return variant.collate(batch, tokens, generator)
