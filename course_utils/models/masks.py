"""Who may look at whom: one mask language for every attention pattern in the course.

A mask is a boolean tensor that broadcasts to (batch, heads, query, key); True means that the query may
look at the key. Masks are combined with `&` (both must allow) and `|` (one is enough), so that
Longformer's pattern is written as it is said:

    (sliding_window(length, 2) | global_tokens(is_global)) & padding(attention_mask)

The attention in `layers.py` gives a query that may look at nothing weights of zero and an output of
zero before the output projection: never NaN.
"""

import torch
from torch import Tensor


def full(length: int, *, device: torch.device | None = None) -> Tensor:
    """Every query looks at every key (BERT). Returns (1, 1, length, length).

    >>> full(2).int()[0, 0]
    tensor([[1, 1],
            [1, 1]], dtype=torch.int32)
    """
    return torch.ones(1, 1, length, length, dtype=torch.bool, device=device)


def padding(attention_mask: Tensor) -> Tensor:
    """No query looks at padding. attention_mask: (batch, key), 1 (or True) for real tokens.

    Returns (batch, 1, 1, key). Raises ValueError unless the input has two axes.

    >>> padding(torch.tensor([[1, 1, 0]])).int()
    tensor([[[[1, 1, 0]]]], dtype=torch.int32)
    """
    if attention_mask.dim() != 2:
        raise ValueError(f"attention_mask must be (batch, key), got shape {tuple(attention_mask.shape)}")
    return attention_mask.bool()[:, None, None, :]


def causal(query_length: int, key_length: int | None = None, *, device: torch.device | None = None) -> Tensor:
    """Look at yourself and the past only (GPT). Returns (1, 1, query, key).

    With more keys than queries the queries are the *last* positions: the earlier keys come from a cache.
    Raises ValueError when there are fewer keys than queries.

    >>> causal(2, 3).int()[0, 0]
    tensor([[1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    key_length = query_length if key_length is None else key_length
    if key_length < query_length:
        raise ValueError(
            f"a causal mask needs at least as many keys as queries: {key_length} < {query_length}"
        )
    return _distance(query_length, key_length, device) <= 0


def prefix(length: int, prefix_lengths: Tensor) -> Tensor:
    """The prefix is visible to all; after it, causal (a prefix LM). prefix_lengths: (batch,).

    Returns (batch, 1, length, length).

    >>> prefix(3, torch.tensor([2])).int()[0, 0]
    tensor([[1, 1, 0],
            [1, 1, 0],
            [1, 1, 1]], dtype=torch.int32)
    """
    in_prefix = torch.arange(length, device=prefix_lengths.device) < prefix_lengths[:, None]  # (batch, key)
    return causal(length, device=prefix_lengths.device) | in_prefix[:, None, None, :]


def sliding_window(
    length: int, radius: int, dilation: int = 1, *, device: torch.device | None = None
) -> Tensor:
    """Look at most `radius` steps to either side, a step being `dilation` tokens (Longformer).

    Returns (1, 1, length, length). Raises ValueError when radius < 0 or dilation < 1.

    >>> sliding_window(4, radius=1).int()[0, 0]
    tensor([[1, 1, 0, 0],
            [1, 1, 1, 0],
            [0, 1, 1, 1],
            [0, 0, 1, 1]], dtype=torch.int32)
    >>> sliding_window(4, radius=1, dilation=2).int()[0, 0]
    tensor([[1, 0, 1, 0],
            [0, 1, 0, 1],
            [1, 0, 1, 0],
            [0, 1, 0, 1]], dtype=torch.int32)
    """
    if radius < 0 or dilation < 1:
        raise ValueError(f"need radius >= 0 and dilation >= 1, got radius={radius}, dilation={dilation}")
    distance = _distance(length, length, device)
    return (distance.abs() <= radius * dilation) & (distance % dilation == 0)


def global_tokens(is_global: Tensor) -> Tensor:
    """Global tokens look at all and are seen by all (Longformer). is_global: (batch, length), 1 or True.

    Returns (batch, 1, length, length); combine it with a local pattern by `|`.

    >>> global_tokens(torch.tensor([[1, 0, 0]])).int()[0, 0]
    tensor([[1, 1, 1],
            [1, 0, 0],
            [1, 0, 0]], dtype=torch.int32)
    """
    is_global = is_global.bool()
    return is_global[:, None, :, None] | is_global[:, None, None, :]


def _distance(query_length: int, key_length: int, device: torch.device | None) -> Tensor:
    """Key position minus query position, (1, 1, query, key); the queries are the last positions."""
    keys = torch.arange(key_length, device=device)
    return (keys - keys[key_length - query_length :, None])[None, None]
