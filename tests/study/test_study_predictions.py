"""The committed predictions: small, without texts, and every verdict on thresholds as from the runs."""

import numpy as np
import pytest
from made_up import study

from course_utils.study import design, gaps, predictions
from course_utils.study.report_pairs import hypothesis_rows
from course_utils.study.runs import RunError

SYSTEMS = {"random": 0.15, "bag-of-words": 0.4, "frozen": 0.8, "undistilled": 1.2, "distilled": 1.8}


@pytest.fixture(scope="module")
def made():
    plan = design.load("reviews")
    skill = {**SYSTEMS, "six-layers": 2.0}
    return study(np.random.default_rng(3), skill, tuple(plan.domains), seeds=2, count=300, unlabeled=0.2)


@pytest.fixture(scope="module")
def again(made, tmp_path_factory):
    return predictions.read(predictions.save(made, tmp_path_factory.mktemp("kept") / "study_made.npz"))


def test_the_rows_and_runs_are_the_same(made, again):
    assert again.name == made.name
    assert list(again.runs) == list(made.runs)
    for part, rows in again.rows.items():
        for column in ("ids", "labels", "words"):
            assert np.array_equal(getattr(rows, column), getattr(made.rows[part], column))


def test_scores_keep_their_side_and_move_by_half_a_cell_at_most(made, again):
    for key, run in again.runs.items():
        for part, kept in run.scores.items():
            original = made.runs[key].scores[part]
            assert np.array_equal(kept > 0, original > 0)
            assert np.abs(kept - original).max() <= 0.5 / predictions.CELLS + 1e-6


def test_what_hangs_on_the_threshold_is_equal_to_the_last_digit(made, again):
    plan = design.load("reviews")
    whole, kept = hypothesis_rows(plan, made), hypothesis_rows(plan, again)
    for before, after in zip(whole, kept, strict=True):
        if before.get("metric") == "balanced_accuracy":
            assert [after[key] for key in ("mean", "low", "high")] == [
                before[key] for key in ("mean", "low", "high")
            ]


def test_auc_moves_in_its_fourth_digit(made, again):
    for quantity in ("gap", "in_domain"):
        before, after = (
            gaps.pair(one, "distilled", "six-layers", "auc").estimate(quantity) for one in (made, again)
        )
        assert after.value == pytest.approx(before.value, abs=5e-4)
        assert after.error == pytest.approx(before.error, rel=0.02)


def test_groups_are_numbers_and_the_same_rows_stand_together(tmp_path):
    grouped = study(np.random.default_rng(3), {"a": 1.0}, seeds=1, count=40, group_size=4)
    kept = predictions.read(predictions.save(grouped, tmp_path / "study_grouped.npz"))
    names, numbers = (one.rows["films", "test"].groups for one in (grouped, kept))
    assert set(numbers) == {str(number) for number in range(10)}
    assert len(set(zip(names, numbers, strict=True))) == len(set(names))


def test_validation_rows_stay_where_stars_are(made, again):
    assert ("yelp", "validation") in again.rows
    bare = study(np.random.default_rng(0), {"a": 1.0}, seeds=1, count=50)
    for rows in bare.rows.values():
        rows.ratings[:] = 0.5
    assert [part for part in bare.rows if predictions._kept(part, bare.rows[part])] == [
        part for part in bare.rows if part[1] == "test"
    ]


def test_a_study_of_a_hundred_runs_stays_below_its_bound(tmp_path):
    """The laptop's design: 104 runs with scores of their own on 4,740 test rows."""
    large = study(np.random.default_rng(0), dict.fromkeys("abcd", 1.0), ("films", "games"), 26, count=2370)
    for rows in large.rows.values():
        rows.ratings[:] = 0.5
    assert predictions.save(large, tmp_path / "study_large.npz").stat().st_size < 1.1e6


def test_it_refuses_what_is_no_file_of_predictions(tmp_path):
    with pytest.raises(RunError, match="there is no"):
        predictions.read(tmp_path / "none.npz")
    (tmp_path / "other.npz").write_bytes(b"no")
    with pytest.raises(RunError, match="damaged"):
        predictions.read(tmp_path / "other.npz")
    np.savez(tmp_path / "plain.npz", a=np.zeros(1))
    with pytest.raises(RunError, match="holds no predictions"):
        predictions.read(tmp_path / "plain.npz")
    with pytest.raises(RunError, match=r"there is no .*study_nowhere"):
        predictions.load("nowhere")
