"""A small task and a random teacher in the place of the real ones, for the studies of compression."""

from functools import partial

import pytest
import torch

from course_utils.distillation import task
from course_utils.finetuning.classifier import new_classifier
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from experiments import (
    compression_common,
    compression_curves,
    compression_frontier,
    compression_frontier_report,
)

SENTENCE = "a film of rare beauty the worst plot ever seen dull bright witty but never boring"
WORDS = SENTENCE.split()


def texts(count, seed):
    """Sentences of common words."""
    generator = torch.Generator().manual_seed(seed)
    return tuple(
        " ".join(WORDS[i] for i in torch.randint(len(WORDS), (7,), generator=generator).tolist())
        for _ in range(count)
    )


def teacher(seed):
    """A random classifier of three layers, with the real vocabulary."""
    torch.manual_seed(seed)
    config = EncoderConfig(
        hidden_size=24,
        num_layers=3,
        num_heads=4,
        intermediate_size=40,
        max_positions=128,
        initializer_range=0.2,
    )
    return new_classifier(Encoder(config), 2, seed).eval().requires_grad_(False)


@pytest.fixture
def small_task(monkeypatch, tmp_path):
    """The task with 40 training and 30 test sentences; runs in a folder of the test's own."""
    part = {
        name: task.Part(texts(count, seed), tuple(i % 2 for i in range(count)))
        for seed, (name, count) in enumerate({"training": 40, "validation": 10, "test": 30}.items())
    }
    made = task.Task(**part)
    monkeypatch.setattr(task, "load", lambda: made)
    monkeypatch.setattr(task, "teacher", teacher)
    monkeypatch.setattr(compression_common, "unlabeled_sentences", lambda count: texts(min(count, 16), 9))
    into_test = partial(compression_common.teacher_logits, folder=tmp_path / "outputs")
    monkeypatch.setattr(compression_common, "teacher_logits", into_test)
    for module in (compression_common, compression_curves, compression_frontier, compression_frontier_report):
        monkeypatch.setattr(module, "folder", lambda name: tmp_path / f"compression_{name}")
    return made
