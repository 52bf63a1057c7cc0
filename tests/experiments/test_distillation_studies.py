"""The rules of the distillation studies on made-up runs: what is fitted, paired, kept and judged."""

import json

import numpy as np
import pytest

from course_utils import results
from experiments import distillation_common as common
from experiments import distillation_controls as controls
from experiments import distillation_factorial as factorial
from experiments import distillation_general as general
from experiments import distillation_sweep as sweep
from experiments import finetuning_common


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder for made-up runs, and a place for the results."""
    monkeypatch.setenv(results.OUT_VARIABLE, str(tmp_path / "results"))
    for module in (finetuning_common, controls, factorial, sweep):
        monkeypatch.setattr(module, "folder", lambda name: tmp_path / name)
    monkeypatch.setattr(general, "folder", lambda: tmp_path / general.NAME)

    def keep(name, records):
        where = tmp_path / name
        where.mkdir(parents=True, exist_ok=True)
        for run, record in records.items():
            (where / f"{run}.json").write_text(json.dumps(record))

    return keep


def written(path):
    return json.loads(open(path, encoding="utf-8").read())


def noise(*seed):
    return float(np.random.default_rng(list(seed)).normal(0, 0.002))


EFFECTS = {"soft": 0.03, "cosine": 0.02, "masked_lm": 0.0, "start": 0.05}


def accuracy(cell, seed, effects=EFFECTS):
    own = sum(effects[name] * getattr(cell, name) for name in factorial.FACTORS)
    return 0.7 + own + 0.01 * seed + noise(seed, int(cell.name, 2))


def accuracies(effects=EFFECTS, spread=True):
    return {
        (cell, seed): accuracy(cell, seed, effects) if spread else accuracy(cell, 0, effects)
        for cell in factorial.CELLS
        for seed in range(3)
    }


def test_the_factorial_has_each_cell_once_and_seeds_as_blocks():
    assert len({cell.name for cell in factorial.CELLS}) == 16
    assert len(factorial.makers()) == 48
    assert factorial.CELLS[0].loss is None
    trained = [cell for cell in factorial.CELLS if cell.loss]
    assert all(cell.loss.masks for cell in trained)
    assert [cell.loss.predicts for cell in trained] == [cell.soft or cell.masked_lm for cell in trained]


def test_the_fit_finds_main_effects_and_the_degrees_left():
    fitted = factorial.fit(accuracies())
    assert fitted.degrees == 48 - 4 - 6 - 3
    for name, effect in EFFECTS.items():
        row = fitted.row(name, 4)
        assert row["effect"] == pytest.approx(effect, abs=0.003)
        assert row["low"] < effect < row["high"]
    crossed = fitted.row("soft x cosine", 6)
    assert crossed["low"] < 0 < crossed["high"]


def test_the_fit_finds_an_interaction():
    both = {key: value + 0.04 * (key[0].soft and key[0].start) for key, value in accuracies().items()}
    fitted = factorial.fit(both)
    assert fitted.row("soft x start", 6)["effect"] == pytest.approx(0.02, abs=0.003)
    assert fitted.row("start", 4)["effect"] == pytest.approx(0.07, abs=0.003)
    with pytest.raises(ValueError, match="at least 2 whole seeds"):
        factorial.fit({key: value for key, value in both.items() if key[1] == 0})


def effect_rows(**middle):
    return {name: {"effect": m, "low": m - 0.004, "high": m + 0.004} for name, m in middle.items()}


@pytest.mark.parametrize(
    ("middle", "expected"),
    [
        ({"soft": 0.03, "cosine": 0.02, "masked_lm": 0.001, "start": 0.05}, "holds here only"),
        ({"soft": 0.03, "cosine": 0.04, "masked_lm": 0.001, "start": 0.05}, "cannot tell"),
        ({"soft": 0.03, "cosine": 0.0, "masked_lm": 0.001, "start": 0.05}, "does not hold"),
        ({"soft": 0.03, "cosine": 0.02, "masked_lm": 0.02, "start": 0.05}, "does not hold"),
        ({"soft": 0.03, "cosine": 0.012, "masked_lm": 0.008, "start": 0.05}, "cannot tell"),
    ],
)
def test_the_rule_of_the_ablation(middle, expected):
    assert factorial.judge(effect_rows(**middle)) == expected


def test_the_factorials_report(runs):
    runs(
        factorial.NAME,
        {
            f"{cell.name}-{seed}": {
                "accuracy": accuracy(cell, seed),
                "cpu_seconds": 1.0,
                "general_cpu_seconds": 2.0,
            }
            for cell in factorial.CELLS
            for seed in range(3)
        },
    )
    made = written(factorial.report())
    assert made["claims"]["distil-ablation"]["seeds"] == 3
    left_out = {row["name"]: row for row in made["rows"] if row["part"] == "left out"}
    assert left_out["start"]["effect"] == pytest.approx(0.05, abs=0.01)
    assert left_out["masked_lm"]["sanh"] == 0.31


def test_the_sweeps_report_pairs_by_seed_and_judges_the_mean_of_the_temperatures(runs, monkeypatch):
    monkeypatch.setattr(sweep, "teacher_rows", lambda seeds: [])
    monkeypatch.setattr(sweep, "gradient_rows", lambda: [])

    def record(name):
        arm, _, seed = name.rpartition("-")
        gain = 0.03 if arm in ("soft-2", "soft-4", "soft-8", "soft-16") else 0.0
        return {"accuracy": 0.7 + 0.05 * int(seed) + gain + noise(len(arm), int(seed)), "cpu_seconds": 1.0}

    runs(sweep.NAME, {name: record(name) for name in sweep.makers() if not name.endswith("-4")})
    made = written(sweep.report())
    claim = made["claims"]["temperature-soft"]
    assert claim["verdict"] == "holds here only"
    assert claim["seeds"] == 4
    assert claim["estimate"] == pytest.approx(0.03, abs=0.005)
    rows = [row for row in made["rows"] if row["part"] == "difference"]
    assert {row["against"] for row in rows} == {"soft-1", "mix-0", "text-0"}
    assert next(row for row in rows if row["arm"] == "soft-32")["level"] == pytest.approx(
        1 - 0.05 / 6, abs=1e-5
    )


def test_the_sweep_has_the_runs_that_it_promises():
    made = sweep.makers()
    assert len([name for name in made if name.startswith("soft-")]) == len(sweep.TEMPERATURES) * 5
    assert len(sweep.TEMPERATURES) >= 6
    steps = {common.config(sweep.FEW + n, passes, 0).steps for n, passes in sweep.TEXTS.items()}
    assert max(steps) - min(steps) <= 4  # as much work with more text


def test_retention_averages_the_students_of_a_teacher_first():
    teachers = {0: 0.8, 1: 0.5}
    students = {0: 0.8, 1: 0.5, 2: 0.4, 3: 0.5}  # seeds 0, 2 have teacher 0; 1, 3 teacher 1
    kept = controls.retention(students, teachers)
    assert kept.estimate == pytest.approx((0.75 + 1.0) / 2)
    with pytest.raises(ValueError, match="at least 2 seeds"):
        controls.retention({0: 0.8}, teachers)


def controls_records(gain, count=10):
    made = {"baselines-0": {"words": 0.74, "majority": 0.5}}
    made |= {f"teacher-{n}": {"accuracy": 0.86, "cpu_seconds": 1.0} for n in range(5)}
    for name in controls.makers():
        arm, _, seed = name.rpartition("-")
        if arm in controls.ARMS and int(seed) < count:
            more = gain if arm == "distilled" else 0.0
            made[name] = {"accuracy": 0.81 + more + noise(int(seed)), "cpu_seconds": 1.0}
    return made


@pytest.mark.parametrize(
    ("gain", "judged", "kept"),
    [(0.035, "better", "kept"), (0.0, "not better", "not kept")],
)
def test_the_report_of_the_controls(runs, gain, judged, kept):
    runs(controls.NAME, controls_records(gain))
    made = written(controls.report())
    main = next(
        row for row in made["rows"] if row["part"] == "difference" and row["against"] == "undistilled"
    )
    assert (main["judged"], main["arm_seeds"]) == (judged, 10)
    share = next(row for row in made["rows"] if row["part"] == "retention" and row["arm"] == "distilled")
    assert share["judged"] == kept
    sizes = {row["arm"]: row["parameters"] for row in made["rows"] if "parameters" in row}
    assert sizes["quick"] < sizes["distilled"] == sizes["undistilled"]


def test_the_controls_report_needs_teachers(runs):
    with pytest.raises(ValueError, match="teachers are missing"):
        controls.report()


def test_important_runs_come_first():
    names = list(controls.makers())
    assert names.index("distilled-9") < names.index("quick-0") < names.index("smoothed-0")
    assert len([name for name in names if name.startswith("distilled-")]) == 10


def test_draws_of_a_seed_are_the_same_and_grow():
    assert common.drawn(10, 3) == common.drawn(20, 3)[:10]
    assert common.drawn(10, 3) != common.drawn(10, 4)


def test_an_interval_widens_with_the_number_of_tests():
    one, six = common.interval([0.0, 0.1, 0.2]), common.interval([0.0, 0.1, 0.2], tests=6)
    assert six.low < one.low < one.estimate < one.high < six.high


def test_the_report_of_the_general_distillation_adds_the_time_of_all_calls(runs, tmp_path):
    place = general.folder()
    (place / "run").mkdir(parents=True)
    line = {f"cosine_{name}": 0.9 for name in general.STUDENTS}
    (place / "run" / "metrics.jsonl").write_text(json.dumps({"step": 50, "loss": 1.0, **line}) + "\n")
    general.tell({"cosine_quick": 0.5})
    with (place / "progress.jsonl").open("a") as file:
        file.write(json.dumps({"process": -1, "cpu_seconds": 1e6}) + "\n")
        file.write(json.dumps({"process": -1, "cpu_seconds": 2e6}) + "\n")
    made = written(general.report())
    cost = next(row for row in made["rows"] if row["part"] == "cost")
    assert 2e6 < cost["cpu_seconds"] < 2.5e6
    widths = {row["student"]: row["width"] for row in made["rows"] if row["part"] == "student"}
    assert widths == {"halved": 384, "narrow": 192, "quick": 192}


def test_the_general_report_needs_a_run(runs):
    with pytest.raises(FileNotFoundError, match="is missing: run"):
        general.report()
