"""The domain experiment: what is masked, how blanks are scored, and the rule of its verdict."""

import json
from math import log

import numpy as np
import pytest
import torch

from course_utils import results
from course_utils.data.documentation import Passage
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM
from course_utils.subword import WordPiece
from experiments import family_domain as domain
from experiments import family_domain_measure as measure
from experiments import family_domain_models as models
from experiments import family_domain_report as report
from experiments.family_domain_measure import Neighbors

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "sum", "of", "num", "##bers", "a", "list"]
SENTENCES = [f"the sum of numbers in list number{'' if i % 2 else 's'} is returned {i}" for i in range(40)]


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences in place of the documentation and the reviews."""
    sections = [Passage("p", "p.m", kind, f"{kind} {text}") for kind in measure.KINDS for text in SENTENCES]
    monkeypatch.setattr(measure, "texts", lambda kind, split: SENTENCES)
    monkeypatch.setattr(measure, "passages", lambda split: sections)


class Certain(torch.nn.Module):
    """Gives one token half of the probability, wherever it is asked."""

    def __init__(self, token: int) -> None:
        super().__init__()
        self.token = token

    def forward(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        rest = log(0.5 / (len(TOKENS) - 1))
        logits = torch.full((int(positions.sum()), len(TOKENS)), rest)
        logits[:, self.token] = log(0.5)
        return logits


def test_blanks_are_plain_words_and_the_same_for_every_model(texts):
    found = measure.blanks("domain", 3)
    assert found == measure.blanks("domain", 3) != measure.blanks("domain", 4)
    for words, masked in found:
        assert len(words) <= measure.WORDS
        assert masked == sorted(set(masked))
        assert all(words[i].isalpha() and len(words[i]) > 1 for i in masked)


def test_a_word_counts_when_all_its_pieces_are_right_and_its_nats_add_up():
    words = WordPiece(TOKENS)
    blanks = [(["the", "sum", "of", "numbers"], [1, 3])]
    made = models.Pretrained(Certain(TOKENS.index("sum")), words)
    found = measure.fill(made, blanks)
    rest = 0.5 / (len(TOKENS) - 1)
    assert found["first"] == 0.5
    assert found["pieces"] == 1.5
    assert found["nats"] == pytest.approx(-(log(0.5) + 2 * log(rest)) / 2)
    half_right = models.Pretrained(Certain(TOKENS.index("num")), words)
    assert measure.fill(half_right, blanks)["first"] == 0


def test_the_neighbors_guess_what_stood_between_them():
    counts = Neighbors(
        [["a", "good", "film"], ["a", "good", "film"], ["a", "bad", "film"], ["a", "bad", "day"]]
    )
    assert counts.guess(["a", "?", "film"], 1) == "good"
    assert counts.guess(["a", "?", "day"], 1) == "bad"
    assert counts.guess(["the", "?", "end"], 1) == counts.frequent
    hits = measure.count_hits(counts, [(["a", "good", "film"], [1]), (["a", "bad", "film"], [1])])
    assert hits["first"] == 0.5


def test_labels_are_balanced_and_the_baseline_learns_them(texts, monkeypatch):
    monkeypatch.setattr(measure, "LABELS", 20)
    monkeypatch.setattr(measure, "TESTS", 10)
    found, labels = measure.labeled("train", 20, 0)
    assert np.bincount(labels).tolist() == [20] * len(measure.KINDS)
    assert all(text.split()[0] == measure.KINDS[label] for text, label in zip(found, labels, strict=True))
    assert measure.bag_of_words(0)["frozen"] == 1.0


def test_a_small_model_is_trained_measured_and_solves_the_task(texts, monkeypatch):
    monkeypatch.setattr(measure, "LABELS", 8)
    monkeypatch.setattr(measure, "TESTS", 4)
    torch.manual_seed(0)
    config = EncoderConfig(
        vocab_size=len(TOKENS), hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16, pooler=False
    )
    made = models.Pretrained(MaskedLM(Encoder(config)), WordPiece(TOKENS))
    rows = models.rows_of(SENTENCES, made.vocabulary)
    before = made.model.head.dense.weight.clone()
    last = models.pretrain(made, rows, models.TrainingConfig(steps=3, batch_size=4, learning_rate=1e-2))
    assert 0 < last < 5
    assert not torch.equal(before, made.model.head.dense.weight)
    found = measure.solve(made, 0, 1e-3)
    assert set(found) == {"frozen", "tuned"}
    assert all(0 <= share <= 1 for share in found.values())


def test_a_text_with_too_many_pieces_is_cut_for_the_classifier():
    made = models.Pretrained(None, WordPiece(TOKENS))
    (long, short) = measure.examples(made, ["num" + "bers" * 3 + " the" * 300, "the sum"], [0, 1])
    assert len(long.ids) == models.SMALL.max_positions
    assert (long.ids[0], long.ids[-1]) == (2, 3)
    assert short.ids == [2, 5, 6, 3]


def test_the_bias_starts_at_the_frequencies_and_special_tokens_are_last():
    words = WordPiece(TOKENS)
    bias = models.log_frequencies(models.rows_of(["the sum of the list"], words), words)
    assert bias.exp().sum() == pytest.approx(1)
    assert bias.argmax() == TOKENS.index("the")
    assert (bias[:4] < bias[TOKENS.index("sum")]).all()


def fake_runs(gain_frozen: float, gain_tuned: float) -> list[dict]:
    """Runs whose small_domain is better than small_general by these gains, give or take 0.001."""
    made = []
    for arm, seed in domain.RUNS:
        better = arm == "small_domain"
        words = {"nats": 5.0 + 0.01 * seed, "first": 0.2, "pieces": 1.2}
        task = {
            "frozen": 0.5 + better * gain_frozen + better * 0.001 * seed,
            "tuned": 0.6 + better * gain_tuned + better * 0.001 * seed,
        }
        spent = {"training_seconds": 1.0, "cpu_seconds": 2.0}
        made.append({"arm": arm, "seed": seed, "domain": words, "general": words, **task, **spent})
    return made


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [((0.1, 0.1), "holds"), ((0.1, 0.0), "does not hold"), ((0.1, 0.009), "cannot tell")],
)
def test_the_report_pairs_by_seed_and_judges_by_both_intervals(texts, tmp_path, monkeypatch, gains, verdict):
    for run in fake_runs(*gains):
        domain.file_of(tmp_path, run["arm"], run["seed"]).write_text(json.dumps(run))
    monkeypatch.setattr(report, "texts", lambda kind, split: SENTENCES)
    monkeypatch.setattr(measure, "LABELS", 8)
    monkeypatch.setattr(measure, "TESTS", 4)
    monkeypatch.setenv(results.OUT_VARIABLE, str(tmp_path / "out"))
    path = report.report(tmp_path, 1.0)
    found = results.parse(path.read_text(), report.NAME)
    assert found.claims["scibert"]["verdict"] == verdict
    row = found.row(kind="difference", model="small_domain", minus="small_general", measure="frozen")
    assert row["seeds"] == 4
    assert row["difference"] == pytest.approx(gains[0] + 0.0015, abs=1e-6)
    assert found.row(kind="model", model="continued")["seeds"] == 3


def test_all_runs_are_planned_with_those_that_judge_last_in_pairs():
    assert len(set(domain.RUNS)) == len(domain.RUNS)
    assert {arm for arm, _ in domain.RUNS} == set(domain.MAKERS)
    for seed in (*domain.SEEDS, *domain.MORE_SEEDS):
        assert {(arm, seed) for arm in domain.TESTED} <= set(domain.RUNS)
