"""A classifier of another shape, its weights taken from the one that there is."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead
from course_utils.models.layers import Block


def rebuilt(model: EncoderWithHead, config: EncoderConfig, state: Mapping[str, Tensor]) -> EncoderWithHead:
    """The encoder of this config and this state, under a copy of the model's head; in the model's mode.

    The model itself is left alone, and shares no memory with the new one. Raises RuntimeError where the state
    does not fit the config to the last key and shape.
    """
    with torch.device("meta"):
        encoder = Encoder(config)
    own = {
        name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in state.items()
    }
    encoder.load_state_dict(own, strict=True, assign=True)
    encoder.requires_grad_(True)
    return EncoderWithHead(encoder, copy.deepcopy(model.head)).train(model.training)


def block_name(layer: int) -> str:
    """What the names of a layer's weights begin with.

    >>> block_name(2)
    'stack.blocks.2.'
    """
    return f"stack.blocks.{layer}."


def blocks_of(encoder: Encoder) -> list[Block]:
    """The blocks, first to last."""
    return list(encoder.stack.blocks)  # type: ignore[arg-type]


def heads_of(encoder: Encoder) -> tuple[int, ...]:
    """How many heads each layer has."""
    return encoder.config.layer_heads or (encoder.config.num_heads,) * encoder.config.num_layers


def neurons_of(encoder: Encoder) -> tuple[int, ...]:
    """How many neurons the feed-forward of each layer has."""
    return encoder.config.layer_inner or (encoder.config.intermediate_size,) * encoder.config.num_layers


def check_kept(
    kept: Sequence[Sequence[int]], available: Sequence[int], what: str, *, least: int
) -> list[Tensor]:
    """Each layer's numbers to keep, sorted, as a tensor.

    Raises ValueError unless there is a list for each layer, of different numbers below what the layer has,
    at least `least` of them.
    """
    if len(kept) != len(available):
        raise ValueError(f"{what} to keep: {len(available)} layers need a list each, got {len(kept)} lists")
    for layer, (numbers, count) in enumerate(zip(kept, available, strict=True)):
        fits = len(set(numbers)) == len(numbers) >= least and all(0 <= n < count for n in numbers)
        if not fits:
            raise ValueError(
                f"{what} to keep in layer {layer} must be at least {least} different numbers from 0 to "
                f"{count - 1}, got {list(numbers)}"
            )
    return [torch.tensor(sorted(numbers), dtype=torch.long) for numbers in kept]


def plain(model: nn.Module) -> EncoderWithHead:
    """The model, if it is one whose shape can be changed here; raises TypeError if not."""
    if not isinstance(model, EncoderWithHead) or model.encoder.config.share_layers:
        what = "an encoder whose layers are shared" if isinstance(model, EncoderWithHead) else type(model)
        raise TypeError(f"only an encoder of distinct layers with a head on it can be cut, got {what}")
    return model
