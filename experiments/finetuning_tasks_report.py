"""The rows and verdicts of `finetuning_tasks`, the table that claim bert-glue quotes, SQuAD's script."""

import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats as scipy_stats

from course_utils import metrics, results
from course_utils.stats import Interval
from experiments.finetuning_common import Record, folder, interval, read
from experiments.finetuning_tasks import BY_NAME, NAME, SEEDS, run_name

Row = dict[str, Any]
Seeds = Mapping[str, Sequence[int]]  # of each start
SMALLEST = 2.0  # points of a score
LEVEL = 1 - 0.05 / len(BY_NAME)
# Devlin et al. (2019), table 1: MNLI matched, mismatched, QQP, QNLI, SST-2, CoLA, STS-B, MRPC, RTE; average.
COLUMNS = ("MNLI", "QQP", "QNLI", "SST-2", "CoLA", "STS-B", "MRPC", "RTE")
QUOTED = {
    "Pre-OpenAI SOTA": ((80.6, 80.1), 66.1, 82.3, 93.2, 35.0, 81.0, 86.0, 61.7, 74.0),
    "ELMo": ((76.4, 76.1), 64.8, 79.8, 90.4, 36.0, 73.3, 84.9, 56.8, 71.0),
    "GPT": ((82.1, 81.4), 70.3, 87.4, 91.3, 45.4, 80.0, 82.3, 56.0, 75.1),
    "BERT base": ((84.6, 83.4), 71.2, 90.5, 93.5, 52.1, 85.8, 88.9, 66.4, 79.6),
    "BERT large": ((86.7, 85.9), 72.1, 92.7, 94.9, 60.5, 86.5, 89.3, 70.1, 82.1),
}
ROUNDING = 0.05  # of each column, and once more of the average
MADE_PAIRS = 2000


# ---------------------------------------------------------------------- the quoted table


def quoted_rows() -> list[Row]:
    """For each system: its average as quoted, and as both conventions make it of the columns."""
    rows = []
    for system, (*columns, quoted) in QUOTED.items():
        scores = dict(zip(COLUMNS, columns, strict=True))
        nine, eight = metrics.column_average(scores), metrics.task_average(scores)
        rows.append(
            {
                "part": "quoted",
                "system": system,
                "quoted": quoted,
                "nine columns": nine,
                "eight tasks": eight,
                "nine fit": fits(quoted, nine),
                "eight fit": fits(quoted, eight),
                "nine round to it": round(nine, 1) == quoted,
            }
        )
    return rows


def fits(quoted: float, average: float) -> bool:
    """Whether the rounding of the columns and of the quoted number can explain how far they are apart.

    >>> fits(71.0, 70.944), fits(79.6, 79.05)
    (True, False)
    """
    return abs(quoted - average) <= 2 * ROUNDING + 1e-9


# ---------------------------------------------------------------------- our runs


def kind_rows(records: dict[str, Record], seeds: Seeds) -> list[Row]:
    """A row for each kind, model and score: mean and 95% interval over seeds, in percent."""
    rows = []
    for kind in BY_NAME:
        for model, per_seed in scores_of(kind, records, seeds).items():
            for score in per_seed[0]:
                values = [scores[score] for scores in per_seed]
                made = interval(values) if len(values) > 1 else None
                rows.append(
                    {
                        "part": "kind",
                        "kind": kind,
                        "model": model,
                        "score": score,
                        "mean": float(np.mean(values)),
                        "low": made.low if made else None,
                        "high": made.high if made else None,
                        "seeds": len(per_seed),
                    }
                )
    return rows


def scores_of(kind: str, records: dict[str, Record], seeds: Seeds) -> dict[str, list[dict[str, float]]]:
    """Model -> its scores, seed by seed; the models are "real", "random" and the baselines."""
    found = {
        start: [records[run_name(kind, start, seed)]["scores"] for seed in chosen]
        for start, chosen in seeds.items()
        if chosen
    }
    simple = [records[run_name(kind, "baselines", seed)]["scores"] for seed in seeds["real"]]
    return found | {name: [scores[name] for scores in simple] for name in simple[0]}


def gain_rows(records: dict[str, Record], seeds: Seeds) -> list[Row]:
    """For each kind: the real start minus the best simple baseline, paired by seed, and the rule's answer."""
    rows = []
    for kind, what in BY_NAME.items():
        scores = scores_of(kind, records, seeds)
        real = np.array([one[what.main] for one in scores.pop("real")])
        scores.pop("random", None)
        means = {name: np.mean([one[what.main] for one in made]) for name, made in scores.items()}
        best = max(means, key=lambda name: means[name])
        gain = t_interval(real - [one[what.main] for one in scores[best]])
        rows.append(
            {
                "part": "gain",
                "kind": kind,
                "score": what.main,
                "baseline": best,
                "gain": gain.estimate,
                "low": gain.low,
                "high": gain.high,
                "level": LEVEL,
                "learned": learned(gain),
            }
        )
    return rows


def t_interval(values: np.ndarray) -> Interval:
    """Student's t interval of a mean at the level that four tests together allow."""
    half = scipy_stats.t.ppf((1 + LEVEL) / 2, len(values) - 1) * scipy_stats.sem(values)
    mean = float(values.mean())
    return Interval(mean, mean - float(half), mean + float(half), LEVEL)


def learned(gain: Interval) -> bool:
    """The rule: at least 2 points on average, and the interval above 0."""
    return gain.estimate >= SMALLEST and gain.low > 0


# ---------------------------------------------------------------------- the official script


def official_scores(prediction: str, reference: str) -> tuple[float, float]:
    """Exact match and F1 in the steps of SQuAD 1.1's evaluation script, one reference."""
    sides = []
    for text in (prediction, reference):
        bare = "".join(ch for ch in text.lower() if ch not in set(string.punctuation))
        sides.append(" ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split()))
    bags = [Counter(side.split()) for side in sides]
    same = sum((bags[0] & bags[1]).values())
    if same == 0:
        return float(sides[0] == sides[1]), 0.0
    precision, recall = same / bags[0].total(), same / bags[1].total()
    return float(sides[0] == sides[1]), 2 * precision * recall / (precision + recall)


def made_answers(seed: int) -> list[tuple[str, str]]:
    """Pairs of answers from words, marks and articles that the normalization has rules for."""
    rng = np.random.default_rng(seed)
    words = [
        "the",
        "A",
        "an",
        "U.S.",
        "us",
        "King",
        "king",
        "Rollo",
        "1,066",
        "1066",
        "10-8",
        "“x”",
        "-",
        "É",
    ]
    return [
        tuple(" ".join(rng.choice(words, size=rng.integers(0, 5))) for _ in range(2))
        for _ in range(MADE_PAIRS)
    ]


def disagreements(pairs: list[tuple[str, str]]) -> int:
    """On how many pairs our exact match or F1 is not the official one."""
    return sum(
        abs(metrics.exact_match(a, [b]) - official_scores(a, b)[0])
        + abs(metrics.token_f1(a, [b]) - official_scores(a, b)[1])
        > 1e-12
        for a, b in pairs
    )


# ---------------------------------------------------------------------- claims


def claim_glue(quoted: list[Row], gains: list[Row], seeds: Seeds) -> dict[str, Any]:
    """The verdict on bert-glue by the rule of `finetuning_tasks`."""
    fit = [all(row[convention] for row in quoted) for convention in ("nine fit", "eight fit")]
    base = next(row for row in quoted if row["system"] == "BERT base")
    won = [row["kind"] for row in gains if row["learned"]]
    convention = "nine columns, MNLI's two apart" if fit[0] else "no one convention"
    return {
        "verdict": "cannot tell" if any(fit) else "does not hold",
        "estimate": base["nine columns"],
        "interval": None,
        "unit": "percent",
        "seeds": len(seeds["real"]),
        "sentence": (
            f"The quoted averages are means of {convention}: {base['nine columns']:.1f} for BERT base "
            f"({base['eight tasks']:.1f} over eight tasks); the scores themselves were not measured again. "
            f"In miniature, fine-tuning beat simple baselines in {len(won)} of {len(gains)} kinds of task"
            f"{': ' + ', '.join(won) if won else ''}."
        ),
    }


def claim_squad(differing: int, records: dict[str, Record], seeds: Seeds) -> dict[str, Any]:
    """The verdict on squad by the rule of `finetuning_tasks`."""
    f1 = interval([one["f1"] for one in scores_of("answers", records, seeds)["real"]])
    exact = interval([one["exact match"] for one in scores_of("answers", records, seeds)["real"]])
    return {
        "verdict": "does not hold" if differing else "cannot tell",
        "estimate": f1.estimate,
        "interval": [f1.low, f1.high],
        "unit": "percent",
        "seeds": len(seeds["real"]),
        "sentence": (
            f"Our exact match and F1 differ from the official script's on {differing} of {MADE_PAIRS:,} "
            "pairs; the quoted scores were not measured again. A small encoder that learned from "
            f"{BY_NAME['answers'].training} questions, each with its sentence, reaches {exact.estimate:.1f} "
            f"exact match and {f1.estimate:.1f} F1."
        ),
    }


def seeds_so_far() -> Seeds:
    """The seeds of each start for which every kind has its run."""
    there = folder(NAME)
    return {
        start: [
            seed
            for seed in seeds
            if all((there / f"{run_name(kind, start, seed)}.json").is_file() for kind in BY_NAME)
        ]
        for start, seeds in SEEDS.items()
    }


def report(seeds: Seeds = SEEDS) -> Path:
    """Write results/finetuning_tasks.json from the runs. Raises FileNotFoundError where one is missing."""
    starts = [(start, seed) for start, chosen in seeds.items() for seed in chosen]
    starts += [("baselines", seed) for seed in seeds["real"]]
    names = [run_name(kind, start, seed) for kind in BY_NAME for start, seed in starts]
    records = {name: read(NAME, name) for name in names}
    quoted, gains = quoted_rows(), gain_rows(records, seeds)
    differing = disagreements(made_answers(0))
    check = {"part": "script", "pairs": MADE_PAIRS, "differing": differing}
    return results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=[*quoted, *kind_rows(records, seeds), *gains, check],
        seeds=list(seeds["real"]),
        seconds=sum(record.get("cpu_seconds", 0.0) for record in records.values()),
        tolerance={"relative": 0.1, "absolute": 3.0, "ignore": ["baseline", "learned"]},
        claims={
            "bert-glue": claim_glue(quoted, gains, seeds),
            "squad": claim_squad(differing, records, seeds),
        },
    )
