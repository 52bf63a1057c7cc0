"""What was measured: one JSON file for each experiment, written by its command, read by chapters and claims.

A file `results/NAME.json` holds the command that made it, the scale, the seeds, the versions, the machine in
words, the date, the seconds it took, the tolerance within which a second run must agree, the rows, and the
verdicts on claims. Nothing in it is typed by hand: `write` makes it and `load` reads it.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from course_utils import scale
from course_utils.paths import project_root
from course_utils.results_format import (
    ResultsError,
    check,
    check_name,
    differences,
    layout,
    machine,
    rounded,
    versions,
)

# Where `write` puts its file when it is told nothing: `course reproduce` sets it to a scratch folder.
OUT_VARIABLE = "COURSE_RESULTS_DIR"

Row = dict[str, Any]


@dataclass(frozen=True)
class Results:
    """One results file. `rows`, `row` and `value` get at its table; a match is `field=value`, exactly equal.

    >>> made = Results("toy", [{"size": 1, "loss": 0.5}, {"size": 2, "loss": 0.25}])
    >>> made.value("loss", size=2)
    0.25
    >>> made.row(size=1)
    {'size': 1, 'loss': 0.5}
    """

    name: str
    table: list[Row]
    command: str = ""
    scale: str = ""
    seeds: list[int] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    machine: str = ""
    date: str = ""
    seconds: float = 0.0
    tolerance: dict[str, Any] = field(default_factory=lambda: {"relative": 0, "absolute": 0, "ignore": []})
    claims: dict[str, dict[str, Any]] = field(default_factory=dict)

    def rows(self, **match: object) -> list[Row]:
        """Every row whose fields equal `match` (all rows without one), in file order; KeyError if none."""
        fields = sorted({key for row in self.table for key in row})
        unknown = sorted(set(match) - set(fields))
        if unknown:
            raise KeyError(f"results '{self.name}' have no field {unknown}; the fields are {fields}")
        found = [row for row in self.table if all(key in row and row[key] == match[key] for key in match)]
        if not found:
            raise KeyError(
                f"results '{self.name}' have no row with {match}; there are {self._distinct(match)}"
            )
        return [dict(row) for row in found]

    def row(self, **match: object) -> Row:
        """The one row whose fields equal `match`; KeyError if there is none, or more than one."""
        found = self.rows(**match)
        if len(found) > 1:
            telling = sorted(
                {key for row in found for key in row if any(row[key] != one.get(key) for one in found)}
            )
            raise KeyError(
                f"results '{self.name}' have {len(found)} rows with {match}; match {telling} as well"
            )
        return found[0]

    def value(self, key: str, **match: object) -> Any:
        """Field `key` of the one row that matches; KeyError that lists the fields it has."""
        row = self.row(**match)
        if key not in row:
            raise KeyError(
                f"results '{self.name}' have no field '{key}' in the row {match}; it has {sorted(row)}"
            )
        return row[key]

    def _distinct(self, match: Mapping[str, object]) -> dict[str, list[Any]]:
        """For each matched field, its distinct values in file order."""
        distinct: dict[str, list[Any]] = {key: [] for key in match}
        for row in self.table:
            for key, seen in distinct.items():
                if key in row and row[key] not in seen:
                    seen.append(row[key])
        return distinct


def names() -> list[str]:
    """The names of all results there are, sorted."""
    return sorted(_files())


def load(name: str) -> Results:
    """Read `results/NAME.json` of the checkout, or of the installed package where there is no checkout.

    Raises FileNotFoundError (it lists the names there are) or ResultsError (it names the file and the key).
    """
    check_name(name)
    files = _files()
    if name not in files:
        raise FileNotFoundError(
            f"there are no results called '{name}', only {sorted(files)}; "
            f"make them in a checkout of the course with: python -m experiments.{name}"
        )
    return parse(files[name].read_text(encoding="utf-8"), name)


def parse(text: str, name: str) -> Results:
    """Check the text of the results file called `name` and return it; raises ResultsError."""
    file = f"results/{name}.json"
    try:
        made = json.loads(text)
    except json.JSONDecodeError as error:
        raise ResultsError(f"{file}: not JSON ({error}); run the command that writes it again") from error
    if not isinstance(made, dict):
        raise ResultsError(f"{file}: must hold an object; run the command that writes it again")
    check(made, file)
    if made["name"] != name:
        raise ResultsError(f"{file}: name is '{made['name']}'; rename the file, or run its own command again")
    return Results(table=made.pop("rows"), **made)


def write(
    name: str,
    *,
    command: str,
    rows: Sequence[Mapping[str, Any]],
    seeds: Sequence[int],
    seconds: float,
    tolerance: Mapping[str, Any],
    claims: Mapping[str, Mapping[str, Any]] | None = None,
    out: Path | None = None,
) -> Path:
    """Write one results file in a fixed layout, whole or not at all, and return its path.

    command: what makes it again from the root of a checkout, such as "python -m experiments.fertility".
    rows: the table, one mapping a row; floats are rounded to 6 significant digits.
    seeds: every seed that was used, [] if nothing is random. seconds: wall time of the measurement.
    tolerance: {"relative": float, "absolute": float, "ignore": [row fields and claim ids that may differ]};
        times belong in "ignore". Of an ignored claim only estimate and interval may differ, not the verdict.
    claims: claim id -> {"verdict", "estimate" (or None), "interval" ([low, high] or None), "unit",
        "seeds" (how many), "sentence" (what was measured)}.
    out: folder; default is the environment variable COURSE_RESULTS_DIR, else `results/` of the checkout.
    Raises ResultsError if something is empty, not finite, or not a JSON value.
    """
    file = f"results/{name}.json"
    made = {
        "name": name,
        "command": command,
        "scale": str(scale.current()),
        "seeds": list(seeds),
        "versions": versions(),
        "machine": machine(),
        "date": date.today().isoformat(),
        "seconds": seconds,
        "tolerance": dict(tolerance),
        "rows": [dict(row) for row in rows],
        "claims": dict(sorted((claims or {}).items())),
    }
    tidy = rounded(made, file)
    check(tidy, file)
    return _write_whole(_out_folder(out) / f"{name}.json", layout(tidy))


def compare(old: Results, new: Results) -> list[str]:
    """What differs between two runs beyond the tolerance that `old` states, a sentence each; [] if nothing.

    Versions, machine, date and seconds may differ; rows are compared in order.

    >>> old = Results("toy", [{"loss": 0.5}], tolerance={"relative": 0.01, "absolute": 0, "ignore": []})
    >>> compare(old, Results("toy", [{"loss": 0.501}]))
    []
    >>> compare(old, Results("toy", [{"loss": 0.6}]))
    ['row 1: loss was 0.5, is 0.6']
    """
    found = [
        f"{key} was {getattr(old, key)!r}, is {getattr(new, key)!r}"
        for key in ("name", "scale", "seeds")
        if getattr(old, key) != getattr(new, key)
    ]
    if len(old.table) != len(new.table):
        found.append(f"there were {len(old.table)} rows, there are {len(new.table)}")
    ignore = set(old.tolerance["ignore"])
    for number, (before, after) in enumerate(zip(old.table, new.table, strict=False), start=1):
        found += differences(f"row {number}", before, after, ignore, old.tolerance)
    for claim in sorted(old.claims.keys() | new.claims.keys()):
        # The sentence is made from the numbers, and those are compared themselves.
        skip = {"sentence"} | ({"estimate", "interval"} if claim in ignore else set())
        before, after = old.claims.get(claim, {}), new.claims.get(claim, {})
        found += differences(f"claim {claim}", before, after, skip, old.tolerance)
    return found


def _files() -> dict[str, Traversable]:
    """Results name -> file, of the checkout or, where there is none, of the installed package."""
    root = project_root()
    bundled = resources.files("course_utils") / "bundled_results"
    place: Traversable = bundled if root is None else root / "results"
    if not place.is_dir():
        return {}
    return {file.name.removesuffix(".json"): file for file in place.iterdir() if file.name.endswith(".json")}


def _out_folder(out: Path | None) -> Path:
    if out is not None:
        return out
    chosen, root = os.environ.get(OUT_VARIABLE, ""), project_root()
    if chosen:
        return Path(chosen)
    if root is None:
        raise ResultsError(
            f"the course is installed without its checkout, so there is no results folder; "
            f"set {OUT_VARIABLE} to a folder, or run from a clone of the repository"
        )
    return root / "results"


def _write_whole(path: Path, text: str) -> Path:
    """Write beside the target, then rename: a reader sees the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_text(text, encoding="utf-8", newline="\n")
    half.replace(path)
    return path
