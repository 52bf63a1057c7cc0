"""Runs: every method scores every row, the same in every order, process and cluster, killed or not."""

import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from study_engine_standins import design_text, hub, small_design
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.data.errors import SourceUnavailable
from course_utils.study import data, design, execute, grid, models, processes, runs, systems, vader
from course_utils.study.design import DesignError, EncoderChoice, System
from course_utils.study.runs import Key, RunError

PSUTIL = pytest.importorskip("psutil")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_design(tmp_path_factory.mktemp("design"))


@pytest.fixture(scope="module")
def finished(small, tmp_path_factory):
    """A study with all runs, made one after the other in this process."""
    place = tmp_path_factory.mktemp("finished")
    data.prepare(small, place)
    for key in small.keys:
        execute.make(small, place, key)
    return place


def packed(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "runs").glob("*.npz"))}


def test_every_run_scores_every_row(small, finished):
    study = execute.load_study(small, finished)
    assert list(study.runs) == list(small.keys)
    assert {part for _, part in study.rows} == {"test", "validation"}
    for run in study.runs.values():
        assert {len(scores) for (_, part), scores in run.scores.items() if part == "test"} == {40}
        assert run.about["training"]["positive"] * 2 == run.about["training"]["rows"] == 64
        assert run.about["registration"] == small.registration()
    assert not list((finished / "checkpoints").glob("*/checkpoint.pt"))


def test_what_can_be_learnt_is_learnt_and_the_majority_says_one_thing(small, finished):
    study = execute.load_study(small, finished)
    labels = study.rows["games", "test"].labels

    def accuracy(system):
        return ((study.runs[Key(system, "food", 0)].scores["games", "test"] > 0) == labels).mean()

    assert accuracy("words") > 0.9
    assert accuracy("majority") == labels.mean()
    assert study.runs[Key("majority", "food", 0)].positive("food").max() < 0.501


def test_seeds_and_systems_differ_and_a_run_can_be_repeated(small, finished, tmp_path):
    files = packed(finished)
    assert len(set(files.values())) == len(files) - 1, "majorities of the two domains alone are alike"
    again = tmp_path / "again"
    data.prepare(small, again)
    execute.make(small, again, Key("whole", "food", 1))
    assert packed(again) == {"whole--food--1.npz": files["whole--food--1.npz"]}


def test_nothing_that_is_scored_is_learnt_from(small, finished, monkeypatch):
    """Every method is given rows to learn from that have no text and no group of the scored ones."""
    seen = []
    monkeypatch.setattr(systems, "score", lambda task: seen.append(task) or systems._majority(task))
    for key in small.keys:
        execute._made(small, finished, key, finished)
    for task in seen:
        assert not set(task.rows.texts) & set(task.texts)
        assert set(task.rows.roles) == {"train"}


def test_a_finished_run_is_left_alone_and_a_foreign_one_refused(small, finished):
    before = packed(finished)
    assert execute.missing(small, finished, list(small.keys)) == []
    execute.make(small, finished, small.keys[0])
    assert packed(finished) == before
    other = replace(small, training=replace(small.training, learning_rate=0.5))
    with pytest.raises(RunError, match="another design"):
        execute.missing(other, finished, list(other.keys))
    more = replace(small, seeds={"food": 3, "games": 1})
    assert [key.seed for key in execute.missing(more, finished, list(more.keys))] == [2, 2]
    with pytest.raises(RunError, match="2 of 14 runs are missing"):
        execute.load_study(more, finished)
    assert len(execute.load_study(more, finished, incomplete=True).runs) == 12


def test_a_run_that_stopped_goes_on_from_its_checkpoint(small, finished, tmp_path, monkeypatch):
    data.prepare(small, tmp_path)
    steps = []
    step = systems.fine_tune.__globals__["train"].__globals__["_step"]

    def breaks(*args):
        steps.append(args[-1])
        if args[-1] == 10:
            raise KeyboardInterrupt
        return step(*args)

    monkeypatch.setitem(systems.fine_tune.__globals__["train"].__globals__, "_step", breaks)
    key = Key("whole", "food", 0)
    with pytest.raises(KeyboardInterrupt):
        execute.make(small, tmp_path, key)
    monkeypatch.undo()
    execute.make(small, tmp_path, key)
    assert steps[-1] == 10
    assert runs.read_about(tmp_path, key)["resumed"]
    assert packed(tmp_path)["whole--food--0.npz"] == packed(finished)["whole--food--0.npz"]


def test_a_run_that_raises_is_reported_and_the_others_go_on(small, finished, tmp_path):
    broken = System("fine-tune", "gone", EncoderChoice("folder", str(tmp_path / "gone")))
    mixed = replace(
        small,
        systems={"gone": broken, "majority": small.systems["majority"], "whole": small.systems["whole"]},
        hypotheses=(),
        seeds={"food": 1},
    )
    place = tmp_path / "study"
    found = {one.key.system: one.problem for one in grid.run(mixed, place, processes_=2)}
    assert "model.safetensors" in found["gone"]
    assert found["majority"] is found["whole"] is None
    lines = {line.system: line for line in grid.progress(mixed, place)}
    assert lines["gone"].problem == found["gone"]
    assert (lines["whole"].done, lines["whole"].remaining) == (1, 0)
    alone = packed(place)  # in a process of its own, but with other domains trained on
    assert set(alone) == {"whole--food--0.npz", "majority--food--0.npz"}


def workers(coordinator):
    """The processes that make runs: the grandchildren, below the server that starts them."""
    return [p for child in coordinator.children() for p in child.children()]


def wait_for(what, seconds=1800):
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)
    return found


@pytest.mark.slow
def test_kill_a_worker_then_the_coordinator_and_the_table_is_the_same(tmp_path):
    """Long enough runs that a kill hits the middle; the reference is made here, undisturbed."""
    file = tmp_path / "long.yml"
    file.write_text(design_text(tmp_path, epochs=30))
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    plan = design.load(str(file))
    data.prepare(plan, whole)
    for key in grid.chosen(plan, "*--food--0"):
        execute.make(plan, whole, key)
    command = [str(Path(sys.executable).with_name("course")), "study", "run", str(file), "--processes", "2"]
    command += ["--only", "*--food--0", "--folder", str(killed)]

    def start():
        return PSUTIL.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})

    coordinator = start()
    checkpoint = killed / "checkpoints"
    wait_for(lambda: list(checkpoint.glob("*/checkpoint.pt")))
    victim = wait_for(lambda: workers(coordinator))[0]
    victim.send_signal(signal.SIGKILL)
    wait_for(lambda: any(w.pid != victim.pid for w in workers(coordinator)))
    wait_for(lambda: list(checkpoint.glob("*/checkpoint.pt")))
    orphans = workers(coordinator)
    coordinator.send_signal(signal.SIGKILL)
    coordinator.wait()
    _, alive = PSUTIL.wait_procs(orphans, timeout=30)
    assert not alive, "runs outlive their coordinator"
    assert start().wait() == 0
    assert packed(killed) == packed(whole)
    assert len(packed(whole)) == 5


@pytest.mark.slow
def test_a_dask_cluster_makes_the_same_files(small, finished, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        outcomes = list(grid.run(small, tmp_path, scheduler=address))
        assert [one.problem for one in outcomes] == [None] * len(small.keys)
    assert packed(tmp_path) == packed(finished)


def test_a_cluster_that_cannot_do_it_is_refused_in_words(small, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    with monkeypatch.context() as impatient:
        impatient.setattr("course_utils.study.cluster.PATIENCE", 1)
        with pytest.raises(RunError, match="no dask scheduler answers"):
            list(grid.run(small, tmp_path, scheduler="tcp://127.0.0.1:9"))
    wide = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    with (
        distributed.LocalCluster(**wide) as cluster,
        pytest.raises(RunError, match="several threads"),
    ):
        list(grid.run(small, tmp_path, scheduler=cluster.scheduler_address))


@pytest.mark.parametrize("name", ["reviews", "colab", "full"])
def test_the_large_designs_run_from_end_to_end_on_stand_ins(name, tmp_path, monkeypatch):
    """Their own domains, systems and settings, on hub repositories and checkpoints in small."""
    monkeypatch.setenv("COURSE_HUB_ROOT", str(hub(tmp_path / "hub")))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(vader, "compound", lambda texts: np.linspace(-1, 1, len(texts), dtype=np.float32))
    found = design.load(name)
    plan = replace(
        found,
        rows=design.Sizes(train=32, validation=8, test=20),
        seeds={"steam": 1},
        training=replace(found.training, epochs=1.0),
        systems={key: stand_in(system, tmp_path) for key, system in found.systems.items()},
    )
    place = tmp_path / "study"
    data.prepare(plan, place)
    for key in plan.keys:
        execute.make(plan, place, key)
    study = execute.load_study(plan, place)
    assert study.systems == list(found.systems)
    assert study.test_domains == ["steam", "imdb", "sst2", "yelp", "amazon"]
    stars = study.rows["yelp", "test"]
    assert sorted(set(stars.ratings)) == [1, 2, 3, 4, 5]
    assert set(stars.labels[stars.ratings == 3]) == {-1}
    games = data.read(place, "steam")
    assert not set(games.part("train").rows.groups) & set(games.part("test").rows.groups)


def stand_in(system, folder):
    """The same system; an encoder of the course becomes one of the stand-in checkpoints."""
    if system.encoder is None or system.encoder.kind == "hub":
        return system
    name = str(folder / "hub/google-bert/bert-base-uncased")
    return replace(system, encoder=EncoderChoice("folder", name, random=system.encoder.random))


def test_encoders_that_are_not_there_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv("COURSE_HUB_ROOT", raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SourceUnavailable, match=r"has no config.json, model.safetensors, tokenizer.json"):
        models.start(EncoderChoice("folder", str(tmp_path)), 0)
    with pytest.raises(SourceUnavailable, match=r"google-bert/none could not be read from the hub"):
        models.start(EncoderChoice("hub", "google-bert/none"), 0)


def test_an_encoder_with_too_few_places_is_refused(small):
    start = models.start(small.systems["whole"].encoder, 0)
    with pytest.raises(DesignError, match="256 positions"):
        start.tokenizer(300)


def test_vader_decides_ties_by_the_training_rows(monkeypatch):
    monkeypatch.setattr(vader, "compound", lambda texts: np.array([0.5, 0, -0.5], dtype=np.float32))
    assert list(np.sign(vader.scores(["", "", ""], 0.5))) == [1, 1, -1]
    assert list(np.sign(vader.scores(["", "", ""], 0.4))) == [1, -1, -1]


def test_the_command_runs_and_says_how_far_it_is(small, tmp_path):
    file = tmp_path / "small.yml"
    file.write_text(design_text(tmp_path))
    options = ["--folder", str(tmp_path / "study")]
    runner = CliRunner()
    none = runner.invoke(app, ["study", "run", str(file), *options, "--only", "no-such-*"])
    assert none.exit_code == 1
    assert "no run matches" in none.output
    assert (
        "12 runs to come, cost not known yet"
        in runner.invoke(app, ["study", "status", str(file), *options]).output
    )
    made = list(grid.run(design.load(str(file)), tmp_path / "study", only="majority--*"))
    assert len(made) == 2
    told = runner.invoke(app, ["study", "status", str(file), *options]).output
    assert "majority on food: 1 of 1, 0 CPU-s a run" in told
    wrong = runner.invoke(app, ["study", "status", str(file), *options, "--precision", "bf16"])
    assert wrong.exit_code == 1
    assert "made by another design" in wrong.output
    assert runner.invoke(app, ["study", "run", "nothing"]).exit_code == 2
    assert "laptop: 108 runs" in runner.invoke(app, ["study", "list"]).output
    about = json.loads((tmp_path / "study/runs/majority--food--0.json").read_text())
    assert about["precision"] == "no"


def test_runs_are_chosen_by_name(small):
    assert [key.name for key in grid.chosen(small, "whole--games--*")] == ["whole--games--0"]
    assert processes.error_file(Path("x"), small.keys[0]).name == "whole--food--0.txt"
