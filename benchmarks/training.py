"""How fast `course_utils.training` fine-tunes beside transformers' Trainer: real tokens a second, one thread.

    python -m benchmarks.training [--quick] [--out FOLDER]

The same job three ways: the small real encoder learns to tell positive from negative film sentences, all of
its weights trained, with the same first weights, batch size, epoch, learning rate, schedule, clipping and
dropout, in float32.
  course            length-grouped batches, padded to the longest of the batch
  Trainer, 128      every sentence padded to 128 tokens: the default of the library's run_glue.py, and what
                    padding="max_length" in its tutorials does (up to the model's 512, which is slower still)
  Trainer, dynamic  batches padded to their longest (DataCollatorWithPadding)
Sentences are tokenized before the clock runs. CPU seconds are those of this process; the ways take turns, in
another order for each seed. Quality is the accuracy on test sentences after training; the interval of its
difference covers test sentences, each averaged over the seeds (bootstrap).

The benchmark fails if the course is not 1.5 times as fast as the padding to 128, or is less accurate.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import (
    BertForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
    TrainingArguments,
)
from transformers import Trainer as LibraryTrainer

from course_utils import data, results
from course_utils.models.heads import EncoderWithHead, SequenceHead
from course_utils.models.weights import load_encoder
from course_utils.stats import bootstrap_interval
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train

COMMAND = "python -m benchmarks.training"
LEAST_TIMES = 1.5
PADDED = 128
WAYS = ("course", "Trainer, 128", "Trainer, dynamic")
Example = tuple[list[int], int]
Row = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """How much is done."""

    train: int = 768
    test: int = 512
    seeds: tuple[int, ...] = (0, 1, 2)
    batch_size: int = 32
    learning_rate: float = 2e-4
    warmup: float = 0.1


QUICK = Job(train=64, test=64, seeds=(0,))


def main() -> None:
    """Run all, print a line for each way, and write results/benchmark_training.json."""
    parser = argparse.ArgumentParser(description="The course's training loop against the library's.")
    parser.add_argument("--quick", action="store_true", help="a rough run in a minute; writes no file")
    parser.add_argument("--out", type=Path, help="folder for the results file; default is results/")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    job, began = QUICK if chosen.quick else Job(), time.perf_counter()
    rows = compare(job)
    for row in rows:
        print("; ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    if not chosen.quick:
        write(rows, job, time.perf_counter() - began, chosen.out)
    problems = missed(rows)
    print("\n".join(problems) or "The bars are met.")
    sys.exit(1 if problems else 0)


def compare(job: Job) -> list[Row]:
    """Every way with every seed, in turn."""
    training, test = (sentences(split, n) for split, n in (("train", job.train), ("test", job.test)))
    runs: dict[str, list[tuple[float, float, np.ndarray]]] = {way: [] for way in WAYS}
    for turn, seed in enumerate(job.seeds):
        for way in (*WAYS[turn % 3 :], *WAYS[: turn % 3]):
            model = new_model(seed)
            cpu, wall = fit(model, way, training, job, seed)
            runs[way].append((cpu, wall, right(model, test)))
            print(f"seed {seed}, {way}: {cpu:.1f} CPU s", file=sys.stderr, flush=True)
    tokens = sum(len(ids) for ids, _ in training)
    return [row(way, runs, tokens, job) for way in WAYS]


def sentences(split: str, count: int) -> list[Example]:
    """`count` film sentences of a split whose raters could tell, as ids and label; a fixed draw."""
    tokenizer = small_tokenizer()
    rows = data.load("movies", split=split, margin=0.2).shuffle(seed=0).select(range(count))
    encoded = tokenizer.encode_batch(list(rows["text"]))
    return [(e.ids[:PADDED], int(label)) for e, label in zip(encoded, rows["label"], strict=True)]


def small_tokenizer() -> Tokenizer:
    """The encoder's tokenizer: no padding, at most PADDED tokens."""
    tokenizer = Tokenizer.from_file(str(data.small_model_dir() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(PADDED)
    return tokenizer


def new_model(seed: int) -> EncoderWithHead:
    """The small encoder and a fresh head on its pooler."""
    torch.manual_seed(seed)
    encoder = load_encoder(data.small_model_dir())
    return EncoderWithHead(encoder, SequenceHead(encoder.config, 2))


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds and wall seconds of a call."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def fit(
    model: EncoderWithHead, way: str, training: list[Example], job: Job, seed: int
) -> tuple[float, float]:
    """Train `model` in place, one epoch; CPU and wall seconds of the training alone."""
    if way == "course":
        return fit_here(model, training, job, seed)
    return fit_there(model, training, job, seed, dynamic=way == "Trainer, dynamic")


def fit_here(model: EncoderWithHead, training: list[Example], job: Job, seed: int) -> tuple[float, float]:
    """Train with the course's loop."""
    config = TrainingConfig(
        steps=-(-len(training) // job.batch_size),
        batch_size=job.batch_size,
        learning_rate=job.learning_rate,
        warmup=job.warmup,
        weight_decay=0.0,  # the library's default
        seed=seed,
    )
    lengths = [len(ids) for ids, _ in training]
    material = TrainingData(training, lambda examples, _: pad(examples), lengths)
    return timed(lambda: train(model, loss, material, config))


def pad(examples: list[Example]) -> dict[str, Tensor]:
    """Ids, mask and labels, padded to the longest."""
    ids = nn.utils.rnn.pad_sequence([torch.tensor(i) for i, _ in examples], batch_first=True)
    return {
        "input_ids": ids,
        "attention_mask": (ids != 0).long(),
        "labels": torch.tensor([label for _, label in examples]),
    }


def loss(model: nn.Module, batch: Any) -> LossTerms:
    """Cross-entropy summed over the sentences."""
    labels = batch["labels"]
    logits = model(batch["input_ids"], batch["attention_mask"])
    return LossTerms(F.cross_entropy(logits, labels, reduction="sum"), len(labels))


def fit_there(
    model: EncoderWithHead, training: list[Example], job: Job, seed: int, *, dynamic: bool
) -> tuple[float, float]:
    """Train the library's model from the same weights with its Trainer, and copy the outcome back."""
    library = BertForSequenceClassification.from_pretrained(data.small_model_dir(), num_labels=2)
    library.classifier.load_state_dict(model.head.classifier.state_dict())
    words = PreTrainedTokenizerFast(tokenizer_object=small_tokenizer(), pad_token="[PAD]")
    features = [{"input_ids": ids, "attention_mask": [1] * len(ids), "label": y} for ids, y in training]
    if not dynamic:
        padded = words.pad({"input_ids": [i for i, _ in training]}, padding="max_length", max_length=PADDED)
        keys = ("input_ids", "attention_mask")
        features = [{k: padded[k][n] for k in keys} | {"label": y} for n, (_, y) in enumerate(training)]
    with tempfile.TemporaryDirectory() as folder:
        trainer = LibraryTrainer(
            library,
            arguments(folder, job, seed),
            train_dataset=features,
            data_collator=DataCollatorWithPadding(words) if dynamic else None,
        )
        times = timed(trainer.train)
    model.encoder.load_state_dict(load_encoder(library).state_dict())
    model.head.classifier.load_state_dict(library.classifier.state_dict())
    return times


def arguments(folder: str, job: Job, seed: int) -> TrainingArguments:
    """The library's defaults, but for what the job sets, and without reports and files."""
    return TrainingArguments(
        output_dir=folder,
        num_train_epochs=1,
        per_device_train_batch_size=job.batch_size,
        learning_rate=job.learning_rate,
        warmup_steps=job.warmup,  # below 1 it is a share of the steps
        seed=seed,
        use_cpu=True,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


@torch.no_grad()
def right(model: EncoderWithHead, test: list[Example]) -> np.ndarray:
    """1.0 for each test sentence that is classified rightly."""
    model.eval()
    hits: list[float] = []
    for start in range(0, len(test), 64):
        batch = pad(test[start : start + 64])
        guesses = model(batch["input_ids"], batch["attention_mask"]).argmax(dim=-1)
        hits += (guesses == batch["labels"]).float().tolist()
    return np.array(hits)


def row(way: str, runs: dict[str, list[tuple[float, float, np.ndarray]]], tokens: int, job: Job) -> Row:
    """Times, quality, and both against the course's loop."""
    cpu, wall = ([run[i] for run in runs[way]] for i in (0, 1))
    times = [other / ours[0] for other, ours in zip(cpu, runs["course"], strict=True)]
    hits, reference = (np.mean([run[2] for run in runs[w]], axis=0) for w in (way, "course"))
    found = bootstrap_interval(hits, rng=np.random.default_rng(0))
    made: Row = {
        "way": way,
        "sentences": job.train,
        "tokens": tokens,
        "repeats": len(cpu),
        "cpu_seconds": median(cpu),
        "cpu_low": min(cpu),
        "cpu_high": max(cpu),
        "wall_seconds": median(wall),
        "tokens_per_second": tokens / median(cpu),
        "accuracy": found.estimate,
        "accuracy_low": found.low,
        "accuracy_high": found.high,
        "accuracies": [float(run[2].mean()) for run in runs[way]],
    }
    if way == "course":
        return made
    gain = bootstrap_interval(reference - hits, rng=np.random.default_rng(0))
    return made | {
        "times_slower": median(times),
        "times_slower_low": min(times),
        "times_slower_high": max(times),
        "course_more_accurate": gain.estimate,
        "course_more_accurate_low": gain.low,
        "course_more_accurate_high": gain.high,
    }


def missed(rows: list[Row]) -> list[str]:
    """What is wrong: too slow, or less accurate for sure."""
    padded = next(row for row in rows if row["way"] == "Trainer, 128")
    problems = []
    if padded["times_slower_low"] < LEAST_TIMES:
        problems.append(f"only {padded['times_slower_low']:.2f} times as fast, expected {LEAST_TIMES}")
    if padded["course_more_accurate_high"] < 0:
        problems.append(f"less accurate by {-padded['course_more_accurate']:.3f}")
    return problems


def write(rows: list[Row], job: Job, seconds: float, out: Path | None) -> None:
    """Write the results file; all that depends on the machine may differ next time."""
    keys = {key for made in rows for key in made}
    endings = ("_seconds", "_second", "cpu_low", "cpu_high")
    ignore = sorted(k for k in keys if k.endswith(endings) or k.startswith("times_"))
    results.write(
        "benchmark_training",
        command=COMMAND,
        rows=rows,
        seeds=list(job.seeds),
        seconds=seconds,
        tolerance={"relative": 0, "absolute": 0.03, "ignore": ignore},
        out=out,
    )


if __name__ == "__main__":
    main()
