"""Seeds, sentences and domains as what they are: draws from something larger.

Three questions, each with an error of its own, since each takes other things as drawn:

* *these domains* (the verdict's): other seeds, other sentences, the same domains;
* *new test domains*: a model trained on this domain and tested on domains like these, which are few, so that
  the interval is wide: seeds and test domains are crossed random effects on the table (seeds, test domains);
* *new train domains*: the mean over train domains, each one value.

The crossed analysis of variance was chosen over `statsmodels.MixedLM`: on complete tables it gives the same
estimates, it has t intervals with Satterthwaite's degrees of freedom (MixedLM's are normal, too narrow for
three domains), and nothing that can fail to converge. A bootstrap over seeds and domains was left out: of 3
domains it draws the same one three times in every ninth sample, and its intervals come out too narrow.
"""

from dataclasses import dataclass

import numpy as np

from course_utils.stats import Estimate, components, mean_estimate, pooled_estimate
from course_utils.study.design import Quantity
from course_utils.study.gaps import Array, Pair


@dataclass(frozen=True)
class View:
    """An estimate and what was taken as drawn. seed_sd, domain_sd: between them, where that can be told."""

    drawn: str  # "seeds and sentences", "seeds and test domains" or "train domains"
    estimate: Estimate
    seed_sd: float | None = None
    domain_sd: float | None = None


def views(pair: Pair, quantity: Quantity, train: str | None = None) -> list[View]:
    """Every view that the data allow: of one train domain, or of all that the pair has."""
    found = [View("seeds and sentences", pair.estimate(quantity, train))]
    chosen = [train] if train else list(pair.seeds)
    if quantity != "in_domain" and len(chosen) == 1:
        table = by_domain(pair, quantity, chosen[0])
        if min(table.shape) > 1:
            spread = components(table)
            drawn = over_domains(pair, quantity, chosen[0])
            found.append(View("seeds and test domains", drawn, spread.seeds, spread.rows))
    if len(chosen) > 1:
        means = [float(pair.by_seed(quantity, one).mean()) for one in chosen]
        found.append(View("train domains", mean_estimate(means), domain_sd=float(np.std(means, ddof=1))))
    return found


def over_domains(pair: Pair, quantity: Quantity, train: str) -> Estimate:
    """The quantity with the other domains as drawn; of a gap also with the train domain's sentences as drawn,
    which are the same whatever the other domain."""
    others = np.stack(
        [pair.values[train, domain].mean(axis=1) for domain in pair.domains if domain != train], axis=1
    )
    tables, groups = {(train, "others"): others}, {"others": None, train: pair.groups[train]}
    if quantity == "out_of_domain":
        return pooled_estimate(tables, {(train, "others"): 1.0}, groups)
    tables[train, train] = pair.values[train, train]
    return pooled_estimate(tables, {(train, "others"): -1.0, (train, train): 1.0}, groups)


def by_domain(pair: Pair, quantity: Quantity, train: str) -> Array:
    """(seeds, test domains but the train domain): the quantity as if each were the only other domain."""
    inside = pair.values[train, train].mean(axis=1) if quantity == "gap" else 0.0
    sign = -1.0 if quantity == "gap" else 1.0
    others = [domain for domain in pair.domains if domain != train]
    return np.stack([inside + sign * pair.values[train, domain].mean(axis=1) for domain in others], axis=1)
