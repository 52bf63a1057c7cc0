"""The zip that Gradescope takes as an autograder: setup.sh, run_autograder, the exercise and the grader.

It holds the solution and the key of the hidden inputs: it is for Gradescope's upload form alone.
"""

from __future__ import annotations

import ast
import json
import secrets
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions, version
from pathlib import Path

from course_utils.grading.exercise import Exercise, dump_notebook, source
from course_utils.grading.gradescope import CONFIG, EXERCISE
from course_utils.grading.publish.gradescope_results import VISIBILITIES

PACKAGE = Path(__file__).parents[1]
# The grader's own modules; what an exercise imports is added.
NEEDED = ("ipykernel", "ipython", "jinja2", "filelock", "jupyter-client", "nbclient", "nbformat", "nbval")
ALSO_NEEDED = ("platformdirs", "pytest", "pyyaml", "pyzmq", "traitlets", "setuptools")
SCRIPTS = {"setup.sh": "gradescope_setup.sh", "run_autograder": "gradescope_run.sh"}
DATE = (2026, 1, 1, 0, 0, 0)  # so that the same exercise and key make the same bytes


@dataclass(frozen=True)
class Options:
    """How the autograder works. hidden_visibility: when students see the outcome of hidden checks.

    sandboxed: False runs without bubblewrap, inside Gradescope's container, and stamps every result.
    salt: the key of the hidden inputs; b"" draws a new one. A gradebook's own gives the same inputs as
    `course grade` does, where students have the same names. public_needs_hidden: as in `late.Policy`.
    """

    hidden_visibility: str = "visible"
    sandboxed: bool = True
    salt: bytes = b""
    public_needs_hidden: bool = True


def write(exercise: Exercise, path: Path, options: Options | None = None) -> Path:
    """Write the zip. Raises ValueError for an unknown visibility."""
    chosen = options or Options()
    if chosen.hidden_visibility not in VISIBILITIES:
        raise ValueError(
            f"{chosen.hidden_visibility!r} is no visibility: choose one of {', '.join(VISIBILITIES)}."
        )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _members(exercise, chosen):
            member = zipfile.ZipInfo(name, DATE)
            member.external_attr = (0o755 if name in SCRIPTS else 0o644) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return path


def requirements(exercise: Exercise) -> list[str]:
    """What pip installs there, pinned to what is installed here, so that verdicts are the same."""
    known = packages_distributions()
    extra = {
        known[name][0] for name in imported(exercise) if name in known and name not in sys.stdlib_module_names
    }
    wanted = {name.lower().replace("_", "-") for name in (*NEEDED, *ALSO_NEEDED, *extra)}
    return [f"{name}=={version(name).partition('+')[0]}" for name in sorted(wanted)]


def imported(exercise: Exercise) -> set[str]:
    """The top names of all modules that the exercise's cells import."""
    found: set[str] = set()
    for cell in exercise.notebook["cells"]:
        for node in ast.walk(ast.parse(source(cell))) if cell["cell_type"] == "code" else ():
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return found


def _members(exercise: Exercise, options: Options) -> Iterator[tuple[str, str]]:
    settings = {
        "exercise": exercise.name,
        "hidden_visibility": options.hidden_visibility,
        "public_needs_hidden": options.public_needs_hidden,
        "sandboxed": options.sandboxed,
        "salt": (options.salt or secrets.token_bytes(32)).hex(),
    }
    for name, template in SCRIPTS.items():
        yield name, (PACKAGE / "grading" / template).read_text(encoding="utf-8")
    yield CONFIG, json.dumps(settings, indent=1, sort_keys=True)
    yield EXERCISE, dump_notebook(exercise.notebook)
    yield "requirements.txt", "".join(f"{line}\n" for line in requirements(exercise))
    for file in _package_files():
        yield f"course_utils/{file.relative_to(PACKAGE).as_posix()}", file.read_text(encoding="utf-8")


def _package_files() -> Iterable[Path]:
    """The part of this package that grades: the grading room, and the two modules that it stands on."""
    kinds = {".py", ".css", ".html", ".sh"}
    room = sorted(path for path in (PACKAGE / "grading").rglob("*") if path.suffix in kinds)
    return [PACKAGE / "__init__.py", PACKAGE / "paths.py", *room]
