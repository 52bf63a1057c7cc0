"""Layer by layer or by its answers alone? `python -m experiments.distillation_layers`

A teacher (6 layers of 384, fine-tuned on the task's 8,000 film sentences) and students of 3 layers that begin
alike: the teacher's layers 2, 4 and 6 and its head, embedding tables frozen. Every method then sees the same
6,000 sentences of a seed, each once, in batches of 32 at a rate of 1e-4 with linear decay in each stage:

  hard      cross-entropy with the labels: no teacher, but its layers to begin with
  soft      0.7 soft targets at a temperature of 2 (with T squared) + 0.3 labels: what the others must beat
  patient   PKD-Skip on mean-pooled states: alpha 0.7, temperature 5, beta 10 (of the paper's search space)
  tiny      TinyBERT: 3,000 sentences for embeddings, states and attention, then 3,000 for the prediction at
            a temperature of 1
  minilm    MiniLM: 3,000 sentences for the relations of the last layer, then 3,000 as `soft`
  theseus   BERT-of-Theseus: 3,000 sentences with p rising from 0.5 to 1 over the first 70 of 94 steps, then
            3,000 for the successors alone; labels only

  start     the students as they begin, not trained
  bilstm    one bidirectional LSTM of 64, from the teacher's logits, 8 times through the 6,000 sentences
  bilstm-augmented    the same, 4 times through the 6,000 and a changed copy of each: as many steps

The BiLSTM knows nothing but a table of embeddings and cannot begin alike or learn from 6,000 sentences seen
once; it is told beside the others and not compared with them. Nothing was tuned for a method: rates and
weights are from the papers' ranges, chosen before the runs. General distillation on unlabelled text, which
TinyBERT and MiniLM are made for, is another experiment (`distillation_general`); this one asks what their
losses bring to a student that begins with the teacher's layers, in one pass over the task's own sentences.

5 seeds draw sentences, order, dropout and projections; seed s has the teacher of seed s mod 3. That the last
two teachers' differences come twice makes the intervals a little too narrow.

Written before the runs, and not changed after them:
  measure   accuracy on the task's 2,000 test sentences, method minus soft (augmented minus plain for the
            BiLSTM), paired by seed; 6 differences, so t intervals at 1 - 0.05 / 6 each
  better            the whole interval is above 0.01, one point, the smallest difference that would matter
  worse             the whole interval is below -0.01
  the same          the whole interval lies within -0.01 to 0.01
  cannot tell       otherwise
  cost      CPU seconds of training, what the teacher computes during it included; labelling sentences with
            the teacher's logits beforehand is told apart (its time a sentence is that of the test)

Runs lie in the cache folder, a file each; a call makes those that are missing, about 11 CPU minutes a seed
(teachers are made first if they are missing: 6 CPU minutes each). `--only REST/OF` makes every OFth run and
reports nothing; `--report` only reports. Models of seeds 0 to 2 are kept: see `saved` and `load_saved`.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from course_utils.distillation import bilstm, task
from course_utils.distillation.pairs import pair_losses
from course_utils.finetuning import saved as saved_models
from course_utils.finetuning.classifier import predict
from course_utils.models.heads import EncoderWithHead
from experiments.distillation_layers_methods import (
    METHODS,
    NAME,
    TEACHERS,
    logits_of,
    sentences,
    teacher,
)
from experiments.finetuning_common import Record, folder, run_missing

SEEDS = 5
KEPT = 3  # seeds whose models are kept: about 70 MB each
SMALLEST = 0.01  # accuracy: one point


def saved(method: str, seed: int) -> Path:
    """Where the trained student of a method lies, for seeds 0 to 2; it exists once that run was made.

    A folder of `course_utils.finetuning.saved` (it works with `course predict`), for the BiLSTMs one of
    `course_utils.distillation.bilstm`; `load_saved` reads both.
    """
    return folder(NAME) / "models" / f"{method}-{seed}"


def load_saved(method: str, seed: int) -> nn.Module:
    """The kept student, in evaluation mode. Raises FileNotFoundError if it is missing."""
    place = saved(method, seed)
    if not place.is_dir():
        raise FileNotFoundError(f"{place} is missing; make it with: python -m experiments.{NAME}")
    return bilstm.load(place) if method.startswith("bilstm") else saved_models.load(place).model


def make(method: str, seed: int) -> Record:
    """Train, predict, compare layers, keep the model."""
    logits_of(seed)  # in the cache before the clock starts: labelling is told apart
    began = time.process_time()
    model, lines, projection = METHODS[method](seed)
    took = time.process_time() - began
    kept = seed < KEPT
    if kept:
        keep(model, saved(method, seed))
    with_layers = kept and isinstance(model, EncoderWithHead)
    return {
        "cpu_seconds": took,
        "losses": [line["loss"] for line in lines],
        "test": positive(model),
        "pairs": layers(model, seed, projection) if with_layers else None,
        "parameters": sum(p.numel() for p in model.parameters()),
    }


def make_teacher(seed: int) -> Record:
    """What a teacher reaches, and what it cost."""
    began = time.process_time()
    answers = positive(teacher(seed))
    each = (time.process_time() - began) / len(answers)
    return {"test": answers, "seconds_each": each, "cpu_seconds": task.teacher_seconds(seed)}


def positive(model: nn.Module) -> list[float]:
    """The probability of "positive" on every test sentence."""
    logits = predict(cast(EncoderWithHead, model), sentences("test"))
    return [round(p, 6) for p in logits.softmax(-1)[:, 1].tolist()]


def layers(model: nn.Module, seed: int, projection: nn.Module | None) -> dict[str, Any]:
    """What every method compares, for every pair of layers, on the validation sentences."""
    student = cast(EncoderWithHead, model)
    return pair_losses(student, teacher(seed), sentences("validation"), of_states=projection)


def keep(model: nn.Module, place: Path) -> None:
    """Write a student where `saved` says."""
    if isinstance(model, bilstm.BiLSTM):
        bilstm.save(model, place)
        return
    made = cast(EncoderWithHead, model).eval()
    saved_models.save(saved_models.Classifier(made, task.tokenizer_file(), task.CLASSES, task.LONGEST), place)


def runs() -> dict[str, Callable[[], Record]]:
    """All runs by the names of their files, seed after seed, so that any prefix is paired."""
    made: dict[str, Callable[[], Record]] = {}
    for seed in range(SEEDS):
        if seed < TEACHERS:
            made[f"teacher-{seed}"] = partial(make_teacher, seed)
        made |= {f"{method}-{seed}": partial(make, method, seed) for method in METHODS}
    return made


def read(where: Path) -> dict[tuple[str, int], Record]:
    """The records that are there, by (method, seed); the teacher's too."""
    found = {}
    for file in sorted(where.glob("*-[0-9].json")):
        method, _, seed = file.stem.rpartition("-")
        found[method, int(seed)] = json.loads(file.read_text(encoding="utf-8"))
    return found


def main() -> None:
    """Make the runs that are missing, then report."""
    parser = argparse.ArgumentParser(description="Layer-wise distillation against soft targets.")
    parser.add_argument("--only", default="0/1", help="REST/OF: make every OFth run only, without a report")
    parser.add_argument("--report", action="store_true", help="make no run, report what is there")
    given = parser.parse_args()
    rest, of = (int(n) for n in given.only.split("/"))
    torch.set_num_threads(1)
    if not given.report:
        mine = dict(list(runs().items())[rest::of])
        for run in run_missing(NAME, mine):
            print(run, flush=True)
    if of == 1:
        # Here, since the report reads this module's design.
        from experiments.distillation_layers_report import report

        print(report(folder(NAME)))


if __name__ == "__main__":
    main()
