"""Small random models and batches for the tests of layer-wise distillation."""

import torch

from course_utils.distillation.internals import look_inside
from course_utils.finetuning.classifier import Example, collate, new_classifier
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

SIZES = {"vocab_size": 60, "num_heads": 2, "max_positions": 24, "pooler": False, "initializer_range": 0.3}


def classifier(layers=4, width=8, seed=0, pooling="mean", **options):
    """A classifier of random weights, large enough for attention to be far from uniform."""
    settings = SIZES | {"hidden_size": width, "num_layers": layers}
    settings |= {"intermediate_size": 2 * width} | options
    torch.manual_seed(seed)
    return new_classifier(Encoder(EncoderConfig(**settings)), 2, seed, pooling=pooling)


def examples(n=12, seed=0):
    """Class 1 if token 7 is there; texts of 5 to 11 tokens."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for i in range(n):
        ids = torch.randint(10, 60, (3 + i % 7,), generator=generator).tolist()
        ids[1] = 7 if i % 2 else 8
        rows.append(Example([2, *ids, 3], i % 2))
    return rows


def batch(n=4, more_padding=0):
    """Sentences of different lengths, with `more_padding` columns of padding beside what they need."""
    made = collate(examples(n))
    filler = torch.zeros(n, more_padding, dtype=torch.long)
    return made | {"input_ids": torch.cat([made["input_ids"], filler], dim=1)}


def watched(model, rows):
    """What a model in evaluation mode computes, and its logits, without gradients."""
    model.eval()
    with torch.no_grad():
        inside = look_inside(model.encoder, rows)
        return inside, model.head(inside.output)


def loss_of(method, teacher, rows):
    """The method's loss, all in evaluation mode."""
    method.eval()
    return method(rows, *watched(teacher, rows))


def is_slope(method, teacher, rows, parameter, step=1e-5, tolerance=1e-4):
    """Whether the gradient of a parameter's first entries is a finite difference, in double precision."""
    for module in (method, teacher):
        module.double()
    method.zero_grad()
    loss_of(method, teacher, rows).backward()
    slopes = parameter.grad.flatten()[:4].clone()
    flat = parameter.data.view(-1)
    for i, slope in enumerate(slopes):
        ends = []
        for sign in (1, -1):
            flat[i] += sign * step
            ends.append(float(loss_of(method, teacher, rows).detach()))
            flat[i] -= sign * step
        difference = (ends[0] - ends[1]) / (2 * step)
        if abs(difference - float(slope)) > tolerance * max(1.0, abs(difference)):
            return False
    return bool(slopes.abs().sum() > 0)
