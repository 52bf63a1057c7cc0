"""Intervals and tests for comparing models: scipy's, with what they assume written down.

Sentences come in groups (the sentences of one review), runs come in seeds. What was drawn together must be
resampled together, or an interval comes out too narrow: `groups` is for that.

=================================================  =======================================================
what                                               where
=================================================  =======================================================
interval by resampling, permutation test           `bootstrap_interval`, `paired_permutation_test`
interval of agreements between samples             `jackknife_estimate`
mean over seeds; its interval, tests, equivalence  `mean_estimate`, `Estimate`
mean over seeds and sentences at once              `crossed_estimate`, `pooled_estimate`, `components`
two accuracies                                     `mcnemar_exact`, `mcnemar_mid_p`, `unpaired_difference`,
                                                   `paired_difference` and the discordance it depends on
several tests                                      `holm`
planning                                           `planned_error`, `power_of_test`, `smallest_detectable`,
                                                   `power_of_equivalence`, `samples_paired`,
                                                   `samples_unpaired`
=================================================  =======================================================
"""

from course_utils.stats.crossed import Components, components, crossed_estimate, pooled_estimate
from course_utils.stats.estimates import Estimate, Interval, mean_estimate
from course_utils.stats.multiple import holm
from course_utils.stats.power import (
    planned_error,
    power_of_equivalence,
    power_of_test,
    samples_paired,
    samples_unpaired,
    smallest_detectable,
)
from course_utils.stats.proportions import (
    Difference,
    discordance_bounds,
    independent_discordance,
    mcnemar_exact,
    mcnemar_mid_p,
    paired_difference,
    unpaired_difference,
)
from course_utils.stats.resampling import bootstrap_interval, jackknife_estimate, paired_permutation_test

__all__ = [
    "Components",
    "Difference",
    "Estimate",
    "Interval",
    "bootstrap_interval",
    "components",
    "crossed_estimate",
    "discordance_bounds",
    "holm",
    "independent_discordance",
    "jackknife_estimate",
    "mcnemar_exact",
    "mcnemar_mid_p",
    "mean_estimate",
    "paired_difference",
    "paired_permutation_test",
    "planned_error",
    "pooled_estimate",
    "power_of_equivalence",
    "power_of_test",
    "samples_paired",
    "samples_unpaired",
    "smallest_detectable",
    "unpaired_difference",
]
