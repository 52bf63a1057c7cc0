"""The report: every row from the runs alone, verdicts by their rules, on studies whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from made_up import study
from typer.testing import CliRunner

from course_utils import results
from course_utils.cli import app
from course_utils.data import raters
from course_utils.results_format import VERDICTS
from course_utils.stats import Estimate
from course_utils.study import claims, design, execute, included, mixed, predictions, report, runs, verdicts
from course_utils.study.report_pairs import compared, hypothesis_rows
from course_utils.study.runs import Key

SYSTEMS = {"random": 0.15, "bag-of-words": 0.4, "frozen": 0.8, "undistilled": 1.2}


@pytest.fixture
def rng():
    return np.random.default_rng(1206)


@pytest.fixture
def reviews():
    return design.load("reviews")


def drawn(rng, reviews, student, teacher, **more):
    skill = {**SYSTEMS, "distilled": student, "six-layers": teacher, "vader": 0.6, "majority": 0.0}
    found = study(rng, skill, tuple(reviews.domains), one_seed=("vader", "majority"), unlabeled=0.2, **more)
    for key, run in found.runs.items():
        run.about["kind"] = "score" if key.system == "vader" else "log_odds"
        if key.system == "majority":
            for scores in run.scores.values():
                scores[:] = 0.0
    return found


def find(rows, **match):
    return [row for row in rows if all(row.get(key) == value for key, value in match.items())]


@pytest.fixture(scope="module")
def made():
    """A student alike its teacher in everything, and what the report says of it."""
    plan = design.load("reviews")
    found = drawn(np.random.default_rng(5), plan, 2.0, 2.0, seeds=2, count=200)
    return plan, found, report.rows(plan, found)


def test_the_rows_can_be_written_and_read(made, tmp_path):
    plan, found, rows = made
    kept, _ = included.included(plan, found)
    path = results.write(
        "study_reviews",
        command="none",
        rows=rows,
        seeds=[0],
        seconds=0.0,
        tolerance={"relative": 0, "absolute": 0, "ignore": []},
        claims=claims.claims(plan, kept, rows),
        out=tmp_path,
    )
    assert results.parse(path.read_text(encoding="utf-8"), "study_reviews").rows(kind="hypothesis")


def test_every_system_stands_in_every_table(made):
    plan, _, rows = made
    for kind in ("score", "quantity", "threshold"):
        assert {row["system"] for row in find(rows, kind=kind)} == set(plan.systems)
    stars = {row["system"] for row in find(rows, kind="stars")}
    assert stars == set(plan.systems) - {"vader"} | {"3 stars for all", *(s for s in stars if "for all" in s)}


def test_the_same_runs_make_the_same_rows(made):
    plan, found, rows = made
    assert report.rows(plan, found) == rows


def test_seconds_are_those_of_the_runs(made):
    _, found, _ = made
    next(iter(found.runs.values())).about["cpu_seconds"] = 12.5
    assert report.seconds(found) == 12.5


def test_alike_is_not_called_worse(made):
    _, _, rows = made
    assert find(rows, kind="hypothesis", id="student-generalizes-worse")[0]["verdict"] != "holds"
    pair = find(rows, kind="difference", first="distilled", second="six-layers", metric="accuracy")
    assert len(pair) == 5 + 3
    assert all(row["p_holm"] > 0.01 for row in pair)


def fragile(plan, skill=2.0, lost=0.8):
    """Alike at home, worse elsewhere."""
    return {name: skill if name == "steam" else lost for name in plan.domains}


def test_a_student_that_loses_elsewhere_generalizes_worse(rng, reviews):
    found = drawn(rng, reviews, fragile(reviews), 2.0, count=900, seeds=3)
    row = find(hypothesis_rows(reviews, found), kind="hypothesis", id="student-generalizes-worse")[0]
    assert row["answer"] == "supported"
    assert row["robustness_high"] < 0
    assert row["verdict"] in ("holds", "holds here only")
    claim = claims.claims(reviews, found, hypothesis_rows(reviews, found))["study-hypothesis"]
    assert claim["verdict"] == row["verdict"]
    assert claims.binary(reviews, found)["verdict"] == "does not hold"
    assert claims.yelp(reviews, found)["verdict"] == "holds here only"


def test_a_matrix_of_train_domains_is_pooled_and_viewed(rng):
    plan = design.load("laptop")
    skill = {**SYSTEMS, "distilled": 1.0, "six-layers": 2.5}
    found = study(rng, skill, tuple(plan.domains), seeds=2, count=200, trains=tuple(plan.domains))
    rows = hypothesis_rows(plan, found)
    pooled = find(rows, kind="hypothesis", id="student-generalizes-worse-anywhere")[0]
    alone = find(rows, kind="hypothesis", id="student-generalizes-worse")[0]
    assert (pooled["seeds"], alone["seeds"]) == (8, 2)
    drawn_as = [row["drawn"] for row in find(rows, kind="view", id=pooled["id"])]
    assert drawn_as == ["seeds and sentences", "train domains"]
    worse = find(rows, kind="hypothesis", id="student-is-worse-in-domain")[0]
    assert (worse["answer"], worse["verdict"]) == ("supported", "holds here only")


def test_a_stronger_student_rules_the_hypothesis_out(rng, reviews):
    found = drawn(rng, reviews, 2.0, fragile(reviews), count=900, seeds=3)
    row = find(hypothesis_rows(reviews, found), kind="hypothesis", id="student-generalizes-worse")[0]
    assert (row["answer"], row["verdict"]) == ("ruled out", "does not hold")


def test_the_middle_is_hard(rng, reviews):
    found = drawn(rng, reviews, 2.0, 2.0, count=400, seeds=2)
    claim = claims.hard_classes(reviews, found)
    assert "recall of 1 and 5 stars" in claim["sentence"]
    assert claim["verdict"] in VERDICTS


GAP = design.load("reviews").hypotheses[0]
IN_DOMAIN = replace(GAP, quantity="in_domain", direction="less")
BELOW, ABOVE, UNSURE = (Estimate(value, 0.01, 20) for value in (-0.04, 0.04, -0.01))


@pytest.mark.parametrize(
    ("hypothesis", "found", "line", "wider", "expected"),
    [
        (GAP, "supported", BELOW, [ABOVE], "holds"),
        (GAP, "supported", BELOW, [UNSURE], "holds here only"),
        (GAP, "supported", BELOW, [], "holds here only"),
        (GAP, "supported", UNSURE, [ABOVE], "cannot tell"),
        (GAP, "supported", ABOVE, [ABOVE], "cannot tell"),
        (GAP, "supported", None, [ABOVE], "holds here only"),
        (GAP, "ruled out", UNSURE, [], "does not hold"),
        (GAP, "ruled out", None, [], "does not hold"),
        (GAP, "ruled out", BELOW, [], "cannot tell"),
        (GAP, "open", BELOW, [ABOVE], "cannot tell"),
        (IN_DOMAIN, "supported", None, [], "holds here only"),
        (IN_DOMAIN, "ruled out", None, [], "does not hold"),
    ],
)
def test_the_rule_of_a_hypothesis(hypothesis, found, line, wider, expected):
    assert verdicts.verdict(hypothesis, found, line, wider) == expected


@pytest.mark.parametrize(
    ("value", "p", "p_large", "expected"),
    [(0.03, 0.01, 0.9, "supported"), (0.005, 0.01, 0.9, "open"), (0.0, 0.9, 0.01, "ruled out")],
)
def test_the_answer_of_a_test(value, p, p_large, expected):
    assert verdicts.answer(Estimate(value, 0.01, 9), p, p_large, 0.01, 0.05) == expected


def test_less_is_the_other_sign():
    assert verdicts.effect(IN_DOMAIN, Estimate(-0.1, 0.02, 5)).value == 0.1


@pytest.mark.parametrize(
    ("values", "p", "expected"),
    [
        ([0.1, 0.2], [0.01, 0.01], "holds here only"),
        ([0.1, 0.2], [0.01, 0.2], "cannot tell"),
        ([0.1, -0.2], [0.2, 0.01], "does not hold"),
    ],
)
def test_the_rule_of_an_ordering(values, p, expected):
    assert verdicts.of_ordering([Estimate(v, 0.05, 9) for v in values], p, 0.05) == expected


def test_a_run_that_learnt_nothing_takes_its_seed_along(rng, reviews):
    found = drawn(rng, reviews, 2.0, 2.0, seeds=3)
    found.runs[Key("distilled", "steam", 1)].scores["steam", "validation"][:] = 1.0
    kept, said = included.included(reviews, found)
    assert len(said) == 1
    assert "seed 1 on steam is left out (distilled--steam--1: balanced accuracy 0.500" in said[0]
    assert {key.seed for key in kept.runs if key.system == "six-layers"} == {0, 2}
    assert Key("majority", "steam", 0) in kept.runs


def test_a_domain_with_few_rows_of_a_class_is_left_out(rng, reviews):
    found = drawn(rng, reviews, 2.0, 2.0, seeds=2)
    found.rows["sst2", "test"].labels[found.rows["sst2", "test"].labels == 0] = -1
    kept, said = included.included(reviews, found)
    assert "sst2" not in kept.test_domains
    assert "fewer than 50 rows" in said[0]
    found.rows["steam", "test"].labels[found.rows["steam", "test"].labels == 0] = -1
    with pytest.raises(runs.RunError, match="nothing is left"):
        included.included(reviews, found)


def test_pairs_begin_with_the_first_hypothesis_and_name_each_once(made):
    plan, found, _ = made
    pairs = compared(plan, found)
    assert pairs[0] == ("distilled", "six-layers")
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)


def test_raters_say_which_sentences_are_mixed():
    scored = raters("products")
    rows = runs.Rows(
        ids=np.array(scored.ids[:300]),
        labels=np.zeros(300, dtype=np.int8),
        ratings=np.linspace(-4, 4, 300, dtype=np.float32),
        groups=np.array(scored.ids[:300]),
        words=np.ones(300, dtype=np.int32),
    )
    found = mixed.mixed(design.load("laptop").domains["products"], rows)
    assert found.tolist() == mixed.mixed_by_raters(scored.scores[:300]).tolist()
    assert 0 < found.sum() < 150
    assert mixed.mixed(design.load("reviews").domains["imdb"], rows) is None


def test_the_report_reads_the_runs_of_a_folder(made, tmp_path, monkeypatch):
    plan, found, rows = made
    monkeypatch.setattr(execute, "load_study", lambda given, folder: found)
    path = report.report(plan, folder=tmp_path, out=tmp_path)
    kept = results.parse(path.read_text(encoding="utf-8"), "study_reviews")
    assert len(kept.table) == len(rows)
    assert set(kept.claims) == {"study-hypothesis", "study-binary", "study-yelp", "study-hard-classes"}
    assert list(predictions.read(path.with_suffix(".npz")).runs) == list(found.runs)


def test_the_command_writes_both_files_and_tells_the_verdicts(rng, tmp_path):
    """From the files of runs, as `course study run` leaves them."""
    plan = design.load("quick")
    skill = {"six-layers": 2.0, "three-layers": 1.5, "frozen": 1.0, "random": 0.2, "bag-of-words": 0.5}
    found = study(
        rng, skill | {"vader": 0.6, "majority": 0.1}, tuple(plan.domains), seeds=2, count=200, unlabeled=0.2
    )
    for key in plan.keys:
        run = found.runs[key]
        about = run.about | {"fingerprint": plan.fingerprint(key), "cpu_seconds": 2.0}
        runs.write(tmp_path, replace(run, about=about))
    options = ["--folder", str(tmp_path), "--out", str(tmp_path / "out")]
    told = CliRunner().invoke(app, ["study", "report", "quick", *options])
    assert told.exit_code == 0, told.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"study_quick.json", "study_quick.npz"}
    (line,) = (line for line in told.output.splitlines() if line.startswith("student-generalizes-worse:"))
    assert line.rpartition(": ")[2] in VERDICTS
    assert "points [" in line
    (tmp_path / "runs" / "vader--movies--0.json").unlink()
    lacking = CliRunner().invoke(app, ["study", "report", "quick", *options])
    assert lacking.exit_code == 1
