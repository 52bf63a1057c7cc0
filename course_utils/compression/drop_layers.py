"""Layers taken out whole (Sajjad et al. 2023), and parameters that a task can never reach.

The paper drops the top, the bottom, every other, or the middle layers of a pretrained model and fine-tunes
what is left; the top ones were the best to drop in BERT. Dropping the middle leaves both ends in place.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

from course_utils.compression.rebuilding import block_name, heads_of, neurons_of, rebuilt
from course_utils.models.heads import EncoderWithHead, SequenceHead

Which = Literal["top", "bottom", "alternate", "middle"]


def layers_left(layers: int, drop: int, which: Which = "top") -> tuple[int, ...]:
    """The numbers of the layers that stay, from 0, when `drop` of them go.

    alternate: every other one goes, counted from the top but one, so that the last layer stays.
    Raises ValueError unless 1 <= drop < layers (alternate: at most half of them).

    >>> layers_left(6, 2), layers_left(6, 2, "bottom"), layers_left(6, 2, "middle")
    ((0, 1, 2, 3), (2, 3, 4, 5), (0, 1, 4, 5))
    >>> layers_left(6, 3, "alternate"), layers_left(6, 2, "alternate")
    ((1, 3, 5), (0, 1, 3, 5))
    """
    most = layers // 2 if which == "alternate" else layers - 1
    if which not in get_args(Which):
        raise ValueError(f"which must be one of {', '.join(get_args(Which))}, got {which!r}")
    if not 1 <= drop <= most:
        raise ValueError(f"of {layers} layers 1 to {most} can be dropped ({which}), got {drop}")
    start = {"top": layers - drop, "bottom": 0, "middle": (layers - drop + 1) // 2, "alternate": 0}[which]
    gone = set(range(start, start + drop))
    if which == "alternate":
        gone = set(range(layers - 2, -1, -2)[:drop])
    return tuple(layer for layer in range(layers) if layer not in gone)


def keep_layers(model: EncoderWithHead, keep: Sequence[int]) -> EncoderWithHead:
    """A new model with the layers of these numbers, from 0, in this order.

    Raises ValueError for no layer, one that there is not, or one twice.
    """
    config = model.encoder.config
    if not keep or len(set(keep)) != len(keep) or not all(0 <= n < config.num_layers for n in keep):
        raise ValueError(
            f"layers to keep must be different numbers from 0 to {config.num_layers - 1}, got {list(keep)}"
        )
    old = model.encoder.state_dict()
    state = {name: tensor for name, tensor in old.items() if not name.startswith("stack.blocks.")}
    for new, layer in enumerate(keep):
        prefix = block_name(layer)
        for name, tensor in old.items():
            if name.startswith(prefix):
                state[block_name(new) + name.removeprefix(prefix)] = tensor
    heads, neurons = heads_of(model.encoder), neurons_of(model.encoder)
    made = replace(
        config,
        num_layers=len(keep),
        layer_heads=None if config.layer_heads is None else tuple(heads[n] for n in keep),
        layer_inner=None if config.layer_inner is None else tuple(neurons[n] for n in keep),
    )
    return rebuilt(model, made, state)


def without_unused(model: EncoderWithHead, max_length: int) -> EncoderWithHead:
    """A new model without what a classifier of texts of at most `max_length` tokens never reads.

    Positions beyond that length go, and the pooler where the head takes the mean: the outputs do not change.
    Raises ValueError for a length of no tokens.
    """
    config = model.encoder.config
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1 token, got {max_length}")
    positions = min(config.max_positions, max_length) if config.max_positions else 0
    pooler = config.pooler and not (isinstance(model.head, SequenceHead) and model.head.pooling == "mean")
    state = {
        name: tensor for name, tensor in model.encoder.state_dict().items() if pooler or "pooler." not in name
    }
    if positions:
        name = "embeddings.position.weight"
        state[name] = state[name][: positions + config.position_offset]
    return rebuilt(model, replace(config, max_positions=positions, pooler=pooler), state)
