"""The retrieval experiment on a few countries: who asks what, what is learned, the rule."""

import json

import numpy as np
import pytest
import torch

from course_utils.data import country_facts
from course_utils.data.country_facts import Question
from experiments import family_retrieval as experiment
from experiments import family_retrieval_models as models
from experiments import family_retrieval_report as report
from experiments import family_retrieval_setup as setup
from experiments.family_retrieval import Run

NAMES = ["Chile", "Egypt", "France", "Ghana", "Japan", "Kenya", "Norway", "Peru", "Poland", "Qatar", "Spain"]
CACHED = (setup.corpus, setup.all_questions, setup._bm25, setup.cloze, experiment._drawn)


def few_facts():
    """Facts in the form of the package, for eleven countries, half of them made up."""
    return country_facts.facts_of(
        [
            {
                "name": name,
                "demonym": f"{name}ian",
                "capital": f"Port{i}",
                "currencies": [f"{name[:2].upper()}D"],
                "callingCodes": [str(210 + i)],
                "tld": [f".{name[:2].lower()}"],
                "area": 1000 + 37 * i,
                "population": 5_000_000 + 1234 * i,
                "subregion": "Western Europe" if i % 2 else "Southern Asia",
                "ISO": {"alpha3": name[:3].upper()},
            }
            for i, name in enumerate(NAMES)
        ]
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The experiment on eleven countries, in seconds; texts are encoded once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("runs")
        patch.setattr(setup, "folder", lambda: folder)
        patch.setattr(country_facts, "country_facts", few_facts)
        patch.setattr(setup, "TRAIN", 100)
        patch.setattr(setup, "TEST", 20)
        patch.setattr(models, "STEPS", 200)
        patch.setattr(models, "CLOSED_STEPS", 60)
        clear()
        yield
        clear()


def clear():
    for made in CACHED:
        made.cache_clear()


def questions_of(facts):
    return country_facts.questions(facts), [fact.country for fact in facts]


def test_training_asks_nothing_about_new_countries_and_tests_use_new_wordings(monkeypatch):
    monkeypatch.setattr(setup, "TRAIN", 200)
    asked, countries = questions_of(few_facts())
    train, new, seen = setup.split_questions(asked, countries, np.random.default_rng(0))
    trained = {countries[one.document] for one in train}
    assert len(trained) <= round(0.6 * len(NAMES)) + 1
    assert not trained & {countries[one.document] for one in new}
    wordings = [{one.wording for one in part} for part in (train, new, seen)]
    assert len(wordings[0]) == 4
    assert not wordings[0] & (wordings[1] | wordings[2])
    pairs = {(one.document, one.direction) for one in train}
    assert all((one.document, one.direction) in pairs for one in seen)
    other = setup.split_questions(asked, countries, np.random.default_rng(1))
    assert trained != {countries[one.document] for one in other[0]}


def test_spans_are_numbered_by_their_tokens():
    strings: dict[tuple[int, ...], int] = {}
    spans = setup.numbered_spans(torch.tensor([[101, 7, 8, 102, 0], [101, 8, 7, 8, 102]]), strings)
    assert spans[0, 1, 0] == spans[1, 2, 0] == strings[(7,)]
    assert spans[0, 1, 1] == spans[1, 2, 1] == strings[(7, 8)]
    assert (spans[:, 0] == -1).all()  # [CLS]
    assert (spans[0, 3:] == -1).all()  # [SEP] and padding
    assert spans[1, 1, 2] == strings[(8, 7, 8)]
    assert spans[1, 2, 2] == -1  # would run into [SEP]


def test_joint_training_finds_documents_and_answers(small):
    drawn, corpus = setup.draw(0), setup.corpus()
    model = models.new_open_book(0)
    start = model.retriever.document_tower.projection.weight.clone()
    likelihood = [line["loss"] for line in models.fit_open_book(model, corpus, drawn.train, 0, refresh=10)]
    assert likelihood[-1] < 2.5
    assert (model.retriever.document_tower.projection.weight - start).abs().max() > 1e-3
    before = models.ranks(models.all_scores(models.new_open_book(0), corpus, drawn.train), drawn.train.gold)
    after = models.ranks(models.all_scores(model, corpus, drawn.train), drawn.train.gold)
    assert (after == 0).mean() > (before == 0).mean() + 0.03


def test_a_fixed_retriever_stays_as_it_is(small):
    drawn, corpus = setup.draw(0), setup.corpus()
    model = models.new_open_book(0, fixed="dense")
    start = {name: p.clone() for name, p in model.retriever.named_parameters()}
    models.fit_open_book(model, corpus, drawn.train, 0)
    assert all(torch.equal(p, start[name]) for name, p in model.retriever.named_parameters())
    assert model.log_temperature != 0


def test_the_answer_is_the_string_with_the_largest_sum(small):
    """Against a loop over documents and spans."""
    drawn, corpus = setup.draw(0), setup.corpus()
    model, asked = models.new_open_book(0), drawn.new
    found = models.answers(model, corpus, asked, k=3)
    scores, documents = models.all_scores(model, corpus, asked).topk(3)
    for row in range(3):
        spans = model.answer_spans(corpus, asked, torch.tensor([row]), documents[[row]])[0].detach().exp()
        total: dict[int, float] = {}
        for z, document in enumerate(documents[row].tolist()):
            weight = float(scores[row].softmax(-1)[z])
            for place in (corpus.spans[document] >= 0).nonzero().tolist():
                string = int(corpus.spans[document][tuple(place)])
                total[string] = total.get(string, 0.0) + weight * float(spans[z][tuple(place)])
        assert sum(total.values()) == pytest.approx(1, abs=1e-4)
        assert total[int(found[row])] == pytest.approx(max(total.values()), rel=1e-4)


def test_the_oracle_reads_the_one_document_that_states_the_fact(small):
    asked = setup.draw(0).new
    model = models.new_open_book(0, fixed="oracle")
    scores, documents = models.exact_fixed(model, setup.corpus(), asked)
    assert torch.equal(documents[:, 0], asked.gold)
    assert scores.shape == (len(asked.gold), 1)


def test_bm25_breaks_its_ties_by_chance_not_by_the_order(small):
    """Nine documents name the country and share no other word with the question."""
    asked = [one for one in country_facts.questions(few_facts()) if one.text.startswith("How big is")]
    best = setup.bm25_scores([one.text for one in asked]).argmax(axis=1)
    facts = few_facts()
    assert [facts[row].country for row in best] == [facts[one.document].country for one in asked]
    assert len({facts[row].relation for row in best}) > 1


def test_a_closed_book_has_the_size_asked_for_and_reads_all_documents(small):
    cloze, drawn = setup.cloze(), setup.draw(0)
    strings = torch.unique(torch.cat([cloze.answers, drawn.train.answers]))
    model = models.new_closed_book(0, 250_000, strings)
    assert abs(models.trainable(model) - 250_000) < 600
    assert len(cloze.answers) > len(setup.corpus().documents)
    models.fit_closed_book(model, models.Lesson(drawn.train, cloze), 0)
    assert (models.closed_answers(model, cloze.texts) == cloze.answers).float().mean() > 0.5
    with_mask = cloze.texts.ids == 103
    assert (with_mask.sum(dim=1) == 1).all()


def test_runs_and_report(small, monkeypatch, tmp_path):
    """Every system, two seeds, a few steps: the file is written, and what is there is not made again."""
    for name, value in (("STEPS", 4), ("CLOSED_STEPS", 4)):
        monkeypatch.setattr(models, name, value)
    monkeypatch.setattr(experiment, "SEEDS", range(2))
    systems = (*experiment.OPEN, *experiment.CLOSED, "simple")
    runs = [Run(system, seed) for seed in range(2) for system in systems]
    monkeypatch.setattr(experiment, "RUNS", runs)
    assert list(experiment.run_missing(runs, tmp_path)) == runs
    assert list(experiment.run_missing(runs, tmp_path)) == []
    monkeypatch.setenv("COURSE_RESULTS_DIR", str(tmp_path))
    path = report.write_report("family_retrieval", "command", experiment.load_runs(tmp_path), [0, 1])
    made = json.loads(path.read_text())
    parts = {row["part"] for row in made["rows"]}
    assert parts == {"judged", "difference", "accuracy", "recall", "documents read", "size", "example"}
    sizes = {row["system"]: row["trained_parameters"] for row in made["rows"] if row["part"] == "size"}
    assert sizes["closed book"] == pytest.approx(sizes["joint"], rel=0.01)
    assert sizes["closed book x 4"] == pytest.approx(4 * sizes["joint"], rel=0.01)
    assert made["claims"]["realm-openqa"]["seeds"] == 2
    example = next(row for row in made["rows"] if row["part"] == "example")
    assert example["own"] in example["documents"]
    assert sum(example["after"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.051, 0.2, "holds here only"),
        (-0.1, 0.049, "does not hold"),
        (0.04, 0.2, "cannot tell"),
        (0.05, 0.2, "cannot tell"),
        (-0.1, 0.05, "cannot tell"),
    ],
)
def test_the_rule(low, high, expected):
    assert report.verdict(low, high) == expected


def test_recall_counts_the_documents_above():
    scores = torch.tensor([[0.1, 0.9, 0.5], [0.9, 0.1, 0.5]])
    assert models.ranks(scores, torch.tensor([2, 0])).tolist() == [1, 0]


def test_means_by_direction():
    one = Question("", "", 0, "forward", 0)
    asked = setup.Asked([one, one._replace(direction="inverse")], None, None, None, None)
    found = experiment.by_direction(np.array([1.0, 0.0]), asked)
    assert found == {"all": 0.5, "forward": 1.0, "inverse": 0.0}
