"""A run small enough for a test: variable-length sequences, a loss with a varying number of terms.

Run as a script it trains in its own process, so that a test can kill it, or launch two of it.
"""

import json
import os
import sys
from pathlib import Path

import torch
from torch import nn

from course_utils.training import LossTerms, TrainingConfig, TrainingData, train


def model(dropout=0.0):
    torch.manual_seed(11)
    return nn.Sequential(
        nn.Embedding(50, 16), nn.Dropout(dropout), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 50)
    )


def collate(examples, generator):
    width = max(len(e) for e in examples)
    ids = torch.zeros(len(examples), width, dtype=torch.long)
    for row, example in zip(ids, examples, strict=True):
        row[: len(example)] = example
    return {"ids": ids, "labels": torch.where(ids == 0, -100, (ids * 7) % 50)}


def masked_collate(examples, generator):
    """The same with noise from the generator: what a masked objective does."""
    batch = collate(examples, generator)
    keep = torch.rand(batch["labels"].shape, generator=generator) < 0.5
    return batch | {"labels": torch.where(keep, batch["labels"], -100)}


def loss(net, batch):
    logits = net(batch["ids"]).flatten(0, 1)
    labels = batch["labels"].flatten()
    total = nn.functional.cross_entropy(logits, labels, ignore_index=-100, reduction="sum")
    return LossTerms(total, (labels != -100).sum())


def data(noise=False, n=70):
    generator = torch.Generator().manual_seed(5)
    lengths = torch.randint(1, 12, (n,), generator=generator).tolist()
    examples = [torch.randint(1, 50, (length,), generator=generator) for length in lengths]
    return TrainingData(examples, masked_collate if noise else collate, lengths=lengths)


def config(**changes):
    settings = {"steps": 40, "batch_size": 16, "learning_rate": 1e-2, "log_every": 1, "checkpoint_every": 5}
    return TrainingConfig(**(settings | changes))


class KilledAt:
    """An evaluation that ends the process as `kill -9` does, at a given step."""

    def __init__(self, step):
        self.step, self.calls = step, 0

    def __call__(self, net):
        self.calls += 1
        if self.calls == self.step:
            os.kill(os.getpid(), 9)
        return {}


if __name__ == "__main__":
    folder, changes, kill_at = Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
    noise, dropout = changes.pop("noise", False), changes.pop("dropout", 0.0)
    net = model(dropout)
    train(
        net,
        loss,
        data(noise),
        config(**changes),
        folder=folder,
        evaluate=KilledAt(kill_at) if kill_at else None,
    )
