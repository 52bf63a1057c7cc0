"""Left-to-right objectives: causal and prefix language modeling.

The shift by one happens here, once, and nowhere else: `labels[i]` is what the model must say after reading
`input_ids[..i]`. A model that shifts again predicts two tokens ahead (one of the bug museum's pieces).
"""

import torch
from torch import Generator, Tensor

from course_utils.objectives.tokens import IGNORE, Corrupted, check_sequence


def causal_lm(ids: Tensor, *, pad: int | None = None) -> Corrupted:
    """Predict each token from those before it (Radford et al. 2018).

    ids: long, (..., length >= 1). Returns input_ids and labels, (..., length - 1); a label equal to `pad`
    is -100.

    >>> causal_lm(torch.tensor([5, 6, 7]))
    Corrupted(input_ids=tensor([5, 6]), labels=tensor([6, 7]))
    """
    if ids.shape[-1] < 1:
        raise ValueError("a causal objective needs at least one token")
    labels = ids[..., 1:].clone()
    if pad is not None:
        labels[labels == pad] = IGNORE
    return Corrupted(ids[..., :-1], labels)


def prefix_lm(ids: Tensor, prefix_length: int) -> Corrupted:
    """Predict what follows a prefix that is read in both directions (Raffel et al. 2020, section 3.2.2).

    ids: long, (length,). Returns input_ids and labels, (length - 1,); labels inside the prefix are -100. The
    attention mask must let the first `prefix_length` positions see each other, and the rest look back only.

    >>> prefix_lm(torch.tensor([5, 6, 7, 8]), prefix_length=2).labels
    tensor([-100,    7,    8])
    """
    check_sequence(ids)
    if not 1 <= prefix_length <= len(ids):
        raise ValueError(f"prefix_length must lie in 1..{len(ids)}, got {prefix_length}")
    inputs, labels = causal_lm(ids)
    labels[: prefix_length - 1] = IGNORE
    return Corrupted(inputs, labels)


def split_prefix(ids: Tensor, generator: Generator) -> Corrupted:
    """A text cut in two at a uniformly drawn point: what an encoder reads, what a decoder writes.

    ids: long, (length >= 2,). Both parts hold at least one token.
    """
    check_sequence(ids)
    if len(ids) < 2:
        raise ValueError(f"a text of {len(ids)} tokens cannot be cut in two")
    cut = int(torch.randint(1, len(ids), (1,), generator=generator))
    return Corrupted(ids[:cut], ids[cut:])


def shift_right(targets: Tensor, start: int) -> Tensor:
    """What a decoder reads when it must write `targets`: the start token, then all but the last target.

    targets: long, (..., length), -100 where ignored (fed to the decoder as `start`). Same shape returned.
    """
    first = torch.full_like(targets[..., :1], start)
    return torch.cat([first, targets[..., :-1].masked_fill(targets[..., :-1] == IGNORE, start)], dim=-1)
