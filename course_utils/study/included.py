"""Which runs and domains count, by the exclusion rules that the design stated before the runs."""

from dataclasses import replace

import numpy as np

from course_utils.metrics import balanced_accuracy
from course_utils.study.design import Design
from course_utils.study.runs import Run, RunError, Study, gather


def included(design: Design, study: Study) -> tuple[Study, list[str]]:
    """The study without what its design excludes, and a sentence for each thing left out.

    A seed on which a fine-tuned system has not learnt goes for all systems that have other seeds on that
    domain, so that pairs stay pairs; what has one run and learns alike each time stays. Raises RunError if
    nothing to compare is left.
    """
    failed: dict[tuple[str, int], list[str]] = {}
    for key, run in study.runs.items():
        tuned = design.systems[key.system].method == "fine-tune"
        if tuned and (reached := _validated(run)) < design.exclusions.least_validation_accuracy:
            why = f"{key.name}: balanced accuracy {reached:.3f} on validation rows"
            failed.setdefault(key[1:], []).append(why)
    several = {key[:2] for key in study.runs if len(study.seeds(key.system, key.train)) > 1}
    kept = [run for key, run in study.runs.items() if key[1:] not in failed or key[:2] not in several]
    few = [domain for domain in study.test_domains if _rarest(study, domain) < _least(design)]
    said = [f"seed {seed} on {train} is left out ({'; '.join(why)})" for (train, seed), why in failed.items()]
    said += [f"{domain} is not tested on: fewer than {_least(design)} rows of a class" for domain in few]
    trained = {run.key.train for run in kept}
    if not kept or trained & set(few):
        raise RunError(f"nothing is left to compare in '{study.name}': {'; '.join(said)}")
    return gather(study.name, (_without(run, few) for run in kept)), said


def _least(design: Design) -> int:
    return design.exclusions.least_rows_of_class


def _validated(run: Run) -> float:
    """Balanced accuracy on the validation rows of the train domain."""
    part = (run.key.train, "validation")
    rows, scores = run.rows[part], run.scores[part]
    return balanced_accuracy(rows.labels[rows.labeled], (scores[rows.labeled] > 0).astype(np.int8))


def _rarest(study: Study, domain: str) -> int:
    """How many rows the rarer class has."""
    labels = study.rows[domain, "test"].labels
    return int(min((labels == 0).sum(), (labels == 1).sum()))


def _without(run: Run, domains: list[str]) -> Run:
    return replace(
        run,
        rows={part: found for part, found in run.rows.items() if part[0] not in domains},
        scores={part: found for part, found in run.scores.items() if part[0] not in domains},
    )
