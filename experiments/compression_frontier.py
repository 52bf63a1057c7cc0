"""One frontier, size, time and accuracy of all: `python -m experiments.compression_frontier`.

Task: film sentences, 8,000 to learn from, 2,000 to test (course_utils.distillation.task). Teacher: the
6-layer real model, fine-tuned, one for each seed. Every entrant (compression_entrants.py) is made from the
teacher of each seed, or from a student that another study trained, by a recipe (compression.recipe, with the
step `imitate` of compression_common.py), saved, loaded again, and tested. All sizes are those of the
saved folders, tokenizer included. Entrants whose students are not there yet are named and skipped.

Times are not measured here: `benchmarks.compression` times the models of the first seed side by side in one
run, and the report reads its results file.

Written before the runs:
  kept       accuracy of the entrant over that of the teacher of the same seed, averaged over seeds. Two
             intervals of 95%: over seeds (Student's t), and over test sentences (bootstrap, each sentence
             averaged over the seeds). `low` and `high` are the ends of both together. A student of general
             distillation is one for all seeds: its own chance is not in the interval.
  smaller    bytes of the teacher's folder over the entrant's; both without a pooler, which nothing reads
  faster     on the same engine with the same number of threads. The conditions that count for the goals:
             batch 1 and batch 32, 32 tokens (film sentences have 25 on average), one thread.
  rehearsal  accuracy of int8-aware minus that of int8, paired by seed and sentence (both vary)
  goals      TINY     7.5 times smaller, 9.4 times faster under one of these conditions, 96% kept
             INTEGER  4 times smaller, 99% kept
             An entrant reaches a goal "surely" if `low` is at least the share and the interval of its speed
             lies above the factor, "by the estimate" if only the estimates do, else "no".
  claim      compression-table (claims.yml) has two halves. Its range: an entrant of a family that the table
             has, 1.6 to 110 times smaller, speaks against it if `high` is below 87%. Its row for DistilBERT:
             the parameters of the published shape, which results/compression_primer.json counted before.
             "holds here only" if nothing speaks against the range and the row agrees with the count, "does
             not hold" if the row does not or an entrant speaks against the range.

Runs lie in the cache folder, a file and a folder each; a call makes those that are missing.
About 75 CPU minutes a seed, most of them to train `narrow`, `halved-thin`, `quick` and `halved`.
`--only a,b` names entrants, `--seeds 0,1` seeds; `--report` writes the results from what there is.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn

from course_utils.compression import saved, vocabulary
from course_utils.compression.drop_layers import without_unused
from course_utils.compression.recipe import Context, Recipe, parse
from course_utils.distillation import bilstm, task
from course_utils.finetuning import saved as finetuned
from course_utils.finetuning.classifier import load_tokenizer, new_classifier, predict
from course_utils.models import flops
from course_utils.models.heads import EncoderWithHead
from experiments import distillation_general, distillation_layers
from experiments.compression_common import (
    Record,
    context,
    folder,
    keep,
    positive,
    tokens_of,
)
from experiments.compression_entrants import BY_NAME, ENTRANTS, Entrant

NAME = "compression_frontier"
SEEDS = (0, 1, 2)
TINY = {"smaller": 7.5, "faster": 9.4, "kept": 0.96}
INTEGER = {"smaller": 4.0, "kept": 0.99}
CONDITIONS = ({"batch": 1, "length": 32, "threads": 1}, {"batch": 32, "length": 32, "threads": 1})
LENGTH = 32  # tokens, for the floating-point operations


class NotThere(RuntimeError):  # noqa: N818
    """What an entrant starts from was not trained yet; the message says by what command it is."""


def models(seed: int) -> Path:
    """Where the models of a seed lie, a folder each."""
    return folder("frontier") / f"models-{seed}"


def record_file(entrant: Entrant, seed: int) -> Path:
    """The record of one run."""
    return folder("frontier") / f"{entrant.name}-{seed}.json"


def start_of(entrant: Entrant, seed: int, given: Context) -> nn.Module:
    """The model that the recipe is applied to; its tokenizer is put into the context."""
    kind, _, name = entrant.start.partition(":")
    if kind == "teacher":
        return bare(task.teacher(seed))
    if kind.startswith("@"):
        return _entrants_model(BY_NAME[kind[1:]], seed, given)
    return {"general": _general, "layers": _by_layers}[kind](name, seed)


def bare(model: EncoderWithHead) -> EncoderWithHead:
    """A copy without a pooler that nothing reads, which can be trained."""
    return without_unused(model, model.encoder.config.max_positions)


def _entrants_model(other: Entrant, seed: int, given: Context) -> nn.Module:
    where = models(seed) / other.name
    if not record_file(other, seed).is_file():
        raise NotThere(f"{other.name} of seed {seed} comes first: --only {other.name}")
    loaded = saved.load(where)
    given.tokenizer = loaded.tokenizer
    return loaded.model


def _general(name: str, seed: int) -> nn.Module:
    try:
        encoder = distillation_general.student(name)
    except FileNotFoundError as problem:
        raise NotThere(
            "general distillation comes first: python -m experiments.distillation_general"
        ) from problem
    return new_classifier(encoder, len(task.CLASSES), seed)


def _by_layers(name: str, seed: int) -> nn.Module:
    try:
        return distillation_layers.load_saved(name, seed)
    except FileNotFoundError as problem:
        raise NotThere(str(problem)) from problem


def make(entrant: Entrant, seed: int) -> Record:
    """Apply the recipe, save, load again, test. Raises NotThere."""
    began = time.process_time()
    given = context(task.teacher(seed), seed)
    model = start_of(entrant, seed, given)
    model, parameters = followed(entrant.recipe, model, given)
    where = models(seed) / entrant.name
    store(model, given, where, parameters, entrant.recipe)
    return {
        "entrant": entrant.name,
        "family": entrant.family,
        "start": entrant.start,
        "recipe": entrant.recipe,
        "seed": seed,
        "bytes": saved.size_on_disk(where),
        "parameters": parameters,
        "changed": retokenized(given),
        "notes": given.notes,
        **shape(model),
        "test": tested(where),
        "cpu_seconds": time.process_time() - began,
    }


def retokenized(given: Context) -> float:
    """The share of the test sentences that the model's tokenizer cuts otherwise than the teacher's."""
    before = load_tokenizer(task.tokenizer_file(), None)
    changed = vocabulary.changed(before, given.tokenizer, task.load().test.texts)
    return sum(changed) / len(changed)


def followed(recipe: str, model: nn.Module, given: Context) -> tuple[nn.Module, int]:
    """The model after the recipe, and its parameters: those of the last model that torch held."""
    parameters = saved.count_parameters(model)
    for planned in parse(recipe).planned if recipe else ():
        model = Recipe((planned,)).apply(model, given)
        parameters = saved.count_parameters(model) or parameters
    return model, parameters


def store(model: nn.Module, given: Context, where: Path, parameters: int, recipe: str) -> None:
    """Save a model with its tokenizer, whatever kind it is."""
    if isinstance(model, bilstm.BiLSTM):
        bilstm.save(model, where)
        given.tokenizer.save(str(where / finetuned.TOKENIZER))
        return
    cutting = saved.cutting(given.tokenizer, task.LONGEST)
    notes = tuple(given.notes)
    made = saved.Compressed(model, cutting, task.CLASSES, task.LONGEST, parameters, recipe, notes)
    saved.save(made, where, replace=True)


def shape(model: nn.Module) -> Record:
    """What a model computes for one sentence, where the formula knows its shape."""
    if not isinstance(model, EncoderWithHead):
        return {"flops": None}
    return {"flops": flops.encoder_flops(model.encoder.config, LENGTH)}


def tested(where: Path) -> list[float]:
    """The probability of "positive" for each test sentence, by the model as it lies on disk."""
    part = task.load().test
    if (where / bilstm.ABOUT).is_file():
        model, tokenizer = bilstm.load(where), Tokenizer.from_file(str(where / finetuned.TOKENIZER))
        logits = predict(model, tokens_of(tokenizer, part.texts, task.LONGEST))
        return positive(logits.softmax(-1))
    return positive(saved.load(where).probabilities(part.texts))


def missing(names: list[str], seeds: list[int]) -> Iterator[tuple[Entrant, int]]:
    """Runs without a record, seed by seed, in the order of the entrants."""
    for seed in seeds:
        for entrant in ENTRANTS:
            if (not names or entrant.name in names) and not record_file(entrant, seed).is_file():
                yield entrant, seed


def main() -> None:
    """Make the runs that are missing, or report those that are there."""
    parser = argparse.ArgumentParser(description="Size, time and accuracy of every compressed model.")
    parser.add_argument("--only", default="", help="names of entrants, with commas")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args()
    if given.report:
        # Here, since the report reads this module's design.
        from experiments.compression_frontier_report import report

        print(report())
        return
    torch.set_num_threads(1)
    names = [name for name in given.only.split(",") if name]
    if unknown := sorted(set(names) - BY_NAME.keys()):
        parser.error(f"no entrant is called {', '.join(unknown)}; there are {', '.join(BY_NAME)}")
    for entrant, seed in missing(names, [int(seed) for seed in given.seeds.split(",")]):
        try:
            record = make(entrant, seed)
        except NotThere as problem:
            print(f"{entrant.name}-{seed} skipped: {problem}", flush=True)
            continue
        keep(record_file(entrant, seed), record)
        size, seconds = record["bytes"] / 1e6, record["cpu_seconds"]
        print(f"{entrant.name}-{seed}: {size:.2f} MB, {seconds:.0f} CPU s", flush=True)


if __name__ == "__main__":
    main()
