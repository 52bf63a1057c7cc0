"""Rows of the report that tell of each system alone: scores, gaps, calibration, ceilings. See `report`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from course_utils.calibration import (
    calibration_error_by_chance,
    expected_calibration_error,
    overconfidence,
    reliability_bins,
    squared_calibration_error,
)
from course_utils.metrics import best_threshold
from course_utils.stats import Estimate, pooled_estimate
from course_utils.study.ceiling import accuracy_without_noise, ceilings, gap_of_perfection
from course_utils.study.design import Design, Quantity
from course_utils.study.gaps import Array, groups, quantity_of, tables, weights
from course_utils.study.runs import Key, Run, Study

Row = dict[str, Any]
QUANTITIES: tuple[Quantity, ...] = ("in_domain", "out_of_domain", "gap")
BINS = 10


def of_estimate(found: Estimate, level: float = 0.95) -> Row:
    """The fields of an estimate."""
    interval = found.interval(level)
    return {"mean": found.value, "low": interval.low, "high": interval.high}


def domain_rows(design: Design, study: Study) -> list[Row]:
    """Each test domain: its size, base rate, and what its raters' disagreement leaves to reach."""
    known = ceilings({name: design.domains[name] for name in study.test_domains})
    rows: list[Row] = []
    for domain in study.test_domains:
        found = study.rows[domain, "test"]
        labels = found.labels[found.labeled]
        row = {
            "kind": "domain",
            "domain": domain,
            "rows": len(labels),
            "unlabeled": int((~found.labeled).sum()),
            "groups": len(np.unique(found.groups[found.labeled])),
            "positive": float((labels == 1).mean()),
            "words": float(np.median(found.words)),
            "ceiling": None,
            "ceiling_low": None,
            "ceiling_high": None,
        }
        if domain in known:
            low, high = known[domain].interval
            row |= {"ceiling": known[domain].accuracy, "ceiling_low": low, "ceiling_high": high}
        rows.append(row)
    for train in study.train_domains:
        perfect = gap_of_perfection(known, train, study.test_domains)
        if perfect is not None:
            rows.append({"kind": "ceiling gap", "train": train, "mean": perfect})
    return rows


def score_rows(design: Design, study: Study) -> list[Row]:
    """Every system on every test domain, by every metric; and its gap. Intervals over seeds and sentences, of
    a system with one seed over sentences alone."""
    rows: list[Row] = []
    of_rows = groups(study)
    for system, train in _trained(study):
        about = {"system": system, "title": design.systems[system].title, "train": train}
        seeds = study.seeds(system, train)
        for metric in design.metrics:
            found = tables(study, system, train, metric, seeds)
            for domain, table in found.items():
                key = (train, domain)
                estimate = pooled_estimate({key: table}, {key: 1.0}, of_rows)
                values = table.mean(axis=1)
                rows.append(
                    {"kind": "score", **about, "domain": domain, "metric": metric, **of_estimate(estimate)}
                    | {"values": values.tolist(), "seeds": len(seeds)}
                )
            for quantity in QUANTITIES[1:]:
                estimate = quantity_of(found, train, quantity, of_rows)
                about_it = {"metric": metric, "quantity": quantity, "seeds": len(seeds)}
                rows.append({"kind": "quantity", **about, **about_it, **of_estimate(estimate)})
        rows += [_threshold_row(study, about, domain, seeds) for domain in study.test_domains]
    return rows


def _threshold_row(study: Study, about: Row, domain: str, seeds: Sequence[int]) -> Row:
    """What hangs on the threshold: how often "positive" is said and true, and what the best threshold gives.

    The best threshold is an oracle, fitted on the test rows: an upper bound for any threshold.
    """
    rows = study.rows[domain, "test"]
    labels = rows.labels[rows.labeled]
    said, best, plain = [], [], []
    for seed in seeds:
        scores = study.runs[Key(about["system"], about["train"], seed)].scores[domain, "test"][rows.labeled]
        said.append(float((scores > 0).mean()))
        plain.append(float(((scores > 0) == (labels == 1)).mean()))
        best.append(best_threshold(labels, scores)[1])
    return {
        "kind": "threshold",
        **about,
        "domain": domain,
        "said_positive": float(np.mean(said)),
        "positive": float((labels == 1).mean()),
        "accuracy": float(np.mean(plain)),
        "oracle_accuracy": float(np.mean(best)),
    }


def noise_rows(study: Study, domains: Sequence[Row], scores: Sequence[Row]) -> list[Row]:
    """Accuracy against the labels that all raters of the kind would give, where the ceiling is known."""
    known = {row["domain"]: row["ceiling"] for row in domains if row["kind"] == "domain"}
    inside: dict[tuple[str, str], dict[str, float]] = {}
    for row in scores:
        if row["kind"] == "score" and row["metric"] == "accuracy" and known[row["domain"]] is not None:
            corrected = accuracy_without_noise(row["mean"], known[row["domain"]])
            inside.setdefault((row["system"], row["train"]), {})[row["domain"]] = corrected
    return [
        {
            "kind": "without noise",
            "system": system,
            "train": train,
            **{f"accuracy_{domain}": value for domain, value in found.items()},
            "gap": sum(w * found[d] for d, w in weights("gap", train, study.test_domains).items()),
        }
        for (system, train), found in inside.items()
        if set(found) == set(study.test_domains)
    ]


def calibration_rows(study: Study, rng: np.random.Generator) -> list[Row]:
    """Calibration of each system with probabilities, in and out of domain: means over seeds.

    `error` is biased upward by `by_chance`, what a calibrated model with the same confidences would show
    (drawn from the confidences of the first seed alone); `squared` has no such bias. Reliability bins are
    those of all seeds together.
    """
    rows: list[Row] = []
    for system, train in _trained(study):
        runs = [study.runs[Key(system, train, seed)] for seed in study.seeds(system, train)]
        if runs[0].about["kind"] != "log_odds":
            continue
        for domain in study.test_domains:
            about = {"system": system, "train": train, "domain": domain}
            confident = [_confidence(run, domain) for run in runs]
            rows.append({"kind": "calibration", **about, **_calibration(confident, rng)})
            rows += [{"kind": "reliability", **about, **found} for found in _bins(confident)]
    return rows


def _confidence(run: Run, domain: str) -> tuple[Array, Array]:
    """The probability of the predicted class, and whether it is right; labeled rows."""
    rows = run.rows[domain, "test"]
    positive = run.positive(domain)[rows.labeled]
    right = (positive > 0.5) == (rows.labels[rows.labeled] == 1)
    return np.maximum(positive, 1 - positive), right.astype(np.float64)


def _calibration(confident: Sequence[tuple[Array, Array]], rng: np.random.Generator) -> Row:
    """Means over seeds, but for `by_chance`, which is drawn from the first seed's confidences alone."""
    means: Mapping[str, float] = {
        "error": float(np.mean([expected_calibration_error(p, right, BINS) for p, right in confident])),
        "squared": float(np.mean([squared_calibration_error(p, right, BINS) for p, right in confident])),
        "overconfidence": float(np.mean([overconfidence(p, right) for p, right in confident])),
    }
    by_chance = calibration_error_by_chance(confident[0][0], rng=rng, bins=BINS, draws=100)
    return {**means, "by_chance": float(by_chance.mean()), "seeds": len(confident)}


def _bins(confident: Sequence[tuple[Array, Array]]) -> Iterator[Row]:
    confidence = np.concatenate([of_seed for of_seed, _ in confident])
    right = np.concatenate([of_seed for _, of_seed in confident])
    for one in reliability_bins(confidence, right, BINS):
        if one.count:
            share = one.count / len(confidence)
            yield {"low": one.low, "confidence": one.confidence, "accuracy": one.accuracy, "share": share}


def _trained(study: Study) -> list[tuple[str, str]]:
    return [(s, t) for s in study.systems for t in study.train_domains if study.seeds(s, t)]
