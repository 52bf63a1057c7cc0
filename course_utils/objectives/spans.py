"""T5's family of objectives: corrupt a text, and write only what is missing (Raffel et al. 2020, table 3).

All take one sequence without special tokens, shape (length,), and a noise mask of that shape that says which
tokens are corrupted; the mask is drawn apart (`token_noise`, `span_noise`), so that the paper's own example
can be put through every objective.
"""

import torch
from torch import BoolTensor, Generator, Tensor

from course_utils.objectives.masked import choose_tokens
from course_utils.objectives.tokens import Corrupted, SpecialTokens, check_sequence, check_share


def token_noise(length: int, generator: Generator, *, density: float = 0.15) -> BoolTensor:
    """Independent noise: bool, (length,), each True with probability `density`."""
    return choose_tokens(torch.ones(length, dtype=torch.bool), density, generator)


def span_noise(
    length: int, generator: Generator, *, density: float = 0.15, mean_span: float = 3.0
) -> BoolTensor:
    """Noise in spans: exactly round(length * density) tokens in round(that / mean_span) spans.

    As T5's `random_spans_noise_mask`: the noise tokens and the others are each cut into the same number of
    non-empty segments, uniformly over all ways to cut, and interleaved, beginning with an uncorrupted one. At
    least one token is corrupted and one is not. A text shorter than two tokens stays whole.
    """
    check_share("density", density)
    if mean_span < 1:
        raise ValueError(f"mean_span must be at least 1, got {mean_span}")
    if length < 2:
        return torch.zeros(length, dtype=torch.bool)  # type: ignore[return-value]
    n_noise = min(max(round(length * density), 1), length - 1)
    n_spans = min(max(round(n_noise / mean_span), 1), length - n_noise)
    noise = _cut(n_noise, n_spans, generator)
    kept = _cut(length - n_noise, n_spans, generator)
    sizes = torch.stack([kept, noise], dim=1).flatten()
    return torch.arange(2 * n_spans).remainder(2).bool().repeat_interleave(sizes)  # type: ignore[return-value]


def replace_spans(ids: Tensor, noise: Tensor, tokens: SpecialTokens) -> Corrupted:
    """Each corrupted run becomes one sentinel; the target lists each sentinel and what it stands for.

    A last sentinel closes the target. With words for ids, and the noise on "for inviting" and "last":
    "Thank you <X> me to your party <Y> week ." -> "<X> for inviting <Y> last <Z>".

    ids: long, (length,). noise: bool, (length,). Raises ValueError when sentinels run out.
    """
    _check_noise(ids, noise)
    starts = noise & ~torch.cat([noise.new_zeros(1), noise[:-1]])
    n_runs = int(starts.sum())
    if n_runs + 1 > len(tokens.sentinels):
        raise ValueError(
            f"{n_runs} spans need {n_runs + 1} sentinels, the vocabulary has {len(tokens.sentinels)}"
        )
    sentinels = torch.tensor(tokens.sentinels, dtype=ids.dtype)
    number = starts.cumsum(0) - 1
    inputs = torch.where(starts, sentinels[number.clamp(min=0)], ids)[~noise | starts]
    pieces = [piece for i in range(n_runs) for piece in (sentinels[i : i + 1], ids[noise & (number == i)])]
    return Corrupted(inputs, torch.cat([*pieces, sentinels[n_runs : n_runs + 1]]))


def drop_tokens(ids: Tensor, noise: Tensor) -> Corrupted:
    """Corrupted tokens vanish from the input and are the whole target."""
    _check_noise(ids, noise)
    return Corrupted(ids[~noise], ids[noise])


def mask_and_rewrite(ids: Tensor, noise: Tensor, tokens: SpecialTokens) -> Corrupted:
    """MASS-style as in T5's table: corrupted tokens become [MASK], the target is the whole text."""
    _check_noise(ids, noise)
    return Corrupted(torch.where(noise, tokens.mask, ids), ids)


def bert_style_rewrite(
    ids: Tensor, noise: Tensor, tokens: SpecialTokens, generator: Generator, *, random_share: float = 0.1
) -> Corrupted:
    """BERT-style as in T5's table: [MASK] for 90% of the corrupted tokens, a random token for 10%.

    The target is the whole text. (T5 leaves no corrupted token unchanged, unlike BERT.)
    """
    _check_noise(ids, noise)
    check_share("random_share", random_share)
    to_random = choose_tokens(noise, random_share, generator)
    masked = torch.where(noise, tokens.mask, ids)
    return Corrupted(torch.where(to_random, tokens.random_like(ids, generator), masked), ids)


def fill_sentinels(corrupted: Corrupted, tokens: SpecialTokens) -> Tensor:
    """Undo `replace_spans`: the original ids from inputs and targets.

    Raises ValueError when a sentinel of the input has no part in the target.
    """
    sentinels = set(tokens.sentinels)
    parts: dict[int, list[int]] = {}
    for i in corrupted.labels.tolist():
        if i in sentinels:
            current = parts.setdefault(i, [])
        elif not parts:
            raise ValueError(f"the target begins with {i}, expected a sentinel")
        else:
            current.append(i)
    missing = [i for i in corrupted.input_ids.tolist() if i in sentinels and i not in parts]
    if missing:
        raise ValueError(f"sentinels {missing} of the input are not in the target")
    restored = [j for i in corrupted.input_ids.tolist() for j in (parts[i] if i in sentinels else [i])]
    return torch.tensor(restored, dtype=corrupted.input_ids.dtype)


def _cut(total: int, pieces: int, generator: Generator) -> Tensor:
    """`pieces` positive sizes that sum to `total`, uniform over all such compositions."""
    borders = torch.randperm(total - 1, generator=generator)[: pieces - 1].sort().values + 1
    return torch.cat([torch.zeros(1, dtype=torch.long), borders, torch.tensor([total])]).diff()


def _check_noise(ids: Tensor, noise: Tensor) -> None:
    check_sequence(ids)
    if noise.shape != ids.shape:
        raise ValueError(f"noise {tuple(noise.shape)} and ids {tuple(ids.shape)} differ in shape")
