"""Denoising objectives of sequence-to-sequence models: MASS, deshuffling, and BART's five noises.

Song et al. 2019 (MASS); Raffel et al. 2020, table 3 (deshuffling); Lewis et al. 2020, section 2.2 (BART).
Each maps one sequence without special tokens, shape (length,), to inputs and targets; every target here is
the original text except MASS's, which is the masked fragment.
"""

from itertools import pairwise

import torch
from torch import Generator, Tensor

from course_utils.objectives.masked import choose_tokens
from course_utils.objectives.tokens import Corrupted, SpecialTokens, check_sequence, check_share


def mass(ids: Tensor, tokens: SpecialTokens, generator: Generator, *, share: float = 0.5) -> Corrupted:
    """Mask one contiguous fragment of `share` of the text; the target is the fragment.

    The fragment has max(1, round(share * length)) tokens and starts anywhere, uniformly.
    """
    check_sequence(ids)
    check_share("share", share)
    if len(ids) == 0:
        return Corrupted(ids, ids)
    size = min(max(1, round(share * len(ids))), len(ids))
    start = int(torch.randint(len(ids) - size + 1, (1,), generator=generator))
    inputs = ids.clone()
    inputs[start : start + size] = tokens.mask
    return Corrupted(inputs, ids[start : start + size])


def deshuffle(ids: Tensor, generator: Generator) -> Corrupted:
    """All tokens in random order; the target is the original order."""
    check_sequence(ids)
    return Corrupted(ids[torch.randperm(len(ids), generator=generator)], ids)


def token_masking(
    ids: Tensor, tokens: SpecialTokens, generator: Generator, *, share: float = 0.15
) -> Corrupted:
    """Tokens become [MASK] independently with probability `share`."""
    check_sequence(ids)
    noise = choose_tokens(torch.ones_like(ids, dtype=torch.bool), share, generator)
    return Corrupted(torch.where(noise, tokens.mask, ids), ids)


def token_deletion(ids: Tensor, generator: Generator, *, share: float = 0.15) -> Corrupted:
    """Tokens vanish independently with probability `share`; the model must also say where."""
    check_sequence(ids)
    return Corrupted(ids[~choose_tokens(torch.ones_like(ids, dtype=torch.bool), share, generator)], ids)


def text_infilling(
    ids: Tensor,
    tokens: SpecialTokens,
    generator: Generator,
    *,
    share: float = 0.3,
    mean_span: float = 3.0,
) -> Corrupted:
    """Spans of Poisson length become one [MASK] each; a span of length 0 inserts a [MASK].

    Span lengths are drawn until they cover round(share * length) tokens (the last one is cut to fit); the
    spans are then laid into the text in random order with uniformly drawn gaps, never touching, so each is
    one [MASK].
    """
    check_sequence(ids)
    check_share("share", share)
    if mean_span <= 0:
        raise ValueError(f"mean_span must be > 0, got {mean_span}")
    lengths = _poisson_lengths(round(share * len(ids)), mean_span, generator)
    kept = len(ids) - sum(lengths)
    # Spans go into distinct slots between kept tokens, so that two never touch; more spans than slots are
    # joined.
    while len(lengths) > kept + 1:
        surplus = lengths.pop()
        lengths[-1] += surplus
    slots = torch.randperm(kept + 1, generator=generator)[: len(lengths)].sort().values.tolist()
    order = torch.randperm(len(lengths), generator=generator)[: len(slots)].tolist()
    pieces, at = [], 0
    previous = 0
    mask = torch.tensor([tokens.mask], dtype=ids.dtype)
    for slot, i in zip(slots, order, strict=True):
        pieces += [ids[at : at + slot - previous], mask]
        at += slot - previous + lengths[i]
        previous = slot
    return Corrupted(torch.cat([*pieces, ids[at:]]), ids)


def sentence_permutation(ids: Tensor, sentence_starts: Tensor, generator: Generator) -> Corrupted:
    """The sentences in random order. sentence_starts: bool, (length,); the first token always starts one."""
    check_sequence(ids)
    if sentence_starts.shape != ids.shape:
        raise ValueError(f"sentence_starts {tuple(sentence_starts.shape)} and ids {tuple(ids.shape)} differ")
    if len(ids) == 0:
        return Corrupted(ids, ids)
    borders = [0, *(sentence_starts[1:].nonzero().flatten() + 1).tolist(), len(ids)]
    sentences = [ids[a:b] for a, b in pairwise(borders)]
    order = torch.randperm(len(sentences), generator=generator).tolist()
    return Corrupted(torch.cat([sentences[i] for i in order]), ids)


def document_rotation(ids: Tensor, generator: Generator) -> Corrupted:
    """The text rotated to begin with a uniformly drawn token."""
    check_sequence(ids)
    if len(ids) == 0:
        return Corrupted(ids, ids)
    start = int(torch.randint(len(ids), (1,), generator=generator))
    return Corrupted(torch.cat([ids[start:], ids[:start]]), ids)


def _poisson_lengths(budget: int, mean: float, generator: Generator) -> list[int]:
    """Poisson lengths whose sum is `budget`, the last one cut to fit; zero lengths among them are kept."""
    lengths: list[int] = []
    while sum(lengths) < budget:
        draw = int(torch.poisson(torch.tensor(mean), generator=generator))
        lengths.append(min(draw, budget - sum(lengths)))
    return lengths
