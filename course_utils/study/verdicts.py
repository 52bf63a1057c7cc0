"""Verdicts of the study, by rules written before any run; nothing is left to judgment.

A hypothesis of a design says that a quantity of the first system is greater (or less) than the second's. With
its effect, signed so that the statement says it is above 0, and its smallest effect of interest:

  supported     the effect is at least the smallest one, and its p-value against none, corrected over the
                design's hypotheses (Holm), is at most alpha
  ruled out     an effect as large as the smallest one is rejected (one-sided, corrected likewise)
  open          neither

"Generalizes worse" is a gap, and a gap alone misleads: a weaker model has less to lose. So a hypothesis about
a gap needs effective robustness too, first minus second, its 95% interval:

  does not hold    ruled out, and the first is not surely below the second in effective robustness
  holds            supported, and the first surely is below the second in effective robustness, and every
                   wider view (new test domains, new train domains) excludes an effect of 0 or less
  holds here only  as holds, but for the wider views; or without a line for want of baselines
  cannot tell      everything else, a gap and a robustness that contradict each other among it

Hypotheses about other quantities need no line.
"""

from collections.abc import Sequence
from typing import Literal

from course_utils.stats import Estimate
from course_utils.study.design import Hypothesis

Answer = Literal["supported", "ruled out", "open"]


def effect(hypothesis: Hypothesis, estimate: Estimate) -> Estimate:
    """The estimate, signed so that the statement says it is above 0."""
    sign = 1.0 if hypothesis.direction == "greater" else -1.0
    return Estimate(sign * estimate.value, estimate.error, estimate.df)


def answer(signed: Estimate, p: float, p_large: float, smallest: float, alpha: float) -> Answer:
    """p: against no effect; p_large: against the smallest effect of interest or more; both corrected.

    >>> answer(Estimate(0.03, 0.005, 9), p=0.001, p_large=0.9, smallest=0.02, alpha=0.05)
    'supported'
    """
    if signed.value >= smallest and p <= alpha:
        return "supported"
    return "ruled out" if p_large <= alpha else "open"


def verdict(
    hypothesis: Hypothesis, found: Answer, robustness: Estimate | None, wider: Sequence[Estimate]
) -> str:
    """By the rule in the module's text. robustness: first minus second, None for want of a line. wider: the
    signed effects when domains count as drawn."""
    if found == "open":
        return "cannot tell"
    about_gap = hypothesis.quantity == "gap"
    below = False
    if robustness is not None:
        # A larger gap and lower robustness say the same: the sign turns.
        turned = Estimate(-robustness.value, robustness.error, robustness.df)
        below = effect(hypothesis, turned).interval().low > 0
    if found == "ruled out":
        return "cannot tell" if about_gap and below else "does not hold"
    if about_gap and robustness is None:
        return "holds here only"
    if about_gap and not below:
        return "cannot tell"
    everywhere = wider and all(view.interval().low > 0 for view in wider)
    return "holds" if everywhere else "holds here only"


def of_ordering(ahead: Sequence[Estimate], p_values: Sequence[float], alpha: float) -> str:
    """A claim that each of several differences is above 0. p_values: two-sided, corrected over them.

    holds here only: each is surely above 0. does not hold: one is surely below. Else cannot tell.
    """
    sure = [p <= alpha for p in p_values]
    if any(is_sure and found.value < 0 for found, is_sure in zip(ahead, sure, strict=True)):
        return "does not hold"
    above = all(is_sure and found.value > 0 for found, is_sure in zip(ahead, sure, strict=True))
    return "holds here only" if above else "cannot tell"
