"""Runs are files: made once, resumed, refused when they belong to another design, reported when complete."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from course_utils import results
from course_utils.cli import app
from course_utils.contest import design, report, runs
from course_utils.contest.runs import Run, RunError


def fake(contest, folder, run, **changes):
    """The record of a run that nobody made, for reports."""
    trained = run.entrant in contest.entrants
    rank = contest.entrants.index(run.entrant) if trained else 5
    quality = 1.0 + rank + 0.01 * run.seed + 0.001 * rank * run.seed + run.learning_rate
    record = {
        "design": contest.fingerprint(),
        "seed": run.seed,
        "learning_rate": run.learning_rate,
        "cpu_seconds": 1.0,
        "measures": dict.fromkeys(contest.measures, quality),
    }
    if run.entrant == runs.COUNTS:
        record |= {"floors": {"masked_token": 1.6}, "baselines": {"unigram": {"masked_kl": 1.5}}}
    if trained:
        spent = {"steps": 7, "flops": 10**9, "processed_tokens": 100, "texts_read": 56, "curve": []}
        record |= spent | {"own_task": {"floor": 1.0, "excess": 0.5 + 0.01 * run.seed}}
    (folder / run.file).write_text(json.dumps(record | changes))


def fake_all(contest, folder, **changes):
    for run in runs.tuning_runs(contest):
        fake(contest, folder, run)
    for run in runs.final_runs(contest, folder):
        fake(contest, folder, run, **(changes if run.entrant == contest.entrants[0] else {}))


def test_the_committed_design_is_a_contest():
    contest = design.load("formal")
    assert len(contest.entrants) >= 8
    assert len(contest.seeds) >= 5
    assert len(runs.tuning_runs(contest)) == len(contest.entrants) * len(contest.training.learning_rates)
    with pytest.raises(FileNotFoundError, match="formal"):
        design.load("informal")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entrants": ("mlm", "astrology")}, "astrology"),
        ({"primary": "beauty"}, "beauty"),
        ({"tuning_seeds": (0,)}, "must not be tested"),
        ({"tuning_examination_seed": 2026}, "final ones"),
    ],
)
def test_designs_that_are_not_fair_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(design.load("formal"), **changes)


def test_a_run_says_what_it_did_and_can_be_repeated(tiny_design, tmp_path):
    run = Run("tune", "t5_spans", 100, 0.003)
    runs.make(tiny_design, tmp_path, run)
    first = runs.read(tiny_design, tmp_path, run)
    assert first["flops"] == pytest.approx(0.8e9, rel=0.05)  # of so few steps, a half is 4%
    assert set(first["measures"]) == set(tiny_design.measures)
    assert first["own_task"]["excess"] > 0
    assert first["texts_read"] == 8 * first["steps"]
    runs.make(tiny_design, tmp_path, run)
    second = runs.read(tiny_design, tmp_path, run)
    assert {**first, "cpu_seconds": 0} == {**second, "cpu_seconds": 0}


def test_only_missing_runs_are_made_each_in_a_process(tiny_design, tmp_path):
    fake_all(tiny_design, tmp_path)
    missing = [Run("final", "mlm_mask", 1, 0.001), Run("final", runs.UNTRAINED, 0)]
    for run in missing:
        (tmp_path / run.file).unlink()
    (tmp_path / f".{missing[0].file}.123").write_text("{half")  # what a killed process leaves
    made = list(runs.run_missing(tiny_design, tmp_path, jobs=2))
    assert sorted(run.file for run in made) == sorted(run.file for run in missing)
    assert runs.read(tiny_design, tmp_path, missing[0])["stage"] == "final"
    assert list(runs.run_missing(tiny_design, tmp_path, jobs=2)) == []


def test_the_learning_rate_is_the_best_on_the_primary_measure(tiny_design, tmp_path):
    fake_all(tiny_design, tmp_path)
    assert runs.chosen_rate(tiny_design, tmp_path, "mlm_mask") == 0.001
    high = {"tuned_kl": replace(tiny_design.measures["tuned_kl"], better="high")}
    other = replace(tiny_design, measures=tiny_design.measures | high)
    fake_all(other, tmp_path)
    assert runs.chosen_rate(other, tmp_path, "mlm_mask") == 0.003


def test_runs_of_two_designs_are_not_mixed(tiny_design, tmp_path):
    fake_all(tiny_design, tmp_path)
    other = replace(tiny_design, cases=5)
    with pytest.raises(RunError, match="another design"):
        list(runs.run_missing(other, tmp_path, jobs=1))


def test_a_report_needs_every_run(tiny_design, tmp_path):
    fake_all(tiny_design, tmp_path)
    (tmp_path / "final-t5_spans-1.json").unlink()
    with pytest.raises(RunError, match="final-t5_spans-1"):
        report.write(tiny_design, tmp_path, tmp_path)


def test_the_report_is_a_results_file_with_verdicts(tiny_design, tmp_path):
    fake_all(tiny_design, tmp_path)
    path = report.write(tiny_design, tmp_path, tmp_path / "out")
    made = results.parse(path.read_text(), "contest_tiny")
    assert made.value("mean", kind="measure", measure="tuned_kl", entrant="mlm_mask") == pytest.approx(1.006)
    pair = made.row(kind="pair", measure="tuned_kl", first="mlm_mask", second="t5_spans")
    assert pair["difference"] == pytest.approx(-1.0005, abs=1e-4)
    assert pair["verdict"] == "resolved"
    assert made.value("own_excess", kind="entrant", entrant="mlm_mask") == pytest.approx(0.505)
    assert made.value("mean", kind="baseline", entrant="unigram") == 1.5


def test_a_contest_with_unequal_compute_is_refused(tiny_design, tmp_path):
    fake_all(tiny_design, tmp_path, flops=1_030_000_000)
    with pytest.raises(ValueError, match="not fair"):
        report.write(tiny_design, tmp_path, tmp_path)


def test_paired_differences():
    mean, wide, narrow, p = report.paired([1.0, 2.0, 3.0], [0.0, 0.0, 1.0])
    assert mean == pytest.approx(5 / 3)
    assert wide[0] < narrow[0] < mean < narrow[1] < wide[1]
    assert p == pytest.approx(0.0377, abs=1e-3)
    assert report.paired([1.0, 1.0], [0.0, 0.0]) == (1.0, (1.0, 1.0), (1.0, 1.0), 0.0)
    assert report.paired([1.0, 1.0], [1.0, 1.0])[3] == 1.0


def test_the_command_lists_and_refuses_in_words(tmp_path):
    runner = CliRunner()
    assert "formal: 11 entrants x 5 seeds" in runner.invoke(app, ["contest", "list"]).output
    refused = runner.invoke(app, ["contest", "report", "formal", "--folder", str(tmp_path)])
    assert refused.exit_code == 1
    assert "is missing; make it with: course contest run formal" in refused.output
    unknown = runner.invoke(app, ["contest", "run", "none"])
    assert unknown.exit_code == 2


def test_pairs_are_corrected_for_their_number(tiny_design):
    """Three entrants make three pairs: the smallest p-value counts threefold (Holm)."""
    values = {"a": [1.0, 1.2, 1.1], "b": [2.0, 2.3, 2.0], "c": [1.1, 1.2, 1.3]}
    trained = {name: [{"measures": {"tuned_kl": v}} for v in of_seeds] for name, of_seeds in values.items()}
    rows = report.pair_rows(tiny_design, "tuned_kl", trained)
    least = min(rows, key=lambda row: row["p"])
    assert len(rows) == 3
    assert least["p_holm"] == pytest.approx(3 * least["p"])
