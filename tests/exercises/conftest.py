"""Every exercise, run by plain nbval once a session."""

from collections.abc import Callable
from pathlib import Path

import pytest
from exercise_variants import Runs, variants

from course_utils.grading import exercise, verdicts
from course_utils.grading.exercise import Exercise
from course_utils.grading.verdicts import Verdict


@pytest.fixture(scope="session")
def nbval_runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Exercise], Runs]:
    """A function from an exercise to what nbval says about each of its variants, run once a session."""
    known: dict[str, Runs] = {}

    def runs(found: Exercise) -> Runs:
        if found.name not in known:
            folder = tmp_path_factory.mktemp(found.name)
            paths = {name: folder / f"{name}.ipynb" for name in variants(found)}
            for name, notebook in variants(found).items():
                paths[name].write_text(exercise.dump_notebook(notebook), encoding="utf-8")
            said: dict[Path, dict[str, Verdict]] = verdicts.run(list(paths.values()))
            known[found.name] = {name: said[path] for name, path in paths.items()}
        return known[found.name]

    return runs
