"""What raters' disagreement leaves to reach in each domain, and what of a gap is the domains' own.

Labels are the sign of a mean over raters. Where raters disagree even a perfect model is marked wrong now and
then (`data.noise_ceiling`), and in one domain more often than in another: that much of a gap no model can
close. The ceilings of the rated sets are estimated from all their rows with a label, not from the test rows
alone, so that they hold for a larger sample of the same kind.
"""

from collections.abc import Mapping, Sequence

from course_utils.data import NoiseCeiling, noise_ceiling, raters
from course_utils.data.rated_reviews import DOMAINS
from course_utils.study.design import Domain
from course_utils.study.gaps import weights


def ceilings(domains: Mapping[str, Domain]) -> dict[str, NoiseCeiling]:
    """The ceiling of every domain of a design whose raters' scores the course has; {} where it has none."""
    return {
        name: noise_ceiling(raters(domain.name).scores, margin=domain.margin or 0.0)
        for name, domain in domains.items()
        if domain.source == "course" and domain.name in DOMAINS
    }


def gap_of_perfection(found: Mapping[str, NoiseCeiling], train: str, domains: Sequence[str]) -> float | None:
    """The gap in accuracy of a model that is right wherever the raters allow; None unless all are known."""
    counted = weights("gap", train, domains)
    if not set(counted) <= set(found):
        return None
    return sum(weight * found[domain].accuracy for domain, weight in counted.items())


def accuracy_without_noise(accuracy: float, ceiling: float) -> float:
    """Accuracy on the labels that all raters of the kind would give, if a model's errors and the labels' are
    independent: the observed one is right where both are right or both are wrong.

    >>> round(accuracy_without_noise(0.86, 0.95), 3)
    0.9
    """
    if not 0.5 < ceiling <= 1:
        raise ValueError(f"a ceiling lies above 0.5 and at most at 1, got {ceiling}")
    return (accuracy - (1 - ceiling)) / (2 * ceiling - 1)
