"""The four tasks: draws, baselines, the quoted table, the rule of the verdicts."""

import json

import numpy as np
import pytest

from course_utils import results
from course_utils.data.task_sets import Labeled, Pair, Question, Tagged
from experiments import finetuning_common, finetuning_tasks, finetuning_tasks_report
from experiments import finetuning_tasks_kinds as kinds
from experiments.finetuning_tasks_report import (
    claim_glue,
    disagreements,
    fits,
    learned,
    made_answers,
    quoted_rows,
    t_interval,
)


def record(kind, start, seed):
    """Scores that differ a little by seed: the real start far above, the baselines at 50."""
    main = finetuning_tasks.BY_NAME[kind].main
    names = {"answers": ["f1", "exact match"]}.get(kind, [main])
    if start == "baselines":
        return {"scores": {"simple": dict.fromkeys(names, 50.0 + seed), "poor": dict.fromkeys(names, 10.0)}}
    value = (80.0 if start == "real" else 30.0) + seed / 10
    return {"scores": dict.fromkeys(names, value), "cpu_seconds": 1.5}


@pytest.fixture
def made_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(finetuning_common, "folder", lambda name: tmp_path / name)
    (tmp_path / finetuning_tasks.NAME).mkdir()
    for name in finetuning_tasks.all_runs():
        kind, start, seed = name.rsplit("-", 2)
        file = tmp_path / finetuning_tasks.NAME / f"{name}.json"
        file.write_text(json.dumps(record(kind, start, int(seed))), encoding="utf-8")
    return tmp_path


def test_the_report_has_rows_of_every_part_and_two_verdicts(made_runs, monkeypatch):
    monkeypatch.setenv(results.OUT_VARIABLE, str(made_runs / "out"))
    file = finetuning_tasks_report.report()
    made = results.parse(file.read_text(encoding="utf-8"), finetuning_tasks.NAME)
    assert {row["part"] for row in made.table} == {"quoted", "kind", "gain", "script"}
    assert made.value("mean", part="kind", kind="tagging", model="real", score="f1") == pytest.approx(80.15)
    gain = made.row(part="gain", kind="pair")
    assert (gain["baseline"], gain["learned"]) == ("simple", True)
    assert made.value("differing", part="script") == 0
    assert {claim["verdict"] for claim in made.claims.values()} == {"cannot tell"}
    assert "4 of 4 kinds" in made.claims["bert-glue"]["sentence"]


def test_a_missing_run_is_named(made_runs):
    (made_runs / finetuning_tasks.NAME / "pair-real-2.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"pair-real-2.json is missing; make it with"):
        finetuning_tasks_report.report()


def test_a_report_so_far_takes_the_seeds_that_are_complete(made_runs, monkeypatch):
    monkeypatch.setenv(results.OUT_VARIABLE, str(made_runs / "out"))
    monkeypatch.setattr(finetuning_tasks_report, "folder", finetuning_common.folder)
    for run in ("pair-real-3", "answers-random-2", "tagging-random-1"):
        (made_runs / finetuning_tasks.NAME / f"{run}.json").unlink()
    seeds = finetuning_tasks_report.seeds_so_far()
    assert seeds == {"real": [0, 1, 2], "random": [0]}
    text = finetuning_tasks_report.report(seeds).read_text(encoding="utf-8")
    made = results.parse(text, finetuning_tasks.NAME)
    assert made.seeds == [0, 1, 2]
    assert made.row(part="kind", kind="pair", model="random")["low"] is None


def test_the_order_makes_every_run_once():
    made = list(finetuning_tasks.all_runs())
    starts = [f"{start}-{seed}" for start, seeds in finetuning_tasks.SEEDS.items() for seed in seeds]
    assert sorted({name.split("-", 1)[1] for name in made if "baselines" not in name}) == sorted(starts)


def test_the_quoted_averages_are_of_nine_columns():
    rows = {row["system"]: row for row in quoted_rows()}
    assert all(row["nine fit"] for row in rows.values())
    assert not any(rows[name]["eight fit"] for name in ("ELMo", "GPT", "BERT base", "BERT large"))
    assert rows["BERT base"]["nine columns"] == pytest.approx(716.4 / 9)
    # The one average that its rounded columns do not round to: 70.94.
    assert [name for name, row in rows.items() if not row["nine round to it"]] == ["ELMo"]


def test_the_claim_falls_if_an_average_does_not_follow_from_its_columns():
    wrong = quoted_rows()
    wrong[0]["nine fit"] = wrong[0]["eight fit"] = False
    assert claim_glue(wrong, [], finetuning_tasks.SEEDS)["verdict"] == "does not hold"
    assert not fits(79.6, 79.49)


def test_a_kind_is_learned_if_gain_and_interval_say_so():
    assert learned(t_interval(np.array([10.0, 11.0, 12.0, 11.0])))
    assert not learned(t_interval(np.array([1.0, 1.1, 1.2, 1.1])))  # below two points
    assert not learned(t_interval(np.array([30.0, -10.0, 25.0, 5.0])))  # too uncertain


def test_our_scores_are_the_scripts_and_a_broken_one_is_noticed(monkeypatch):
    assert disagreements(made_answers(0)) == 0
    monkeypatch.setattr("course_utils.metrics.exact_match", lambda a, b: float(a == b[0]))
    assert disagreements(made_answers(0)) > 50


def test_seeds_draw_their_own_examples_and_share_the_test(monkeypatch):
    kind = kinds.KINDS[0]
    pool = ([Labeled(str(i), i % 2) for i in range(2000)], [Labeled(f"t{i}", i % 2) for i in range(900)])
    monkeypatch.setattr(kinds, "_pool", lambda one: pool)
    first, again, other = kind.drawn(0), kind.drawn(0), kind.drawn(1)
    assert first == again
    assert len(first[0]) == kind.training == len(set(first[0]))
    assert set(first[0]) != set(other[0])
    assert first[1] == other[1]


def test_baselines_of_each_kind():
    sentences = [Labeled("good fun", 1), Labeled("bad bad", 0)] * 6 + [Labeled("good", 1)]
    scores = kinds._class_baselines(sentences, [Labeled("fun", 1), Labeled("bad", 0)])
    assert (scores["majority"]["accuracy"], scores["bag of words"]["accuracy"]) == (50, 100)
    pairs = [
        Pair("a man plays", f"a man {word}", float(n)) for n, word in enumerate(["plays", "sings", "x y z"])
    ]
    assert kinds._pair_baselines(pairs, pairs)["words in common"]["spearman"] < 0
    tagged = [Tagged(["in", "Rome"], ["O", "B-LOC"])]
    scores = kinds._tag_baselines(tagged, [Tagged(["Rome", "Oslo"], ["B-LOC", "B-LOC"])])
    assert (scores["majority"]["f1"], scores["most frequent tag"]["recall"]) == (0, 50)
    question = Question("1", "Who won?", "The cup was won by Rollo.", ("Rollo",), (19,))
    scores = kinds._answer_baselines([], [question])
    assert scores["first name"] == {"f1": 100, "exact match": 100}
    assert 0 < scores["whole sentence"]["f1"] < 50


def test_a_question_keeps_the_sentence_of_its_answer():
    question = Question("1", "Who?", "It rained. Rollo, St. Clair won. Then sun.", ("St. Clair",), (18,))
    cut = kinds.only_sentence(question)
    assert cut.passage == "Rollo, St. Clair won."
    assert cut.passage[cut.starts[0] :].startswith("St. Clair")
