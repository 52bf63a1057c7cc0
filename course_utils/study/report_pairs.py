"""Rows of the report that compare two systems, and the verdicts on the design's hypotheses. See `report`."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from course_utils.stats import (
    Estimate,
    components,
    holm,
    mcnemar_exact,
    power_of_test,
    smallest_detectable,
)
from course_utils.study.design import Design, Hypothesis, Metric
from course_utils.study.gaps import Pair, of_hypothesis, pair, tables
from course_utils.study.hierarchy import views
from course_utils.study.report_scores import QUANTITIES, of_estimate
from course_utils.study.robustness import FEWEST, effective_robustness, fit_line
from course_utils.study.runs import Study
from course_utils.study.verdicts import answer, effect, verdict

Row = dict[str, Any]


def compared(design: Design, study: Study) -> list[tuple[str, str]]:
    """The pairs that hypotheses name, first the one of the first hypothesis, then all other pairs of
    fine-tuned systems."""
    tuned = [name for name in study.systems if design.systems[name].method == "fine-tune"]
    named = [(one.first, one.second) for one in design.hypotheses]
    seen = {frozenset(one) for one in named}
    return list(dict.fromkeys(named)) + [one for one in combinations(tuned, 2) if frozenset(one) not in seen]


def baselines(design: Design, study: Study) -> list[str]:
    """Systems that the line is fitted through: they learn from the train domain and are not compared."""
    return [name for name in study.systems if design.systems[name].method in ("probe", "tfidf")]


def difference_rows(design: Design, study: Study) -> list[Row]:
    """Each pair, train domain and metric: on each test domain, and the three quantities.

    p is two-sided against no difference, p_holm corrected over all rows of the metric; p_equivalent tests
    that the difference lies within the smallest effect of interest of the design's first hypothesis.
    """
    rows: list[Row] = []
    for metric in design.metrics:
        mine = [
            row
            for first, second in compared(design, study)
            for row in _pair_rows(design, pair(study, first, second, metric), first, second)
        ]
        for row, corrected in zip(mine, holm([row["p"] for row in mine]), strict=True):
            rows.append(row | {"p_holm": corrected})
    return rows


def _pair_rows(design: Design, found: Pair, first: str, second: str) -> list[Row]:
    rows = []
    for train in found.seeds:
        about = {"kind": "difference", "first": first, "second": second, "train": train}
        about |= {"metric": found.metric}
        of_domain = {("domain", domain): found.on(train, domain) for domain in found.domains}
        of_quantity = {(name, None): found.estimate(name, train) for name in QUANTITIES}
        for (quantity, domain), estimate in (of_domain | of_quantity).items():
            row = about | {"quantity": quantity, "domain": domain, "seeds": len(found.seeds[train])}
            rows.append(row | _tested(estimate, design))
    return rows


def _tested(estimate: Estimate, design: Design) -> Row:
    smallest = design.hypotheses[0].smallest_effect
    return {
        **of_estimate(estimate),
        "df": estimate.df,
        "p": estimate.p_value(),
        "p_equivalent": estimate.p_equivalence(smallest),
    }


def component_rows(design: Design, study: Study) -> list[Row]:
    """Of the first pair's differences on each test domain: what varies with the seed, with the sentence, with
    both. What another study is planned with."""
    first, second = compared(design, study)[0]
    found = pair(study, first, second, design.primary)
    rows = []
    for (train, domain), table in found.values.items():
        if len(table) > 1:
            sd = components(table)
            about = {"kind": "components", "train": train, "domain": domain, "metric": design.primary}
            rows.append(about | {"seed_sd": sd.seeds, "row_sd": sd.rows, "rest_sd": sd.rest})
    return rows


def mcnemar_rows(design: Design, study: Study) -> list[Row]:
    """McNemar's exact test of the first pair for every run and test domain, on the same rows, corrected over
    all of them. Sentences of one review are not independent: where there are groups the test is too sure."""
    first, second = compared(design, study)[0]
    rows: list[Row] = []
    for train, seeds in pair(study, first, second, "accuracy").seeds.items():
        right = [tables(study, name, train, "accuracy", seeds) for name in (first, second)]
        for domain in study.test_domains:
            for number, seed in enumerate(seeds):
                a, b = (of_system[domain][number] > 0.5 for of_system in right)
                about = {"kind": "mcnemar", "train": train, "domain": domain, "seed": seed}
                counts = {"only_first": int((a & ~b).sum()), "only_second": int((~a & b).sum())}
                rows.append(about | counts | {"p": mcnemar_exact(a, b)})
    corrected = holm([row["p"] for row in rows])
    return [row | {"p_holm": p} for row, p in zip(rows, corrected, strict=True)]


def robustness_rows(design: Design, study: Study) -> list[Row]:
    """Effective robustness of each pair, and the lines that it is measured from."""
    through = baselines(design, study)
    rows: list[Row] = []
    if len(through) < FEWEST:
        return rows
    for metric in design.metrics:
        for train in study.train_domains:
            for first, second in compared(design, study):
                found = effective_robustness(study, first, second, through, train, metric)
                about = {"kind": "robustness", "first": first, "second": second, "train": train}
                rows.append(about | {"metric": metric, **of_estimate(found), "p": found.p_value()})
            rows += _line_rows(study, through, train, metric)
    return rows


def _line_rows(study: Study, through: Sequence[str], train: str, metric: Metric) -> list[Row]:
    means = {
        name: {
            domain: float(table.mean())
            for domain, table in tables(study, name, train, metric, study.seeds(name, train)).items()
        }
        for name in through
    }
    rows = []
    for domain in study.test_domains:
        if domain != train:
            line = fit_line(
                [means[name][train] for name in through], [means[name][domain] for name in through]
            )
            about = {"kind": "line", "train": train, "domain": domain, "metric": metric}
            rows.append(about | {"slope": line.slope, "intercept": line.intercept})
    return rows


def hypothesis_rows(design: Design, study: Study) -> list[Row]:
    """Each hypothesis: effect, interval, tests, effective robustness, verdict; then its wider views."""
    pairs = [of_hypothesis(study, one) for one in design.hypotheses]
    estimates = [found.estimate(one.quantity) for one, found in zip(design.hypotheses, pairs, strict=True)]
    signed = [effect(one, found) for one, found in zip(design.hypotheses, estimates, strict=True)]
    p = holm([found.p_value() for found in estimates])
    p_large = holm(
        [found.p_at_least(one.smallest_effect) for one, found in zip(design.hypotheses, signed, strict=True)]
    )
    rows: list[Row] = []
    for number, (one, found) in enumerate(zip(design.hypotheses, pairs, strict=True)):
        given = answer(signed[number], p[number], p_large[number], one.smallest_effect, design.alpha)
        line = _robustness(design, study, one, found)
        wide = views(found, one.quantity, next(iter(found.seeds)) if len(found.seeds) == 1 else None)
        wider = [effect(one, view.estimate) for view in wide[1:]]
        row = _hypothesis_row(one, estimates[number], design)
        row |= {"p_holm": p[number], "p_large_holm": p_large[number], "answer": given}
        row |= {"seeds": sum(map(len, found.seeds.values()))}
        row |= {f"robustness_{name}": value for name, value in (of_estimate(line) if line else {}).items()}
        rows.append(row | {"verdict": verdict(one, given, line, wider)})
        rows += [
            {"kind": "view", "id": one.id, "drawn": view.drawn, **of_estimate(view.estimate)}
            | {"seed_sd": view.seed_sd, "domain_sd": view.domain_sd}
            for view in wide
        ]
    return rows


def _hypothesis_row(one: Hypothesis, found: Estimate, design: Design) -> Row:
    return {
        "kind": "hypothesis",
        "id": one.id,
        "statement": one.statement,
        "first": one.first,
        "second": one.second,
        "quantity": one.quantity,
        "metric": one.metric,
        "direction": one.direction,
        "smallest_effect": one.smallest_effect,
        **of_estimate(found),
        "p": found.p_value(),
        "p_equivalent": found.p_equivalence(one.smallest_effect),
        "detectable": smallest_detectable(found.error, found.df, design.alpha, design.power.wanted),
        "power": power_of_test(one.smallest_effect, found.error, found.df, design.alpha),
    }


def _robustness(design: Design, study: Study, one: Hypothesis, found: Pair) -> Estimate | None:
    """Of a hypothesis about a gap: the mean over its train domains; None without enough baselines.

    Over several train domains the errors are added as if all sentences were others: they share some of them
    with opposite signs, which makes this error too large, not too small.
    """
    through = baselines(design, study)
    if one.quantity != "gap" or len(through) < FEWEST:
        return None
    each = [effective_robustness(study, one.first, one.second, through, t, one.metric) for t in found.seeds]
    error = float(np.sqrt(sum(e.error**2 for e in each))) / len(each)
    spent = sum((e.error / len(each)) ** 4 / e.df for e in each)
    return Estimate(float(np.mean([e.value for e in each])), error, error**4 / spent if spent else 1.0)
