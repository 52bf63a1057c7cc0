"""The parts of a transformer: embeddings, multi-head attention, feed-forward, block, stack.

Follows Vaswani et al. (2017) with BERT's choices as defaults; encoder, decoder and encoder-decoder are
built from these parts alone. Shapes are written (batch, length, hidden) and (batch, heads, query, key).
Leaves out: key-value heads shared between query heads, rotary positions, layer drop.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.models.config import TransformerConfig
from course_utils.models.removed import ConstantAttention, FactorizedTable


def _gelu_tanh(x: Tensor) -> Tensor:
    """GELU by its tanh approximation, as GPT-2 was trained."""
    return F.gelu(x, approximate="tanh")


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"gelu": F.gelu, "gelu_new": _gelu_tanh, "relu": F.relu}


def make_norm(config: TransformerConfig, size: int | None = None) -> nn.Module:
    """The norm of the config over `size` features (default: the hidden size)."""
    kind = {"layer": nn.LayerNorm, "rms": nn.RMSNorm}[config.norm]
    return kind(size or config.hidden_size, eps=config.norm_eps)


def token_table(config: TransformerConfig) -> nn.Embedding | FactorizedTable:
    """One row for each token; the padding row gets no gradient if the config freezes it."""
    frozen_row = config.pad_token_id if config.freeze_padding else None
    width = config.embedding_size or config.hidden_size
    if config.token_rank:
        return FactorizedTable(config.vocab_size, config.token_rank, width, frozen_row)
    return nn.Embedding(config.vocab_size, width, frozen_row)


class Embeddings(nn.Module):
    """Token, position and segment embeddings, summed, normalized, dropped out.

    With `embedding_size` they live in a narrow space and a projection widens them (ALBERT). Without
    a token table of its own it takes inputs_embeds only: two stacks can then share one table.
    """

    def __init__(self, config: TransformerConfig, *, has_tokens: bool = True) -> None:
        super().__init__()
        self.config = config
        size = config.embedding_size or config.hidden_size
        if has_tokens:
            self.token = token_table(config)
        if config.max_positions:
            rows = config.max_positions + config.position_offset
            frozen_row = config.position_offset - 1 if config.positions_skip_padding else None
            self.position = nn.Embedding(rows, size, padding_idx=frozen_row)
        if config.type_vocab_size:
            self.segment = nn.Embedding(config.type_vocab_size, size)
        self.norm = make_norm(config, size) if config.embedding_norm else nn.Identity()
        self.dropout = nn.Dropout(config.dropout)
        self.projection = nn.Linear(size, config.hidden_size) if config.embedding_size else nn.Identity()

    def forward(
        self,
        input_ids: Tensor | None,
        *,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        past_length: int = 0,
    ) -> Tensor:
        """input_ids (batch, length), or inputs_embeds (batch, length, embedding) -> (batch, length, hidden).

        token_type_ids default to segment 0. position_ids count from 0; by default they continue after
        `past_length` cached tokens.
        Raises ValueError for both or neither input, and for a sequence longer than the position table.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("give exactly one of input_ids and inputs_embeds")
        x = self.token(input_ids) if inputs_embeds is None else inputs_embeds
        if self.config.type_vocab_size:
            no_segment = torch.zeros(x.shape[:2], dtype=torch.long, device=x.device)
            x = x + self.segment(no_segment if token_type_ids is None else token_type_ids)
        if self.config.max_positions:
            if position_ids is None:
                position_ids = self.default_positions(x, input_ids, past_length)
            x = x + self.position(position_ids + self.config.position_offset)
        return self.projection(self.dropout(self.norm(x)))

    def default_positions(self, x: Tensor, input_ids: Tensor | None, past_length: int) -> Tensor:
        """0, 1, 2, ... after the cached tokens; RoBERTa counts real tokens only and gives padding -1."""
        end = past_length + x.shape[1]
        if end > self.config.max_positions:
            raise ValueError(
                f"{end} tokens are more than the {self.config.max_positions} positions of this model: "
                "truncate the input, or split it into windows"
            )
        pad = self.config.pad_token_id
        if self.config.positions_skip_padding and input_ids is not None and pad is not None:
            real = (input_ids != pad).long()
            return (past_length + real.cumsum(dim=1)) * real - 1
        return torch.arange(past_length, end, device=x.device)[None]


def attention_weights(
    query: Tensor, key: Tensor, mask: Tensor | None = None, bias: Tensor | None = None, scale: float = 1.0
) -> Tensor:
    """softmax(scale * Q K^T + bias) over the keys that the mask lets the query see.

    query, key: (batch, heads, length, head_size). mask: boolean, bias: float, both broadcast to
    (batch, heads, query, key). Returns that shape; rows sum to 1, or to 0 where a query sees nothing.

    >>> q = torch.tensor([[[[1.0], [1.0]]]])
    >>> attention_weights(q, q, mask=torch.tensor([[True, False], [False, False]]))
    tensor([[[[1., 0.],
              [0., 0.]]]])
    """
    scores = query @ key.transpose(-2, -1) * scale
    if bias is not None:
        scores = scores + bias
    if mask is None:
        return scores.softmax(dim=-1)
    # The lowest finite number, not -inf: a row of -inf is NaN on the way, forward and backward.
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=-1).masked_fill(~mask, 0.0)


@dataclass
class KeyValueCache:
    """Keys and values that one attention has already computed, (batch, heads, key, head_size) each."""

    key: Tensor | None = None
    value: Tensor | None = None

    @property
    def length(self) -> int:
        """Cached positions."""
        return 0 if self.key is None else self.key.shape[2]

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add new positions; returns all keys and all values."""
        self.key = key if self.key is None else torch.cat([self.key, key], dim=2)
        self.value = value if self.value is None else torch.cat([self.value, value], dim=2)
        return self.key, self.value


class MultiHeadAttention(nn.Module):
    """Multi-head attention over oneself, or over a `memory` (cross-attention)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.scale = config.width_of_head**-0.5 if config.scale_scores else 1.0
        width = config.num_heads * config.width_of_head
        self.query = nn.Linear(config.hidden_size, width, bias=config.bias)
        self.key = nn.Linear(config.hidden_size, width, bias=config.bias)
        self.value = nn.Linear(config.hidden_size, width, bias=config.bias)
        self.output = nn.Linear(width, config.hidden_size, bias=config.bias)
        self.dropout = nn.Dropout(config.attention_dropout)

    def forward(
        self,
        hidden_states: Tensor,
        mask: Tensor | None = None,
        *,
        bias: Tensor | None = None,
        memory: Tensor | None = None,
        head_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        return_map: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """hidden_states: (batch, query, hidden); memory: (batch, key, hidden), default hidden_states.

        mask and bias: as in `attention_weights`. head_mask: (heads,), multiplies what each head passes on:
        0 switches it off. Returns the output, (batch, query, hidden), and the map,
        (batch, heads, query, key) before dropout, or None unless `return_map`.
        """
        query = self.split(self.query(hidden_states))
        key, value = self.keys_and_values(hidden_states, memory, cache)
        weights = None
        if return_map:
            weights = attention_weights(query, key, mask, bias, self.scale)
            context = self.dropout(weights) @ value  # (batch, heads, query, head_size)
        else:  # the same numbers, without storing a map
            context = F.scaled_dot_product_attention(
                query,
                key,
                value,
                attn_mask=merge_bias(mask, bias),
                dropout_p=self.dropout.p if self.training else 0.0,
                scale=self.scale,
            )
        if head_mask is not None:
            context = context * head_mask[:, None, None]
        return self.output(context.transpose(1, 2).flatten(2)), weights

    def split(self, x: Tensor) -> Tensor:
        """(batch, length, heads * head_size) -> (batch, heads, length, head_size)."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def keys_and_values(
        self, hidden_states: Tensor, memory: Tensor | None, cache: KeyValueCache | None
    ) -> tuple[Tensor, Tensor]:
        """Keys and values of the memory (computed once if there is a cache) or of all positions so far."""
        if memory is not None and cache is not None and cache.key is not None and cache.value is not None:
            return cache.key, cache.value
        source = hidden_states if memory is None else memory
        key, value = self.split(self.key(source)), self.split(self.value(source))
        return (key, value) if cache is None else cache.append(key, value)


def merge_bias(mask: Tensor | None, bias: Tensor | None) -> Tensor | None:
    """One argument for scaled_dot_product_attention: the bias where visible, -inf where not."""
    if mask is None or bias is None:
        return mask if bias is None else bias
    return torch.where(mask, bias, -math.inf)


class FeedForward(nn.Module):
    """Two linear maps with an activation between them, applied to each position alone."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(config.hidden_size, config.intermediate_size, bias=config.bias)
        self.outer = nn.Linear(config.intermediate_size, config.hidden_size, bias=config.bias)
        self.activation = ACTIVATIONS[config.activation]
        self.dropout = nn.Dropout(config.activation_dropout)

    def forward(self, hidden_states: Tensor) -> Tensor:
        """(batch, length, hidden) -> the same shape."""
        return self.outer(self.dropout(self.activation(self.inner(hidden_states))))


def make_attention(config: TransformerConfig) -> nn.Module:
    """Multi-head attention, or what is left of it without heads."""
    return MultiHeadAttention(config) if config.num_heads else ConstantAttention(config.hidden_size)


class Block(nn.Module):
    """Self-attention, cross-attention if asked for, and feed-forward, each with residual and norm."""

    def __init__(self, config: TransformerConfig, cross_attention: bool = False) -> None:
        super().__init__()
        self.norm_first = config.norm_first
        self.attention, self.attention_norm = make_attention(config), make_norm(config)
        if cross_attention:
            self.cross_attention, self.cross_norm = MultiHeadAttention(config), make_norm(config)
        self.feed_forward, self.feed_forward_norm = FeedForward(config), make_norm(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None,
        *,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        caches: Sequence[KeyValueCache] | None = None,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
        return_map: bool = False,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """(batch, length, hidden) -> the same shape, the self-attention map, the cross-attention map."""
        self_cache, cross_cache = caches or (None, None)
        attended, self_map = self.attention(
            self.before(x, self.attention_norm),
            mask,
            bias=bias,
            head_mask=head_mask,
            cache=self_cache,
            return_map=return_map,
        )
        x = self.after(x, attended, self.attention_norm)
        cross_map = None
        if memory is not None:
            attended, cross_map = self.cross_attention(
                self.before(x, self.cross_norm),
                memory_mask,
                memory=memory,
                cache=cross_cache,
                return_map=return_map,
            )
            x = self.after(x, attended, self.cross_norm)
        changed = self.feed_forward(self.before(x, self.feed_forward_norm))
        return self.after(x, changed, self.feed_forward_norm), self_map, cross_map

    def before(self, x: Tensor, norm: nn.Module) -> Tensor:
        """Pre-norm normalizes what a sublayer reads."""
        return norm(x) if self.norm_first else x

    def after(self, x: Tensor, change: Tensor, norm: nn.Module) -> Tensor:
        """Post-norm normalizes the sum, so the residual path itself goes through every norm."""
        x = x + self.dropout(change)
        return x if self.norm_first else norm(x)
