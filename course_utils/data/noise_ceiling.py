"""How accurate could any model be, when the labels come from raters who disagree?

The label of a sentence is the sign of its raters' mean score m. Other raters of the same kind would
have given another mean. Let mu be the mean of *all* such raters: its sign is the true label, and a
perfect model knows it from the text. On labels made from a few raters even that model is marked wrong
wherever m and mu differ in sign, so the best reachable accuracy is P(sign m = sign mu).

Two figures are computed from the scores alone:

* ``accuracy`` estimates that probability by empirical Bayes. Assumed: a sentence's raters are
  independent draws from a normal distribution with its own mean and its own spread. How means and
  spreads are distributed over sentences is not assumed but estimated: nonparametric maximum likelihood
  on a grid (Kiefer & Wolfowitz 1956), by EM (Laird 1978). A common spread would not do: neutral
  sentences have both small means and small spreads. Resampling the raters with replacement, the obvious
  method, would be biased: it takes the observed means, which are spread by the very noise in question,
  for the truth, and where all raters flip coins it says .75 instead of .5.
* ``replication`` assumes exchangeable raters only: how often two random halves of the raters agree.
  With p the accuracy of a half-sized panel on a sentence, two such panels agree with probability
  p^2 + (1-p)^2 <= p, and more raters only help: a lower bound for the best reachable accuracy (of the
  rows without a margin). ``predicted`` is what the model behind ``accuracy`` expects it to be; where
  the two are far apart, do not trust ``accuracy``.

On simulated raters whose truth is known (normal, skewed, two-peaked; fixed and varying spread; 20
whole-number scores) ``accuracy`` is within .02 of the truth; only where there is next to nothing to
agree on is it too high (coins: .6 for .5). The interval covers the choice of sentences alone. Raters
who scored many sentences make rows dependent, which widens the true uncertainty, and an error that all
raters share is invisible to any such figure.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

# Every pair of a true mean and a spread between raters. The means are even in number: zero, which
# has no sign, is not among them.
MEANS, SPREADS = (
    axis.ravel() for axis in np.meshgrid(np.linspace(-4.0, 4.0, 100), np.geomspace(0.25, 3.0, 8))
)
STEPS = 200  # of EM


@dataclass(frozen=True)
class NoiseCeiling:
    """What raters' disagreement allows. Shares between 0 and 1, see this module's text.

    rows: how many rows have a label (and a large enough mean). interval: 95%, over sentences.
    """

    accuracy: float
    interval: tuple[float, float]
    replication: float
    predicted: float
    rows: int


def noise_ceiling(scores: Array, *, margin: float = 0.0, halves: int = 20, seed: int = 0) -> NoiseCeiling:
    """Estimate the best reachable accuracy on labels that are the sign of the raters' mean.

    scores: (rows, raters) floats, NaN where a row has fewer raters; at least two in every row.
    margin: count only rows whose mean is at least this far from 0, as ``load(margin=...)`` keeps them.
    halves: how many random halvings ``replication`` averages. seed: which ones.
    Raises ValueError when a row has fewer than two raters or when no row is left.
    """
    count = np.sum(~np.isnan(scores), axis=-1)
    if scores.ndim != 2 or np.any(count < 2):
        raise ValueError("every row needs the scores of at least two raters")
    mean = np.nanmean(scores, axis=1)
    kept = (mean != 0) & (np.abs(mean) >= margin)
    if not kept.any():
        raise ValueError(f"no row has a mean that is {margin} or more away from 0: take a smaller margin")
    posterior = _posterior(mean, np.nanvar(scores, axis=1), count)
    right = np.sum(posterior, axis=1, where=np.sign(MEANS) == np.sign(mean)[:, None])[kept]
    accuracy, spread = float(right.mean()), 1.96 * float(right.std() / np.sqrt(len(right)))
    return NoiseCeiling(
        accuracy=accuracy,
        interval=(accuracy - spread, min(1.0, accuracy + spread)),
        replication=replication(scores, halves=halves, seed=seed),
        predicted=_predicted(posterior, count // 2),
        rows=int(kept.sum()),
    )


def replication(scores: Array, *, halves: int = 20, seed: int = 0) -> float:
    """How often the means of two random halves of each row's raters have the same sign.

    A mean of exactly zero agrees with either sign half of the time. With an odd number of raters the
    halves leave one out.
    """
    rng = np.random.default_rng(seed)
    return float(np.mean([_halves_agree(scores, rng) for _ in range(halves)]))


def rater_accuracy(scores: Array) -> float:
    """How often a single rater's sign is that of the mean of all the others: the human baseline.

    A score or a mean of exactly zero counts as half right, as a guess would be.

    >>> round(rater_accuracy(np.array([[2.0, 1.0, 3.0], [1.0, -1.0, -2.0]])), 3)
    0.75
    """
    total, count = np.nansum(scores, axis=1, keepdims=True), np.sum(~np.isnan(scores), axis=1, keepdims=True)
    others = (total - scores) / (count - 1)
    return float(np.nanmean(0.5 + 0.5 * np.sign(scores) * np.sign(others)))


def _posterior(mean: Array, variance: Array, count: NDArray[np.int64]) -> Array:
    """(rows, grid): the probability of each true mean and spread, given a row's scores.

    The likelihood of n normal scores needs only their mean and their variance.
    """
    squares = variance[:, None] + (mean[:, None] - MEANS) ** 2
    log_likelihood = -count[:, None] * (np.log(SPREADS) + squares / (2 * SPREADS**2))
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    weights = np.full(len(MEANS), 1 / len(MEANS))
    for _ in range(STEPS):
        weights = weights * ((1 / (likelihood @ weights)) @ likelihood) / len(mean)
    joint = likelihood * weights
    return joint / joint.sum(axis=1, keepdims=True)


def _predicted(posterior: Array, half: NDArray[np.int64]) -> float:
    """The agreement of two half-sized panels that the fitted model expects."""
    agreement = np.empty_like(posterior)
    for size in np.unique(half):
        positive = ndtr(MEANS * np.sqrt(size) / SPREADS)
        agreement[half == size] = positive**2 + (1 - positive) ** 2
    return float(np.mean(np.sum(posterior * agreement, axis=1)))


def _halves_agree(scores: Array, rng: np.random.Generator) -> float:
    keys = np.where(np.isnan(scores), np.inf, rng.random(scores.shape))
    shuffled = np.take_along_axis(scores, np.argsort(keys, axis=1), axis=1)
    half = np.sum(~np.isnan(scores), axis=1, keepdims=True) // 2
    place = np.arange(scores.shape[1])
    first = np.where(place < half, shuffled, 0.0).sum(axis=1)
    second = np.where((place >= half) & (place < 2 * half), shuffled, 0.0).sum(axis=1)
    return float(np.mean(0.5 + 0.5 * np.sign(first) * np.sign(second)))
