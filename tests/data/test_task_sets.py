"""Published sets of the four kinds from a copy of the hub: columns, tags, answers in their place."""

import pytest
from datasets import Dataset

from course_utils.data import DataError, SourceUnavailable, task_sets


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """Tables of one name and size in two tests must not be taken for the same."""
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")


CONFIGS = """---
configs:
- config_name: {config}
  data_files:
  - {{split: {split}, path: "{config}/*.parquet"}}
---
"""


def copy(root, repository, config, split, rows):
    folder = root / repository / config
    folder.mkdir(parents=True)
    Dataset.from_list(rows).to_parquet(folder / f"{split}-00000.parquet")
    text = CONFIGS.format(config=config, split=split)
    (root / repository / "README.md").write_text(text, encoding="utf-8")


def question(start):
    answers = {"text": ["Rollo"], "answer_start": [start]}
    return {"id": "1", "question": "Who?", "context": "Ça! Rollo won.", "answers": answers, "title": "x"}


def test_sentences_and_pairs(tmp_path):
    copy(tmp_path, "nyu-mll/glue", "sst2", "train", [{"sentence": "fine", "label": 1, "idx": 0}])
    assert task_sets.sentences("sst2", "train", tmp_path) == [task_sets.Labeled("fine", 1)]


def test_pairs_keep_numbers(tmp_path):
    row = {"sentence1": "a", "sentence2": "b", "label": 3.8, "idx": 0}
    copy(tmp_path, "nyu-mll/glue", "stsb", "validation", [row])
    assert task_sets.pairs("stsb", "validation", tmp_path) == [task_sets.Pair("a", "b", pytest.approx(3.8))]


def test_tags_have_names(tmp_path):
    copy(tmp_path, "lhoestq/conll2003", "default", "test", [{"tokens": ["EU", "x"], "ner_tags": [3, 0]}])
    found = task_sets.tagged_sentences("conll2003", "test", tmp_path)
    assert found == [task_sets.Tagged(["EU", "x"], ["B-ORG", "O"])]


def test_answers_are_counted_in_characters(tmp_path):
    copy(tmp_path, "google/xquad", "xquad.en", "validation", [question(4)])
    found = task_sets.questions("xquad", hub_root=tmp_path)
    assert found == [task_sets.Question("1", "Who?", "Ça! Rollo won.", ("Rollo",), (4,))]


def test_an_answer_counted_in_bytes_is_noticed(tmp_path):
    copy(tmp_path, "google/xquad", "xquad.en", "validation", [question(5)])
    with pytest.raises(DataError, match="'Rollo', but the passage has 'ollo ' at 5"):
        task_sets.questions("xquad", hub_root=tmp_path)


def test_a_question_without_an_answer_is_refused():
    with pytest.raises(DataError, match="has no answer"):
        task_sets.check_question(task_sets.Question("1", "Who?", "x", (), ()))


@pytest.mark.parametrize("load", [task_sets.sentences, task_sets.pairs, task_sets.tagged_sentences])
def test_unknown_names_are_refused(load):
    with pytest.raises(KeyError, match="take one of"):
        load("imdb", "train")


def test_without_hub_or_copy_it_says_what_to_do(monkeypatch):
    monkeypatch.delenv("COURSE_HUB_ROOT", raising=False)
    monkeypatch.setenv("COURSE_SCALE", "laptop")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(SourceUnavailable, match="COURSE_HUB_ROOT"):
        task_sets.pairs("mrpc", "train")
