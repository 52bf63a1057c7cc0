"""Masked language modeling: choose some tokens, corrupt them, predict the originals.

Devlin et al. 2019, section 3.1 (15%; 80/10/10); whole-word masking: the BERT repository's release of May
2019; spans: Joshi et al. 2020 (SpanBERT), section 3.1; dynamic masking: Liu et al. 2019 (RoBERTa), 4.1.

Choosing and corrupting are two steps on purpose: variants differ in how they choose, hardly ever in how
they corrupt. A choice is a boolean tensor of the shape of the ids.
"""

from itertools import pairwise

import numpy as np
import torch
from torch import BoolTensor, Generator, Tensor

from course_utils.objectives.tokens import IGNORE, Corrupted, SpecialTokens, check_sequence, check_share

BERT_SHARES = (0.8, 0.1, 0.1)
"""Of the chosen tokens: replaced by [MASK], replaced by a random token, left unchanged."""


def choose_tokens(eligible: Tensor, share: float, generator: Generator) -> BoolTensor:
    """Choose each eligible token independently with probability `share`.

    eligible: bool, any shape. Returns bool, same shape. Raises ValueError unless 0 <= share <= 1.
    """
    check_share("share", share)
    draws = torch.rand(eligible.shape, generator=generator, device=eligible.device)
    return (draws < share) & eligible  # type: ignore[return-value]


def choose_words(eligible: Tensor, word_starts: Tensor, share: float, generator: Generator) -> BoolTensor:
    """Choose whole words, in random order, until `share` of the eligible tokens is reached.

    eligible, word_starts: bool, (length,); a word runs from its start to the next start or ineligible
    token. A word that would pass the budget is skipped, so never more than the budget is chosen, except
    that at least one word is.
    """
    check_share("share", share)
    words = _words(eligible, word_starts)
    order = torch.randperm(len(words), generator=generator).tolist()
    chosen = torch.zeros_like(eligible)
    budget = round(share * int(eligible.sum()))
    for start, end in (words[i] for i in order if share > 0):
        if not chosen.any() or int(chosen.sum()) + end - start <= budget:
            chosen[start:end] = True
    return chosen  # type: ignore[return-value]


def choose_spans(
    eligible: Tensor,
    word_starts: Tensor,
    share: float,
    generator: Generator,
    *,
    p: float = 0.2,
    max_words: int = 10,
) -> BoolTensor:
    """Choose spans of whole words of geometric length until `share` of the eligible tokens is reached.

    A span's length in words is geometric with success probability `p`, clipped (that is, renormalized) to
    1..max_words: a mean of 3.8 words for SpanBERT's 0.2 and 10. Its start is a uniformly drawn word. Draws
    that overlap an earlier span are dropped; the last span is cut at a word border to keep the budget.

    eligible, word_starts: bool, (length,). Returns bool, (length,).
    """
    check_share("share", share)
    if not 0 < p <= 1 or max_words < 1:
        raise ValueError(f"need 0 < p <= 1 and max_words >= 1, got p={p}, max_words={max_words}")
    words = _words(eligible, word_starts)
    chosen = torch.zeros_like(eligible)
    budget = round(share * int(eligible.sum()))
    lengths = torch.arange(1, max_words + 1)
    odds = p * (1 - p) ** (lengths - 1).double()
    for _ in range(20 * max(1, len(words))):  # enough draws to fill any share; ends when the budget is spent
        left = budget - int(chosen.sum())
        if left <= 0 or not words:
            break
        n_words = int(torch.multinomial(odds, 1, generator=generator)) + 1
        first = int(torch.randint(len(words), (1,), generator=generator))
        span = _contiguous(words[first : first + n_words])
        if not any(chosen[a:b].any() for a, b in span):
            _take(chosen, span, left)
    return chosen  # type: ignore[return-value]


def corrupt(
    input_ids: Tensor,
    chosen: Tensor,
    tokens: SpecialTokens,
    generator: Generator,
    *,
    shares: tuple[float, float, float] = BERT_SHARES,
    by_span: bool = False,
) -> Corrupted:
    """Corrupt the chosen tokens and label them with their originals.

    input_ids: long, (..., length). chosen: bool, same shape. shares: of the chosen tokens, how many become
    [MASK], a random token, or stay. by_span: draw the kind of corruption once for each run of chosen tokens,
    as SpanBERT does, not for each token.

    Returns input_ids and labels, same shape; labels are -100 where `chosen` is False.
    Raises ValueError when the shares do not sum to 1 or the shapes differ.
    """
    if chosen.shape != input_ids.shape:
        raise ValueError(
            f"chosen {tuple(chosen.shape)} and input_ids {tuple(input_ids.shape)} differ in shape"
        )
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"shares must be non-negative and sum to 1, got {shares}")
    draws = torch.rand(input_ids.shape, generator=generator, device=input_ids.device)
    if by_span:
        draws = _first_of_run(draws, chosen)
    to_mask = chosen & (draws < shares[0])
    to_random = chosen & ~to_mask & (draws < shares[0] + shares[1])
    random_ids = tokens.random_like(input_ids, generator)
    corrupted = torch.where(to_mask, tokens.mask, torch.where(to_random, random_ids, input_ids))
    return Corrupted(corrupted, torch.where(chosen, input_ids, IGNORE))


def mask_tokens(
    input_ids: Tensor, tokens: SpecialTokens, generator: Generator, *, share: float = 0.15
) -> Corrupted:
    """BERT's masked language modeling, drawn anew at each call (dynamic masking).

    input_ids: long, (..., length). Returns input_ids and labels of the same shape.

    >>> ids = torch.tensor([[101, 7592, 2088, 102]])
    >>> inputs, labels = mask_tokens(ids, SpecialTokens(), torch.Generator().manual_seed(0), share=1.0)
    >>> labels
    tensor([[-100, 7592, 2088, -100]])
    """
    return corrupt(
        input_ids, choose_tokens(tokens.corruptible(input_ids), share, generator), tokens, generator
    )


def static_generator(seed: int, index: int, epoch: int, *, copies: int = 10) -> Generator:
    """The generator that gives example `index` the same masks again every `copies` epochs.

    BERT's data were duplicated 10 times with 10 masks before training, so that over 40 epochs each mask was
    seen four times (Liu et al. 2019, section 4.1). copies=1 is wholly static.
    """
    if copies < 1:
        raise ValueError(f"copies must be at least 1, got {copies}")
    state = np.random.SeedSequence([seed, index, epoch % copies]).generate_state(1, np.uint64)
    return Generator().manual_seed(int(state[0]))


def restore(corrupted: Corrupted) -> Tensor:
    """The original ids: the label where there is one, the input elsewhere."""
    return torch.where(corrupted.labels == IGNORE, corrupted.input_ids, corrupted.labels)


def span_boundaries(chosen: Tensor) -> Tensor:
    """For each chosen token: left boundary, right boundary, 1-based position in its span.

    The span boundary objective (Joshi et al. 2020, eq. 2) predicts a token of the span from the token before
    the span, the token after it, and the position. chosen: bool, (length,), spans not at either edge.
    Returns long, (number chosen, 4): the token's own index, left, right, position.

    >>> span_boundaries(torch.tensor([False, True, True, False]))
    tensor([[1, 0, 3, 1],
            [2, 0, 3, 2]])
    """
    check_sequence(chosen)
    rows = []
    for start, end in _runs(chosen):
        if start == 0 or end == len(chosen):
            raise ValueError(
                f"the span [{start}, {end}) has no boundary token on one side; frame the text first"
            )
        rows += [[i, start - 1, end, i - start + 1] for i in range(start, end)]
    return torch.tensor(rows, dtype=torch.long).reshape(-1, 4)


def _runs(flags: Tensor) -> list[tuple[int, int]]:
    """Half-open intervals of consecutive True values."""
    padded = torch.cat([flags.new_zeros(1), flags, flags.new_zeros(1)]).int().diff()
    return list(
        zip(
            (padded == 1).nonzero().flatten().tolist(),
            (padded == -1).nonzero().flatten().tolist(),
            strict=True,
        )
    )


def _words(eligible: Tensor, word_starts: Tensor) -> list[tuple[int, int]]:
    """Half-open intervals of the words among eligible tokens."""
    check_sequence(eligible)
    if word_starts.shape != eligible.shape:
        raise ValueError(
            f"word_starts {tuple(word_starts.shape)} and eligible {tuple(eligible.shape)} differ"
        )
    words = []
    for start, end in _runs(eligible):
        cuts = [start, *(start + 1 + word_starts[start + 1 : end].nonzero().flatten()).tolist(), end]
        words += list(pairwise(cuts))
    return words


def _contiguous(span: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The words of `span` up to the first gap (a special token between two words)."""
    for i in range(1, len(span)):
        if span[i][0] != span[i - 1][1]:
            return span[:i]
    return span


def _take(chosen: Tensor, span: list[tuple[int, int]], budget: int) -> None:
    """Mark the words of `span` that fit the budget; the first word of all always fits."""
    for start, end in span:
        if end - start > budget and chosen.any():
            return
        chosen[start:end] = True
        budget -= end - start


def _first_of_run(draws: Tensor, chosen: Tensor) -> Tensor:
    """`draws` with each run of chosen tokens given its first token's draw."""
    flat, picked = draws.reshape(-1, draws.shape[-1]).clone(), chosen.reshape(-1, chosen.shape[-1])
    for row, flags in zip(flat, picked, strict=True):
        for start, end in _runs(flags):
            row[start:end] = row[start].item()
    return flat.reshape(draws.shape)
