"""Where a classifier looks, in pictures; and the first tests of whether that explains what it says.

Maps are (layers, batch, heads, query, key): row `query` says how much of each `key` it takes in, and sums to
1 over the real tokens. `received` averages them over heads, layers and queries, as the source study does;
`rollout` follows them through the layers (Abnar and Zuidema 2020). Whether any of this explains a prediction
is a question of its own: `with_attention` runs the encoder on other maps than its own (Jain and Wallace
2019, Wiegreffe and Pinter 2019).
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from course_utils.models.encoder import Encoder
from course_utils.models.layers import MultiHeadAttention

# Number of the layer, its map (batch, heads, query, key) -> the map to use instead.
Replacement = Callable[[int, Tensor], Tensor]


@torch.no_grad()
def attention_maps(encoder: Encoder, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
    """The maps of all layers: (layers, batch, heads, query, key). input_ids, attention_mask: (batch, length).

    Raises ValueError for layers with different numbers of heads.
    """
    maps = encoder(input_ids, attention_mask=attention_mask, return_maps=True).attentions
    assert maps is not None  # return_maps was asked for
    if len({one.shape[1] for one in maps}) > 1:
        raise ValueError("the layers have different numbers of heads: look at each layer by itself")
    return torch.stack(maps)


def received(maps: Tensor, real: Tensor) -> Tensor:
    """How much attention each token gets, in the mean over layers, heads and real queries: (batch, key).

    maps: (layers, batch, heads, query, key), of which some layers or heads may have been taken.
    real: (batch, length), 1 for tokens that are no padding. Padding gets none, and as a query it has no say,
    though its rows are full of numbers. Each row of the result sums to 1.

    >>> maps = torch.tensor([[0.5, 0.5, 0.0], [0.1, 0.9, 0.0], [0.0, 1.0, 0.0]])[None, None, None]
    >>> received(maps, torch.tensor([[1, 1, 0]]))
    tensor([[0.3000, 0.7000, 0.0000]])
    """
    weights = real.to(maps.dtype)
    over_heads = maps.mean(dim=(0, 2))  # (batch, query, key)
    return torch.einsum("bqk,bq->bk", over_heads, weights) / weights.sum(dim=1, keepdim=True)


def rollout(maps: Tensor, real: Tensor) -> Tensor:
    """How much of each token reaches the top, in the mean over real tokens there: (batch, key).

    Each layer is taken as half its mean map and half the residual path, and the layers are multiplied
    (Abnar and Zuidema 2020). Arguments and result as in `received`.
    """
    same = torch.eye(maps.shape[-1], dtype=maps.dtype, device=maps.device)
    flow = same.expand(maps.shape[1], -1, -1)
    for layer in maps.mean(dim=2):  # (batch, query, key)
        flow = (0.5 * layer + 0.5 * same) @ flow
    return received(flow[None, :, None], real)


def without_special(scores: Tensor, words: Tensor) -> Tensor:
    """Scores of words only, so that they sum to 1 again; 0 elsewhere. Both arguments: (batch, length).

    words: 1 where a token is neither [CLS] nor [SEP] nor padding. Much of a BERT's attention goes to these,
    and this throws it away: say so under the picture.
    """
    kept = scores * words.to(scores.dtype)
    return kept / kept.sum(dim=1, keepdim=True).clamp(min=torch.finfo(kept.dtype).tiny)


@contextmanager
def with_attention(encoder: Encoder, replace: Replacement) -> Iterator[None]:
    """While it is open, calls of the encoder with `return_maps=True` use the maps that `replace` returns.

    replace(layer, map) gets each layer's own map, (batch, heads, query, key), and returns one of that
    shape; its gradient flows. Maps that the encoder returns are still its own. Calls without `return_maps`
    never form a map, and raise RuntimeError here instead of ignoring the replacement.
    """
    with ExitStack() as stack:
        for number, block in enumerate(encoder.stack.blocks):
            attention = block.attention
            if isinstance(attention, MultiHeadAttention):
                hook = attention.dropout.register_forward_hook(_replacing(number, replace))
                stack.callback(hook.remove)
                guard = attention.register_forward_pre_hook(_needs_maps, with_kwargs=True)
                stack.callback(guard.remove)
        yield


def _replacing(layer: int, replace: Replacement) -> Callable[..., Tensor]:
    """A hook on a layer's attention dropout, the only module that a map goes through as it is."""

    def after(_module: nn.Module, _arguments: Any, weights: Tensor) -> Tensor:
        other = replace(layer, weights)
        if other.shape != weights.shape:
            raise ValueError(
                f"layer {layer}: the map is {tuple(weights.shape)}, got {tuple(other.shape)} instead"
            )
        return other

    return after


def _needs_maps(_module: nn.Module, _arguments: Any, options: dict[str, Any]) -> None:
    if not options.get("return_map"):
        raise RuntimeError("attention is replaced only in calls with return_maps=True: add it to this call")


def permuting(among: Tensor, generator: torch.Generator) -> Replacement:
    """Shuffles each row of each map among some keys, every row, head and layer for itself.

    among: (batch, length), 1 for the keys that change places; the others keep their weights. Rows still sum
    to 1: the same numbers stand at other tokens.

    >>> shuffle = permuting(torch.tensor([[0, 1, 1, 0]]), torch.Generator().manual_seed(0))
    >>> shuffle(0, torch.tensor([[[[0.6, 0.3, 0.1, 0.0]]]]))
    tensor([[[[0.6000, 0.1000, 0.3000, 0.0000]]]])
    """
    moving = among.bool()[:, None, None, :]

    # Both sorts put the keys that move first: one in a random order, one in theirs.
    def replace(_layer: int, weights: Tensor) -> Tensor:
        draws = torch.rand(weights.shape, generator=generator).to(weights.device)
        fixed = torch.arange(weights.shape[-1], device=weights.device) + 2.0
        shuffled = torch.where(moving, draws, fixed).argsort(dim=-1)
        places = torch.where(moving, 0.0, fixed).expand_as(weights).argsort(dim=-1, stable=True)
        return torch.empty_like(weights).scatter(-1, places, weights.gather(-1, shuffled))

    return replace


def uniform(among: Tensor) -> Replacement:
    """Spreads what each row gives to some keys evenly over them. among: (batch, length), 1 for these keys."""
    chosen = among.bool()[:, None, None, :]

    def replace(_layer: int, weights: Tensor) -> Tensor:
        mass = (weights * chosen).sum(dim=-1, keepdim=True)
        return torch.where(chosen, mass / chosen.sum(dim=-1, keepdim=True).clamp(min=1), weights)

    return replace
