"""The results file of the frontier: its runs, with the times that `benchmarks.compression` measured."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils import results
from course_utils.distillation import task
from course_utils.stats import bootstrap_interval
from experiments.compression_common import Record, folder, gained, right
from experiments.compression_entrants import ENTRANTS, Entrant
from experiments.compression_frontier import CONDITIONS, INTEGER, NAME, TINY, record_file
from experiments.finetuning_common import interval

BENCHMARK, PRIMER = "benchmark_compression", "compression_primer"
TEACHER = "teacher"
PAIRS = (("int8-aware", "int8"),)
LOWEST = 0.87  # of the table's range
RANGE = (1.6, 110.0)
FAMILIES = {"quantization", "distillation", "distillation by layers", "module replacement"} | {
    "distillation into a BiLSTM",
    "combination",
}
Row = dict[str, Any]
Runs = Mapping[str, Mapping[int, Record]]


def runs() -> dict[str, dict[int, Record]]:
    """Entrant -> seed -> record, of the runs that there are."""
    found: dict[str, dict[int, Record]] = {}
    for entrant in ENTRANTS:
        for seed in range(100):
            file = record_file(entrant, seed)
            if file.is_file():
                found.setdefault(entrant.name, {})[seed] = json.loads(file.read_text(encoding="utf-8"))
    return found


def kept(own: Mapping[int, Record], teacher: Mapping[int, Record], labels: Sequence[int]) -> Row:
    """Accuracy, and the share of the teacher's that is kept, over the seeds that both have."""
    seeds = sorted(own.keys() & teacher.keys())
    ours, theirs = (np.array([right(some[seed], labels) for seed in seeds]) for some in (own, teacher))
    ratios = ours.mean(axis=1) / theirs.mean(axis=1)
    row: Row = {
        "seeds": len(seeds),
        "accuracy": float(ours.mean()),
        "kept": float(ratios.mean()),
        "agreement": float((ours == theirs).mean()),
    }
    if len(seeds) < 2 or own is teacher:
        return row | {"low": None, "high": None, "over_seeds": None, "over_sentences": None}
    seeded = interval([float(r) for r in ratios])
    drawn = bootstrap_interval(
        np.stack([ours.mean(axis=0), theirs.mean(axis=0)], axis=1), _ratio, rng=np.random.default_rng(0)
    )
    return row | {
        "low": min(seeded.low, drawn.low),
        "high": max(seeded.high, drawn.high),
        "over_seeds": [seeded.low, seeded.high],
        "over_sentences": [drawn.low, drawn.high],
    }


def _ratio(values: NDArray[np.float64]) -> float:
    return float(values[:, 0].mean() / values[:, 1].mean())


def point(entrant: Entrant, made: Runs, times: Sequence[Row], labels: Sequence[int]) -> Row:
    """One row of the frontier."""
    own, teacher = made[entrant.name], made[TEACHER]
    first = own[min(own)]
    sizes = [own[seed]["bytes"] for seed in own]
    row = {
        "part": "point",
        "entrant": entrant.name,
        "family": entrant.family,
        "start": entrant.start,
        "recipe": entrant.recipe,
        "bytes": float(np.mean(sizes)),
        "smaller": float(
            np.mean([teacher[s]["bytes"] / own[s]["bytes"] for s in own.keys() & teacher.keys()])
        ),
        "parameters": first["parameters"],
        "changed": first["changed"],
        "flops": first["flops"],
        "cpu_seconds": float(np.mean([own[seed]["cpu_seconds"] for seed in own])),
        "notes": first["notes"],
        **kept(own, teacher, labels),
    }
    speeds = speeds_of(entrant.name, times)
    return row | {"speeds": speeds, "tiny": judged(row, speeds, TINY), "integer": judged(row, None, INTEGER)}


def times_measured() -> list[Row]:
    """The benchmark's rows of times; none before it ran."""
    return results.load(BENCHMARK).rows(part="time") if BENCHMARK in results.names() else []


def speeds_of(name: str, times: Sequence[Row]) -> list[Row]:
    """How many times faster than the teacher, under each condition that was measured."""
    fields = ("engine", "batch", "length", "threads", "milliseconds", "faster", "low", "high")
    return [
        {field: row[field] for field in fields} for row in times if row["model"] == name and "faster" in row
    ]


def counts_for_goal(speed: Row) -> bool:
    """Whether a speed was measured under one of the conditions that the goals name."""
    return any(all(speed[key] == value for key, value in wanted.items()) for wanted in CONDITIONS)


def judged(row: Row, speeds: Sequence[Row] | None, goal: Mapping[str, float]) -> str | None:
    """ "surely", "by the estimate", "no", or None while there is no time or no interval to judge by."""
    if row["low"] is None:
        return None
    estimate = row["smaller"] >= goal["smaller"] and row["kept"] >= goal["kept"]
    surely = estimate and row["low"] >= goal["kept"]
    if "faster" in goal:
        counted = [speed for speed in speeds or [] if counts_for_goal(speed)]
        if not counted:
            return None
        estimate = estimate and max(s["faster"] for s in counted) >= goal["faster"]
        surely = surely and max(s["low"] for s in counted) >= goal["faster"]
    return "surely" if surely else "by the estimate" if estimate else "no"


def best(points: Sequence[Row]) -> list[Row]:
    """The points that no other beats in size and in accuracy at once, smallest first."""
    front: list[Row] = []
    for row in sorted(points, key=lambda row: (row["bytes"], -row["kept"])):
        if not front or row["kept"] > front[-1]["kept"]:
            front.append(row)
    return [
        {"part": "frontier", "entrant": row["entrant"], "place": place} for place, row in enumerate(front)
    ]


def of_the_table(points: Sequence[Row]) -> list[Row]:
    """The points of the table's families and range that have an interval."""
    return [
        row
        for row in points
        if row["family"] in FAMILIES and RANGE[0] <= row["smaller"] <= RANGE[1] and row["high"] is not None
    ]


def claim(inside: Sequence[Row], primer: results.Results) -> dict[str, Any]:
    """The entry of compression-table; the rule stands in experiments/compression_frontier.py.

    inside: at least one point of the table's families and range.
    """
    against = [row["entrant"] for row in inside if row["high"] < LOWEST]
    said = primer.row(part="row", method="DistilBERT")
    worst, top = (pick(inside, key=lambda row: row["kept"]) for pick in (min, max))
    elsewhere = primer.value("same_shape_elsewhere", part="conclusion")
    verdict = "does not hold" if against or not said["agrees"] else "holds here only"
    sentence = (
        f"{len(inside)} of our models of the table's families are {min(r['smaller'] for r in inside):.1f} to "
        f"{max(r['smaller'] for r in inside):.1f} times smaller and keep {100 * worst['kept']:.1f}% "
        f"({worst['entrant']}) to {100 * top['kept']:.1f}% ({top['entrant']}) of the teacher's accuracy; "
        + (f"below 87% for sure: {', '.join(against)}; " if against else "none is below 87% for sure; ")
        + f"DistilBERT's published shape is {said['with_embeddings']:.2f} times smaller than BERT base, the "
        f"table says {said['compression']}, and {elsewhere} for another model of the same shape"
    )
    return {
        "verdict": verdict,
        "estimate": 100 * worst["kept"],
        "interval": [100 * worst["low"], 100 * worst["high"]],
        "unit": "% kept by the worst of the table's families",
        "seeds": min(row["seeds"] for row in inside),
        "sentence": sentence,
    }


def report() -> str:
    """Put everything together and write results/compression_frontier.json; says what is missing."""
    made, labels = runs(), task.load().test.labels
    if TEACHER not in made:
        raise FileNotFoundError(f"no runs in {folder('frontier')}: python -m experiments.{NAME} comes first")
    times = times_measured()
    points = [point(entrant, made, times, labels) for entrant in ENTRANTS if entrant.name in made]
    absent = [entrant.name for entrant in ENTRANTS if entrant.name not in made]
    rows: list[Row] = [*points, *best(points)]
    rows += [
        {"part": "goal", "goal": name, **goal, **reached(points, name)}
        for name, goal in (("tiny", TINY), ("integer", INTEGER))
    ]
    rows += pair_rows(made, labels)
    rows.append({"part": "absent", "entrants": absent, "timed": bool(times)})
    inside = of_the_table(points)
    claims = {"compression-table": claim(inside, results.load(PRIMER))} if inside else {}
    return str(
        results.write(
            NAME,
            command=f"python -m experiments.{NAME} --report",
            rows=rows,
            seeds=sorted({seed for some in made.values() for seed in some}),
            seconds=sum(record["cpu_seconds"] for some in made.values() for record in some.values()),
            tolerance={"relative": 0.05, "absolute": 0.01, "ignore": ["speeds", "cpu_seconds"]},
            claims=claims,
        )
    )


def pair_rows(made: Runs, labels: Sequence[int]) -> list[Row]:
    """What the first of each pair gains over the second, for pairs with at least 2 seeds."""
    return [
        {"part": "pair", "first": one, "second": other, **gained(made[one], made[other], labels)}
        for one, other in PAIRS
        if one in made and other in made and len(made[one].keys() & made[other].keys()) > 1
    ]


def reached(points: Sequence[Row], goal: str) -> Row:
    """Who reaches a goal, surely and by the estimate."""
    return {
        "surely": [row["entrant"] for row in points if row[goal] == "surely"],
        "by_estimate": [row["entrant"] for row in points if row[goal] == "by the estimate"],
        "not_judged": [row["entrant"] for row in points if row[goal] is None],
    }
