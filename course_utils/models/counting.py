"""Where a model's parameters are: exact counts by part, without allocating a single one."""

import re

import torch
from torch import nn

from course_utils.models.config import DecoderConfig, EncoderConfig, Seq2SeqConfig, TransformerConfig
from course_utils.models.decoder import CausalLM
from course_utils.models.encoder import Encoder
from course_utils.models.seq2seq import Seq2Seq

# The first pattern found in a parameter's name decides; norms come first, since they sit inside the rest.
PARTS: dict[str, str] = {
    "norms": r"norm",
    "token embeddings": r"(^|\.)token\.",
    "position embeddings": r"(^|\.)position\.|relative\.",
    "segment embeddings": r"(^|\.)segment\.",
    "embedding projection": r"embeddings\.projection\.",
    "cross-attention": r"cross_attention\.",
    "attention": r"attention\.",
    "feed-forward": r"feed_forward\.",
    "pooler": r"pooler\.",
    "head": r"",
}


def part_of(name: str) -> str:
    """The part that a parameter belongs to, by its name.

    >>> part_of("stack.blocks.0.attention.query.weight")
    'attention'
    """
    return next(part for part, pattern in PARTS.items() if re.search(pattern, name))


def count_parameters(model: nn.Module | TransformerConfig) -> dict[str, int]:
    """Parameters by part in the order of `PARTS` (empty parts left out), then "total".

    Shared parameters count once. A config is built on the meta device, which has shapes but no memory.

    >>> count_parameters(EncoderConfig())["total"]
    109482240
    """
    if isinstance(model, TransformerConfig):
        model = build(model, device="meta")
    counts = dict.fromkeys(PARTS, 0)
    for name, parameter in model.named_parameters():
        counts[part_of(name)] += parameter.numel()
    table = {part: count for part, count in counts.items() if count}
    return {**table, "total": sum(counts.values())}


def build(config: TransformerConfig, device: str = "cpu") -> Encoder | CausalLM | Seq2Seq:
    """The model that a config describes, with random weights. Raises TypeError for another kind of config."""
    with torch.device(device):
        if isinstance(config, EncoderConfig):
            return Encoder(config)
        if isinstance(config, DecoderConfig):
            return CausalLM(config)
        if isinstance(config, Seq2SeqConfig):
            return Seq2Seq(config)
    raise TypeError(
        f"no model for {type(config).__name__}: use EncoderConfig, DecoderConfig or Seq2SeqConfig"
    )
