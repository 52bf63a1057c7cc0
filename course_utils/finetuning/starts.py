"""Encoders to start from: fewer layers of a pretrained one, and the same shape with random weights."""

from dataclasses import replace

import torch

from course_utils.models.encoder import Encoder


def first_layers(encoder: Encoder, layers: int) -> Encoder:
    """A copy of the embeddings and the first `layers` layers, without the pooler (it read the last layer).

    Raises ValueError unless 1 <= layers <= the encoder's own.
    """
    if not 1 <= layers <= encoder.config.num_layers:
        raise ValueError(f"the encoder has {encoder.config.num_layers} layers, got layers={layers}")
    short = Encoder(replace(encoder.config, num_layers=layers, pooler=False))
    kept = short.state_dict().keys()
    short.load_state_dict({name: t for name, t in encoder.state_dict().items() if name in kept})
    return short


def random_like(encoder: Encoder, seed: int) -> Encoder:
    """An encoder of the same configuration whose weights are drawn from the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Encoder(encoder.config)
