"""Replaced-token detection (Clark et al. 2020, ELECTRA).

A small generator fills the masked positions with samples; the discriminator says for every token whether it
is the original. A sample that happens to equal the original counts as original (section 2 of the paper).
"""

import torch
from torch import BoolTensor, Generator, Tensor

from course_utils.objectives.tokens import SpecialTokens


def sample_replacements(logits: Tensor, input_ids: Tensor, chosen: Tensor, generator: Generator) -> Tensor:
    """`input_ids` with the chosen positions filled by samples from the generator's distribution.

    logits: float, (batch, length, vocab). input_ids: long, (batch, length), the originals. chosen: bool,
    (batch, length). Returns long, (batch, length). No gradient flows through a sample.
    """
    if logits.shape[:-1] != input_ids.shape or chosen.shape != input_ids.shape:
        raise ValueError(
            f"shapes disagree: logits {tuple(logits.shape)}, ids {tuple(input_ids.shape)}, "
            f"chosen {tuple(chosen.shape)}"
        )
    replaced = input_ids.clone()
    if chosen.any():
        probabilities = logits.detach()[chosen].float().softmax(dim=-1)
        replaced[chosen] = torch.multinomial(probabilities, 1, generator=generator).squeeze(-1)
    return replaced


def uniform_replacements(
    input_ids: Tensor, chosen: Tensor, tokens: SpecialTokens, generator: Generator
) -> Tensor:
    """The control without a generator: chosen positions get ordinary tokens drawn uniformly."""
    return torch.where(chosen, tokens.random_like(input_ids, generator), input_ids)


def replaced_labels(original_ids: Tensor, replaced_ids: Tensor) -> BoolTensor:
    """True where a token was replaced by a different one; shape of the ids.

    >>> replaced_labels(torch.tensor([7, 8, 9]), torch.tensor([7, 5, 9]))
    tensor([False,  True, False])
    """
    if original_ids.shape != replaced_ids.shape:
        raise ValueError(f"shapes differ: {tuple(original_ids.shape)} and {tuple(replaced_ids.shape)}")
    return original_ids != replaced_ids  # type: ignore[return-value]
