"""How long does each chapter take? Wall and CPU seconds of its notebook, run from top to bottom, headless.

A notebook runs in a fresh kernel, in its own folder, with what it downloads already in the cache: what is
measured is the second run and later. Wall time depends on what else the machine does; the median of the runs
is kept. Nothing is compared when the file is reproduced but which chapters there are: times differ.

Run: python -m experiments.running_times [--repeats 3] [--missing]
At another scale (COURSE_SCALE=colab) the file is results/running_times_colab.json.
"""

import argparse
import re
import resource
import statistics
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

from course_utils import results, scale

CHAPTERS = Path(__file__).parents[1] / "chapters"
NAME = "running_times" if scale.current() is scale.Scale.LAPTOP else f"running_times_{scale.current()}"
TIMEOUT = 3600  # seconds for one cell


def run_once(notebook: Path) -> tuple[float, float]:
    """Wall and CPU seconds of one run; raises nbclient's CellExecutionError if a cell fails."""
    made = nbformat.read(notebook, as_version=4)
    started, cpu = time.perf_counter(), _cpu_of_children()
    NotebookClient(made, timeout=TIMEOUT, resources={"metadata": {"path": str(notebook.parent)}}).execute()
    return time.perf_counter() - started, _cpu_of_children() - cpu


def measure(notebook: Path, repeats: int) -> results.Row:
    """The row of one chapter: medians over `repeats` runs, after one that fills the caches."""
    run_once(notebook)
    runs = [run_once(notebook) for _ in range(repeats)]
    return {
        "chapter": int(notebook.name[:2]),
        "notebook": notebook.stem,
        "wall_seconds": statistics.median(wall for wall, _ in runs),
        "cpu_seconds": statistics.median(cpu for _, cpu in runs),
        "repeats": repeats,
    }


def _cpu_of_children() -> float:
    """CPU seconds of every process this one has started and seen end: the kernels."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def in_the_book(contents: Path) -> list[str]:
    """The numbered chapters that _toc.yml lists, such as chapters/03_bert_built; others wait for results."""
    return re.findall(r"file: (chapters/\d\d_\w+)", contents.read_text(encoding="utf-8"))


def known() -> tuple[dict[str, results.Row], float]:
    """The rows that are there, by notebook, and the seconds that they took."""
    found = results.load(NAME)
    return {row["notebook"]: row for row in found.rows()}, found.seconds


def main(chapters: Path = CHAPTERS, out: Path | None = None) -> None:
    """Measure every chapter and write the results."""
    parser = argparse.ArgumentParser(description="Measure the running time of every chapter.")
    parser.add_argument(
        "--repeats", type=int, default=3, help="runs of each chapter, of which the median is kept"
    )
    parser.add_argument(
        "--missing", action="store_true", help="measure only chapters without a time, and keep the others'"
    )
    options = parser.parse_args()
    started = time.perf_counter()
    notebooks = [chapters.parent / f"{name}.ipynb" for name in in_the_book(chapters.parent / "_toc.yml")]
    before, seconds = known() if options.missing else ({}, 0.0)
    rows = [
        before.get(notebook.stem) or measure(notebook, options.repeats)
        for notebook in tqdm(notebooks, unit="chapter")
    ]
    results.write(
        NAME,
        command="python -m experiments.running_times",
        rows=rows,
        seeds=[],
        seconds=seconds + time.perf_counter() - started,
        tolerance={"relative": 0.0, "absolute": 0.0, "ignore": ["wall_seconds", "cpu_seconds", "repeats"]},
        out=out,
    )


if __name__ == "__main__":
    main()
