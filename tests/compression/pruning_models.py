"""Small random classifiers and texts for the tests of pruning."""

import numpy as np
import torch

from course_utils.finetuning.classifier import Example, collate, new_classifier, run_model
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

SIZES = {"vocab_size": 60, "hidden_size": 24, "num_layers": 3, "num_heads": 4, "intermediate_size": 40}


def classifier(seed=0, *, pooling="mean", **options):
    """A random classifier in evaluation mode, its weights large enough that every part matters."""
    torch.manual_seed(seed)
    config = EncoderConfig(**{**SIZES, "max_positions": 32, "initializer_range": 0.3, **options})
    model = new_classifier(Encoder(config), 2, seed, pooling=pooling).eval()
    with torch.no_grad():  # biases and norms that are not 0 and 1
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter) * 0.2)
    return model


def rows(count=12, seed=0, vocab=60):
    """Examples of 3 to 12 tokens with labels 0 and 1."""
    rng = np.random.default_rng(seed)
    return [
        Example(rng.integers(1, vocab, size=rng.integers(3, 13)).tolist(), int(rng.integers(2)))
        for _ in range(count)
    ]


def logits(model, examples):
    """(examples, classes), in one padded batch."""
    with torch.no_grad():
        return run_model(model.eval(), collate(examples))


def total(model):
    """How many numbers a model has."""
    return sum(p.numel() for p in model.parameters())
