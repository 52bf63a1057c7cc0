"""Studies: stated before they run, equal in compute or tokens, resumed, reported by whole seeds."""

import json
from dataclasses import replace

import pytest
import torch
from small_studies import tiny

from course_utils import claims, results
from course_utils.contest.runs import COUNTS, UNTRAINED, Run, RunError
from course_utils.family import costs, design, report, runs
from course_utils.family.shape import make_shape
from course_utils.family.worlds import make_world
from course_utils.models.encoder import Encoder


def fake(study, folder, run, quality, **changes):
    """The record of a run that nobody made."""
    record = {
        "design": study.fingerprint(),
        "entrant": run.entrant,
        "seed": run.seed,
        "learning_rate": run.learning_rate,
        "cpu_seconds": 1.0,
        "measures": dict.fromkeys(study.measures, quality),
    }
    if run.entrant == COUNTS:
        record["baselines"] = {"floor": {"masked_nats": 1.2}, "grammar": {"pair_accuracy": 0.9}}
    spent = {"steps": 7, "texts": 4, "texts_read": 8, "flops": 10**9, "parameters": 9, "train_seconds": 1.0}
    (folder / run.file).write_text(json.dumps({**record, **spent, "curve": [[7, 0.5]], **changes}))


def fake_all(study, folder, qualities, seeds):
    """Every run; an arm's quality and a little that differs between seeds and arms."""
    for run in runs.tuning_runs(study):
        fake(study, folder, run, run.learning_rate)
    for run in runs.final_runs(study, folder):
        if run.seed in seeds or run.entrant in (COUNTS, UNTRAINED):
            jitter = 0.01 * run.seed + 0.002 * run.seed * len(run.entrant)
            fake(study, folder, run, qualities.get(run.entrant, 1.0) + jitter)


@pytest.mark.parametrize("name", design.names())
def test_arms_are_equal_in_what_the_study_says(name):
    study = design.load(name)
    world = make_world(study)
    spent = {}
    for arm in study.arms:
        variant, shape = runs.variant_of(study, arm), runs.shape_of(study, world, arm)
        size = study.arms[arm].batch_size or study.batch_size
        steps = runs.steps_of(study, world, variant, shape, size, seed=0)
        if study.texts_read:
            assert steps * size == study.texts_read
            continue
        cost = runs.Meter(variant, shape)
        model = variant.build(shape)
        for first in range(0, 128, 32):
            batch = runs.items(world.corpus(128, seed=1), 128, seed=1)[first : first + 32]
            noise = torch.Generator().manual_seed(first)
            with torch.no_grad():
                cost(model, variant.collate(batch, world.language.tokens, noise))
        spent[arm] = steps * cost.flops / 4
    if spent:
        assert max(spent.values()) < 1.02 * min(spent.values()), spent
        assert abs(max(spent.values()) / 1e9 - study.gigaflops) < 0.05 * study.gigaflops


@pytest.mark.parametrize("name", ["masking", "nsp", "spans", "electra"])
def test_a_study_runs_and_goes_on_where_it_stopped(name, tmp_path):
    study = tiny(name, seeds=(0,))
    made = [run.file for run in runs.run_missing(study, tmp_path)]
    assert len(made) == len(study.arms) + 2
    again = tmp_path / "final-counts-0.json"
    again.unlink()
    assert [run.file for run in runs.run_missing(study, tmp_path)] == [again.name]
    record = runs.read(study, tmp_path, Run("final", next(iter(study.arms)), 0))
    assert set(record["measures"]) == set(study.measures)


def test_a_run_is_the_same_again():
    study = tiny("masking")
    world, run = make_world(study), Run("final", "dynamic", 1, 0.01)
    first, second = (runs.make(study, world, run) for _ in range(2))
    assert first["measures"] == second["measures"]


def test_runs_of_another_design_are_refused(tmp_path):
    study = tiny("masking")
    fake(study, tmp_path, run := Run("final", "static", 0), 1.0)
    runs.read(study, tmp_path, run)
    with pytest.raises(RunError, match="another design"):
        runs.read(replace(study, texts_read=128), tmp_path, run)


def test_the_best_rate_is_chosen_and_seeds_do_not_mix(tmp_path):
    study = tiny("batch")
    fake_all(study, tmp_path, {}, study.seeds)
    assert runs.chosen_rate(study, tmp_path, "b128") == min(study.rates("b128"))
    with pytest.raises(ValueError, match="must not be tested on"):
        replace(study, tuning_seeds=(0,))


def test_only_whole_seeds_are_reported(tmp_path):
    study = tiny("masking", seeds=(0, 1, 2, 3))
    fake_all(study, tmp_path, {}, (0, 1, 2))
    fake(study, tmp_path, Run("final", "static", 3), 1.0)
    written = report.write(study, tmp_path, out=tmp_path)
    assert results.parse(written.read_text(), "family_masking").seeds == [0, 1, 2]
    (tmp_path / "final-static-2.json").unlink()
    with pytest.raises(RunError, match="2 whole seeds of 4"):
        report.write(study, tmp_path, out=tmp_path)


def test_unequal_compute_is_refused(tmp_path):
    study = tiny("nsp")
    fake_all(study, tmp_path, {}, study.seeds)
    fake(study, tmp_path, Run("final", "full", 1), 1.0, flops=2 * 10**9)
    with pytest.raises(ValueError, match="full, seed 1 spent"):
        report.write(study, tmp_path, out=tmp_path)


@pytest.mark.parametrize(
    ("name", "claim", "qualities", "expected"),
    [
        ("masking", "dynamic-masking", {"dynamic": 0.5}, "holds here only"),
        ("masking", "dynamic-masking", {"dynamic": 1.5}, "does not hold"),
        ("masking", "dynamic-masking", {}, "does not hold"),
        ("nsp", "nsp-not-needed", {"full": 0.5}, "holds here only"),
        ("nsp", "nsp-not-needed", {}, "holds here only"),
        ("nsp", "nsp-not-needed", {"full": 1.5}, "does not hold"),
        ("batch", "large-batch", {"b16": 0.5}, "does not hold"),
        ("spans", "span-masking", {"spans": 0.5}, "holds here only"),
        ("shape", "layers-over-heads", {"layers1": 2, "width16": 3, "width64": 0.1}, "holds here only"),
        ("shape", "layers-over-heads", {"layers1": 2, "width16": 3, "width64": 2}, "does not hold"),
        ("shape", "layers-over-heads", {"heads1": 2, "width16": 3, "width64": 0.1}, "does not hold"),
    ],
)
def test_verdicts_follow_from_the_numbers(name, claim, qualities, expected, tmp_path):
    study = tiny(name)
    fake_all(study, tmp_path, qualities, study.seeds)
    found = results.parse(report.write(study, tmp_path, out=tmp_path).read_text(), f"family_{name}")
    assert found.claims[claim]["verdict"] == expected


def test_what_varies_too_much_cannot_be_told(tmp_path):
    study = tiny("masking")
    fake_all(study, tmp_path, {}, study.seeds)
    for seed in study.seeds:
        fake(study, tmp_path, Run("final", "dynamic", seed), 1 + (-1) ** seed * 0.3)
    found = results.parse(report.write(study, tmp_path, out=tmp_path).read_text(), "family_masking")
    assert found.claims["dynamic-masking"]["verdict"] == "cannot tell"
    row = found.row(kind="pair", measure="masked_kl", first="dynamic", second="static")
    assert row["detectable"] > 0.3


def test_shared_layers_are_the_very_same_tensors():
    shared = Encoder(make_shape(35, 16, {"num_layers": 4, "share_layers": True}).encoder())
    apart = Encoder(make_shape(35, 16, {"num_layers": 4}).encoder())
    ids = torch.tensor([[7, 8, 9]])
    assert len({id(p) for p in shared.stack.parameters()}) * 4 == len(
        {id(p) for p in apart.stack.parameters()}
    )
    shared(ids).last_hidden_state.square().sum().backward()
    once = next(p for name, p in shared.named_parameters() if name.endswith("query.weight"))
    before = shared(ids).hidden_states
    with torch.no_grad():
        once.add_(0.5)
    after = shared(ids).hidden_states
    assert len(before) == 5
    for a, b in zip(before[1:], after[1:], strict=True):
        assert not torch.equal(a, b), "one matrix must change every layer"


def test_albert_saves_parameters_and_not_operations():
    counted = costs.two_by_two(costs.COUNTED, costs.NARROW["counted"])
    small = replace(costs.MEASURED, vocab_size=500, hidden_size=32, num_layers=3, intermediate_size=64)
    four = costs.two_by_two(small, 8)
    assert list(counted) == list(four) == list(design.load("albert").arms)
    flops = {name: costs.masked_lm_flops(config, 64, 10) for name, config in four.items()}
    assert flops["shared"] == flops["bert"]
    sizes = {name: costs.count_parameters(config)["total"] for name, config in counted.items()}
    assert sizes["both"] == 11_683_584
    assert sizes["both"] < sizes["shared"] < sizes["factorized"] < sizes["bert"]
    peaks = {name: costs.peak_bytes(config) for name, config in four.items()}
    assert peaks["both"] < peaks["bert"]
    assert peaks["bert"] > 16 * costs.count_parameters(small)["total"]  # weight, gradient, two moments


@pytest.mark.parametrize("name", design.names())
def test_the_results_file_holds_what_the_study_states(name):
    study, found = design.load(name), results.load(f"family_{name}")
    for first, second in study.compare:
        for measure in study.measures:
            row = found.row(kind="pair", measure=measure, first=first, second=second)
            assert row["low"] <= row["difference"] <= row["high"]
    assert [row["arm"] for row in found.rows(kind="arm")] == list(study.arms)
    assert set(found.claims) == set(study.claims)
    for claim, entry in found.claims.items():
        assert claims.get(claim).results == f"family_{name}"
        assert entry["seeds"] >= report.FEWEST
