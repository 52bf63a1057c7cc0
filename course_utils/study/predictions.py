"""The predictions behind a report, small enough to be committed: results/study_NAME.npz, without any text.

Scores are kept in cells of a sixty-fourth, none of which has both sides of 0 in it. So accuracy, balanced
accuracy and what is tested in them come out as from the runs themselves, to the last digit; AUC and
calibration move in their fourth. Cut points fitted on rounded scores are others. There are all test rows,
and the validation rows of domains with stars, on which cut points are fitted. Groups are numbers, in each
part from 0.
"""

import json
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.paths import project_root
from course_utils.study.ordinal import is_stars
from course_utils.study.runs import (
    ROW_COLUMNS,
    Floats,
    Part,
    Rows,
    Run,
    RunError,
    Study,
    from_arrays,
    gather,
    packed,
    unpacked,
    write_whole,
)

CELLS = 64  # in a step of 1 of the log-odds: a probability is at most 0.002 off
ABOUT = ("design", "registration", "system", "train", "seed", "kind", "cpu_seconds")


def save(study: Study, path: Path) -> Path:
    """Write the predictions of all runs of a study into one .npz file."""
    keys = list(study.runs)
    told = [{name: study.runs[key].about.get(name) for name in ABOUT} for key in keys]
    arrays: dict[str, NDArray] = {"about": np.array(json.dumps(told)), "name": np.array(study.name)}
    for (domain, part), rows in study.rows.items():
        if not _kept((domain, part), rows):
            continue
        arrays |= {f"{domain}.{part}.{column}": getattr(rows, column) for column in ROW_COLUMNS}
        numbers = np.unique(rows.groups, return_inverse=True)[1]
        arrays[f"{domain}.{part}.groups"] = numbers.astype(np.str_)
        scores = np.stack([study.runs[key].scores[domain, part] for key in keys])
        arrays[f"{domain}.{part}.scores"] = cells(scores)
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_whole(path, packed(arrays))


def read(path: Path) -> Study:
    """What `save` wrote. Raises RunError for anything else."""
    if not path.is_file():
        raise RunError(f"there is no {path}; make it with: course study report")
    arrays = unpacked(path.read_bytes(), path)
    try:
        abouts, name = json.loads(str(arrays.pop("about"))), str(arrays.pop("name"))
    except (KeyError, ValueError) as problem:
        raise RunError(
            f"{path} holds no predictions ({problem}); write it with: course study report"
        ) from problem
    whole = from_arrays({}, arrays)
    scores = {part: from_cells(found) for part, found in whole.scores.items()}
    runs = (
        Run(about, whole.rows, {part: found[number] for part, found in scores.items()})
        for number, about in enumerate(abouts)
    )
    return gather(name, runs)


def load(name: str) -> Study:
    """The committed predictions of a study: results/study_NAME.npz, of the checkout or the installed package.

    Raises RunError where there are none.
    """
    root = project_root()
    bundled = Path(str(resources.files("course_utils"))) / "bundled_results"
    return read((bundled if root is None else root / "results") / f"study_{name}.npz")


def cells(scores: ArrayLike) -> NDArray[np.int16]:
    """The number of the cell of each score; those from 0 on are for scores above 0.

    >>> cells([-1e-6, 0.0, 1e-6, 0.5, 0.51]).tolist()
    [-1, -1, 0, 31, 32]
    """
    numbers = np.ceil(np.asarray(scores, dtype=np.float64) * CELLS) - 1
    ends = np.iinfo(np.int16)
    return np.clip(numbers, ends.min, ends.max).astype(np.int16)


def from_cells(numbers: ArrayLike) -> Floats:
    """The middle of each cell.

    >>> from_cells([-1, 0]).tolist()
    [-0.0078125, 0.0078125]
    """
    return ((np.asarray(numbers, dtype=np.float32) + 0.5) / CELLS).astype(np.float32)


def _kept(part: Part, rows: Rows) -> bool:
    return part[1] == "test" or is_stars(rows.ratings)
