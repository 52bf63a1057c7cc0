"""Verdicts on the source's four claims, from the design that repeats its question with our models.

Only the design `reviews` judges: game reviews against films, restaurants and products, as in the source. The
student and the teacher are the first and the second system of its first hypothesis. Rules, written before the
runs; every list of differences is corrected over itself (Holm), alpha is the design's:

  study-hypothesis    the verdict of the design's first hypothesis (`verdicts`)
  study-binary        in accuracy the student is ahead on games, films and SST-2 (`verdicts.of_ordering`)
  study-yelp          the teacher is ahead on restaurants with two classes and, at cut points fixed in
                      advance, with five (likewise)
  study-hard-classes  with fitted cut points the outer classes are recalled more often than the middle ones,
                      and the teacher tells three stars from the others by being undecided better (likewise)
"""

from collections.abc import Sequence
from typing import Any

from course_utils import results
from course_utils.stats import Estimate, holm
from course_utils.study.design import Design
from course_utils.study.gaps import pair
from course_utils.study.report_pairs import compared
from course_utils.study.report_stars import middle_is_hard, star_estimates, undecided_difference
from course_utils.study.runs import Study
from course_utils.study.verdicts import of_ordering

JUDGE = "reviews"
BINARY = ("steam", "imdb", "sst2")
STARS = "yelp"
REANALYSIS = "study_reanalysis"

Row = dict[str, Any]


def claims(design: Design, study: Study, rows: Sequence[Row]) -> dict[str, Row]:
    """The four verdicts, in the form of a results file."""
    return {
        "study-hypothesis": hypothesis(rows),
        "study-binary": binary(design, study),
        "study-yelp": yelp(design, study),
        "study-hard-classes": hard_classes(design, study),
    }


def hypothesis(rows: Sequence[Row]) -> Row:
    """The first hypothesis of the design."""
    row = next(row for row in rows if row["kind"] == "hypothesis")
    line = (
        f"Effective robustness differs by {_points(row['robustness_mean'])} "
        f"[{_points(row['robustness_low'])}, {_points(row['robustness_high'])}]."
        if "robustness_mean" in row
        else "There are too few baselines for a line."
    )
    return {
        "verdict": row["verdict"],
        "estimate": row["mean"],
        "interval": [row["low"], row["high"]],
        "unit": f"{row['metric'].replace('_', ' ')}, gap of the student minus gap of its teacher",
        "seeds": row["seeds"],
        "sentence": (
            f"Trained on games, the student's gap minus its teacher's is {_points(row['mean'])} points "
            f"[{_points(row['low'])}, {_points(row['high'])}]; {100 * row['smallest_effect']:g} would "
            f"matter, and {100 * row['detectable']:.1f} could be found. {line} Small models, not BERT and "
            "DistilBERT themselves."
        ),
    }


def binary(design: Design, study: Study) -> Row:
    """The student is ahead on games, films and SST-2."""
    student, teacher = compared(design, study)[0]
    (train,) = design.seeds
    ahead = pair(study, student, teacher, "accuracy")
    found = {design.domains[name].title: ahead.on(train, name) for name in BINARY}
    return _ordering(design, study, found, "accuracy", "student minus teacher", "study-binary")


def yelp(design: Design, study: Study) -> Row:
    """The teacher is ahead on restaurants, with two classes and with five."""
    student, teacher = compared(design, study)[0]
    (train,) = design.seeds
    five = star_estimates(study, teacher, student, train, STARS, "fixed")
    found = {
        "two classes": pair(study, teacher, student, "accuracy").on(train, STARS),
        "five classes": five["accuracy"],
    }
    return _ordering(design, study, found, "accuracy on restaurants", "teacher minus student", "study-yelp")


def hard_classes(design: Design, study: Study) -> Row:
    """The middle classes are hard, and the teacher is better at telling mixed reviews."""
    student, teacher = compared(design, study)[0]
    (train,) = design.seeds
    found = {
        "recall of 1 and 5 stars minus that of 2 to 4": middle_is_hard(
            study, teacher, train, STARS, "fitted"
        ),
        "three stars told by indecision (AUC), teacher minus student": undecided_difference(
            study, design, teacher, student, train, STARS
        ),
    }
    return _ordering(design, study, found, "", "", None)


def _ordering(
    design: Design, study: Study, found: dict[str, Estimate], of: str, sign: str, source: str | None
) -> Row:
    """A claim that each of these is above 0; the estimate shown is the one that decides, the least sure."""
    p = holm([one.p_value() for one in found.values()])
    name, decisive = min(found.items(), key=lambda item: item[1].p_at_least(0.0))
    told = "; ".join(f"{name}: {_interval(one)}" for name, one in found.items())
    said = "" if source is None else " " + _source_says(source)
    interval = decisive.interval()
    return {
        "verdict": of_ordering(list(found.values()), p, design.alpha),
        "estimate": decisive.value,
        "interval": [interval.low, interval.high],
        "unit": ", ".join(part for part in (of, name, sign) if part),
        "seeds": max(design.seeds.values()),
        "sentence": f"In points, 95% intervals over seeds and sentences: {told}.{said}",
    }


def _source_says(claim: str) -> str:
    """What the source's own numbers allow, from the re-analysis."""
    return str(results.load(REANALYSIS).value("sentence", kind="claim", claim=claim))


def _interval(found: Estimate) -> str:
    interval = found.interval()
    return f"{_points(found.value)} [{_points(interval.low)}, {_points(interval.high)}]"


def _points(share: float) -> str:
    return f"{100 * share:+.1f}"
