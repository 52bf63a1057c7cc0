"""The report of `course compress`: a table for the terminal, and a page to read."""

import html
from collections.abc import Mapping, Sequence
from importlib import resources
from string import Template
from typing import Any


def rows(found: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """What was measured, as (what, before, after, ratio or difference). found: from `measure.compare`."""
    size, count = found["bytes"], found["parameters"]
    table = [
        ("Size on disk", _megabytes(size["before"]), _megabytes(size["after"]), _times(size, "smaller")),
        ("Parameters", f"{count['before']:,}", f"{count['after']:,}", _times(count, "fewer")),
    ]
    for timed in found["latency"]:
        medians = {when: timed[when]["median"] for when in ("before", "after")}
        table.append(
            (
                f"Time, batch {timed['before']['batch']}",
                _milliseconds(timed["before"]),
                _milliseconds(timed["after"]),
                _times(medians, "faster"),
            )
        )
    if "accuracy" in found:
        accuracy = found["accuracy"]
        was, now = _interval(accuracy["before"]), _interval(accuracy["after"])
        table.append((f"Accuracy, {accuracy['texts']:,} texts", was, now, _interval(accuracy["change"], "+")))
    if "agreement" in found:
        same = found["agreement"]
        table.append((f"Same answer, {same['texts']:,} texts", "", f"{same['same_class']:.1%}", ""))
    return table


def text(found: Mapping[str, Any]) -> str:
    """The table for a terminal."""
    table = [("", "before", "after", ""), *rows(found)]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in table]
    return "\n".join(lines)


def verdict(found: Mapping[str, Any]) -> str:
    """What the change of accuracy allows to say."""
    if "accuracy" not in found:
        return "Without labeled texts nothing is known of what it lost: give --data and --label."
    change, texts = found["accuracy"]["change"], found["accuracy"]["texts"]
    if change["low"] == change["high"] == 0:
        return f"On these {texts:,} texts it is right and wrong exactly where the original is."
    if change["high"] < 0:
        return f"On these {texts:,} texts it is less accurate, beyond the chance of the draw."
    if change["low"] > 0:
        return f"On these {texts:,} texts it is more accurate, beyond the chance of the draw."
    return (
        f"These {texts:,} texts cannot tell the two apart: the change lies between {change['low']:+.3f} and "
        f"{change['high']:+.3f}."
    )


def page(found: Mapping[str, Any], about: Sequence[tuple[str, str]]) -> str:
    """The report as one HTML page that needs nothing else. about: what was done, as (what, value)."""
    template = Template(resources.files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    notes = "".join(f"<li>{_e(note)}</li>" for note in found["notes"])
    return template.substitute(
        about="".join(f"<tr><th scope=row>{_e(k)}</th><td>{_e(v)}</td></tr>" for k, v in about),
        rows="".join(
            f"<tr><th scope=row>{_e(what)}</th>{''.join(f'<td>{_e(cell)}</td>' for cell in cells)}</tr>"
            for what, *cells in rows(found)
        ),
        verdict=_e(verdict(found)),
        agreement=_e(_agreement(found)),
        timing=_e(
            f"Times are of inputs of {found['length']} tokens, threads: {found['threads']}, both models in "
            "turn: the median, and in brackets the quartiles."
        ),
        notes=f"<h2>What the steps did</h2><ul>{notes}</ul>" if notes else "",
    )


def _agreement(found: Mapping[str, Any]) -> str:
    if "agreement" not in found:
        return ""
    same = found["agreement"]
    return (
        f"On {same['texts']:,} texts it gives the original's class for {same['same_class']:.1%}. The "
        f"probability of that class changes by {same['mean_change']:.3f} on average, by "
        f"{same['largest_change']:.3f} at most."
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.2f} MB"


def _milliseconds(timed: Mapping[str, float]) -> str:
    return f"{timed['median']:.1f} ms [{timed['lower']:.1f}, {timed['upper']:.1f}]"


def _times(values: Mapping[str, float], word: str) -> str:
    ratio = values["before"] / values["after"]
    return "the same" if ratio == 1 else f"{ratio:.2f} times {word}"


def _interval(found: Mapping[str, float], sign: str = "") -> str:
    return f"{found['estimate']:{sign}.3f} [{found['low']:{sign}.3f}, {found['high']:{sign}.3f}]"


def _e(value: object) -> str:
    return html.escape(str(value))
