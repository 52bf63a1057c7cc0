"""`course compress` and `course predict` on what it made: good, bad, stopped, repeated."""

import csv
import json
import shutil

import numpy as np
import pytest
import torch
from test_compressed_saved import LABELS, TEXTS, start, word_tokenizer
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.compression import job, measure, report, saved
from course_utils.compression.compress import compress
from course_utils.data import small_model_dir
from course_utils.finetuning import saved as finetuned
from course_utils.finetuning.classifier import new_classifier
from course_utils.models.weights import load_encoder


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a fine-tuned model and 40 labeled rows; the timing is cut short."""
    monkeypatch.chdir(tmp_path)
    word_tokenizer().save("tokenizer.json")
    model = finetuned.Classifier(start().model, tmp_path / "tokenizer.json", ("no", "yes"), 16)
    finetuned.save(model, tmp_path / "made/model")
    write(tmp_path / "rows.csv", [(text, ("no", "yes")[y]) for text, y in zip(TEXTS, LABELS, strict=True)])
    monkeypatch.setattr(measure.compare, "__kwdefaults__", measure.compare.__kwdefaults__ | {"rounds": 2})
    return tmp_path


def write(path, table, header=("text", "label")):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *table])


def run(*arguments):
    found = CliRunner().invoke(app, [str(a) for a in arguments])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


LABELED = ("--data", "rows.csv", "--label", "label", "--out", "small")


def test_from_model_to_smaller_model_report_and_predictions(place):
    made = run("compress", "made/model", "--recipe", "drop-layers=1,tune=1,int8,fp16", *LABELED)
    assert made.exit_code == 0, made.output
    found = json.loads((place / "small/report.json").read_text())
    assert found["recipe"] == "drop-layers=1,tune,int8,fp16"
    sizes = [saved.size_on_disk(place / name) for name in ("made/model", "small/model")]
    assert [found["bytes"][when] for when in ("before", "after")] == sizes
    assert [t["before"]["batch"] for t in found["latency"]] == [1, 32]
    accuracy, same = found["accuracy"], found["agreement"]
    difference = accuracy["after"]["estimate"] - accuracy["before"]["estimate"]
    assert accuracy["change"]["estimate"] == pytest.approx(difference)
    assert accuracy["change"]["low"] <= difference <= accuracy["change"]["high"]
    assert 0 <= same["mean_change"] <= same["largest_change"] <= 1
    page = (place / "small/report.html").read_text()
    for part in (
        "Size on disk",
        "Time, batch 32",
        "times smaller",
        "drop-layers=1,tune,int8,fp16",
        "trained on",
    ):
        assert part in page
        assert part in made.output
    assert sorted(f.name for f in (place / "small").iterdir()) == [
        "job.json",
        "model",
        "report.html",
        "report.json",
    ]

    predicted = run("predict", "small/model", "rows.csv")
    assert predicted.exit_code == 0, predicted.output
    with (place / "rows-predicted.csv").open(newline="", encoding="utf-8") as handle:
        answers = [float(row["p(yes)"]) for row in csv.DictReader(handle)]
    assert np.allclose(answers, saved.load(place / "small/model").probabilities(TEXTS)[:, 1], atol=6e-5)


def test_without_labels_and_without_rows(place):
    alone = run("compress", "made/model", "--recipe", "int4=8")
    assert alone.exit_code == 0, alone.output
    assert "nothing is known of what it lost" in alone.output
    assert "Same answer" not in alone.output
    assert saved.load(place / "made/model-compressed/model").recipe == "int4=8"
    texts = run("compress", "made/model", "--recipe", "vocabulary", "--data", "rows.csv", "--out", "trimmed")
    assert texts.exit_code == 0, texts.output
    assert "Same answer, 8 texts" in texts.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("made/model", "--recipe", "int9"), "unknown step 'int9': did you mean 'int8'?"),
        (("made/model", "--recipe", "int8,heads=0.4"), "'heads' cannot follow 'int8'"),
        (("made/model", "--recipe", "heads=2"), "share='2': expected a number from"),
        (("made/model", "--recipe", "tune"), "step 'tune' needs texts to work with; give some (--data FILE)"),
        (
            ("made/model", "--recipe", "tune", "--data", "rows.csv"),
            "needs labels; name their column (--label COLUMN)",
        ),
        (("made/model", "--label", "label"), "give the file with --data"),
        (("made", "--recipe", "int8"), "made: there is no classifier.json"),
        (("nowhere", "--recipe", "int8"), "nowhere: there is no classifier.json"),
        (("made/model", "--data", "gone.csv"), "no such file"),
        (("made/model", "--data", "rows.csv", "--label", "stars"), "no column 'stars'"),
        (("made/model", "--data", "rows.csv", "--label", "text"), "but the model's classes are no, yes"),
        (("made/model", "--threads", "0"), "--threads must be at least 1, got 0"),
        ((), "name the folder of a model"),
    ],
)
def test_what_cannot_be_done_is_explained_and_leaves_nothing(place, arguments, message):
    before = sorted(place.rglob("*"))
    made = run("compress", *arguments, "--out", "small")
    assert (made.exit_code, message in made.output) == (1, True), made.output
    assert sorted(place.rglob("*")) == before


def test_too_few_or_incomplete_rows(place):
    write(place / "few.csv", [("w1", "no"), ("w2", "yes")])
    few = run("compress", "made/model", "--data", "few.csv", "--label", "label", "--out", "small")
    assert "2 rows are too few to learn from and to test on" in few.output
    texts = run("compress", "made/model", "--data", "few.csv", "--out", "small")
    assert "2 different texts are too few, give at least 10" in texts.output
    write(place / "holes.csv", [("w1 w2", "")] + [(t, "no") for t in TEXTS])
    holes = ("compress", "made/model", "--data", "holes.csv", "--label", "label", "--out", "small")
    assert "no label" in run(*holes).output
    assert run(*holes, "--skip-incomplete").exit_code == 0


def test_done_is_not_done_again_and_another_job_is_refused(place, monkeypatch):
    command = ("compress", "made/model", "--recipe", "tune=1,int8", *LABELED)
    assert run(*command).exit_code == 0
    written = (place / "small/model/model.safetensors").stat().st_mtime_ns
    (place / "small/report.html").unlink()
    with monkeypatch.context() as patched:
        patched.setattr(job, "compress", lambda *a, **k: pytest.fail("done already"))
        assert run(*command).exit_code == 0
    assert (place / "small/report.html").exists()
    assert (place / "small/model/model.safetensors").stat().st_mtime_ns == written
    other = run("compress", "made/model", "--recipe", "int4", *LABELED)
    assert "holds a job with another model, recipe or rows" in other.output
    shutil.rmtree(place / "small/model")  # as if its step had failed: there is nothing to keep
    assert run("compress", "made/model", "--recipe", "int4=8", *LABELED).exit_code == 0
    assert "holds other files" in run("compress", "made/model", "--out", "made").output
    (place / "small/job.json").write_text("{}")
    assert "is damaged" in run(*command).output


def test_stopped_leaves_no_half_model(place, monkeypatch):
    def stop(*a, **k):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(job, "compress", stop)
        made = run("compress", "made/model", "--recipe", "int8", *LABELED)
    assert made.exit_code == 130
    assert "the same command goes on" in made.output
    assert not (place / "small/model").exists()
    assert run("compress", "made/model", "--recipe", "int8", *LABELED).exit_code == 0


def test_a_damaged_result_is_explained_to_predict(place):
    assert run("compress", "made/model", "--recipe", "int8", *LABELED).exit_code == 0
    file = place / "small/model/model.safetensors"
    file.write_bytes(file.read_bytes()[:50])
    made = run("predict", "small/model", "rows.csv")
    assert made.exit_code == 1
    assert "truncated; copy the folder again, or make it again with `course compress`" in made.output
    assert not (place / "rows-predicted.csv").exists()


def test_the_steps_are_listed():
    listed = run("compress", "--steps")
    assert listed.exit_code == 0
    for part in ("int8[=EMBEDDINGS]", "heads=SHARE", "needs labels", "Zafrir et al. 2019", "64 if not given"):
        assert part in listed.output


def test_agreement_and_verdicts_by_hand():
    before = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    after = np.array([[0.8, 0.2], [0.5, 0.5], [0.2, 0.8]])
    found = measure.agreement(before, after)
    assert found["same_class"] == pytest.approx(2 / 3)  # a tie counts as the first class
    assert (found["mean_change"], found["largest_change"]) == (pytest.approx(0.2 / 3), pytest.approx(0.1))
    change = {"texts": 9, "change": {"estimate": 0.0, "low": 0.0, "high": 0.0}}
    for low, high, words in (
        (0, 0, "exactly where"),
        (-2, -1, "less accurate"),
        (1, 2, "more"),
        (-1, 1, "cannot tell"),
    ):
        change["change"] |= {"low": low, "high": high}
        assert words in report.verdict({"accuracy": change})


def test_the_slower_model_is_measured_as_slower():
    class Waiting(torch.nn.Module):
        def __init__(self, passes):
            super().__init__()
            self.passes = passes

        def forward(self, ids, attention_mask):
            x = torch.ones(150, 150)
            for _ in range(self.passes):
                x = x @ x.T / 150
            return x

    quick, slow = measure.latencies([Waiting(2), Waiting(40)], batch=2, length=4, rounds=9)
    assert 3 * quick.median < slow.median
    assert quick.lower <= quick.median <= quick.upper


def test_the_real_model_loses_little_and_three_quarters(tmp_path):
    """Eight bits, on the real encoder: the answers of a random head, and every byte on disk."""
    encoder = load_encoder(small_model_dir())
    tokenizer_file = small_model_dir() / "tokenizer.json"
    before = finetuned.Classifier(new_classifier(encoder, 2, 0).eval(), tokenizer_file, ("no", "yes"), 64)
    finetuned.save(before, tmp_path / "model")
    after = compress(before, "int8")
    saved.save(after, tmp_path / "small")
    texts = ["a film that lingers", "a film to forget, and soon", "the plot is thin but the actors are not"]
    change = np.abs(before.probabilities(texts) - saved.load(tmp_path / "small").probabilities(texts))
    assert 0 < change.max() < 0.03
    assert saved.size_on_disk(tmp_path / "small") * 3.8 < saved.size_on_disk(tmp_path / "model")
