"""The format of a results file: fields and their checks, rounding, layout, comparison, provenance."""

import json
import math
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from importlib import metadata
from typing import Any

from course_utils import __version__

SIGNIFICANT_DIGITS = 6
VERDICTS = ("holds", "holds here only", "does not hold", "cannot tell")
FIELDS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "command": str,
    "scale": str,
    "seeds": list,
    "versions": dict,
    "machine": str,
    "date": str,
    "seconds": (int, float),
    "tolerance": dict,
    "rows": list,
    "claims": dict,
}
TOLERANCE_FIELDS = {"relative", "absolute", "ignore"}
CLAIM_FIELDS = {"verdict", "estimate", "interval", "unit", "seeds", "sentence"}
_DISTRIBUTIONS = {
    "datasets": "datasets",
    "numpy": "numpy",
    "scipy": "scipy",
    "sklearn": "scikit-learn",
    "tokenizers": "tokenizers",
    "torch": "torch",
    "transformers": "transformers",
}


class ResultsError(ValueError):
    """A results file, or what is to become one, breaks the format; the message says where and what to do."""


def check_name(name: str) -> None:
    """Raise ResultsError unless `name` can be a file name and a Python module name."""
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ResultsError(f"a results name has small letters, digits and underscores, got {name!r}")


def check(made: Mapping[str, Any], file: str) -> None:
    """Raise ResultsError, naming the file and the key, unless `made` follows the format to the last field."""
    _require(made.keys() == FIELDS.keys(), file, "fields", f"must be {list(FIELDS)}, got {list(made)}")
    for key, kind in FIELDS.items():
        right = isinstance(made[key], kind) and not isinstance(made[key], bool)
        _require(right, file, key, f"has the wrong type, {type(made[key]).__name__}")
    check_name(made["name"])
    _require(bool(made["command"].strip()), file, "command", "is empty; it must be what makes the file again")
    _require(all(_is_count(seed) for seed in made["seeds"]), file, "seeds", "must be integers >= 0")
    _require(made["seconds"] >= 0, file, "seconds", f"must be >= 0, got {made['seconds']}")
    try:
        date.fromisoformat(made["date"])
    except ValueError:
        _require(False, file, "date", f"must be YYYY-MM-DD, got {made['date']!r}")
    _check_tolerance(made["tolerance"], file)
    _check_rows(made["rows"], file)
    for claim, entry in made["claims"].items():
        _check_claim(entry, file, f"claims.{claim}")


def rounded(value: Any, place: str) -> Any:
    """A copy of a JSON value with every float rounded to 6 significant digits; a tuple becomes a list.

    Raises ResultsError, naming `place`, on NaN, infinity and what JSON cannot hold, such as a tensor.

    >>> rounded({"loss": 0.123456789, "ids": (1, 2)}, "rows")
    {'loss': 0.123457, 'ids': [1, 2]}
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        _require(
            math.isfinite(value),
            place,
            "value",
            f"{value} is not finite; say None where nothing was measured",
        )
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}")
    if isinstance(value, (list, tuple)):
        return [rounded(item, place) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: rounded(item, f"{place}.{key}") for key, item in value.items()}
    kind = f"{type(value).__module__}.{type(value).__name__}"
    raise ResultsError(f"{place}: {kind} is not a JSON value; make it plain first, as .item() does")


def layout(made: Mapping[str, Any]) -> str:
    """The text of the file: one field a line, one row a line, so that a diff shows which row changed.

    >>> print(layout({"name": "toy", "rows": [{"a": 1}, {"a": 2}], "claims": {}}), end="")
    {
     "name": "toy",
     "rows": [
      {"a": 1},
      {"a": 2}
     ],
     "claims": {}
    }
    """
    return (
        "{\n"
        + ",\n".join(f" {json.dumps(key)}: {_layout_field(value)}" for key, value in made.items())
        + "\n}\n"
    )


def versions() -> dict[str, str]:
    """The versions of Python, of the course, and of those of its libraries that this process has loaded."""
    loaded = {
        name: metadata.version(name) for module, name in _DISTRIBUTIONS.items() if module in sys.modules
    }
    return dict(sorted({"python": platform.python_version(), "course_utils": __version__, **loaded}.items()))


def machine() -> str:
    """The machine in words, without anything that names it: cores, memory, system, accelerator."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
    except (AttributeError, ValueError):  # Windows has no sysconf
        memory = "memory not known"
    plural = "s" if cores > 1 else ""
    return f"{cores} CPU core{plural} ({platform.machine()}), {memory}, {platform.system()}, {_accelerator()}"


def differences(
    place: str, old: Mapping[str, Any], new: Mapping[str, Any], skip: set[str], tolerance: Mapping[str, Any]
) -> Iterator[str]:
    """One sentence for each field outside `skip` in which two rows or claims differ beyond the tolerance."""
    for key in [*old, *(key for key in new if key not in old)]:
        if key in skip:
            continue
        if key not in new or key not in old:
            yield f"{place}: field '{key}' is " + ("gone" if key in old else "new")
        elif not _agree(old[key], new[key], tolerance):
            yield f"{place}: {key} was {old[key]!r}, is {new[key]!r}"


def _agree(old: Any, new: Any, tolerance: Mapping[str, Any]) -> bool:
    """Equal; numbers within the tolerance, whether alone or in lists and mappings."""
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(_agree(a, b, tolerance) for a, b in zip(old, new, strict=True))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_agree(old[key], new[key], tolerance) for key in old)
    if _is_number(old) and _is_number(new):
        return math.isclose(old, new, rel_tol=tolerance["relative"], abs_tol=tolerance["absolute"])
    return type(old) is type(new) and bool(old == new)


def _require(condition: bool, file: str, key: str, problem: str) -> None:
    if not condition:
        raise ResultsError(f"{file}: {key} {problem}; mend the command that writes it and run it again")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check_tolerance(tolerance: Mapping[str, Any], file: str) -> None:
    named = tolerance.keys() == TOLERANCE_FIELDS
    _require(named, file, "tolerance", f"must have {sorted(TOLERANCE_FIELDS)}, got {tolerance}")
    for key in ("relative", "absolute"):
        right = _is_number(tolerance[key]) and tolerance[key] >= 0
        _require(right, file, f"tolerance.{key}", f"must be a number >= 0, got {tolerance[key]!r}")
    ignore = tolerance["ignore"]
    right = isinstance(ignore, list) and all(isinstance(name, str) for name in ignore)
    _require(right, file, "tolerance.ignore", f"must be a list of names, got {ignore!r}")


def _check_rows(rows: list[Any], file: str) -> None:
    _require(bool(rows), file, "rows", "is empty; a measurement has at least one row")
    for number, row in enumerate(rows, start=1):
        has_content = isinstance(row, dict) and any(value not in (None, "") for value in row.values())
        _require(has_content, file, f"row {number}", f"holds no value: {row!r}")


def _check_claim(entry: Any, file: str, key: str) -> None:
    """Each field of one claim: whether it is right, and what it must be."""
    complete = isinstance(entry, dict) and entry.keys() == CLAIM_FIELDS
    _require(complete, file, key, f"must have {sorted(CLAIM_FIELDS)}, got {entry!r}")
    estimate, sentence = entry["estimate"], entry["sentence"]
    checks = {
        "verdict": (entry["verdict"] in VERDICTS, f"one of {VERDICTS}"),
        "estimate": (estimate is None or _is_number(estimate), "a number, or null"),
        "interval": (_is_interval(entry["interval"]), "[low, high] with low <= high, or null"),
        "unit": (isinstance(entry["unit"], str), "text, '' for a plain number"),
        "seeds": (_is_count(entry["seeds"]), "how many there were, 0 if none"),
        "sentence": (
            isinstance(sentence, str) and sentence.strip() != "",
            "what was measured, in a sentence",
        ),
    }
    for name, (right, expected) in checks.items():
        _require(right, file, f"{key}.{name}", f"must be {expected}, got {entry[name]!r}")


def _is_interval(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, list) or len(value) != 2 or not all(_is_number(end) for end in value):
        return False
    return bool(value[0] <= value[1])


def _layout_field(value: Any) -> str:
    lines: list[str] = []
    if isinstance(value, list) and value and isinstance(value[0], dict):
        lines = [_compact(row) for row in value]
    elif isinstance(value, dict) and value and all(isinstance(item, dict) for item in value.values()):
        lines = [f"{_compact(key)}: {_compact(item)}" for key, item in value.items()]
    if not lines:
        return _compact(value)
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return opening + "\n  " + ",\n  ".join(lines) + f"\n {closing}"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _accelerator() -> str:
    torch = sys.modules.get("torch")  # an experiment that never loaded torch used no accelerator
    if torch is not None and torch.cuda.is_available():
        return str(torch.cuda.get_device_name(0))
    return "no accelerator"
