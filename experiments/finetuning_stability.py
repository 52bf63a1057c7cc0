"""How stable is fine-tuning on small data, and what helps? `python -m experiments.finetuning_stability`.

Every run: the first three layers of the small real BERT, mean pooling (but see 4), 256 film sentences, 3
epochs of batches of 16 (48 steps), AdamW, rate up to its peak in a tenth of the steps and down to 0,
gradients clipped at norm 1, 600 test sentences that are the same for all. A seed draws sentences, head, order
and dropout. 10 seeds.

1. Rates. 4e-5, 2e-4, 1e-3, 5e-3. Two kinds of failure, defined before the runs: "below the probe" (less
   accurate than logistic regression on the frozen mean states of the same encoder, same sentences) and "near
   chance" (less than 5 points above the share of the larger class).
2. Where the spread comes from. At 2e-4 with one draw of sentences, 4 heads crossed with 4 orders (order and
   dropout together): a two-way analysis of variance, its components, and the spread when sentences vary too.
3. Clipping, claim `clip-gradients`. (a) At 1e-3 the same runs without clipping. (b) Networks of 20
   layers on a small problem: saturated units (gradients vanish), the same units with a residual path, and
   weights that make gradients explode; plain gradient descent at 0.1 and Adam at 1e-3, 150 steps, with
   clipping at 1 and without. Verdict, by the gain in accuracy of clipping where gradients vanish (paired by
   seed, 10 seeds, both optimizers):
     cannot tell    if the residual network is not above 0.7 (then the problem says nothing), or otherwise
     does not hold  if both intervals lie below +0.02
     holds here only  if one of them lies above +0.02
4. Centering, claim `cls-centering`. At 2e-4 a linear head on the [CLS] state, with and without its mean
   subtracted. Verdict, by the gain in accuracy, paired by seed, t interval; one point is the smallest gain
   that matters:
     holds here only  if the interval lies above one point
     does not hold    if it lies below one point
     cannot tell      otherwise
   Of stability: the spread over seeds, the norms of the gradients, and how much of [CLS] is its common mean.
5. Removing digits and punctuation, claim `strip-punctuation`. At 2e-4 from training and test texts; also
   trained on one kind and tested on the other; and TF-IDF of words beside it. Verdict: the rule of 4.

Runs lie in the cache folder, a file each; a call makes those that are missing, then reports. `--report` only
reports.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from course_utils.finetuning.centering import mean_share, new_cls_classifier
from course_utils.finetuning.classifier import fine_tune, freeze_embeddings, new_classifier, predict
from course_utils.finetuning.clipping import DeepNet, Kind, gradient_norms, total_norm
from course_utils.finetuning.designs import STABILITY
from course_utils.finetuning.features import bag_of_words, mean_states, probe, right_share
from course_utils.finetuning.stripping import strip_marks
from course_utils.models.heads import EncoderWithHead
from course_utils.training import TrainingConfig
from experiments import finetuning_common as common
from experiments.finetuning_common import Record, Sentence

NAME = "finetuning_stability"
LAYERS, TRAIN, TEST, STEPS, BATCH = STABILITY.layers, STABILITY.train, STABILITY.test, 48, 16
RATES = (4e-5, 2e-4, 1e-3, 5e-3)
RATE, CLIP_RATE = STABILITY.rate, STABILITY.clipping_rate
SEEDS = range(10)
HEADS, ORDERS = range(4), range(4)
UNCLIPPED = 1e9  # a bound that is never reached
KINDS: tuple[Kind, ...] = ("saturated", "residual", "exploding")
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "gradient descent": partial(torch.optim.SGD, lr=0.1),
    "Adam": partial(torch.optim.Adam, lr=1e-3),
}
DEPTH, WIDTH, INPUTS, ROWS, DEEP_STEPS = 20, 32, 8, 256, 150


@dataclass(frozen=True)
class Run:
    """One fine-tuning. arm: "plain", "unclipped", "stripped", "cls", "centered" or "crossed"."""

    arm: str
    rate: float
    seed: int  # of the sentences
    head: int
    order: int

    @property
    def name(self) -> str:
        crossed = f"-{self.head}-{self.order}" if self.arm == "crossed" else f"-{self.seed}"
        return f"{self.arm}-{self.rate:g}{crossed}"


def of_seed(arm: str, rate: float, seed: int) -> Run:
    """A run in which one seed draws everything."""
    return Run(arm, rate, seed, seed, seed)


def all_runs() -> list[Run]:
    """By seed, so that a study that is stopped early has whole seeds."""
    arms = [("plain", RATE), ("stripped", RATE), ("cls", RATE), ("centered", RATE)]
    arms += [("plain", CLIP_RATE), ("unclipped", CLIP_RATE), ("plain", 4e-5), ("plain", 5e-3)]
    runs = [of_seed(arm, rate, seed) for seed in SEEDS for arm, rate in arms]
    return runs + [Run("crossed", RATE, 0, head, order) for order in ORDERS for head in HEADS]


def make(run: Run) -> Record:
    """Fine-tune, and count the right answers on the test sentences."""
    began = time.process_time()
    training, test = common.drawn("train", TRAIN, run.seed, 1), common.drawn("test", TEST, 2026)
    change = strip_marks if run.arm == "stripped" else str
    model = new_model(run)
    config = TrainingConfig(
        steps=STEPS,
        batch_size=BATCH,
        learning_rate=run.rate,
        max_grad_norm=UNCLIPPED if run.arm == "unclipped" else 1.0,
        seed=run.order,
        log_every=1,
    )
    history = fine_tune(model, common.encoded(training, change), config)
    record = {
        "losses": [round(line["loss"], 5) for line in history],
        "norms": [round(line["grad_norm"], 5) for line in history],
        "accuracy": accuracy(model, test, change),
    }
    if run.arm == "stripped":
        record["accuracy_other"] = accuracy(model, test, str)
    elif run.arm == "plain" and run.rate == RATE:
        record["accuracy_other"] = accuracy(model, test, strip_marks)
    return record | {"cpu_seconds": time.process_time() - began}


def new_model(run: Run) -> EncoderWithHead:
    """The encoder with the arm's head, its embeddings frozen."""
    encoder = common.encoder(LAYERS)
    if run.arm in ("cls", "centered"):
        model = new_cls_classifier(encoder, 2, run.head, centered=run.arm == "centered")
    else:
        model = new_classifier(encoder, 2, run.head)
    freeze_embeddings(model)
    return model


def accuracy(model: EncoderWithHead, test: list[Sentence], change: Callable[[str], str]) -> float:
    """The share of test sentences, changed so, that the model gets right."""
    examples = common.encoded(test, change)
    right = predict(model, examples).argmax(dim=1) == torch.tensor([one.label for one in examples])
    return float(right.float().mean())


def make_baselines(seed: int) -> Record:
    """Logistic regression on frozen states, and on words with and without marks, of the seed's sentences."""
    began = time.process_time()
    training, test = common.drawn("train", TRAIN, seed, 1), common.drawn("test", TEST, 2026)
    labels, answers = [one.label for one in training], [one.label for one in test]
    encoder = common.encoder(LAYERS)
    states = mean_states(encoder, common.encoded(training))
    record: dict[str, Any] = {
        "probe": right_share(probe().fit(states, labels), mean_states(encoder, common.encoded(test)), answers)
    }
    for name, change in (("words", str), ("words stripped", strip_marks)):
        model = bag_of_words().fit([change(one.text) for one in training], labels)
        record[name] = right_share(model, [change(one.text) for one in test], answers)
    return record | {"cpu_seconds": time.process_time() - began}


def make_cls_states() -> Record:
    """Which share of the test sentences' [CLS] and mean states is common to all, before training."""
    encoder = common.encoder(LAYERS)
    examples = common.encoded(common.drawn("test", 200, 2026))
    cls = torch.cat([encoder(torch.tensor([one.ids])).last_hidden_state[:, 0].detach() for one in examples])
    return {"cls": mean_share(cls), "mean": mean_share(torch.from_numpy(mean_states(encoder, examples)))}


def deep_problem(seed: int) -> tuple[Tensor, Tensor]:
    """Points (rows, inputs) in two classes, divided by a curved surface."""
    x = torch.randn(ROWS, INPUTS, generator=torch.Generator().manual_seed(seed))
    return x, (x[:, 0] * x[:, 1] + x[:, 2] > 0).long()


def make_deep(kind: Kind, optimizer: str, clipped: bool, seed: int) -> Record:
    """Train one of the deep networks: its accuracy, and the norms of its first step, before and after."""
    x, labels = deep_problem(seed)
    net = DeepNet(INPUTS, WIDTH, DEPTH, kind, torch.Generator().manual_seed(seed))
    stepper = OPTIMIZERS[optimizer](net.parameters())
    before: dict[str, float] = {}
    after: dict[str, float] = {}
    finite = True
    for _ in range(DEEP_STEPS):
        loss = F.cross_entropy(net(x), labels)
        stepper.zero_grad()
        loss.backward()
        before_now = gradient_norms(net) if not before else {}
        if clipped:
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        if before_now:
            before, after = before_now, gradient_norms(net)
        finite = bool(torch.isfinite(loss))
        if not finite:
            break
        stepper.step()
    right = (net(x).argmax(dim=1) == labels).float().mean()
    return {
        "accuracy": float(right),
        "finite": finite,
        "first_before": before["first.weight"],
        "last_before": before["last.weight"],
        "total_before": total_norm(before),
        "first_after": after["first.weight"],
        "last_after": after["last.weight"],
        "total_after": total_norm(after),
        "layers_before": [before[f"layers.{i}.weight"] for i in range(DEPTH)],
        "layers_after": [after[f"layers.{i}.weight"] for i in range(DEPTH)],
    }


def makers() -> dict[str, Callable[[], Record]]:
    """Every run by the name of its file, the cheap ones first."""
    found: dict[str, Callable[[], Record]] = {"cls-states": make_cls_states}
    for seed in SEEDS:
        found[f"baselines-{seed}"] = partial(make_baselines, seed)
        for kind in KINDS:
            for optimizer in OPTIMIZERS:
                for clipped in (False, True):
                    name = (
                        f"deep-{kind}-{optimizer.replace(' ', '_')}-{'clipped' if clipped else 'free'}-{seed}"
                    )
                    found[name] = partial(make_deep, kind, optimizer, clipped, seed)
    return found | {run.name: partial(make, run) for run in all_runs()}


def main() -> None:
    """Make the runs that are missing, then report."""
    parser = argparse.ArgumentParser(description="How stable is fine-tuning on small data, and what helps?")
    parser.add_argument("--report", action="store_true", help="make no run, only report what is there")
    torch.set_num_threads(1)
    if not parser.parse_args().report:
        for name in common.run_missing(NAME, makers()):
            print(name, flush=True)
    # Here, since the report reads this module's design.
    from experiments.finetuning_stability_report import report

    print(report())


if __name__ == "__main__":
    main()
