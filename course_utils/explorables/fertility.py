"""Fertility explorer: tokens per word against vocabulary size, by text and by tokenizer."""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite
from typing import Any

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag

FIRST_DOMAINS = 5  # lines to start with: more are hard to tell apart at a glance
KEYS = ("domain", "tokenizer", "vocab_size", "fertility", "unknown_rate", "interval")
LEDE = (
    "Fertility is the number of tokens a word is cut into, on average. "
    "A larger vocabulary lowers it, but not for every text alike."
)


def fertility_explorer(
    rows: Sequence[Mapping[str, Any]],
    *,
    domains: Collection[str] | None = None,
    tokenizers: Collection[str] | None = None,
    interval: str = "95% interval",
    title: str = "How many tokens does a word cost?",
) -> Explorable:
    """A line chart with a slider for the vocabulary size, checkboxes, and a table of exact values.

    rows: dicts with domain, tokenizer, vocab_size, fertility (tokens per word) and, where known,
    unknown_rate (share of unknown tokens, 0 to 1) and interval (low, high) of the fertility; other keys
    are left out. domains, tokenizers: what is ticked at first; by default the first five and the first.
    interval: the heading of the intervals' column. Raises ValueError for no rows, a missing key, a
    number that makes no sense, two rows for one point, or an unknown name among those to tick.

    >>> row = {"domain": "films", "tokenizer": "BPE", "vocab_size": 1000, "fertility": 2.1}
    >>> fertility_explorer([row]).data["tokenizers"]
    ['BPE']
    """
    if not rows:
        raise ValueError("fertility_explorer needs at least one row, got none")
    kept = [_checked(row) for row in rows]
    _refuse_repeats(kept)
    names = list(dict.fromkeys(row["domain"] for row in kept))
    kinds = list(dict.fromkeys(row["tokenizer"] for row in kept))
    data = {
        "rows": kept,
        "domains": _chosen(domains, names, names[:FIRST_DOMAINS], "domains"),
        "tokenizers": _chosen(tokenizers, kinds, kinds[:1], "tokenizers"),
        "size": _middle(row["vocab_size"] for row in kept),
    }
    return Explorable("fertility", title, LEDE, data, _first_state(data, interval), uses=("chart.js",))


def _checked(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row's known keys, each checked; None counts as absent."""
    missing = [key for key in KEYS[:4] if row.get(key) is None]
    if missing:
        raise ValueError(
            f"every row needs {', '.join(KEYS[:4])}; missing {', '.join(missing)} in {dict(row)}"
        )
    kept = {key: row[key] for key in KEYS if row.get(key) is not None}
    if "interval" in kept:
        kept["interval"] = low, high = list(kept["interval"])
        if not low <= high:
            raise ValueError(f"interval must be (low, high), got {row['interval']} in {dict(row)}")
    if kept["vocab_size"] < 1 or not isfinite(kept["fertility"]) or kept["fertility"] < 0:
        raise ValueError(f"vocab_size must be at least 1 and fertility a number of at least 0 in {dict(row)}")
    if not 0 <= kept.get("unknown_rate", 0) <= 1:
        raise ValueError(
            f"unknown_rate is a share between 0 and 1, got {kept['unknown_rate']} in {dict(row)}"
        )
    return kept


def _refuse_repeats(rows: Sequence[Mapping[str, Any]]) -> None:
    seen = set()
    for row in rows:
        point = (row["domain"], row["tokenizer"], row["vocab_size"])
        if point in seen:
            raise ValueError(f"two rows for domain, tokenizer and vocab_size {point}: keep one")
        seen.add(point)


def _chosen(wanted: Collection[str] | None, known: list[str], default: list[str], what: str) -> list[str]:
    if wanted is None:
        return default
    strange = [name for name in wanted if name not in known]
    if strange:
        raise ValueError(f"{what} {strange} are in no row; the rows have {known}")
    return list(wanted)


def _middle(sizes: Any) -> int:
    ordered = sorted(set(sizes))
    return ordered[len(ordered) // 2]


def _first_state(data: Mapping[str, Any], interval: str) -> Html:
    """The table of values at the first vocabulary size, highest fertility first."""
    rows = [
        row
        for row in data["rows"]
        if row["vocab_size"] == data["size"]
        and row["domain"] in data["domains"]
        and row["tokenizer"] in data["tokenizers"]
    ]
    body = join(_row(row) for row in sorted(rows, key=lambda row: -row["fertility"]))
    return fill(asset("fertility.html"), size=f"{data['size']:,}", interval=interval, rows=body)


def _row(row: Mapping[str, Any]) -> Html:
    low_high = "{:.2f} to {:.2f}".format(*row["interval"]) if "interval" in row else "–"
    number = tag("td", f"{row['fertility']:.2f}", class_="cw-number")
    name, kind = tag("th", row["domain"], scope="row"), tag("td", row["tokenizer"])
    return tag("tr", name, kind, number, tag("td", low_high, class_="cw-number"))
