"""Head pruning: which attention heads matter, and an encoder without those that do not.

Michel et al. 2019, "Are sixteen heads really better than one?": the importance of a head is the mean of
|dL/d mask|, divided by the length of its layer's vector of importances. Here the heads are then taken out of
the matrices: a layer may keep any number of heads, and with none its attention adds only its output bias.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from course_utils.compression.importance import Gate, gate_importance
from course_utils.compression.rebuilding import block_name, blocks_of, check_kept, heads_of, rebuilt
from course_utils.finetuning.classifier import Example
from course_utils.models.heads import EncoderWithHead
from course_utils.models.layers import MultiHeadAttention


def head_importance(
    model: EncoderWithHead, examples: Sequence[Example], *, normalize: bool = True, batch_size: int = 32
) -> list[Tensor]:
    """For each layer (heads,): the mean over examples of |dL/d mask|; empty for a layer without heads.

    normalize: divide by the layer's Euclidean norm, as the paper does, so that layers can be compared.
    """
    attentions = [block.attention for block in blocks_of(model.encoder)]
    gates = [
        Gate(attention.output, attention.num_heads, at_input=True)
        for attention in attentions
        if isinstance(attention, MultiHeadAttention)
    ]
    found = iter(gate_importance(model, examples, gates, batch_size))
    rows = [next(found) if isinstance(a, MultiHeadAttention) else torch.zeros(0) for a in attentions]
    return [row / row.norm().clamp(min=1e-12) for row in rows] if normalize else rows


def remove_heads(model: EncoderWithHead, keep: Sequence[Sequence[int]]) -> EncoderWithHead:
    """A new model that has, in each layer, only the heads with these numbers; an empty list leaves none.

    Its outputs are those of the old model with the other heads masked. Raises ValueError for a number that
    a layer does not have.
    """
    encoder = model.encoder
    kept = check_kept(keep, heads_of(encoder), "heads", least=0)
    state = dict(encoder.state_dict())
    for layer, heads in enumerate(kept):
        if heads_of(encoder)[layer]:
            _cut_attention(state, block_name(layer) + "attention.", heads, encoder.config.width_of_head)
    config = replace(
        encoder.config,
        layer_heads=tuple(len(heads) for heads in kept),
        head_size=encoder.config.width_of_head,
    )
    return rebuilt(model, config, state)


def _cut_attention(state: dict[str, Tensor], prefix: str, heads: Tensor, size: int) -> None:
    """Keep the rows of query, key, value and the columns of output that belong to these heads."""
    features = (heads[:, None] * size + torch.arange(size)).flatten()
    if not len(heads):
        bias = state.get(f"{prefix}output.bias")
        names = [name for name in state if name.startswith(prefix)]
        width = state[f"{prefix}output.weight"].shape[0]
        for name in names:
            del state[name]
        state[f"{prefix}bias"] = torch.zeros(width) if bias is None else bias
        return
    for part in ("query", "key", "value"):
        for kind in ("weight", "bias"):
            if (name := f"{prefix}{part}.{kind}") in state:
                state[name] = state[name][features]
    state[f"{prefix}output.weight"] = state[f"{prefix}output.weight"][:, features]
