"""Attention whose cost grows with the length, not with its square: Longformer's (Beltagy et al. 2020).

A query looks at its neighbors only: `radius` steps to either side, a step being `dilation` tokens. The
queries are cut into blocks, each block gets a copy of the keys that it can see, and every block is a small
full attention: n * (block + 2 * radius) scores in place of n * n, and never a matrix of n by n. Dilation is
a change of the order: of `dilation` interleaved texts each has a plain window.

What is computed equals full attention under `masks.sliding_window | masks.global_tokens`, and
`LocalAttention` takes the place of `layers.MultiHeadAttention` in a block. Leaves out: another dilation for
each head, a key-value cache, attention maps.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.models.config import TransformerConfig
from course_utils.models.layers import KeyValueCache, MultiHeadAttention

# A block of queries is at least so long: shorter ones save scores, and lose more by being many.
SMALLEST_BLOCK = 32
# What a token may do, in the marks that `LocalAttention` takes (the transformers library's numbers).
PADDING, LOCAL, GLOBAL = 0, 1, 2


def local_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    radius: int,
    *,
    dilation: int = 1,
    causal: bool = False,
    visible: Tensor | None = None,
    shared: tuple[Tensor, Tensor, Tensor] | None = None,
    scale: float | None = None,
    dropout: float = 0.0,
) -> Tensor:
    """Each query attends to its window, and to the keys that all share.

    query, key, value: (batch, heads, length, head_size). causal: look back only. visible: (batch, length),
    False for a key that no window shows (padding). shared: keys and values (batch, heads, count, head_size)
    that every query sees besides its window, and which of them are real (batch, count). scale: of the
    scores; default head_size ** -0.5. dropout: of the weights.
    Returns (batch, heads, length, head_size); zeros where a query sees nothing.
    Raises ValueError when radius < 0 or dilation < 1.

    >>> x = torch.eye(4)[None, None]
    >>> local_attention(x, x, x, radius=1, scale=0.0)[0, 0]
    tensor([[0.5000, 0.5000, 0.0000, 0.0000],
            [0.3333, 0.3333, 0.3333, 0.0000],
            [0.0000, 0.3333, 0.3333, 0.3333],
            [0.0000, 0.0000, 0.5000, 0.5000]])
    """
    if radius < 0 or dilation < 1:
        raise ValueError(f"need radius >= 0 and dilation >= 1, got radius={radius}, dilation={dilation}")
    length = query.shape[2]
    radius = min(radius, -(-length // dilation))  # a window beyond the text would only hold padding
    block = max(radius, min(SMALLEST_BLOCK, -(-length // dilation)))
    sides = (radius, 0 if causal else radius)
    if visible is None:
        visible = query.new_ones(query.shape[0], length, dtype=torch.bool)
    keys, values = (_windows(x, block, sides, dilation) for x in (key, value))
    seen = _windows(visible[:, None, :, None], block, sides, dilation)[..., 0]  # (blocks, 1, keys)
    mask = seen[:, :, None] & _band(block, sides, query.device)
    if shared is not None:
        keys, values, mask = _prepend(shared, keys, values, mask)
    context = F.scaled_dot_product_attention(
        _windows(query, block, (0, 0), dilation), keys, values, attn_mask=mask, dropout_p=dropout, scale=scale
    )
    return _joined(context, query.shape[0], length, dilation)


def _windows(x: Tensor, block: int, sides: tuple[int, int], dilation: int) -> Tensor:
    """Cut a text into blocks, each with its neighbors to the left and to the right, where they exist.

    x: (batch, heads, length, size). Returns (batch * dilation * blocks, heads, left + block + right, size);
    beyond the ends of the text stand zeros (False).
    """
    left, right = sides
    steps = -(-x.shape[2] // dilation)
    blocks = -(-steps // block)
    x = F.pad(x, (0, 0, 0, steps * dilation - x.shape[2]))
    x = x.unflatten(2, (steps, dilation)).movedim(3, 1)  # (batch, dilation, heads, steps, size)
    x = F.pad(x, (0, 0, left, right + blocks * block - steps))
    x = x.unfold(3, left + block + right, block)  # (batch, dilation, heads, blocks, size, keys): a view
    return x.permute(0, 1, 3, 2, 5, 4).flatten(0, 2)


def _joined(x: Tensor, batch: int, length: int, dilation: int) -> Tensor:
    """Undo `_windows` without sides: (batch * dilation * blocks, heads, block, size) -> the text."""
    x = x.unflatten(0, (batch, dilation, -1))  # (batch, dilation, blocks, heads, block, size)
    x = x.permute(0, 3, 2, 4, 1, 5)  # (batch, heads, blocks, block, dilation, size)
    return x.flatten(2, 4)[:, :, :length]


def _band(block: int, sides: tuple[int, int], device: torch.device) -> Tensor:
    """Which keys of its block each query sees, (block, left + block + right); key 0 is `left` steps back."""
    left, right = sides
    step = torch.arange(left + block + right, device=device) - torch.arange(block, device=device)[:, None]
    return (step >= 0) & (step <= left + right)


def _prepend(
    shared: tuple[Tensor, Tensor, Tensor], keys: Tensor, values: Tensor, mask: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Keys, values and mask of the blocks with the shared ones before them, the same for each block."""
    shared_key, shared_value, real = shared
    blocks = keys.shape[0] // shared_key.shape[0]
    copies = [x.repeat_interleave(blocks, dim=0) for x in (shared_key, shared_value)]
    seen = real.repeat_interleave(blocks, dim=0)[:, None, None, :].expand(-1, -1, mask.shape[2], -1)
    return (
        torch.cat([copies[0], keys], dim=2),
        torch.cat([copies[1], values], dim=2),
        torch.cat([seen, mask], dim=3),
    )


def first_places(marked: Tensor) -> tuple[Tensor, Tensor]:
    """Where the marked tokens of each text stand, and which of these places are real.

    marked: (batch, length), boolean. Returns two tensors (batch, count), count being the most that a text
    has; texts with fewer are filled up with places that are not real.

    >>> first_places(torch.tensor([[True, False, True], [False, True, False]]))
    (tensor([[0, 2],
            [1, 0]]), tensor([[ True,  True],
            [ True, False]]))
    """
    count = int(marked.sum(dim=1).max())
    places = marked.int().argsort(dim=1, descending=True, stable=True)[:, :count]
    return places, marked.gather(1, places)


class LocalAttention(MultiHeadAttention):
    """Multi-head attention over a window, with global tokens that look at all and are seen by all.

    A global token has projections of its own, for its query and for all keys and values that it looks at;
    the others see it by its ordinary key and value.
    """

    def __init__(
        self, config: TransformerConfig, radius: int, *, dilation: int = 1, causal: bool = False
    ) -> None:
        super().__init__(config)
        if radius < 0 or dilation < 1:
            raise ValueError(f"need radius >= 0 and dilation >= 1, got radius={radius}, dilation={dilation}")
        self.radius, self.dilation, self.causal = radius, dilation, causal
        width = config.num_heads * config.width_of_head
        self.query_global = nn.Linear(config.hidden_size, width, bias=config.bias)
        self.key_global = nn.Linear(config.hidden_size, width, bias=config.bias)
        self.value_global = nn.Linear(config.hidden_size, width, bias=config.bias)

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
    ) -> tuple[Tensor, None]:
        """hidden_states: (batch, length, hidden). mask: marks (batch, length): PADDING, LOCAL or GLOBAL.

        head_mask: (heads,), as in MultiHeadAttention. Returns the output, (batch, length, hidden), and None.
        Raises ValueError for what a window cannot have: a bias, a memory, a cache, a map, a mask of pairs,
        or global tokens in a causal window.
        """
        if bias is not None or memory is not None or cache is not None or return_map:
            raise ValueError(
                "local attention has no bias, memory, cache or map: for those use MultiHeadAttention with "
                "masks.sliding_window, which costs the square of the length"
            )
        marks = self.checked(mask, hidden_states)
        is_global = marks == GLOBAL
        context = self.local(hidden_states, marks, is_global)
        if is_global.any():
            places, real = first_places(is_global)
            answers = self.answer(hidden_states, places, marks != PADDING)
            context = _put(context, answers, places, real)
        if head_mask is not None:
            context = context * head_mask[:, None, None]
        return self.output(context.transpose(1, 2).flatten(2)), None

    def checked(self, mask: Tensor | None, hidden_states: Tensor) -> Tensor:
        """The marks (all LOCAL if there is no mask); raises ValueError if they are none."""
        if mask is None:
            return torch.full(hidden_states.shape[:2], LOCAL, device=hidden_states.device)
        if mask.shape != hidden_states.shape[:2] or mask.dtype == torch.bool:
            raise ValueError(
                f"local attention takes marks (batch, length) of 0, 1 and 2, got {mask.dtype} "
                f"{tuple(mask.shape)}: call it through longformer.LocalEncoder, which makes them"
            )
        if self.causal and (mask == GLOBAL).any():
            raise ValueError("a global token would see the future: use no causal window, or no global token")
        return mask

    def local(self, hidden_states: Tensor, marks: Tensor, is_global: Tensor) -> Tensor:
        """What every token gets from its window and from the global tokens, (batch, heads, length, size)."""
        query = self.split(self.query(hidden_states))
        key, value = self.keys_and_values(hidden_states, None, None)
        shared = None
        if is_global.any():
            places, real = first_places(is_global)
            shared = (_take(key, places), _take(value, places), real)
        return local_attention(
            query,
            key,
            value,
            self.radius,
            dilation=self.dilation,
            causal=self.causal,
            visible=marks == LOCAL,  # a global token is seen as one of the shared, and only once
            shared=shared,
            scale=self.scale,
            dropout=self.dropout.p if self.training else 0.0,
        )

    def answer(self, hidden_states: Tensor, places: Tensor, real: Tensor) -> Tensor:
        """What the tokens at `places` get from looking at all, (batch, heads, count, size)."""
        rows = places[..., None].expand(-1, -1, hidden_states.shape[2])
        return F.scaled_dot_product_attention(
            self.split(self.query_global(hidden_states.gather(1, rows))),
            self.split(self.key_global(hidden_states)),
            self.split(self.value_global(hidden_states)),
            attn_mask=real[:, None, None, :],
            dropout_p=self.dropout.p if self.training else 0.0,
            scale=self.scale,
        )


def _take(x: Tensor, places: Tensor) -> Tensor:
    """(batch, heads, length, size) at places (batch, count) -> (batch, heads, count, size)."""
    return x.gather(2, places[:, None, :, None].expand(-1, x.shape[1], -1, x.shape[3]))


def _put(x: Tensor, new: Tensor, places: Tensor, real: Tensor) -> Tensor:
    """x with `new` at the real places: the reverse of `_take`."""
    index = places[:, None, :, None].expand_as(new)
    return x.scatter(2, index, torch.where(real[:, None, :, None], new, x.gather(2, index)))
