"""What the source's own table allows to say, from its accuracies and sample sizes alone.

The talk gives one accuracy a model and test set, "~50,000 samples" each, and one run each. Neither the
predictions nor the seeds are known. So each difference is judged four ways: as if each model had test rows
of its own (unpaired); on the same rows, with the errors of the two independent; and on the same rows under
the two pairings at the ends. Under the *worst* the two are never wrong together: it has the largest error
that any pairing allows, and what exceeds it exceeds sampling error, whatever the predictions were. Under the
*best* the better one is right wherever the other is (two models fine-tuned on the same rows do err together):
what does not exceed the error of this one exceeds none.

No run was repeated, so that even then a difference may be one of seeds. `seed_sd_allowed` says how large the
standard deviation over seeds may be before the difference drowns in it.
"""

from dataclasses import dataclass
from itertools import product
from math import sqrt
from typing import Any

from scipy.stats import norm

from course_utils.stats import (
    discordance_bounds,
    holm,
    independent_discordance,
    paired_difference,
    samples_paired,
    samples_unpaired,
    unpaired_difference,
)

ALPHA = 0.05
POWER = 0.8
ROUNDING = 0.0005  # the source's accuracies have three decimals, those on Yelp four

Row = dict[str, Any]


@dataclass(frozen=True)
class Reported:
    """Two accuracies of the source on one test set. sizes: the numbers of rows that it may have had, the
    stated one first."""

    dataset: str
    teacher: float
    student: float
    sizes: tuple[int, ...]
    rounding: float = ROUNDING
    classes: int = 2

    @property
    def difference(self) -> float:
        """Teacher minus student, as the source has it."""
        return round(self.teacher - self.student, 6)


SIZE = 50_000
# SST-2: 50,000 are its phrases, mostly those of the training split; 9,613 all its sentences, 1,821 its test
# split, 872 the split that is usually reported. Yelp: without three stars a fifth of the rows is gone.
TABLE = (
    Reported("steam", 0.861, 0.881, (SIZE,)),
    Reported("imdb", 0.867, 0.877, (SIZE, 25_000)),
    Reported("sst2", 0.791, 0.797, (SIZE, 9_613, 1_821, 872)),
    Reported("yelp", 0.9082, 0.9035, (SIZE, 40_000), rounding=0.00005),
    Reported("yelp5", 0.3927, 0.3790, (SIZE,), rounding=0.00005, classes=5),
)


def difference_rows(table: tuple[Reported, ...] = TABLE) -> list[Row]:
    """A row for each test set and size it may have had.

    p_worst_rounded is that of the smallest difference that the rounded accuracies allow, p_best_rounded that
    of the largest.
    """
    return [_difference_row(one, size) for one in table for size in one.sizes]


def _difference_row(one: Reported, size: int) -> Row:
    unpaired = unpaired_difference(one.teacher, one.student, size, size)
    least, most = discordance_bounds(one.teacher, one.student)
    usual = independent_discordance(one.teacher, one.student)
    by_pairing = {
        name: paired_difference(one.teacher, one.student, size, share)
        for name, share in (("best", least), ("independent", usual), ("worst", most))
    }
    worst = by_pairing["worst"].interval(1 - ALPHA)
    return {
        "kind": "difference",
        "dataset": one.dataset,
        "classes": one.classes,
        "rows": size,
        "stated": size == one.sizes[0],
        "teacher": one.teacher,
        "student": one.student,
        "difference": one.difference,
        "low_worst": worst.low,
        "high_worst": worst.high,
        "p_unpaired": unpaired.p_value,
        "p_independent": by_pairing["independent"].p_value,
        "p_best": by_pairing["best"].p_value,
        "p_best_rounded": _rounded_p(one, size, best=True),
        "p_worst": by_pairing["worst"].p_value,
        "p_worst_rounded": _rounded_p(one, size, best=False),
        "discordance_least": least,
        "discordance_most": most,
        "seed_sd_allowed": seed_sd_allowed(one, size),
    }


def _rounded_p(one: Reported, size: int, *, best: bool) -> float:
    """The p-value under the best pairing if rounding hides as much of the difference as it can, or under the
    worst if it makes as much of it as it can."""
    moved = one.rounding * (1 if (one.difference > 0) == best else -1)
    a, b = one.teacher + moved, one.student - moved
    least, most = discordance_bounds(a, b)
    return paired_difference(a, b, size, least if best else most).p_value


def seed_sd_allowed(one: Reported, size: int) -> float:
    """The standard deviation over seeds, in accuracy and the same for both models, at which one run each no
    longer tells them apart; sampling error under independent errors is counted. 0 where nothing is left."""
    error = paired_difference(
        one.teacher, one.student, size, independent_discordance(one.teacher, one.student)
    ).error
    room = (one.difference / norm.ppf(1 - ALPHA / 2)) ** 2 - error**2
    return sqrt(max(0.0, float(room)) / 2)


def size_rows(table: tuple[Reported, ...] = TABLE) -> list[Row]:
    """How many test rows each difference, and a difference of one point, would have needed (power 0.8)."""
    return [
        {
            "kind": "size",
            "dataset": one.dataset,
            "difference": wanted,
            "unpaired": samples_unpaired(one.teacher, one.teacher - wanted, ALPHA, POWER),
            "independent": samples_paired(
                wanted, independent_discordance(one.teacher, one.teacher - wanted), ALPHA, POWER
            ),
            "worst": samples_paired(
                wanted, discordance_bounds(one.teacher, one.teacher - wanted)[1], ALPHA, POWER
            ),
        }
        for one, wanted in product(table, (None, 0.01))
        for wanted in (one.difference if wanted is None else wanted,)
    ]


def gap_rows(table: tuple[Reported, ...] = TABLE) -> list[Row]:
    """The source's hypothesis in its own numbers: games minus another set, student minus teacher.

    Errors under the worst pairing. `probit` is the same difference on probit axes, where a model that is a
    constant better everywhere has none: what is left of a larger gap once the student's lead at home counts.
    """
    home, *others = (one for one in table if one.classes == 2)
    rows = []
    for one in others:
        errors = [_worst_error(each) for each in (home, one)]
        value = round((home.student - one.student) - (home.teacher - one.teacher), 6)
        half = float(norm.ppf(1 - ALPHA / 2)) * sqrt(sum(error**2 for error in errors))
        z = {name: float(norm.ppf(a)) for name, a in _named(home, one).items()}
        rows.append(
            {
                "kind": "gap",
                "dataset": one.dataset,
                "teacher": round(home.teacher - one.teacher, 6),
                "student": round(home.student - one.student, 6),
                "difference": value,
                "low_worst": value - half,
                "high_worst": value + half,
                "home": home.student - home.teacher,
                "away": one.student - one.teacher,
                "probit": (z["student home"] - z["student away"]) - (z["teacher home"] - z["teacher away"]),
            }
        )
    return rows


def _worst_error(one: Reported) -> float:
    most = discordance_bounds(one.student, one.teacher)[1]
    return paired_difference(one.student, one.teacher, one.sizes[0], most).error


def _named(home: Reported, away: Reported) -> dict[str, float]:
    return {
        f"{who} {where}": getattr(one, who)
        for who in ("teacher", "student")
        for where, one in (("home", home), ("away", away))
    }


def verdict_rows(rows: list[Row]) -> list[Row]:
    """One row a test set: does its difference exceed sampling error? "yes", "no" or "not known".

    yes: even under the worst pairing and rounding, at every size that the set may have had. no: not even
    under the best pairing and rounding, at any size. Else it hangs on what the source does not tell. Both
    p-values are corrected for the number of test sets (Holm).
    """
    by_set = {name: [row for row in rows if row["dataset"] == name] for name in _datasets(rows)}
    worst = holm([max(row["p_worst_rounded"] for row in mine) for mine in by_set.values()])
    best = holm([min(row["p_best_rounded"] for row in mine) for mine in by_set.values()])
    return [
        {
            "kind": "verdict",
            "dataset": name,
            "p_worst_holm": p_worst,
            "p_best_holm": p_best,
            "exceeds": "yes" if p_worst <= ALPHA else "no" if p_best > ALPHA else "not known",
        }
        for name, p_worst, p_best in zip(by_set, worst, best, strict=True)
    ]


def _datasets(rows: list[Row]) -> list[str]:
    return list(dict.fromkeys(row["dataset"] for row in rows))
