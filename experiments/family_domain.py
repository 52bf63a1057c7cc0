"""SciBERT's and Legal-BERT's three alternatives on a domain of ours: `python -m experiments.family_domain`.

The domain is the documentation of installed packages (`course_utils.data.documentation`), split by module;
the general text is the rated sentences. The alternatives are those of Chalkidis et al. (2020).
Two are the small real encoder with its masked-LM head, which has read text from the web, then reviews:
  as_is          as it was released
  continued      the same, trained further on the domain: 80 steps of 16 rows
Four are encoders of 4 layers of 128, each trained from nothing for 1,000 steps of 32 rows of at most 32
tokens, on as many texts of either kind, with a vocabulary of 4,000 pieces of the general text or the domain:
  small_general  general text, general vocabulary: what BERT is to SciBERT, at equal size and compute
  small_mixed    domain text, general vocabulary
  small_domain   domain text, domain vocabulary: what SciBERT is
  untrained      random weights, domain vocabulary

Masked LM: 15% of the plain words of a held-out text are masked, all pieces of a word at once, the same words
for all models. Nats a word is the sum over its pieces; that a word has so many pieces is known to the model,
and is a stronger hint the finer a vocabulary cuts. `first` is the share of words all of whose pieces are the
first guess. Beside them stand counts: the word seen most often between the same neighbors in the domain.

The task: from which kind of section is a text (summary, parameters, returns, notes)? 400 labels; 600 test
texts from modules that no model has read. Frozen: mean states and a logistic regression. Tuned: 4 epochs,
with tables of embeddings frozen. Beside them: TF-IDF and a logistic regression. A seed draws weights, rows,
masks, labeled texts and test texts, the same texts for all models. Before this was written, one run of as_is
had shown that 2 epochs at a lower rate do not fit the labels, and pilots of another text that 300 steps from
nothing teach hardly more than how frequent a token is.

Written before the runs, and not changed after them. The claim `scibert` is that pretraining on text of the
domain helps both a frozen and a fine-tuned encoder. The pair that tests it is small_domain minus
small_general, accuracy, paired by seed (four; the other models have three), t intervals over seeds at 97.5%
each, so that both hold together at 95%; 0.01, one point, is the smallest difference that would matter.
  holds            both intervals lie above 0.01
  does not hold    one of the two intervals lies below 0.01
  cannot tell      otherwise
continued minus as_is, TF-IDF and the other differences are told beside it.

Runs lie in the cache folder, a file each; a call makes those that are missing, 20 minutes in all on one core,
and `seconds` in the results is the processor time of all of them.
`--first N` makes the first N runs only, and reports nothing.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from course_utils import paths
from experiments.family_domain_measure import TASK, TASK_RATE_REAL, blanks, fill, solve
from experiments.family_domain_models import MAKERS
from experiments.family_domain_report import NAME, report

TESTED, REAL = ("small_general", "small_domain"), ("as_is", "continued")
SEEDS, MORE_SEEDS = (0, 1, 2), (3,)
# What judges the claim comes first.
RUNS = [(arm, seed) for seed in SEEDS for arm in (*TESTED, "untrained")]
RUNS += [(arm, seed) for seed in SEEDS for arm in REAL]
RUNS += [(arm, seed) for seed in MORE_SEEDS for arm in TESTED]
RUNS += [("small_mixed", seed) for seed in SEEDS]


def folder() -> Path:
    """Where the runs lie."""
    return paths.cache_dir() / "experiments" / NAME


def make(arm: str, seed: int) -> dict[str, Any]:
    """One model of one seed: train it, let it fill in both kinds of text, and solve the task."""
    began = time.process_time()
    made = MAKERS[arm](seed)
    trained = time.process_time()
    found = {kind: fill(made, blanks(kind, seed)) for kind in ("domain", "general")}
    rate = TASK_RATE_REAL if arm in REAL else TASK.learning_rate
    task = solve(made, seed, rate)
    seconds = {"training_seconds": trained - began, "cpu_seconds": time.process_time() - began}
    return {"arm": arm, "seed": seed, **found, **task, **seconds}


def file_of(where: Path, arm: str, seed: int) -> Path:
    """Where a run is kept."""
    return where / f"{arm}-{seed}.json"


def run_missing(runs: list[tuple[str, int]], where: Path) -> Iterator[str]:
    """Make and keep what has no file yet, and say so."""
    where.mkdir(parents=True, exist_ok=True)
    for arm, seed in runs:
        file = file_of(where, arm, seed)
        if not file.exists():
            part = file.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps(make(arm, seed)), encoding="utf-8")
            part.replace(file)
            yield file.name


def main() -> None:
    """Make the runs that are missing, then report."""
    parser = argparse.ArgumentParser(description="SciBERT's three alternatives on documentation.")
    parser.add_argument("--first", type=int, default=len(RUNS), help="make the first N runs only")
    first = parser.parse_args().first
    torch.set_num_threads(1)
    for name in run_missing(RUNS[:first], folder()):
        print(name, flush=True)
    if first == len(RUNS):
        spent = [json.loads(file.read_text())["cpu_seconds"] for file in folder().glob("*.json")]
        print(report(folder(), sum(spent)))


if __name__ == "__main__":
    main()
