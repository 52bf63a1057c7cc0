"""40% and 97% taken apart: counts against the library's models, averages by hand, the rules' branches."""

import pytest
import torch
import transformers

from course_utils import results
from experiments import distillation_sizes as sizes
from experiments import distillation_sizes_glue as glue

LIBRARY = {
    "BERT base": (transformers.BertModel, transformers.BertConfig()),
    "DistilBERT": (transformers.DistilBertModel, transformers.DistilBertConfig()),
    "TinyBERT4": (
        transformers.BertModel,
        transformers.BertConfig(hidden_size=312, num_hidden_layers=4, intermediate_size=1200),
    ),
}


@pytest.mark.parametrize("name", LIBRARY)
def test_a_count_equals_that_of_the_librarys_model(name):
    kind, config = LIBRARY[name]
    with torch.device("meta"):
        theirs = sum(parameter.numel() for parameter in kind(config).parameters())
    assert sizes.parameter_row(name)["total"] == theirs


def test_the_parts_of_a_model_add_up():
    for name in sizes.MODELS:
        row = sizes.parameter_row(name)
        norm = 2 * row["hidden"]  # of the embeddings
        assert row["tables"] + row["all_layers"] + row["pooler"] + norm == row["total"]


def test_the_three_steps_lead_from_bert_to_distilbert():
    rows = sizes.step_rows()
    bert, *changes = rows
    taken = sum(row["taken"] for row in changes)
    assert bert["parameters"] - taken == sizes.parameter_row("DistilBERT")["total"]
    assert changes[0]["taken"] == 6 * sizes.layer_size(sizes.BASE)


def test_without_layers_the_tables_are_left():
    left = {(row["shape"], row["layers"]): row["parameters"] for row in sizes.layers_rows()}
    small = sizes.parameter_row("laptop, 6 layers")
    assert left["laptop", 3] == sizes.parameter_row("laptop, 3 layers")["total"]
    assert left["laptop", 0] == small["tables"] + 2 * small["hidden"]


def test_means_by_hand():
    bert = [56.3, 86.7, 88.6, 91.8, 89.6, 69.3, 92.7, 89.0, 53.5]
    rows = {row["system"]: row for row in glue.system_rows()}
    assert rows["BERT base"]["mean_of_columns"] == pytest.approx(sum(bert) / 9)
    assert rows["BERT base"]["without_wnli"] == pytest.approx(sum(bert[:-1]) / 8)
    kept = {row["way"]: row["kept"] for row in glue.average_rows()}
    assert kept["as quoted"] == pytest.approx(100 * 77.0 / 79.5)
    assert kept["without WNLI"] == pytest.approx(100 * 636.8 / 664.0)


def test_counts_of_the_small_sets_have_one_solution():
    rows = {row["task"]: row for row in glue.task_rows()}
    assert (rows["WNLI"]["student_right"], rows["WNLI"]["teacher_right"]) == ([40], [38])
    assert len(rows["RTE"]["student_right"]) == len(rows["RTE"]["teacher_right"]) == 1
    assert rows["RTE"]["kept_above_guessing"] == pytest.approx(100 * (59.9 - 50) / (69.3 - 50))


def test_the_verdict_on_the_table(monkeypatch):
    assert glue.claim()["verdict"] == "cannot tell"
    assert "rounding cannot explain BERT base" in glue.claim()["sentence"]
    quoted, columns = glue.PRINTED["BERT base"]
    monkeypatch.setitem(glue.PRINTED, "BERT base", (quoted + 0.2, columns))
    assert glue.claim()["verdict"] == "holds here only"


def test_the_verdict_on_the_cost(monkeypatch):
    assert sizes.cost_claim(sizes.cost_rows())["verdict"] == "cannot tell"
    monkeypatch.setattr(sizes, "PEAK", 5e12)
    assert sizes.cost_claim(sizes.cost_rows())["verdict"] == "does not hold"


def test_the_file_holds_what_the_code_counts():
    kept = results.load(sizes.NAME)
    assert [row["total"] for row in kept.rows(part="parameters")] == [
        sizes.parameter_row(model)["total"] for model in sizes.MODELS
    ]
    assert kept.claims["distilbert-glue"]["sentence"] == glue.claim()["sentence"]
