"""Choosing tokens one by one: greedy, or sampled with a temperature among the k most probable."""

from collections.abc import Callable

import torch
from torch import Tensor


def pick(
    logits: Tensor,
    temperature: float = 0.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """One token for each row. logits: (batch, vocab). Returns (batch,).

    temperature 0 takes the most probable token (the first of equals); above 0 it samples from
    softmax(logits / temperature), among the top_k most probable tokens if given.
    Raises ValueError if temperature < 0 or top_k < 1.

    >>> pick(torch.tensor([[0.1, 2.0, 0.3]]))
    tensor([1])
    """
    if temperature < 0 or (top_k is not None and top_k < 1):
        raise ValueError(f"need temperature >= 0 and top_k >= 1, got {temperature} and {top_k}")
    if temperature == 0:
        return logits.argmax(dim=-1)
    if top_k is not None:
        lowest = logits.topk(min(top_k, logits.shape[-1])).values[:, -1:]
        logits = logits.masked_fill(logits < lowest, -torch.inf)
    probabilities = (logits / temperature).softmax(dim=-1)
    return torch.multinomial(probabilities, 1, generator=generator)[:, 0]


def generate(
    next_logits: Callable[[Tensor], Tensor],
    tokens: Tensor,
    max_new_tokens: int,
    *,
    eos_token_id: int | None = None,
    temperature: float = 0.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Append up to max_new_tokens to each row of tokens, (batch, length).

    next_logits maps all tokens so far to the logits of the next, (batch, vocab). A row that has produced
    eos_token_id is filled up with it; generation ends when every row has. Other arguments as in `pick`.

    >>> count_up = lambda tokens: torch.nn.functional.one_hot(tokens[:, -1] + 1, 9).float()
    >>> generate(count_up, torch.tensor([[2]]), 3)
    tensor([[2, 3, 4, 5]])
    """
    done = torch.zeros(tokens.shape[0], dtype=torch.bool, device=tokens.device)
    for _ in range(max_new_tokens):
        chosen = pick(next_logits(tokens), temperature, top_k, generator)
        if eos_token_id is not None:
            chosen = chosen.masked_fill(done, eos_token_id)
            done = done | (chosen == eos_token_id)
        tokens = torch.cat([tokens, chosen[:, None]], dim=1)
        if eos_token_id is not None and done.all():
            break
    return tokens
