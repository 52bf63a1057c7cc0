"""The card of a released model: what it is, how it was made, and its measured quality, as Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def write(folder: Path, title: str, facts: Mapping[str, str], rows: Sequence[Row], note: str) -> None:
    """Write folder/card.md: the facts as a list, the rows as a table, and how to read it.

    An estimate with fields NAME_low and NAME_high becomes one cell with its interval.
    """
    listed = "\n".join(f"- **{name}:** {fact}" for name, fact in facts.items())
    text = f"# {title}\n\n{listed}\n\n## Measured\n\n{note}\n\n{table(rows)}\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "card.md").write_text(text, encoding="utf-8", newline="\n")


def table(rows: Sequence[Row]) -> str:
    """A Markdown table.

    >>> print(table([{"model": "a", "top1": 0.25, "top1_low": 0.2, "top1_high": 0.3}]))
    | model | top1 |
    | --- | --- |
    | a | 0.250 (0.200 to 0.300) |
    """
    names = [name for name in rows[0] if not name.endswith(("_low", "_high"))]
    lines = [names, ["---"] * len(names), *([cell(row, name) for name in names] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(row: Row, name: str) -> str:
    """One value, with its interval where there is one."""
    value = row[name]
    if not isinstance(value, float):
        return str(value)
    interval = f" ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})" if f"{name}_low" in row else ""
    return f"{value:.3f}{interval}"
