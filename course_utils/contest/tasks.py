"""Each objective's own task on the formal language: its noise, and the exact answer to it.

The noise is `course_utils.objectives`'; here it gets its parameters. A task's *floor* is the loss of a
reader that knows the grammar and the noise perfectly. Two cases:

- one prediction a place (masked and left-to-right objectives): the true distribution of each labeled token,
  so that the distance from the floor is an exact KL divergence at every place;
- a written target: log P(target | inputs), all alignments summed out, so that the distance is the excess of
  the negative log-likelihood, whose expectation over texts is the KL divergence of the whole target.

Deshuffling has no such answer (summing over the orders of a bag of words is #P-hard), nor has ELECTRA.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from course_utils.contest.alignments import GapWeights, log_sum_alignments
from course_utils.contest.grammar import MASK, SENTINELS, FormalLanguage
from course_utils.contest.language import divergence, entropy
from course_utils.objectives import IGNORE, Corrupted, SpecialTokens, denoising, masked, spans
from course_utils.objectives import causal as left_to_right

SHARE = 0.15  # of the tokens that masked LMs and T5's objectives corrupt
MEAN_SPAN = 3.0  # T5's and BART's
INFILLED = 0.3  # of the tokens that BART's spans cover
WHOLLY_MASKED = (1.0, 0.0, 0.0)
MASKED_AND_KEPT = (0.8, 0.0, 0.2)

Batch = Mapping[str, Tensor]


class OwnTask(NamedTuple):
    """Nats a predicted token: what the exact answer costs on these texts, and what the model costs more."""

    floor: float
    excess: float


def from_distributions(truth: Tensor, log_q: Tensor) -> OwnTask:
    """From the true and the model's distributions at each predicted place, both (places, vocab)."""
    return OwnTask(float(entropy(truth).mean()), float(divergence(truth, log_q.double()).mean()))


def from_likelihoods(nats: Tensor, best: Tensor, predicted: int) -> OwnTask:
    """From the negative log-likelihoods of whole targets, (texts,), the model's and the exact ones."""
    floor = float(best.double().sum()) / predicted
    return OwnTask(floor, float(nats.double().sum()) / predicted - floor)


# ---------------------------------------------------------------- masked, on [CLS] and the text


def mask_only(ids: Tensor, tokens: SpecialTokens, generator: Generator, *, share: float = SHARE) -> Corrupted:
    """Independently chosen tokens, all of them masked."""
    chosen = masked.choose_tokens(tokens.corruptible(ids), share, generator)
    return masked.corrupt(ids, chosen, tokens, generator, shares=WHOLLY_MASKED)


def mask_spans(ids: Tensor, tokens: SpecialTokens, generator: Generator) -> Corrupted:
    """SpanBERT's geometric spans, all of their tokens masked."""
    eligible = tokens.corruptible(ids)
    each_a_word = torch.ones_like(ids[0], dtype=torch.bool)
    chosen = torch.stack([masked.choose_spans(row, each_a_word, SHARE, generator) for row in eligible])
    return masked.corrupt(ids, chosen, tokens, generator, shares=WHOLLY_MASKED)


def mask_and_keep(ids: Tensor, tokens: SpecialTokens, generator: Generator) -> Corrupted:
    """80% of the chosen tokens masked, 20% left as they are, none replaced."""
    chosen = masked.choose_tokens(tokens.corruptible(ids), SHARE, generator)
    return masked.corrupt(ids, chosen, tokens, generator, shares=MASKED_AND_KEPT)


def predict_all(ids: Tensor, tokens: SpecialTokens, generator: Generator) -> Corrupted:
    """BERT's noise, but every token is predicted: a masked LM in which every token teaches."""
    inputs, _ = masked.mask_tokens(ids, tokens, generator, share=SHARE)
    return Corrupted(inputs, torch.where(tokens.corruptible(ids), ids, IGNORE))


def masked_truth(language: FormalLanguage, texts: Tensor, batch: Batch) -> Tensor:
    """P(token | all that is not masked), (labels, vocab)."""
    hidden = batch["labels"][:, 1:] != IGNORE
    return language.process.conditionals(language.process.observed(texts, hidden))[hidden]


def bert_truth(language: FormalLanguage, texts: Tensor, batch: Batch) -> Tensor:
    """P(original token | all that is seen, 1.5% of it random tokens), (labels, vocab)."""
    seen, chosen = batch["input_ids"][:, 1:], batch["labels"][:, 1:] != IGNORE
    _, to_random, kept = masked.BERT_SHARES
    exact = language.process.observed(seen, seen == MASK)
    stray = 1 / len(language.tokens.ordinary())  # chance of one particular token among random ones
    # At a chosen place it is known that the token was chosen: the prior of the noise is another there.
    here = torch.where((seen == MASK)[..., None], 1.0, kept * exact + to_random * stray)
    return _bayes(language, _seen_through_noise(language, seen), here)[chosen]


def kept_truth(language: FormalLanguage, texts: Tensor, batch: Batch) -> Tensor:
    """P(original token | all that is seen) where nothing seen is wrong, (labels, vocab)."""
    seen, chosen = batch["input_ids"][:, 1:], batch["labels"][:, 1:] != IGNORE
    exact = language.process.observed(seen, seen == MASK)
    return _bayes(language, exact, exact)[chosen]


def predict_all_truth(language: FormalLanguage, texts: Tensor, batch: Batch) -> Tensor:
    """P(original token | all that is seen) at every place, not told which were chosen, (labels, vocab)."""
    seen, labeled = batch["input_ids"][:, 1:], batch["labels"][:, 1:] != IGNORE
    evidence = _seen_through_noise(language, seen)
    return _bayes(language, evidence, evidence)[labeled]


def _seen_through_noise(language: FormalLanguage, seen: Tensor) -> Tensor:
    """P(what is seen at a place | the original token there) under BERT's noise, up to a constant factor for
    each place, (batch, length, vocab)."""
    _, to_random, kept = masked.BERT_SHARES
    exact = language.process.observed(seen, seen == MASK)
    stray = 1 / len(language.tokens.ordinary())
    visible = (1 - SHARE + SHARE * kept) * exact + SHARE * to_random * stray
    return torch.where((seen == MASK)[..., None], 1.0, visible)


def _bayes(language: FormalLanguage, elsewhere: Tensor, here: Tensor) -> Tensor:
    """Posterior of each token from the evidence elsewhere and at its own place, (batch, length, vocab)."""
    joint = language.process.conditionals(elsewhere) * here
    return joint / joint.sum(-1, keepdim=True)


# ---------------------------------------------------------------- left to right, on [CLS] and the text


def causal(ids: Tensor) -> Corrupted:
    """Every token from those before it."""
    return left_to_right.causal_lm(ids)


def prefix(ids: Tensor, tokens: SpecialTokens, generator: Generator) -> tuple[Corrupted, Tensor]:
    """Every token after a prefix of uniformly drawn length; [CLS] is always in it."""
    lengths = torch.randint(1, ids.shape[1], (len(ids),), generator=generator)
    rows = [left_to_right.prefix_lm(row, int(n)) for row, n in zip(ids, lengths, strict=True)]
    inputs, labels = (torch.stack(part) for part in zip(*rows, strict=True))
    return Corrupted(inputs, labels), lengths


def next_token_truth(language: FormalLanguage, texts: Tensor, batch: Batch) -> Tensor:
    """P(token | those before it), (labels, vocab)."""
    return language.process.next_token(texts)[batch["labels"] != IGNORE]


# ---------------------------------------------------------------- written targets, on one text


def replace_spans(ids: Tensor, tokens: SpecialTokens, generator: Generator) -> Corrupted:
    """T5's span corruption: exactly 15% of the tokens, in spans of mean 3."""
    noise = spans.span_noise(len(ids), generator, density=SHARE, mean_span=MEAN_SPAN)
    return spans.replace_spans(ids, noise, tokens)


def drop_tokens(ids: Tensor, tokens: SpecialTokens, generator: Generator) -> Corrupted:
    """T5's "drop corrupted tokens": independently chosen tokens vanish, and are the target."""
    return spans.drop_tokens(ids, spans.token_noise(len(ids), generator, density=SHARE))


def mass(ids: Tensor, tokens: SpecialTokens, generator: Generator) -> Corrupted:
    """Half of the text masked in one piece, which is the target."""
    return denoising.mass(ids, tokens, generator)


def deshuffle(ids: Tensor, generator: Generator) -> Corrupted:
    """The order restored."""
    return denoising.deshuffle(ids, generator)


def infill(ids: Tensor, tokens: SpecialTokens, generator: Generator) -> Corrupted:
    """BART's text infilling; the target is the whole text."""
    return denoising.text_infilling(ids, tokens, generator, share=INFILLED, mean_span=MEAN_SPAN)


def replaced_spans_posterior(language: FormalLanguage, text: Tensor, pair: Corrupted) -> float:
    """log P(spans | text with sentinels): where the spans are is seen, how long each is is not.

    T5 draws all ways to share the noise among the spans with equal probability, so that those are weighed by
    the language alone.
    """
    process = language.process
    gap = torch.isin(pair.input_ids, torch.tensor(SENTINELS))
    hidden = len(text) - int((~gap).sum())
    seen = log_sum_alignments(process, pair.input_ids, gap, hidden, GapWeights.at_least_one(hidden))
    return float(process.log_likelihood(process.observed(text[None]))) - seen


def dropped_tokens_posterior(language: FormalLanguage, text: Tensor, pair: Corrupted) -> float:
    """log P(dropped tokens | the others): every way to interleave both is equally likely beforehand."""
    kept, dropped = pair
    slots = torch.full((2 * len(kept) + 1,), MASK)
    slots[1::2] = kept
    gap = torch.arange(len(slots)) % 2 == 0
    weights = GapWeights.any_length(len(dropped))
    both = log_sum_alignments(language.process, slots, gap, len(dropped), weights, written=dropped)
    return both - log_sum_alignments(language.process, slots, gap, len(dropped), weights)


def fragment_posterior(language: FormalLanguage, text: Tensor, pair: Corrupted) -> float:
    """log P(fragment | the rest), the fragment's place and length being seen."""
    process, hidden = language.process, (pair.input_ids == MASK)[None]
    whole = process.log_likelihood(process.observed(text[None]))
    return float(whole - process.log_likelihood(process.observed(text[None], hidden)))


def infilled_posterior(language: FormalLanguage, text: Tensor, pair: Corrupted) -> float:
    """log P(text | text with masks), where a mask stands for any number of tokens, none included.

    The prior of the lengths is BART's as implemented: Poisson draws until the budget is full, the last one
    cut to fit, in random order.
    """
    gap = pair.input_ids == MASK
    hidden = round(INFILLED * len(text))
    weights = GapWeights.poisson_last_cut(hidden, MEAN_SPAN)
    both = log_sum_alignments(language.process, pair.input_ids, gap, hidden, weights, text=text)
    return both - log_sum_alignments(language.process, pair.input_ids, gap, hidden, weights)


def uniform_nats(language: FormalLanguage) -> float:
    """Cost of guessing an ordinary token with equal odds."""
    return math.log(len(language.tokens.ordinary()))
