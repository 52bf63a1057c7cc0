"""From a contest's rows to verdicts on claims, by rules that leave nothing to judgment.

Both rules look at the design's primary measure alone, and call a pair's order settled only where the report
does ("resolved": corrected for the number of pairs, and large enough to matter).
"""

from typing import Any

from course_utils.contest.design import Design

Row = dict[str, Any]
Claim = dict[str, Any]

T5_TABLE = ("prefix", "mlm", "deshuffle", "mass", "t5_spans", "t5_drop")
"""What Raffel et al. 2020 compare in tables 4 and 5; their masked LM has a decoder, ours has none."""

DENOISING = ("mass", "t5_spans", "t5_drop", "bart")
"""Variants that corrupt and write: those of which T5 says that they differ by little."""


JUDGE = "formal"
"""The contest that judges: the only one with three learning rates, of which ELECTRA chose the smallest."""


def claims(design: Design, rows: list[Row]) -> dict[str, Claim]:
    """The verdicts by claim; none from any contest but the one that judges."""
    if design.name != JUDGE:
        return {}
    return {
        "electra-efficient": electra_efficient(design, rows),
        "t5-objectives": t5_objectives(design, rows),
    }


def electra_efficient(design: Design, rows: list[Row]) -> Claim:
    """Holds where ELECTRA is resolved better than BERT's masked LM at equal compute, fails where worse."""
    pair = of_pair(rows, design.primary, "electra", "mlm")
    return {
        "verdict": _verdict(pair["verdict"] == "resolved", better(design, pair)),
        "estimate": pair["difference"],
        "interval": [pair["low"], pair["high"]],
        "unit": f"{design.measures[design.primary].unit}, ELECTRA minus masked LM",
        "seeds": len(design.seeds),
        "sentence": (
            f"At {design.training.gigaflops:,g} GFLOP each, ELECTRA's encoder ends {_nats(pair)} from "
            "the masked LM's in distance to the exact answer (below zero is better): "
            f"{pair['verdict']}. The language is a formal one, the encoder small, and the "
            "budget a sliver of the paper's: what ELECTRA gains later, this cannot show."
        ),
    }


def t5_objectives(design: Design, rows: list[Row]) -> Claim:
    """Holds where nobody in T5's table is resolved better than replaced spans, somebody is resolved worse,
    and no pair of denoising variants is resolved; fails where somebody is resolved better.
    """
    primary = design.primary
    rivals = [name for name in T5_TABLE if name != "t5_spans"]
    pairs = {name: of_pair(rows, primary, "t5_spans", name) for name in rivals}
    settled = {name: pair for name, pair in pairs.items() if pair["verdict"] == "resolved"}
    ahead = [name for name, pair in settled.items() if not better(design, pair)]
    inner = [row for row in _pairs(rows, primary) if {row["first"], row["second"]} <= set(DENOISING)]
    apart = [row for row in inner if row["verdict"] == "resolved"]
    all_pairs = _pairs(rows, primary)
    resolved = sum(row["verdict"] == "resolved" for row in all_pairs)
    rival = max(pairs.values(), key=lambda pair: -pair["difference"] * _sign(design))
    return {
        "verdict": _verdict(bool(ahead) or (bool(settled) and not apart), not ahead),
        "estimate": rival["difference"],
        "interval": [rival["low"], rival["high"]],
        "unit": f"{design.measures[primary].unit}, replaced spans minus {rival['second']}, its best rival",
        "seeds": len(design.seeds),
        "sentence": (
            f"Of {len(all_pairs)} pairs of entrants {resolved} are resolved. Resolved better than replaced "
            f"spans: {_names(ahead)}; resolved worse: {_names([n for n in settled if n not in ahead])}. "
            f"Of the {len(inner)} pairs of denoising variants {len(apart)} are resolved. Each run has "
            f"{design.training.gigaflops:,g} GFLOP, and the encoder alone is examined, by masked tokens, "
            "which masked LMs have practiced; T5 fine-tunes the decoder too, on tasks, and trains far longer."
        ),
    }


def of_pair(rows: list[Row], measure: str, first: str, second: str) -> Row:
    """The row of a pair as first minus second, turned around where the report has second minus first."""
    for row in _pairs(rows, measure):
        if (row["first"], row["second"]) == (first, second):
            return row
        if (row["first"], row["second"]) == (second, first):
            low, high = -row["high"], -row["low"]
            turned = {"first": first, "second": second, "low": low, "high": high}
            return row | turned | {"difference": -row["difference"]}
    raise KeyError(f"the rows compare no '{first}' with '{second}' on '{measure}'")


def better(design: Design, pair: Row) -> bool:
    """Whether the first of the pair is better on the primary measure."""
    return bool(pair["difference"] * _sign(design) > 0)


def _sign(design: Design) -> int:
    return 1 if design.measures[design.primary].better == "high" else -1


def _pairs(rows: list[Row], measure: str) -> list[Row]:
    return [row for row in rows if row["kind"] == "pair" and row["measure"] == measure]


def _verdict(settled: bool, in_favor: bool) -> str:
    if not settled:
        return "cannot tell"
    return "holds here only" if in_favor else "does not hold"


def _nats(pair: Row) -> str:
    return f"{pair['difference']:+.2f} nats [{pair['low']:.2f}, {pair['high']:.2f}]"


def _names(names: list[str]) -> str:
    return ", ".join(names) or "none"
