"""The curves of the cuts: every kind of cut is made on a small teacher, and the order matters."""

import json

import pytest
import torch
from compression_task import small_task  # noqa: F401 - a fixture

from course_utils import results
from experiments import compression_curves as curves


@pytest.fixture
def study(small_task):  # noqa: F811
    return curves.Study(0)


def test_the_design_has_every_method_with_its_controls():
    names = [cut.name for cut in curves.CUTS]
    assert len(set(names)) == len(names)
    assert {cut.how for cut in curves.CUTS if cut.method == "heads"} == {"importance", "random", "reversed"}
    assert {cut.method for cut in curves.CUTS if cut.trained} == {"heads", "layers"}


def test_one_cut_of_each_kind(study):
    chosen = {(cut.method, cut.how, cut.trained): cut for cut in curves.CUTS}
    whole = study.make(curves.CUTS[0])
    for cut in chosen.values():
        if (cut.method == "layers" and cut.amount > 2) or (cut.method == "rank" and cut.amount > 20):
            continue  # the small teacher has three layers and 24 features
        record = study.make(cut)
        assert len(record["test"]) == len(whole["test"])
        assert record["parameters"] < whole["parameters"] or cut.method == "none"


def test_orders_differ(study):
    by_importance, mixed, backwards = (
        study.ordered("heads", how) for how in ("importance", "random", "reversed")
    )
    assert torch.equal(torch.stack(backwards), -torch.stack(by_importance))
    assert not torch.equal(torch.stack(mixed), torch.stack(by_importance))


def test_the_report_asks_for_what_is_missing(tmp_path, monkeypatch, small_task):  # noqa: F811
    where = curves.folder("curves")
    where.mkdir()
    monkeypatch.setenv(results.OUT_VARIABLE, str(tmp_path / "out"))
    first, second = curves.CUTS[1:3]
    monkeypatch.setattr(curves, "CUTS", curves.CUTS[:3])
    monkeypatch.setattr(curves, "PAIRS", [(first, second)])
    with pytest.raises(FileNotFoundError, match="9 runs are missing"):
        curves.report()
    texts = len(small_task.test.texts)
    for cut in curves.CUTS:
        for seed in curves.SEEDS:
            said = [1.0 - label if cut == second else label for label in small_task.test.labels[:texts]]
            record = {"test": said, "parameters": 5, "cpu_seconds": 1.0}
            (where / f"{cut.name}-{seed}.json").write_text(json.dumps(record))
    curves.report()
    made = results.parse((tmp_path / "out" / "compression_curves.json").read_text(), "compression_curves")
    assert made.value("kept", method="none") == 1.0
    assert made.value("gain", method="pair", first=first.how) == 1.0
