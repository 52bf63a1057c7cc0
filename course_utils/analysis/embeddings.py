"""A sentence as one vector, at every layer; and single tokens out of sentences.

Layer 0 is the embedding layer, layer k the output of block k. [CLS] and [SEP] count in a sentence's mean, as
they do in the mean that all-MiniLM-L6-v2 was trained with; padding never does.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from course_utils.finetuning.classifier import PAD, Example, collate
from course_utils.models.encoder import Encoder

Array = NDArray[np.float32]


def layer_vectors(encoder: Encoder, examples: Sequence[Example], batch_size: int = 32) -> Array:
    """The mean of each text's states at every layer: (layers + 1, examples, hidden), in their order.

    The encoder is read in evaluation mode. Raises ValueError without examples.
    """
    found = _empty(encoder, examples)
    for rows, states, real in _batches(encoder, examples, batch_size):
        weights = real[None, :, :, None].to(states.dtype)
        found[:, rows] = ((states * weights).sum(dim=2) / weights.sum(dim=2)).cpu().numpy()
    return found


def token_vectors(
    encoder: Encoder, examples: Sequence[Example], rng: np.random.Generator, batch_size: int = 32
) -> Array:
    """One token of each text, drawn evenly, at every layer: (layers + 1, examples, hidden).

    The first and the last token, [CLS] and [SEP], are never drawn. Raises ValueError without examples, and
    for a text that has no other token.
    """
    short = [number for number, one in enumerate(examples) if len(one.ids) < 3]
    if short:
        raise ValueError(f"examples {short[:5]} hold no token but [CLS] and [SEP]: leave them out")
    places = np.array([rng.integers(1, len(one.ids) - 1) for one in examples])
    found = _empty(encoder, examples)
    for rows, states, _real in _batches(encoder, examples, batch_size):
        found[:, rows] = states[:, torch.arange(len(rows)), torch.as_tensor(places[rows])].cpu().numpy()
    return found


def _empty(encoder: Encoder, examples: Sequence[Example]) -> Array:
    if not examples:
        raise ValueError("there are no examples to encode")
    return np.empty((encoder.stack.num_layers + 1, len(examples), encoder.config.hidden_size), np.float32)


@torch.no_grad()
def _batches(
    encoder: Encoder, examples: Sequence[Example], batch_size: int
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Row numbers, states (layers + 1, rows, length, hidden), real tokens (rows, length); short texts first.

    The encoder's mode is left as it was.
    """
    was_training, device = encoder.training, next(encoder.parameters()).device
    encoder.eval()
    order = sorted(range(len(examples)), key=lambda row: len(examples[row].ids))
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        ids = collate([examples[row] for row in rows])["input_ids"].to(device)
        out = encoder(ids, attention_mask=ids != PAD)
        yield rows, torch.stack(out.hidden_states), out.attention_mask
    encoder.train(was_training)
