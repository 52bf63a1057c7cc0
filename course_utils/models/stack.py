"""A pile of blocks, what it returns, and how its weights start."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_utils.models.config import TransformerConfig
from course_utils.models.layers import Block, KeyValueCache, make_norm

Caches = Sequence[tuple[KeyValueCache, KeyValueCache]]  # for each layer: self-attention, cross-attention


@dataclass
class StackOutput:
    """What a stack computed. Every tuple has one entry a layer; hidden_states one more, the input, first."""

    hidden_states: tuple[Tensor, ...]  # each (batch, length, hidden)
    attentions: tuple[Tensor, ...] | None = None  # each (batch, heads, query, key)
    cross_attentions: tuple[Tensor, ...] | None = None  # each (batch, heads, query, memory)

    @property
    def last_hidden_state(self) -> Tensor:
        """(batch, length, hidden)."""
        return self.hidden_states[-1]


class Stack(nn.Module):
    """`num_layers` blocks in a row, or one block that many times; pre-norm ends in one more norm."""

    def __init__(
        self,
        config: TransformerConfig,
        num_layers: int,
        *,
        share_layers: bool = False,
        cross_attention: bool = False,
    ) -> None:
        super().__init__()
        self.num_layers = num_layers
        distinct = 1 if share_layers else num_layers
        self.blocks = nn.ModuleList(Block(config.at_layer(i), cross_attention) for i in range(distinct))
        self.norm = make_norm(config) if config.norm_first else nn.Identity()

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None,
        *,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        caches: Caches | None = None,
        bias: Tensor | None = None,
        head_mask: Tensor | Sequence[Tensor] | None = None,
        return_maps: bool = False,
    ) -> StackOutput:
        """x: (batch, length, hidden). Every layer gets the same mask.

        head_mask: (layers, heads), or a tensor (heads,) for each layer where layers differ.
        """
        if head_mask is not None and len(head_mask) != self.num_layers:
            raise ValueError(
                f"head_mask must be ({self.num_layers} layers, heads), got {len(head_mask)} rows"
            )
        states, maps, cross_maps = [x], [], []
        for layer in range(self.num_layers):
            x, self_map, cross_map = self.blocks[layer % len(self.blocks)](
                x,
                mask,
                memory=memory,
                memory_mask=memory_mask,
                caches=None if caches is None else caches[layer],
                bias=bias,
                head_mask=None if head_mask is None else head_mask[layer],
                return_map=return_maps,
            )
            states.append(x)
            maps.append(self_map)
            cross_maps.append(cross_map)
        states[-1] = self.norm(x)
        return StackOutput(
            hidden_states=tuple(states),
            attentions=tuple(maps) if return_maps else None,
            cross_attentions=tuple(cross_maps) if return_maps and memory is not None else None,
        )


def new_caches(num_layers: int) -> Caches:
    """Empty caches for generation."""
    return [(KeyValueCache(), KeyValueCache()) for _ in range(num_layers)]


def combine(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """Both masks at once; None lets everything through."""
    if first is None or second is None:
        return first if second is None else second
    return first & second


@torch.no_grad()
def init_weights(
    model: nn.Module, config: TransformerConfig, generator: torch.Generator | None = None
) -> None:
    """Start every weight as the papers do: normal with `initializer_range`, biases 0, norms 1.

    Pre-norm models divide the maps that write into the residual stream by sqrt(2 * layers), as GPT-2 does,
    unless initializer_range is None: then every linear map has fan_in ** -0.5, as in T5.
    The row of a padding token that gets no gradient starts, and stays, at zero.
    """
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            module.weight.normal_(0.0, _linear_std(name, module, config), generator=generator)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(0.0, _embedding_std(name, config), generator=generator)
            if module.padding_idx is not None:
                module.weight[module.padding_idx].zero_()
        elif isinstance(module, nn.LayerNorm | nn.RMSNorm):
            module.reset_parameters()


def _embedding_std(name: str, config: TransformerConfig) -> float:
    """Standard deviation of one embedding's first weights."""
    if config.initializer_range is not None:
        return config.initializer_range
    # T5 multiplies the tied logits by hidden_size ** -0.5, so its token embeddings have unit variance.
    return config.hidden_size**-0.5 if name.endswith("relative.bias") else 1.0


def _linear_std(name: str, module: nn.Linear, config: TransformerConfig) -> float:
    """Standard deviation of one linear map's first weights; its name says what it is for."""
    if config.initializer_range is None:
        std = module.in_features**-0.5
        # T5 does not divide the scores by sqrt(head_size): its queries start smaller instead.
        return std * config.width_of_head**-0.5 if name.endswith(".query") else std
    writes_to_residual = name.endswith((".output", ".outer"))
    depth = 2 * config.num_layers if config.norm_first and writes_to_residual else 1
    return config.initializer_range / depth**0.5
