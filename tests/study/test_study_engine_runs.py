"""The files of runs: read back to the bit, refused when they are damaged or do not fit together."""

import json

import numpy as np
import pytest

from course_utils.study import runs
from course_utils.study.runs import Key, Rows, Run, RunError

ROWS = Rows(
    np.array(["a", "b", "c", "d"]),
    np.array([0, 1, 1, -1], dtype=np.int8),
    np.array([1, 5, np.nan, 3], dtype=np.float32),
    np.array(["x", "x", "y", "ü"]),
    np.array([3, 4, 5, 6], dtype=np.int32),
)


def made(seed=0, kind="log_odds", rows=ROWS):
    about = {"system": "whole", "train": "food", "seed": seed, "kind": kind, "fingerprint": "f"}
    scores = np.random.default_rng(seed).normal(size=len(rows)).astype(np.float32)
    return Run(about, {("food", "test"): rows}, {("food", "test"): scores})


def test_a_run_is_read_back_to_the_bit(tmp_path):
    path = runs.write(tmp_path, made())
    assert [one.name for one in sorted(path.parent.iterdir())] == [
        "whole--food--0.json",
        "whole--food--0.npz",
    ]
    again = runs.read(tmp_path, Key("whole", "food", 0), "f")
    assert again.rows["food", "test"].equals(ROWS)
    assert again.scores["food", "test"].tobytes() == made().scores["food", "test"].tobytes()
    assert list(again.rows["food", "test"].labeled) == [True, True, True, False]
    first = path.with_suffix(".npz").read_bytes()
    runs.write(tmp_path, made())
    assert path.with_suffix(".npz").read_bytes() == first


def test_probabilities(tmp_path):
    run = made()
    odds = run.scores["food", "test"].astype(float)
    assert np.allclose(np.log(run.positive("food") / (1 - run.positive("food"))), odds)
    with pytest.raises(ValueError, match="no probability"):
        made(kind="score").positive("food")


def test_damaged_missing_and_foreign_files_are_refused_in_words(tmp_path):
    key = Key("whole", "food", 0)
    with pytest.raises(RunError, match="is missing"):
        runs.read(tmp_path, key)
    path = runs.write(tmp_path, made())
    with pytest.raises(RunError, match="another design"):
        runs.read(tmp_path, key, "other")
    packed = path.with_suffix(".npz").read_bytes()
    path.with_suffix(".npz").write_bytes(packed[:-1] + b"!")
    with pytest.raises(RunError, match="missing or damaged"):
        runs.read(tmp_path, key)
    path.with_suffix(".npz").unlink()
    with pytest.raises(RunError, match="missing or damaged"):
        runs.read(tmp_path, key)
    about = json.loads(path.read_text())
    path.write_text(json.dumps(about | {"format": 99}))
    with pytest.raises(RunError, match="not of format"):
        runs.read(tmp_path, key)
    path.write_text("{half")
    with pytest.raises(RunError, match="is damaged"):
        runs.read(tmp_path, key)


def test_uneven_or_endless_scores_are_not_written(tmp_path):
    run = made()
    short = Run(run.about, run.rows, {("food", "test"): run.scores["food", "test"][:3]})
    with pytest.raises(ValueError, match="different lengths"):
        runs.write(tmp_path, short)
    endless = Run(run.about, run.rows, {("food", "test"): np.full(4, np.inf, np.float32)})
    with pytest.raises(ValueError, match="not finite"):
        runs.write(tmp_path, endless)
    assert not list((tmp_path / "runs").glob("*.json"))


def test_a_study_needs_runs_on_the_same_rows():
    with pytest.raises(RunError, match="no runs yet"):
        runs.gather("small", [])
    other = Rows(np.array(["a", "b", "c", "e"]), ROWS.labels, ROWS.ratings, ROWS.groups, ROWS.words)
    with pytest.raises(RunError, match="different rows"):
        runs.gather("small", [made(0), made(1, rows=other)])
    study = runs.gather("small", [made(1), made(0)])
    assert (study.systems, study.train_domains, study.test_domains) == (["whole"], ["food"], ["food"])
    assert study.seeds("whole", "food") == [0, 1]
