"""How far each cut can go: `python -m experiments.compression_curves`.

The teacher of each seed (course_utils.distillation.task), cut ever more, without training afterwards, on the
first 1,000 test sentences:

  heads       shares of the heads; the least important first, in random order, the most important first
  ffn         shares of the feed-forward neurons; least important first, and in random order
  layers      one to three layers: from the top, the bottom, every other, from the middle
  rank        the token table as a product; errors weighted by use, and not
  vocabulary  pieces that the training sentences use at least so often; how many test sentences are cut into
              other pieces
Trained afterwards for half a pass over the training rows on the teacher's soft answers (`trained`): heads in
two orders, since training may make the order not matter, and three layers of six, from the top or every other
one.

Written before the runs: three seeds; accuracy, and its share of the teacher's on the same sentences, with
the interval over seeds (Student's t); the trained pairs, and rank 128 in both ways, paired by seed and
sentence, at 1 - 0.05 / 4 each. No claim is judged here: it is what the frontier's settings are drawn from and
what the chapter's curves show. Importance is measured on 1,000 training sentences.

Runs lie in the cache folder, a file each; a call makes those that are missing, `--seeds 0` some of them, and
`--report` writes the results. About 11 CPU minutes a seed.
"""

import argparse
import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from course_utils import results
from course_utils.compression import factorize, vocabulary
from course_utils.compression.drop_layers import Which, keep_layers, layers_left
from course_utils.compression.heads import head_importance, remove_heads
from course_utils.compression.importance import least_important
from course_utils.compression.width import neuron_importance, remove_neurons
from course_utils.distillation import task
from course_utils.finetuning.classifier import Example, load_tokenizer, predict
from course_utils.models.counting import count_parameters
from course_utils.models.heads import EncoderWithHead
from experiments.compression_common import (
    Record,
    context,
    folder,
    gained,
    imitate,
    positive,
    right,
    run_missing,
    tokens_of,
)
from experiments.compression_frontier import bare
from experiments.finetuning_common import interval

NAME = "compression_curves"
SEEDS = (0, 1, 2)
ROWS, TESTED = 1000, 1000
SHARES = (0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
NEURON_SHARES = (0.25, 0.5, 0.75, 0.9)
RANKS, PLAIN_RANKS = (16, 32, 64, 128, 192, 256), (32, 128, 256)
COUNTS = (1, 2, 3, 5, 10, 20)
PASSES = 0.5
Row = dict[str, Any]


@dataclass(frozen=True)
class Cut:
    """One point of a curve."""

    method: str
    amount: float  # share removed, layers dropped, rank, or least count
    how: str  # the order, or the kind
    trained: bool = False

    @property
    def name(self) -> str:
        return f"{self.method}-{self.amount:g}-{self.how}{'-trained' if self.trained else ''}"


CUTS = [Cut("none", 0, "whole")]
CUTS += [Cut("heads", s, o) for s in SHARES for o in ("importance", "random", "reversed")]
CUTS += [Cut("ffn", s, o) for s in NEURON_SHARES for o in ("importance", "random")]
CUTS += [Cut("layers", n, w) for n in (1, 2, 3) for w in ("top", "bottom", "alternate", "middle")]
CUTS += [Cut("rank", r, "weighted") for r in RANKS] + [Cut("rank", r, "plain") for r in PLAIN_RANKS]
CUTS += [Cut("vocabulary", n, "used") for n in COUNTS] + [Cut("vocabulary", 1, "all")]
PAIRS = [(Cut("heads", s, "importance", True), Cut("heads", s, "random", True)) for s in (0.4, 0.8)]
PAIRS += [(Cut("layers", 3, "top", True), Cut("layers", 3, "alternate", True))]
CUTS += [cut for pair in PAIRS for cut in pair]
PAIRS += [(Cut("rank", 128, "weighted"), Cut("rank", 128, "plain"))]


class Study:
    """One seed's teacher and what its cuts need; importances are measured once."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.context = context(task.teacher(seed), seed)
        self.model = bare(task.teacher(seed))
        self.tokenizer = load_tokenizer(task.tokenizer_file(), None)

    @cache  # noqa: B019 - a study lives as long as the process
    def importance(self, method: str) -> list[Tensor]:
        """Of heads or of neurons, on the same training sentences."""
        part = task.load().training
        examples: list[Example] = part.examples[:ROWS]
        if method == "heads":
            return head_importance(self.model, examples)
        return neuron_importance(self.model, examples)

    @cache  # noqa: B019
    def counts(self) -> Mapping[int, int]:
        """How often the training sentences use each piece."""
        return vocabulary.piece_counts(self.tokenizer, self.context.texts)

    def ordered(self, method: str, how: str) -> list[Tensor]:
        """What is compared when parts are removed, the smallest first."""
        found = self.importance(method)
        if how == "reversed":
            return [-row for row in found]
        if how == "random":
            generator = torch.Generator().manual_seed(self.seed)
            return [torch.rand(len(row), generator=generator) for row in found]
        return found

    def cut(self, cut: Cut) -> tuple[EncoderWithHead, Row]:
        """The model after the cut, and what is to be told of it."""
        if cut.method == "none":
            return self.model, {}
        return getattr(self, f"_{cut.method}")(cut)

    def _heads(self, cut: Cut) -> tuple[EncoderWithHead, Row]:
        keep = least_important(self.ordered("heads", cut.how), cut.amount)
        return remove_heads(self.model, keep), {"left": [len(heads) for heads in keep]}

    def _ffn(self, cut: Cut) -> tuple[EncoderWithHead, Row]:
        keep = least_important(self.ordered("ffn", cut.how), cut.amount, keep_one=True)
        return remove_neurons(self.model, keep), {"left": [len(neurons) for neurons in keep]}

    def _layers(self, cut: Cut) -> tuple[EncoderWithHead, Row]:
        which: Which = cut.how  # type: ignore[assignment]
        keep = layers_left(self.model.encoder.config.num_layers, int(cut.amount), which)
        return keep_layers(self.model, keep), {"left": [layer + 1 for layer in keep]}

    def _rank(self, cut: Cut) -> tuple[EncoderWithHead, Row]:
        weights = None
        table = self.model.encoder.embeddings.token.weight
        if cut.how == "weighted":
            weights = torch.ones(len(table))
            for number, count in self.counts().items():
                weights[number] += count
        made = factorize.factorize_table(self.model, int(cut.amount), weights)
        errors = [factorize.rank_errors(table, w)[int(cut.amount)] for w in (None, weights)]
        return made, {"error": float(errors[0]), "weighted_error": float(errors[1])}

    def _vocabulary(self, cut: Cut) -> tuple[EncoderWithHead, Row]:
        characters: vocabulary.Characters = cut.how  # type: ignore[assignment]
        kept = vocabulary.kept_pieces(
            self.tokenizer, self.counts(), min_count=int(cut.amount), characters=characters
        )
        self.context.tokenizer = vocabulary.trim_tokenizer(self.tokenizer, kept)
        texts = task.load().test.texts
        changed = vocabulary.changed(self.tokenizer, self.context.tokenizer, texts)
        return vocabulary.trim_table(self.model, kept), {
            "pieces": len(kept),
            "changed": sum(changed) / len(changed),
        }

    def make(self, cut: Cut) -> Record:
        """Cut, train if asked for, test."""
        began = time.process_time()
        self.context.tokenizer = self.tokenizer
        model, facts = self.cut(cut)
        if cut.trained:
            imitate(model, self.context, PASSES, 0, 1e-4, 2.0)
        texts = task.load().test.texts[:TESTED]
        logits = predict(model, tokens_of(self.context.tokenizer, texts, task.LONGEST))
        return {
            **facts,
            "parameters": count_parameters(model)["total"],
            "test": positive(logits.softmax(-1)),
            "cpu_seconds": time.process_time() - began,
        }


def rows(read: Callable[[str], Record]) -> list[Row]:
    """A row for each cut that all seeds have: accuracy, and what is kept of the teacher's."""
    labels = task.load().test.labels[:TESTED]
    made = []
    for cut in CUTS:
        records = [read(f"{cut.name}-{seed}") for seed in SEEDS]
        whole = [read(f"{CUTS[0].name}-{seed}") for seed in SEEDS]
        own, theirs = ([float(right(r, labels).mean()) for r in some] for some in (records, whole))
        kept = interval([a / b for a, b in zip(own, theirs, strict=True)])
        facts = {key: records[0].get(key) for key in ("left", "error", "weighted_error", "pieces", "changed")}
        made.append(
            {
                "method": cut.method,
                "amount": cut.amount,
                "how": cut.how,
                "trained": cut.trained,
                "parameters": float(np.mean([r["parameters"] for r in records])),
                "accuracy": float(np.mean(own)),
                "kept": kept.estimate,
                "low": kept.low,
                "high": kept.high,
                **facts,
            }
        )
    return made


def pair_rows(read: Callable[[str], Record]) -> list[Row]:
    """What the first of each pair gains over the second."""
    labels = task.load().test.labels[:TESTED]
    made = []
    for pair in PAIRS:
        one, other = ({seed: read(f"{cut.name}-{seed}") for seed in SEEDS} for cut in pair)
        names = {"first": pair[0].how, "second": pair[1].how}
        found = gained(one, other, labels, level=1 - 0.05 / len(PAIRS))
        made.append({"method": "pair", "cut": pair[0].method, "amount": pair[0].amount, **names, **found})
    return made


def main() -> None:
    """Make the runs that are missing, or report."""
    parser = argparse.ArgumentParser(description="How far each cut can go.")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)))
    parser.add_argument("--report", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.report:
        print(report())
        return
    for seed in map(int, given.seeds.split(",")):
        study = Study(seed)
        runs = {f"{cut.name}-{seed}": partial(study.make, cut) for cut in CUTS}
        for name in run_missing(folder("curves"), runs):
            print(name, flush=True)


def report() -> str:
    """Write results/compression_curves.json. Raises FileNotFoundError while runs are missing."""
    files = {
        f"{c.name}-{s}": folder("curves") / f"{c.name}-{s}.json" for c, s in itertools.product(CUTS, SEEDS)
    }
    absent = [name for name, file in files.items() if not file.is_file()]
    if absent:
        raise FileNotFoundError(
            f"{len(absent)} runs are missing, such as {absent[0]}: python -m experiments.{NAME}"
        )
    records = {name: json.loads(file.read_text(encoding="utf-8")) for name, file in files.items()}
    return str(
        results.write(
            NAME,
            command=f"python -m experiments.{NAME} --report",
            rows=rows(records.__getitem__) + pair_rows(records.__getitem__),
            seeds=list(SEEDS),
            seconds=sum(record["cpu_seconds"] for record in records.values()),
            tolerance={"relative": 0.05, "absolute": 0.01, "ignore": []},
        )
    )


if __name__ == "__main__":
    main()
