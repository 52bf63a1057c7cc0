"""How much each word of a text matters to a classifier: three ways to ask, and how far they agree.

- leave one out: the word is deleted, the change of the predicted class's probability is its weight. What the
  word does to the output, by experiment; blind to words that say the same twice
- gradient times input: the slope of that probability along the word's own vector
- attention: how much of it the word gets (`attention.received`, `attention.rollout`)

And the search of Jain and Wallace (2019) for other attention that leaves the prediction as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.stats import kendalltau
from tokenizers import Tokenizer
from torch import Tensor

from course_utils.analysis.attention import Replacement, attention_maps, with_attention
from course_utils.finetuning.classifier import PAD, Example, collate, predict
from course_utils.models.heads import EncoderWithHead

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Words:
    """A text cut into words, and which word each of its tokens is part of."""

    words: list[str]
    ids: list[int]  # with [CLS] and [SEP]
    word_of: list[int | None]  # for each token; None for [CLS] and [SEP]

    @classmethod
    def of(cls, tokenizer: Tokenizer, text: str) -> "Words":
        """The text as a classifier's tokenizer cuts it; a word, or a punctuation mark, may be many tokens."""
        cut = tokenizer.encode(text)
        spans: dict[int, tuple[int, int]] = {}
        for word, (start, end) in zip(cut.word_ids, cut.offsets, strict=True):
            if word is not None:
                spans[word] = (spans.get(word, (start, end))[0], end)
        return cls([text[slice(*spans[w])] for w in sorted(spans)], cut.ids, cut.word_ids)

    def by_word(self, scores: ArrayLike) -> Array:
        """The sum over the tokens of each word, (words,). scores: (tokens,), or longer with padding."""
        found = np.zeros(len(self.words))
        for word, score in zip(self.word_of, np.asarray(scores, dtype=np.float64), strict=False):
            if word is not None:
                found[word] += score
        return found

    def without(self, removed: Sequence[int]) -> Example:
        """The same text without some words, for the classifier."""
        pairs = zip(self.ids, self.word_of, strict=True)
        return Example([i for i, word in pairs if word not in set(removed)], 0)


def probabilities(model: EncoderWithHead, examples: Sequence[Example]) -> Array:
    """The classes' probabilities, (examples, classes), in evaluation mode."""
    return predict(model, examples).double().softmax(dim=-1).numpy()


def leave_one_out(model: EncoderWithHead, text: Words) -> Array:
    """How much the predicted class's probability falls when each word is deleted, (words,)."""
    alone = [text.without([word]) for word in range(len(text.words))]
    found = probabilities(model, [text.without([]), *alone])
    chosen = found[0].argmax()
    return found[0, chosen] - found[1:, chosen]


def gradient_times_input(model: EncoderWithHead, text: Words) -> Array:
    """|slope of the predicted class's probability along each token's vector, times that vector|: (words,).

    The vector is the row of the token table, before position and segment are added.
    """
    ids = torch.tensor([text.ids])
    embedded = model.encoder.embeddings.token(ids).detach().requires_grad_()
    found = model(None, attention_mask=torch.ones_like(ids), inputs_embeds=embedded).softmax(dim=-1)
    (slope,) = torch.autograd.grad(found.max(), embedded)
    return text.by_word((slope * embedded).sum(dim=-1).abs()[0].detach().numpy())


def agreement(a: ArrayLike, b: ArrayLike) -> float:
    """Kendall's tau-b between the weights that two ways give to the words of one text: 1 the same order.

    A way that gives all words the same weight orders nothing and agrees with nothing: 0.

    >>> agreement([0.1, 0.2, 0.3], [1, 2, 3]), agreement([0, 0, 0], [1, 2, 3])
    (1.0, 0.0)
    """
    first, second = np.asarray(a), np.asarray(b)
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ValueError(f"expected weights of the same 2 or more words, got {first.shape}, {second.shape}")
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return round(float(kendalltau(first, second).statistic), 12)


def total_variation(p: ArrayLike, q: ArrayLike) -> Array:
    """Half the sum of absolute differences of two distributions along the last axis: 0 the same, 1 apart."""
    return np.abs(np.asarray(p, dtype=np.float64) - np.asarray(q, dtype=np.float64)).sum(axis=-1) / 2


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """Jensen-Shannon divergence along the last axis, in nats: 0 the same, log 2 = 0.69 if nothing is shared.

    >>> divergence(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]))
    tensor(0.6931)
    """
    middle = (p + q) / 2
    # The slope of x log x at 0 is infinite, and infinite times the 0 that padding passes back is no number.
    logs = [x.clamp(min=torch.finfo(x.dtype).tiny).log() for x in (p, q, middle)]
    terms = p * logs[0] + q * logs[1] - 2 * middle * logs[2]
    return terms.sum(dim=-1).clamp(min=0) / 2


def adversarial_attention(
    model: EncoderWithHead,
    examples: Sequence[Example],
    *,
    allowed: float = 0.01,
    steps: int = 150,
    rate: float = 0.5,
    generator: torch.Generator,
) -> tuple[Array, Array]:
    """Search, text by text, for attention that is far from the model's own and leaves the output as it is.

    Adam moves the scores of all layers, heads and rows at once, from next to the own maps away from them in
    divergence, with a penalty where the output's total variation passes `allowed` (Jain and Wallace 2019,
    section 4.2.2, with all maps of a transformer in place of the one of a recurrent model).

    Returns, for each text, the largest mean divergence over maps and real rows at which the output stayed
    within `allowed` (0 if it never did), and the total variation there; (examples,) each.
    """
    ids = collate(examples)["input_ids"]
    real = ids != PAD
    own = attention_maps(model.encoder, ids, real)
    before = model(ids, attention_mask=real).softmax(dim=-1).detach()
    noise = 0.1 * torch.randn(own.shape, generator=generator)  # at the own maps divergence has no slope
    scores = ((own + 1e-6).log() + noise).requires_grad_()
    optimizer = torch.optim.Adam([scores], lr=rate)
    best, there = torch.zeros(len(ids)), torch.zeros(len(ids))
    for _ in range(steps):
        maps = scores.masked_fill(~real[:, None, None, :], -torch.inf).softmax(dim=-1)
        with with_attention(model.encoder, _instead(maps)):
            after = model(ids, attention_mask=real, return_maps=True).softmax(dim=-1)
        moved = (after - before).abs().sum(dim=-1) / 2  # (batch,)
        apart = _over_rows(divergence(own, maps), real)
        better = (moved <= allowed) & (apart > best)
        best, there = torch.where(better, apart, best), torch.where(better, moved, there)
        loss = (40 * (moved - allowed / 2).clamp(min=0) - apart).sum()
        (scores.grad,) = torch.autograd.grad(loss, scores)  # the model's own weights get none
        optimizer.step()
    return best.detach().double().numpy(), there.detach().double().numpy()


def _instead(maps: Tensor) -> Replacement:
    """Replaces each layer's map by the one of these, (layers, batch, heads, query, key)."""
    return lambda layer, _own: maps[layer]


def _over_rows(values: Tensor, real: Tensor) -> Tensor:
    """The mean over layers, heads and real queries: (layers, batch, heads, query) -> (batch,)."""
    weights = real.to(values.dtype)
    return (values.mean(dim=(0, 2)) * weights).sum(dim=1) / weights.sum(dim=1)
