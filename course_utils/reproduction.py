"""Run the command of a results file again and say what differs from what was recorded."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from course_utils import results
from course_utils.paths import project_root


class ReproductionError(RuntimeError):
    """A results file cannot be reproduced here; the message says why and what to do."""


def reproduce(name: str, *, keep: bool = False) -> list[str]:
    """Measure `results/NAME.json` again, at its scale, and list what differs beyond its tolerance.

    The command writes into a scratch folder; its own output goes to the terminal. keep: put the new file,
    and others of its name, in place of the recorded ones. Raises ReproductionError without a checkout, or if
    the command fails.
    """
    root = project_root()
    if root is None:
        raise ReproductionError(
            "results are reproduced from a checkout, and the course is installed without one; "
            "clone the repository, install it with `pip install -e .` and run this again"
        )
    recorded = results.load(name)
    with tempfile.TemporaryDirectory(prefix="course-reproduce-") as scratch:
        _run(recorded, root, Path(scratch))
        made = Path(scratch) / f"{name}.json"
        if not made.is_file():
            raise ReproductionError(
                f"`{recorded.command}` wrote no {name}.json; let it call results.write('{name}', ...)"
            )
        new = results.parse(made.read_text(encoding="utf-8"), name)
        if keep:
            for file in Path(scratch).glob(f"{name}.*"):  # a study keeps its predictions beside its table
                shutil.copyfile(file, root / "results" / file.name)
    return results.compare(recorded, new)


def _run(recorded: results.Results, root: Path, scratch: Path) -> None:
    """Run the recorded command in the checkout with this very Python, its results sent to `scratch`."""
    words = shlex.split(recorded.command)
    command = [sys.executable, *words[1:]] if words[0] in ("python", "python3") else words
    environment = os.environ | {results.OUT_VARIABLE: str(scratch), "COURSE_SCALE": recorded.scale}
    status = subprocess.run(command, cwd=root, env=environment, check=False).returncode
    if status != 0:
        raise ReproductionError(
            f"`{recorded.command}` failed with exit status {status}; its own message stands above. "
            f"Run it by hand from {root} to find out more"
        )
