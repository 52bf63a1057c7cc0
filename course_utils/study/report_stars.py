"""Rows of the report on domains with one to five stars, and on mixed sentiment. See `report`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.stats import Estimate, crossed_estimate, holm
from course_utils.study.design import Design
from course_utils.study.gaps import Array, row_values
from course_utils.study.mixed import closeness_to_middle, mixed
from course_utils.study.ordinal import (
    CLASSES,
    Rule,
    Stars,
    fitted_rule,
    fixed_rule,
    is_stars,
    isotonic_rule,
    scores,
)
from course_utils.study.report_scores import of_estimate
from course_utils.study.runs import Key, Run, Study

Row = dict[str, Any]
RULES = ("fixed", "fitted", "fitted absolute", "isotonic")
MEASURES = ("accuracy", "mean_absolute_error")


def star_rows(study: Study) -> list[Row]:
    """Every system with probabilities on every domain with stars, by every way to make five classes of two;
    means over seeds. The baselines say one class for all."""
    rows: list[Row] = []
    for domain in _with_stars(study):
        true = _stars(study, domain, "test")
        for system, train in _probable(study):
            for rule in RULES:
                found = [scores(true, said) for said in predictions(study, system, train, domain, rule)]
                mean = {
                    name: float(np.mean([getattr(one, name) for one in found]))
                    for name in asdict(found[0])
                    if name != "recall"
                }
                recall = np.array([one.recall for one in found], dtype=np.float64).mean(axis=0).tolist()
                about = {"kind": "stars", "domain": domain, "system": system, "train": train, "rule": rule}
                rows.append(about | mean | {"recall": recall, "seeds": len(found)})
        rows += [_constant_row(true, domain, stars) for stars in dict.fromkeys((3, _frequent(study, domain)))]
    return rows


def _constant_row(true: Stars, domain: str, stars: int) -> Row:
    found = asdict(scores(true, np.full(len(true), stars)))
    about = {"kind": "stars", "domain": domain, "system": f"{stars} stars for all", "train": None}
    return about | {"rule": None, **found, "recall": list(found["recall"]), "seeds": 0}


def predictions(study: Study, system: str, train: str, domain: str, rule: str) -> list[Stars]:
    """Predicted stars of the test rows, one array a seed; what is fitted is fitted on validation rows."""
    found = []
    for seed in study.seeds(system, train):
        run = study.runs[Key(system, train, seed)]
        made = _rule(rule, run.positive(domain, "validation"), _stars(study, domain, "validation"))
        found.append(made(run.positive(domain)))
    return found


def _rule(name: str, positive: Array, stars: Stars) -> Rule:
    if name == "fixed":
        return fixed_rule()
    if name == "isotonic":
        return isotonic_rule(positive, stars)
    return fitted_rule(positive, stars, "accuracy" if name == "fitted" else "absolute")


def star_differences(study: Study, first: str, second: str) -> list[Row]:
    """First minus second in five-class accuracy, mean absolute error, and recall of the middle and of the
    outer classes, paired by seed and row; p corrected over all of them."""
    rows: list[Row] = []
    for domain in _with_stars(study):
        for train in study.train_domains:
            for rule in RULES:
                rows += [
                    {"kind": "stars difference", "domain": domain, "train": train, "rule": rule}
                    | {"measure": measure, **of_estimate(found), "p": found.p_value()}
                    for measure, found in star_estimates(study, first, second, train, domain, rule).items()
                ]
    corrected = holm([row["p"] for row in rows]) if rows else []
    return [row | {"p_holm": p} for row, p in zip(rows, corrected, strict=True)]


def star_estimates(
    study: Study, first: str, second: str, train: str, domain: str, rule: str
) -> dict[str, Estimate]:
    """The differences by measure."""
    true = _stars(study, domain, "test")
    a, b = (_both(study, name, (first, second), train, domain, rule) for name in (first, second))
    right = (a == true).astype(np.float64) - (b == true)
    middle = np.isin(true, (2, 3, 4))
    return {
        "accuracy": crossed_estimate([right]),
        "mean_absolute_error": crossed_estimate([np.abs(a - true) - np.abs(b - true).astype(np.float64)]),
        "recall of 2 to 4": crossed_estimate([right[:, middle]]),
        "recall of 1 and 5": crossed_estimate([right[:, ~middle]]),
    }


def middle_is_hard(study: Study, system: str, train: str, domain: str, rule: str) -> Estimate:
    """Recall of the outer classes minus that of the middle ones, each class alike; over seeds and rows."""
    true = _stars(study, domain, "test")
    right = np.stack([said == true for said in predictions(study, system, train, domain, rule)])
    weight = {stars: (0.5 if stars in (1, 5) else -1 / 3) for stars in range(1, CLASSES + 1)}
    return crossed_estimate(
        [right[:, true == stars].astype(np.float64) for stars in weight], list(weight.values())
    )


def mixed_rows(design: Design, study: Study, first: str, second: str) -> list[Row]:
    """Mixed rows (see `mixed`): how many, how well each of two systems tells them by being undecided (AUC),
    and their difference, paired by seed and row."""
    rows: list[Row] = []
    for domain in study.test_domains:
        which = _mixed(study, design, domain)
        if which is None:
            continue
        for train in study.train_domains:
            found = {
                name: crossed_estimate(
                    [_undecided(study, name, (first, second), train, domain, which)],
                    groups=[study.rows[domain, "test"].groups],
                )
                for name in (first, second)
            }
            found["difference"] = undecided_difference(study, design, first, second, train, domain)
            about = {"kind": "mixed", "domain": domain, "train": train, "share": float(which.mean())}
            for name, one in found.items():
                p = one.p_value(0.0 if name == "difference" else 0.5)
                rows.append(about | {"system": name, **of_estimate(one), "p": p})
    return rows


def undecided_difference(
    study: Study, design: Design, first: str, second: str, train: str, domain: str
) -> Estimate:
    """How much better the first tells mixed rows by being undecided, in AUC. ValueError where none are
    known."""
    which = _mixed(study, design, domain)
    if which is None:
        raise ValueError(f"neither raters nor stars say which rows of {domain} are mixed")
    a, b = (_undecided(study, name, (first, second), train, domain, which) for name in (first, second))
    return crossed_estimate([a - b], groups=[study.rows[domain, "test"].groups])


def _mixed(study: Study, design: Design, domain: str) -> NDArray[np.bool_] | None:
    """Which test rows are mixed; None where nobody says, or where they are all alike."""
    which = mixed(design.domains[domain], study.rows[domain, "test"])
    return which if which is not None and which.any() and not which.all() else None


def _undecided(
    study: Study, name: str, both: Sequence[str], train: str, domain: str, which: NDArray[np.bool_]
) -> Array:
    """(seeds, rows) values whose mean is the AUC of being undecided for being mixed."""
    found = [
        row_values("auc", which, closeness_to_middle(run.positive(domain)))
        for run in _runs(study, name, both, train)
    ]
    return np.stack(found)


def _both(study: Study, name: str, both: Sequence[str], train: str, domain: str, rule: str) -> Stars:
    """(seeds, rows) stars on the seeds that both systems have."""
    seeds = study.seeds(name, train)
    found = predictions(study, name, train, domain, rule)
    shared = {run.key.seed for run in _runs(study, name, both, train)}
    return np.stack([said for seed, said in zip(seeds, found, strict=True) if seed in shared])


def _runs(study: Study, name: str, both: Sequence[str], train: str) -> list[Run]:
    shared = set.intersection(*(set(study.seeds(one, train)) for one in both))
    return [study.runs[Key(name, train, seed)] for seed in sorted(shared)]


def _stars(study: Study, domain: str, part: str) -> Stars:
    return study.rows[domain, part].ratings.astype(np.int64)


def _frequent(study: Study, domain: str) -> int:
    """The most frequent stars of the validation rows; of equals the fewest."""
    return int(np.bincount(_stars(study, domain, "validation")).argmax())


def _with_stars(study: Study) -> list[str]:
    return [
        domain
        for domain in study.test_domains
        if is_stars(study.rows[domain, "test"].ratings) and is_stars(study.rows[domain, "validation"].ratings)
    ]


def _probable(study: Study) -> list[tuple[str, str]]:
    """Systems with probabilities, by train domain."""
    return list(dict.fromkeys(key[:2] for key, run in study.runs.items() if run.about["kind"] == "log_odds"))
