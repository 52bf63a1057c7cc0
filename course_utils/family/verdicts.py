"""From a study's rows to verdicts on claims, by rules that leave nothing to judgment.

Which rule is for which claim, and on which arms, stands in the study's file. All look at the primary measure
alone, and call an order settled only where the report does ("resolved").
"""

from collections.abc import Callable
from typing import Any

from course_utils.contest.report import paired
from course_utils.family.design import Study

Row = dict[str, Any]
Claim = dict[str, Any]
HOLDS, FAILS, OPEN = "holds here only", "does not hold", "cannot tell"
_WORLD = "The language is a formal one, the encoder small, and a run takes seconds."


def claims(study: Study, rows: list[Row], seeds: int) -> dict[str, Claim]:
    """The verdict on every claim that the study names; KeyError for a rule that does not exist."""
    return {name: RULES[fields["rule"]](study, rows, fields, seeds) for name, fields in study.claims.items()}


def better(study: Study, rows: list[Row], fields: dict[str, Any], seeds: int) -> Claim:
    """Holds if the pair is resolved in favor of its first arm; fails if resolved against it, or too small."""
    pair = of_pair(rows, study.primary, *fields["pair"])
    if pair["verdict"] == "resolved":
        found = HOLDS if gain(study, pair) > 0 else FAILS
    else:
        found = FAILS if pair["verdict"] == "too small to matter" else OPEN
    return _claim(study, rows, fields, pair, found, seeds)


def no_harm(study: Study, rows: list[Row], fields: dict[str, Any], seeds: int) -> Claim:
    """Holds if the first arm is not worse by as much as matters (90% interval); fails if resolved worse."""
    pair = of_pair(rows, study.primary, *fields["pair"])
    worst = pair["high_90"] if study.measures[study.primary].better == "low" else -pair["low_90"]
    found, said = OPEN, ""
    if pair["verdict"] == "resolved" and gain(study, pair) < 0:
        found = FAILS
    elif worst < pair["smallest"]:
        found, said = HOLDS, f"which rules out a harm of {pair['smallest']:g} (90% interval)"
    return _claim(study, rows, fields, pair, found, seeds, said)


def more_than(study: Study, rows: list[Row], fields: dict[str, Any], seeds: int) -> Claim:
    """Holds if the range over the first arms is larger than over the second, and wider is always better."""
    smallest = study.measures[study.primary].smallest_difference
    first, second = (_ranges(study, rows, fields[side]) for side in ("first", "second"))
    mean, wide, _, p = paired(first, second)
    wider = [of_pair(rows, study.primary, *pair) for pair in fields["wider"]]
    apart = p <= study.alpha and abs(mean) >= smallest
    against = [
        pair
        for pair in wider
        if pair["verdict"] == "too small to matter"
        or (pair["verdict"] == "resolved" and gain(study, pair) < 0)
    ]
    agreed = [pair for pair in wider if pair["verdict"] == "resolved" and gain(study, pair) > 0]
    found = OPEN
    if against or (apart and mean < 0):
        found = FAILS
    elif apart and len(agreed) == len(wider):
        found = HOLDS
    unit = study.measures[study.primary].unit
    steps = "; ".join(f"{_named(study, pair)} {_shown(pair)}" for pair in wider)
    return {
        "verdict": found,
        "estimate": mean,
        "interval": list(wide),
        "unit": f"{unit}, range over layers minus range over heads",
        "seeds": seeds,
        "sentence": (
            f"From one to four layers the {unit} range over {sum(first) / len(first):.2f}, from one "
            f"to four heads over {sum(second) / len(second):.2f}, at equal tokens. Width: {steps}. {_WORLD}"
        ),
    }


RULES: dict[str, Callable[..., Claim]] = {"better": better, "no harm": no_harm, "more than": more_than}
"""By the name that a study calls them by."""


def of_pair(rows: list[Row], measure: str, first: str, second: str) -> Row:
    """The row of a comparison; KeyError where the study does not state it."""
    for row in rows:
        if row["kind"] == "pair" and (row["measure"], row["first"], row["second"]) == (
            measure,
            first,
            second,
        ):
            return row
    raise KeyError(f"the study does not compare '{first}' with '{second}' on '{measure}'")


def gain(study: Study, pair: Row) -> float:
    """How much better the first arm is on the primary measure; below zero where it is worse."""
    return float(pair["difference"] * (1 if study.measures[study.primary].better == "high" else -1))


def _claim(
    study: Study,
    rows: list[Row],
    fields: dict[str, Any],
    pair: Row,
    found: str,
    seeds: int,
    said: str = "",
) -> Claim:
    """said: what the sentence tells of the pair in place of its verdict."""
    unit = study.measures[study.primary].unit
    budget = f"{study.gigaflops:g} GFLOP"
    if study.texts_read:
        budget = f"{study.texts_read:,} texts of {study.length} tokens"
    different = f" ({study.texts:,} different ones)" if study.texts else ""
    beside = of_pair(rows, study.primary, *fields["beside"])
    wanted = "below" if study.measures[study.primary].better == "low" else "above"
    told = beside if pair["verdict"] == "resolved" else pair  # a resolved difference needs no such excuse
    return {
        "verdict": found,
        "estimate": pair["difference"],
        "interval": [pair["low"], pair["high"]],
        "unit": f"{unit}, {_named(study, pair)}",
        "seeds": seeds,
        "sentence": (
            f"After {budget} each{different}, {_named(study, pair)}: {_shown(pair)} "
            f"({unit}; {wanted} zero is better), {said or pair['verdict']}; {_named(study, beside)}: "
            f"{_shown(beside)}, {beside['verdict']}. Of the {'latter' if told is beside else 'former'}, "
            f"{told['detectable']:.2f} would have been seen "
            f"in four studies of five. {_steps(rows, pair)}{_task(study, rows, fields.get('task'))}{_WORLD}"
        ),
    }


def _steps(rows: list[Row], pair: Row) -> str:
    """How many steps the two arms take; "" where they take about as many."""
    arms = {row["arm"]: row for row in rows if row["kind"] == "arm"}
    first, second = arms[pair["first"]], arms[pair["second"]]
    if abs(first["steps"] - second["steps"]) <= 0.1 * max(first["steps"], second["steps"]):
        return ""
    return f"The first pair takes {first['steps']} and {second['steps']} steps. "


def _task(study: Study, rows: list[Row], asked: dict[str, str] | None) -> str:
    """How well an arm does its own extra task, beside who knows the grammar; "" where nothing is asked."""
    if asked is None:
        return ""
    measure = asked["measure"]
    of = {row["arm"]: row["mean"] for row in rows if "arm" in row and row.get("measure") == measure}
    own, best = of[asked["arm"]], of[asked["best"]]
    unit = study.measures[measure].unit
    return (
        f"In its own task the arm {study.arms[asked['arm']].title} ends at {own:.2f} ({unit}), "
        f"the untrained model at {of['untrained']:.2f}, and who knows the grammar at {best:.2f}. "
    )


def _ranges(study: Study, rows: list[Row], arms: list[str]) -> list[float]:
    """For each seed, the largest value of the primary measure over these arms minus the smallest."""
    values = [
        row["values"]
        for row in rows
        if row["kind"] == "measure" and row["measure"] == study.primary and row["arm"] in arms
    ]
    return [max(of_seed) - min(of_seed) for of_seed in zip(*values, strict=True)]


def _named(study: Study, pair: Row) -> str:
    return f"{study.arms[pair['first']].title} minus {study.arms[pair['second']].title}"


def _shown(pair: Row) -> str:
    return f"{pair['difference']:+.2f} [{pair['low']:.2f}, {pair['high']:.2f}]"
