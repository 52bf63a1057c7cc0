"""One task of each kind, fine-tuned from the small real encoder: `python -m experiments.finetuning_tasks`.

kind      set                                     learns from     tested on  score (percent)
sentence  SST-2, film reviews                     600, 2 passes   300        accuracy
pair      STS-B, similarity of two sentences      320, 2 passes   300        Spearman's correlation
tagging   CoNLL-2003, entities in news            300, 3 passes   300        F1 of entities, as seqeval's
answers   XQuAD, questions in English             320, 2 passes   200        F1 of tokens, as SQuAD's script

Each question of XQuAD comes with the sentence that holds its answer instead of its paragraph, and no article
is both learned from and tested on: two cores must afford it. GLUE's own test labels are hidden, so that SST-2
and STS-B are tested on a part of their validation sets, which nothing is chosen by. The sizes are a hundredth
of the sets': scores are to be read beside the baselines' at the same size, never beside published ones.

Every seed draws its examples to learn from and its head; the test examples are the same for all. Fine-tuning
is the plain one: all weights, batches of 16, AdamW, a tenth of the steps for warm-up, then a linear decline;
one rate for all kinds, 2e-4, which suits an encoder of 6 layers of 384, not tuned. Four seeds from the real
weights, the first three of them from random weights of the same shape, too.

Written before the runs, and not changed after them:
  a kind is learned   the score from the real weights minus the best baseline that is no network, paired by
                      seed: mean at least 2 points, and its t interval above 0, at 98.75%, four kinds in all
  claim bert-glue     a part can be checked here: whether the averages that are quoted follow from the columns
                      of the paper's table. "does not hold" if one is further from the mean of its columns
                      than the rounding of the columns and its own can explain, under either of two
                      conventions (the nine columns, or eight tasks with MNLI once); else "cannot tell", since
                      test labels that are hidden and models of that size are not measured again here. Which
                      kinds are learned is told beside it.
  claim squad         likewise: "does not hold" if our exact match or F1 differs from the official script's on
                      any of 2,000 made pairs of answers; else "cannot tell", since the scores are quoted.

Runs lie in the cache folder, a file each; a call makes those that are missing. `--runs` reports
nothing; `--so-far` reports the seeds that are complete.
The sets come from the hub or from the copy that COURSE_HUB_ROOT names (course_utils.data.task_sets).
"""

import argparse
import copy
import time
from functools import cache, partial

import torch

from course_utils import data
from course_utils.finetuning.classifier import epochs
from course_utils.models.encoder import Encoder
from course_utils.models.weights import load_encoder
from course_utils.training import TrainingConfig
from experiments.finetuning_common import Record, run_missing
from experiments.finetuning_tasks_kinds import BATCH, KINDS, Kind

NAME = "finetuning_tasks"
RATE = 2e-4
SEEDS = {"real": (0, 1, 2, 3), "random": (0, 1, 2)}
ORDER = [("real", 0), ("real", 1), ("real", 2), ("random", 0), ("real", 3), ("random", 1), ("random", 2)]
BY_NAME = {kind.name: kind for kind in KINDS}


def run_name(kind: str, start: str, seed: int) -> str:
    """The name of a run's file."""
    return f"{kind}-{start}-{seed}"


@cache
def _real() -> Encoder:
    return load_encoder(data.small_model_dir())


def encoder(start: str, seed: int) -> Encoder:
    """A fresh copy of the real encoder, or one of the same shape with weights drawn from the seed."""
    if start == "real":
        return copy.deepcopy(_real())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Encoder(_real().config)


def make(kind: Kind, start: str, seed: int) -> Record:
    """Fine-tune once: the scores on the test examples, in percent."""
    began = time.process_time()
    training, testing = kind.drawn(seed)
    config = TrainingConfig(
        steps=epochs(len(training), BATCH, kind.passes), batch_size=BATCH, learning_rate=RATE, seed=seed
    )
    scores = kind.learn(encoder(start, seed), training, testing, config)
    return {"scores": scores, "cpu_seconds": time.process_time() - began}


def make_baselines(kind: Kind, seed: int) -> Record:
    """The scores of what is no network, from the same examples."""
    return {"scores": kind.baselines(*kind.drawn(seed))}


def all_runs() -> dict[str, partial[Record]]:
    """Every run by its name, in the order in which they are made."""
    runs = {
        run_name(kind.name, "baselines", seed): partial(make_baselines, kind, seed)
        for seed in SEEDS["real"]
        for kind in KINDS
    }
    for start, seed in ORDER:
        runs |= {run_name(kind.name, start, seed): partial(make, kind, start, seed) for kind in KINDS}
    return runs


def main() -> None:
    """Make the runs that are missing, then report."""
    parser = argparse.ArgumentParser(description="One task of each kind, from the small real encoder.")
    parser.add_argument("--runs", action="store_true", help="make runs only, without a report")
    parser.add_argument(
        "--so-far", action="store_true", help="make no runs, report the seeds that are complete"
    )
    chosen = parser.parse_args()
    if chosen.so_far:
        from experiments.finetuning_tasks_report import report, seeds_so_far

        print(report(seeds_so_far()))
        return
    torch.set_num_threads(1)
    for name in run_missing(NAME, all_runs()):
        print(name, flush=True)
    if not chosen.runs:
        from experiments.finetuning_tasks_report import report

        print(report())


if __name__ == "__main__":
    main()
