"""World (b): equal compute, resumable, repeatable; measures right on models with known answers."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from typer.testing import CliRunner

from course_utils import results
from course_utils.cli import app
from course_utils.contest import design
from course_utils.contest.english import measures, pairs, reviews, runs, tags
from course_utils.contest.english import report as reports
from course_utils.contest.english.corpus import UNKNOWN
from course_utils.contest.english.pairs import Pair
from course_utils.contest.grammar import MASK
from course_utils.contest.models import seeded
from course_utils.contest.runs import COUNTS, UNTRAINED, Run, RunError, final_runs, make, read, tuning_runs
from course_utils.data.errors import SourceUnavailable
from course_utils.models.encoder import Encoder


def treebank(_repository, _config, split, *_):
    """Sentences whose tags each word decides; the verbs tell the split."""
    verb = {"train": "sees", "validation": "likes", "test": "finds"}[split]
    nouns = ["cat", "dog", "boat", "lamp"] * 3
    return [{"tokens": ["the", noun, verb], "upos": ["DET", "NOUN", "VERB"]} for noun in nouns]


@pytest.fixture
def sources(monkeypatch):
    """A few minimal pairs and review sentences in place of the real ones."""
    rows = [
        {"sentence_good": f"the {a} sees it.", "sentence_bad": f"the {a} it sees."} for a in ["cat", "dog"]
    ]
    monkeypatch.setattr(pairs, "hub_rows", lambda *_: rows)
    monkeypatch.setattr(tags, "hub_rows", treebank)
    sentences = {"text": [f"a {w} boat" for w in ("bad", "good") * 20], "label": [0, 1] * 20}
    monkeypatch.setattr(reviews, "load", lambda *_, **__: sentences)


@pytest.fixture
def folder(english_design, english_lines, tmp_path):
    """A folder with a prepared corpus."""
    source = tmp_path / "texts"
    source.mkdir()
    (source / "story.txt").write_text("\n".join(english_lines), encoding="utf-8")
    runs.prepare(english_design, tmp_path, source)
    return tmp_path


class Fixed(nn.Module):
    """Answers every place with the same distribution."""

    def __init__(self, probabilities):
        super().__init__()
        self.logits = torch.tensor(probabilities).log()
        self.seen = []

    def forward(self, ids, attention_mask=None, positions=None):
        self.seen.append(ids)
        return self.logits.expand(int(positions.sum()), -1)


def test_the_committed_design_is_a_contest():
    contest = design.load("english")
    assert len(contest.entrants) >= 6
    assert len(contest.seeds) >= 3
    assert contest.corpus.vocabulary == contest.sizes.vocab_size
    assert len(set(pairs.PARADIGMS)) == 67


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entrants": ("mlm", "astrology")}, "astrology"),
        ({"primary": "beauty"}, "beauty"),
        ({"tuning_seeds": (0,)}, "must not be tested"),
        ({"test_texts": 10_000}, "held out"),
    ],
)
def test_designs_that_are_not_fair_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(design.load("english"), **changes)


def test_a_guess_with_equal_odds_costs_the_logarithm(english_corpus, english_design):
    texts = english_corpus.held_out.long()
    hidden = torch.rand(texts.shape) < 0.2
    exam = measures.Examination(english_corpus, texts, texts, hidden, (None, None), [], None)
    assert measures.masked_nats(Fixed([1 / 80] * 80), exam) == pytest.approx(np.log(80))


def test_pseudo_log_likelihood_adds_up_over_known_tokens():
    model = Fixed([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.2, 0.2, 0.1])
    inside = torch.zeros(10, dtype=torch.bool)
    found = pairs.pseudo_log_likelihoods(model, [[7, 8, 9], [9, UNKNOWN]], inside, batch_size=2)
    assert found.tolist() == pytest.approx([np.log(0.2 * 0.2 * 0.1), np.log(0.1)])


def test_the_rest_of_a_word_is_masked_along():
    """7 ##8 ##9 7: asking for ##8 must hide ##9, and leave both 7s."""
    inside = torch.tensor([False] * 8 + [True] * 2)
    model = Fixed([0.1] * 10)
    pairs.pseudo_log_likelihoods(model, [[7, 8, 9, 7]], inside)
    assert [7, MASK, MASK, 7] in model.seen[0][:, 1:].tolist()
    assert [7, 8, MASK, 7] in model.seen[0][:, 1:].tolist()
    assert [MASK, MASK, MASK, 7] in model.seen[0][:, 1:].tolist()


def test_a_tie_is_no_right_answer():
    model = Fixed([0.1] * 6 + [0.1, 0.2, 0.1, 0.1])
    asked = [Pair("a", (7,), (8,)), Pair("a", (8,), (7,)), Pair("b", (8, 9), (9, 8)), Pair("b", (7,), (9,))]
    right = pairs.judge(model, asked, torch.zeros(10, dtype=torch.bool))
    assert right == [True, False, False, True]
    assert pairs.accuracies(right, asked) == {"a": 0.5, "b": 0.5}


def test_sentiment_that_one_word_tells_is_learnt(english_corpus, sources, english_design):
    task = replace(english_design.reviews, train=16, test=16, steps=30, batch_size=8, learning_rate=0.01)
    sets = reviews.read_reviews(english_corpus, task, 8)
    encoder = seeded(0, lambda: Encoder(english_design.sizes.encoder()))
    before = {name: weights.clone() for name, weights in encoder.state_dict().items()}
    assert reviews.bag_of_words_accuracy(sets, 80) == 1
    assert reviews.probe_accuracy(encoder, sets, causal=False) == 1
    assert reviews.tuned_accuracy(encoder, sets, task, seed=0) == 1
    assert all(torch.equal(weights, before[name]) for name, weights in encoder.state_dict().items())


def test_runs_are_equal_in_compute_and_can_be_repeated(english_design, folder, sources):
    measuring = partial(runs.measure, folder=folder)
    flops = []
    for name in english_design.entrants:
        run = Run("final", name, 0, 0.001)
        make(english_design, folder, run, measuring=measuring)
        first = read(english_design, folder, run)
        make(english_design, folder, run, measuring=measuring)
        assert first | {"cpu_seconds": 0} == read(english_design, folder, run) | {"cpu_seconds": 0}
        assert set(first["measures"]) == set(english_design.measures)
        flops.append(first["flops"])
    assert max(flops) <= 1.02 * min(flops)


def test_only_what_chooses_the_rate_is_asked_while_tuning(english_design, folder, sources):
    found = runs.measure(english_design, Run("tune", "mlm", 100, 0.001), folder=folder)
    assert set(found["measures"]) == {english_design.primary}


def test_the_questions_of_tuning_are_not_the_final_ones(english_design, english_corpus, sources):
    of_stage = [
        measures.examination(
            english_corpus,
            english_design.budget,
            test_texts=16,
            tagged_sentences=12,
            final=final,
            pairs_each=1,
            review_task=english_design.reviews,
        )
        for final in (False, True)
    ]
    words = [{english_corpus.wordpiece.decode(word) for word in exam.tagged[1].words} for exam in of_stage]
    assert "likes" in words[0] - words[1]
    assert "finds" in words[1] - words[0]
    assert of_stage[0].tagged[0].words == of_stage[1].tagged[0].words
    learnt_from = {tuple(row) for row in of_stage[1].tuning_texts.tolist()}
    assert not learnt_from & {tuple(row) for row in of_stage[1].texts.tolist()}


def test_tags_stand_at_the_first_piece_of_each_word(english_corpus):
    sentences = [(["the", "xylophone", "sees"], ["DET", "NOUN", "VERB"]), (["cat"], ["NOUN"])]
    made = tags.encode_tagged(english_corpus, sentences, 30)
    pieces = [len(english_corpus.encode(word)) for word in ("the", "xylophone", "sees")]
    assert made.starts[0].nonzero().flatten().tolist() == [1, 1 + pieces[0], 1 + pieces[0] + pieces[1]]
    assert [made.kinds[tag] for tag in made.tags] == ["DET", "NOUN", "VERB", "NOUN"]
    assert made.starts.sum() == len(made.tags) == len(made.words)
    cut = tags.encode_tagged(english_corpus, sentences, pieces[0], kinds=("NOUN", "DET"))
    assert [cut.kinds[tag] for tag in cut.tags] == ["DET", "NOUN"]
    assert tags.encode_tagged(english_corpus, sentences, 30, kinds=("VERB",)).starts.sum() == 1


def test_tags_that_words_decide_are_read_off_any_encoder(english_corpus, english_design, sources):
    """Also the baseline knows them; tags at random nobody can know."""
    encoder = seeded(0, lambda: Encoder(english_design.sizes.encoder()))
    known = tags.read_tagged(english_corpus, "train", sentences=12, longest=8)
    assert tags.probe_accuracy(encoder, known, known, causal=True) == 1
    assert tags.frequent_tag_accuracy(known, known) == 1
    test = tags.read_tagged(english_corpus, "test", sentences=12, longest=8, kinds=known.kinds)
    assert tags.frequent_tag_accuracy(known, test) >= 2 / 3  # of the new verbs it only knows the first piece
    coins = torch.randint(2, (len(known.tags),), generator=torch.Generator().manual_seed(0))
    assert tags.probe_accuracy(encoder, known, replace(known, tags=coins), causal=False) < 0.8


def test_a_corpus_of_other_files_is_refused(english_design, folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "tale.txt").write_text("A tale.", encoding="utf-8")
    with pytest.raises(RunError, match="made from story, not from tale"):
        runs.prepare(english_design, folder, other)


def fake_all(contest, folder, **changes):
    """Records of runs that nobody made, for reports; BART's numbers are one higher, ELECTRA's three."""
    about = {"files": ["story"], "training_texts": 9, "held_out_texts": 9, "tokens": 72, "unknown": 0.0}

    def fake(run, **more):
        quality = (
            1.0
            + (run.entrant == "bart")
            + 3 * (run.entrant == "electra")
            + 0.01 * run.seed
            + 0.002 * run.seed * (run.entrant == "mlm")
        )
        record = {"design": contest.fingerprint(), "seed": run.seed, "learning_rate": run.learning_rate}
        record |= {"cpu_seconds": 1.0, "corpus": "abc", "own_task": None}
        record |= {"measures": dict.fromkeys(contest.measures, quality)}
        record |= {"steps": 7, "flops": 10**9, "processed_tokens": 100, "texts_read": 56, "curve": []}
        record |= {"about": about | {"hash": "abc"}, "baselines": {"unigram": {"tuned_nats": 6.0}}}
        record["paradigms"] = {}
        (folder / run.file).write_text(json.dumps(record | more))

    for run in tuning_runs(contest):
        fake(run)
    for run in final_runs(contest, folder):
        fake(run, **(changes if run.entrant == "bart" else {}))


def test_the_report_is_a_results_file_with_verdicts(english_design, tmp_path):
    english_design = replace(english_design, entrants=("mlm", "bart", "electra"))
    fake_all(english_design, tmp_path)
    path = reports.write(english_design, tmp_path, tmp_path / "out")
    made = results.parse(path.read_text(), "contest_english")
    pair = made.row(kind="pair", measure="tuned_nats", first="mlm", second="bart")
    assert pair["verdict"] == "resolved"
    assert pair["difference"] == pytest.approx(-0.999)
    assert made.value("mean", kind="measure", measure="tuned_nats", entrant="bart") == pytest.approx(2.005)
    assert made.value("mean", kind="baseline", entrant="unigram") == 6.0
    assert made.value("files", kind="corpus") == "story"
    assert made.rows(kind="measure", entrant=UNTRAINED)
    assert made.value("better", kind="evidence", claim="electra-efficient") is True


@pytest.mark.parametrize(
    ("changes", "problem", "message"),
    [({"flops": 1_030_000_000}, ValueError, "not fair"), ({"corpus": "xyz"}, RunError, "different corpora")],
)
def test_reports_on_runs_that_do_not_compare_are_refused(english_design, tmp_path, changes, problem, message):
    fake_all(english_design, tmp_path, **changes)
    with pytest.raises(problem, match=message):
        reports.write(english_design, tmp_path, tmp_path)


def test_missing_runs_alone_are_made(english_design, folder, sources):
    fake_all(english_design, folder)
    (folder / Run("final", COUNTS, 0).file).unlink()
    missing = {run.file for run in final_runs(english_design, folder) if not (folder / run.file).exists()}
    assert missing == {"final-counts-0.json"}
    make(english_design, folder, Run("final", COUNTS, 0), measuring=partial(runs.measure, folder=folder))
    assert list(runs.run_missing(english_design, folder, jobs=1)) == []


def test_pooled_over_two_entrants_it_is_the_paired_t_test():
    values = np.array([[1.0, 2.0, 4.0], [0.5, 2.5, 1.0]])
    mean, wide, _, p = reports.blocked(values, 0, 1)
    exact = stats.ttest_rel(values[0], values[1])
    assert p == pytest.approx(exact.pvalue)
    assert mean == pytest.approx(1.0)
    assert wide == pytest.approx(tuple(exact.confidence_interval(0.95)))


def test_pooled_tests_err_as_often_as_they_say():
    rng = np.random.default_rng(0)
    seeds = rng.normal(size=(2000, 1, 3))  # good and bad seeds, shared by all entrants
    drawn = seeds + 0.3 * rng.normal(size=(2000, 6, 3))
    rejected = [reports.blocked(values, 1, 4)[3] < 0.05 for values in drawn]
    assert np.mean(rejected) == pytest.approx(0.05, abs=0.015)


def test_the_command_refuses_in_words(tmp_path):
    runner = CliRunner()
    assert "english: 6 entrants x 3 seeds" in runner.invoke(app, ["contest", "list"]).output
    refused = runner.invoke(
        app, ["contest", "run", "english", "--text", "nowhere", "--folder", str(tmp_path)]
    )
    assert refused.exit_code == 1
    assert "nowhere: there is no such folder" in refused.output
    assert runner.invoke(app, ["contest", "run", "formal", "--text", str(tmp_path)]).exit_code == 2
    missing = runner.invoke(app, ["contest", "report", "english", "--folder", str(tmp_path)])
    assert missing.exit_code == 1
    assert "is missing; make it with: course contest run english" in missing.output


def test_a_missing_source_shows_before_anything_is_trained(english_design, folder, sources, monkeypatch):
    def unavailable(*_):
        raise SourceUnavailable("connect to the network")

    monkeypatch.setattr(pairs, "hub_rows", unavailable)
    with pytest.raises(SourceUnavailable, match="connect"):
        next(runs.run_missing(english_design, folder, jobs=1))
    assert not list(folder.glob("*.json"))
