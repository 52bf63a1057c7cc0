"""`course finetune` and `course predict` on files as readers have them: good, bad, odd, and interrupted."""

import csv
import json
import re
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from typer.testing import CliRunner

from course_utils.cli import app
from course_utils.finetuning import job, report, saved
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

GOOD, BAD = ("good", "great", "lovely", "fine"), ("bad", "awful", "dull", "poor")


def tiny_encoder(_):
    torch.manual_seed(0)
    return Encoder(
        EncoderConfig(hidden_size=32, num_layers=1, num_heads=2, intermediate_size=32, max_positions=512)
    )


@pytest.fixture
def tiny(monkeypatch):
    """The same commands with an encoder of a thousandth of the size."""
    monkeypatch.setattr(job, "load_encoder", tiny_encoder)


@pytest.fixture
def run(tmp_path, monkeypatch, tiny):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        found = CliRunner().invoke(app, [str(a) for a in arguments])
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return found

    return call


def rows(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return [
        (f"number {i} is a {rng.choice(BAD if i % 2 else GOOD)} thing", "bad" if i % 2 else "good")
        for i in range(n)
    ]


def write(path, table, header=("review", "stars"), end="\n", encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, lineterminator=end)
        writer.writerows([header, *table])
    return path.name


COLUMNS = ("--text", "review", "--label", "stars", "--epochs", "1")


def test_from_rows_to_model_report_and_predictions(run, tmp_path):
    file = write(tmp_path / "reviews.csv", rows())
    made = run("finetune", file, *COLUMNS)
    assert made.exit_code == 0, made.output
    found = json.loads((tmp_path / "reviews-model/report.json").read_text())
    assert found["rows"] == {"train": 42, "validation": 6, "test": 12}
    assert found["accuracy"]["low"] <= found["accuracy"]["estimate"] <= found["accuracy"]["high"]
    assert sum(map(sum, found["confusion"])) == 12
    assert not (tmp_path / "reviews-model/checkpoint").exists()

    predicted = run("predict", "reviews-model/model", file, "--text", "review")
    assert predicted.exit_code == 0, predicted.output
    with (tmp_path / "reviews-predicted.csv").open(newline="", encoding="utf-8") as handle:
        table = list(csv.DictReader(handle))
    assert [row["review"] for row in table] == [text for text, _ in rows()]
    for row in table:
        p = {name: float(row[f"p({name})"]) for name in ("bad", "good")}
        assert sum(p.values()) == pytest.approx(1, abs=2e-4)
        assert row["predicted"] == max(p, key=p.get)


def test_saved_model_answers_as_before(tiny, tmp_path):
    path = tmp_path / "reviews.csv"
    write(path, rows())
    settings = job.Settings("review", "stars", epochs=1)
    table = job.read_table(path, settings)
    before = job.train_job(path, tmp_path / "out", settings, table)
    after = saved.load(tmp_path / "out/model")
    texts = table.texts["test"] + ["x", "word " * 10_000]
    assert np.array_equal(before.probabilities(texts), after.probabilities(texts))


BROKEN = {
    "no column": (rows(), ("text", "stars"), "no column 'review'"),
    "semicolons": ([], ("review;stars",), "semicolons"),
    "one class": ([(t, "good") for t, _ in rows()], None, "the only label in column 'stars' is 'good'"),
    "three rows": (rows(3), None, "3 rows are too few"),
    "no label": ([*rows(), ("lonely", "")], None, "1 incomplete rows (line 62: no label)"),
    "no text": ([("  ", "good"), *rows()], None, "line 2: no text"),
    "many bad rows": ([("", "good")] * 9 + rows(), None, "and 4 more"),
    "too many classes": ([(t, str(i / 7)) for i, (t, _) in enumerate(rows())], None, "60 different labels"),
    "rare class": ([*rows(), ("odd", "mixed")], None, "there are of 'mixed' 1"),
    "too many fields": ([*rows(), ("a", "good", "c")], None, "it has 3 fields where the header has 2"),
    "the same text": ([("same", "bad")] * 30 + [("same too", "good")] * 30, None, "many texts are equal"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_cannot_be_used_is_explained(run, tmp_path, case):
    table, header, message = BROKEN[case]
    file = write(tmp_path / "reviews.csv", table or rows(), header or ("review", "stars"))
    if case == "semicolons":
        (tmp_path / "reviews.csv").write_text("review;stars\nfine;1\n")
    made = run("finetune", file, *COLUMNS)
    assert made.exit_code == 1
    assert message in made.output
    assert not (tmp_path / "reviews-model").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"review,stars\n", "no rows"),
        (b'review,stars\n"open,1\n', "a quoted field is broken"),
        (b"review,stars\ncaf\xe9,1\n", "not valid utf-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_explained(run, tmp_path, content, message):
    (tmp_path / "reviews.csv").write_bytes(content)
    made = run("finetune", "reviews.csv", *COLUMNS)
    assert (made.exit_code, message in made.output) == (1, True), made.output


def test_a_file_that_is_not_there(run):
    made = run("finetune", "nowhere.csv", *COLUMNS)
    assert made.exit_code == 1
    assert "no such file" in made.output


ODD = {
    "windows line ends": {"end": "\r\n"},
    "byte order mark": {"encoding": "utf-8-sig"},
    "emoji": {"table": [(f"{t} 😀👩‍👩‍👧 \u202e", y) for t, y in rows()]},
    "line breaks in a text": {"table": [(f"{t}\nsecond line", y) for t, y in rows()]},
    "10,000 words": {"table": [("word " * 10_000, "good"), *rows()]},
    "numbers as labels": {"table": [(t, "5" if y == "good" else "-1") for t, y in rows()]},
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_file_works(run, tmp_path, case):
    file = write(tmp_path / "reviews.csv", **{"table": rows(), **ODD[case]})
    made = run("finetune", file, *COLUMNS)
    assert made.exit_code == 0, made.output
    if case == "10,000 words":
        assert "1 texts are longer than 128 tokens" in made.output
    if case == "numbers as labels":
        assert "2 classes (-1, 5)" in made.output


def test_incomplete_rows_can_be_left_out(run, tmp_path):
    file = write(tmp_path / "reviews.csv", [("", "good"), ("nothing", ""), *rows()])
    made = run("finetune", file, *COLUMNS, "--skip-incomplete")
    assert made.exit_code == 0, made.output
    assert "2 incomplete rows are left out" in made.output


def test_interrupted_and_resumed_is_the_same_model(run, tmp_path, monkeypatch):
    file = write(tmp_path / "reviews.csv", rows())
    whole = ("--epochs", "3", "--batch-size", "4")
    assert run("finetune", file, *COLUMNS, *whole, "--out", "undisturbed").exit_code == 0

    monkeypatch.setattr(job, "CHECKPOINT_EVERY", 5)
    steps = 0
    original = job.fine_tune

    def stopped(model, examples, config, **options):
        def count(logits, labels):
            nonlocal steps
            steps += 1
            if steps == 13:
                raise KeyboardInterrupt
            return torch.nn.functional.cross_entropy(logits, labels, reduction="none")

        return original(model, examples, config, loss=count, **options)

    monkeypatch.setattr(job, "fine_tune", stopped)
    first = run("finetune", file, *COLUMNS, *whole, "--out", "stopped")
    assert first.exit_code == 130
    assert "goes on from the last checkpoint" in first.output
    assert (tmp_path / "stopped/checkpoint/checkpoint.pt").exists()
    assert run("finetune", file, *COLUMNS, *whole, "--out", "stopped").exit_code == 0
    assert steps == 13 + 33 - 10  # it began again after the second checkpoint, not at the start
    reports = [
        json.loads((tmp_path / folder / "report.json").read_text()) for folder in ("undisturbed", "stopped")
    ]
    assert reports[0] == reports[1]


def test_a_finished_job_is_not_trained_again(run, tmp_path, monkeypatch):
    file = write(tmp_path / "reviews.csv", rows())
    assert run("finetune", file, *COLUMNS).exit_code == 0
    (tmp_path / "reviews-model/report.html").unlink()
    monkeypatch.setattr(job, "fine_tune", None)
    assert run("finetune", file, *COLUMNS).exit_code == 0
    assert (tmp_path / "reviews-model/report.html").exists()


def test_another_job_is_not_overwritten(run, tmp_path):
    file = write(tmp_path / "reviews.csv", rows())
    assert run("finetune", file, *COLUMNS).exit_code == 0
    other = run("finetune", file, *COLUMNS, "--seed", "1")
    assert (other.exit_code, "another" in other.output or "other rows or settings" in other.output) == (
        1,
        True,
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("years of work")
    full = run("finetune", file, *COLUMNS, "--out", "mine")
    assert (full.exit_code, "holds other files" in full.output) == (1, True)


@pytest.mark.parametrize(
    "option", [("--epochs", "0"), ("--max-length", "3"), ("--learning-rate", "-1"), ("--rows", "0")]
)
def test_settings_out_of_range(run, tmp_path, option):
    file = write(tmp_path / "reviews.csv", rows())
    made = run("finetune", file, "--text", "review", "--label", "stars", *option)
    assert made.exit_code == 1
    assert "must" in made.output


@pytest.mark.parametrize(
    "name", ["model.safetensors", "head.safetensors", "classifier.json", "tokenizer.json", "config.json"]
)
@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_a_damaged_model_is_explained(run, tmp_path, name, harm):
    file = write(tmp_path / "reviews.csv", rows())
    assert run("finetune", file, *COLUMNS).exit_code == 0
    hurt = tmp_path / "reviews-model/model" / name
    content = hurt.read_bytes()
    hurt.unlink()
    if harm == "cut":
        hurt.write_bytes(content[: len(content) // 2])
    made = run("predict", "reviews-model/model", file, "--text", "review")
    assert made.exit_code == 1
    assert "course predict: " in made.output


def test_macro_f1_equals_scikit_learns():
    rng = np.random.default_rng(0)
    for _ in range(50):
        pairs = rng.integers(0, 4, (30, 2))
        expected = f1_score(pairs[:, 0], pairs[:, 1], average="macro", zero_division=0)
        assert report._macro_f1(pairs) == pytest.approx(expected)


def test_the_page_shows_a_hostile_text_as_text(tiny, tmp_path):
    path = tmp_path / "reviews.csv"
    write(
        path,
        [
            (f"<script>alert({i})</script> & {t}", "<b>" if y == "bad" else y)
            for i, (t, y) in enumerate(rows())
        ],
    )
    table = job.read_table(path, job.Settings("review", "stars"))
    probabilities = np.full((12, 2), 0.5)
    page = report.page(report.evaluate(table, probabilities), [("File", "<i>.csv")])
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"https?://", page)


def test_most_wrong_are_those_with_the_least_probability_for_their_class(tiny, tmp_path):
    path = tmp_path / "reviews.csv"
    write(path, rows())
    table = job.read_table(path, job.Settings("review", "stars"))
    truth = np.array(table.labels["test"])
    of_truth = np.linspace(0.05, 0.95, 12)
    probabilities = np.empty((12, 2))
    probabilities[np.arange(12), truth] = of_truth
    probabilities[np.arange(12), 1 - truth] = 1 - of_truth
    found = report.most_wrong(table, probabilities)
    assert [x["text"] for x in found] == table.texts["test"][:6]
    assert found[0]["probability"] == pytest.approx(0.95)
    lines = path.read_text().splitlines()
    assert all(lines[int(x["line"]) - 1].startswith(x["text"]) for x in found)


def test_the_report_knows_a_perfect_and_a_useless_model(tiny, tmp_path):
    path = tmp_path / "reviews.csv"
    write(path, rows(400))
    table = job.read_table(path, job.Settings("review", "stars"))
    truth = np.array(table.labels["test"])
    perfect = report.evaluate(table, np.eye(2)[truth])
    assert perfect["accuracy"]["estimate"] == 1
    assert perfect["calibration_error"]["estimate"] == 0
    useless = report.evaluate(table, np.eye(2)[np.zeros_like(truth)])
    assert useless["accuracy"]["estimate"] == pytest.approx(useless["majority_accuracy"], abs=0.2)
    assert useless["gain_over_bag_of_words"]["high"] < 0
    assert "do not use it" in report.page(useless, [])


def test_the_real_model_learns_from_a_killed_and_resumed_job(tmp_path):
    file = write(tmp_path / "reviews.csv", rows(80))
    command = [
        sys.executable,
        "-m",
        "course_utils.cli",
        "finetune",
        file,
        *COLUMNS,
        "--epochs",
        "8",
        "--batch-size",
        "8",
    ]
    script = [
        sys.executable,
        "-c",
        "import sys, os\nfrom course_utils.finetuning import job\nfrom course_utils.cli import app\n"
        "job.CHECKPOINT_EVERY = 10\nfrom course_utils.training import checkpoint\nsave = checkpoint.save\n"
        "def once(*a):\n    save(*a)\n    os.kill(os.getpid(), 9)\n"
        "if sys.argv.pop(1) == 'kill':\n    checkpoint.save = once\napp()",
    ]
    killed = subprocess.run(
        [*script, "kill", *command[3:]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert killed.returncode == -9, killed.stderr
    assert (tmp_path / "reviews-model/checkpoint/checkpoint.pt").exists()
    resumed = subprocess.run(
        [*script, "go", *command[3:]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads((tmp_path / "reviews-model/report.json").read_text())["accuracy"]["estimate"] > 0.8
