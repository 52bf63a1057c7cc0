"""The counts, the rounding rule and the verdict of bert-sizes, a case for each branch."""

import pytest

from course_utils import results
from course_utils.models.config import PRESETS
from experiments import bert_sizes
from experiments.bert_sizes import agreement, row, unit_of, verdict, ways

# A head by its formula: V and H for the bias and the norm's two vectors, E (H + 1) for the dense map.
BASE_HEADS = 768 * 769 + 2 * 768 + 30522 + 2 * 769


def test_three_ways_of_counting_differ_by_pooler_and_heads():
    counts = ways(PRESETS["bert-base"])
    assert counts["with pooler"] - counts["encoder"] == 768 * 769
    assert counts["with heads"] - counts["with pooler"] == BASE_HEADS


def test_a_model_without_a_pooler_has_no_such_count():
    assert ways(PRESETS["distilbert-base"])["with pooler"] is None
    assert ways(PRESETS["distilbert-base"])["with heads"] == 66_362_880 + BASE_HEADS - 2 * 769
    assert ways(PRESETS["gpt2"]) == {"encoder": 124_439_808, "with pooler": None, "with heads": None}


@pytest.mark.parametrize(
    ("count", "millions", "expected"),
    [
        (335_000_000, 340, "rounded"),
        (334_999_999, 340, "no"),
        (344_999_999, 340, "rounded"),
        (345_000_000, 340, "cut off"),
        (65_500_000, 66, "rounded"),
        (66_500_000, 66, "cut off"),
        (67_000_000, 66, "no"),
        (None, 66, "no such part"),
    ],
)
def test_agreement(count, millions, expected):
    assert agreement(count, millions) == expected


def test_zeros_at_the_end_are_rounding():
    assert [unit_of(said) for said in (117, 60, 300)] == [10**6, 10**7, 10**8]


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ([["rounded"] * 3, ["rounded"] * 3], "holds"),
        ([["rounded"] * 3, ["no", "rounded", "no"]], "holds here only"),
        ([["rounded"] * 3, ["no", "no", "no"]], "does not hold"),
        ([["rounded"] * 3, ["cut off"] * 3], "does not hold"),
    ],
)
def test_verdict(models, expected):
    assert verdict(models) == expected


def test_the_file_holds_what_the_code_counts():
    kept = results.load(bert_sizes.NAME)
    assert kept.rows() == [row(*said) for said in bert_sizes.SAID]
    claimed = [one for one in kept.rows() if one["source"] == "devlin2019"]
    assert kept.claims["bert-sizes"] == bert_sizes.claim(claimed) | {
        "estimate": kept.claims["bert-sizes"]["estimate"]
    }


def test_the_sentence_names_the_counts_that_agree():
    large = bert_sizes.sentence(row("bert-large", "devlin2019", 340))
    assert "340M only with pooler or with heads" in large
    assert "in no way" in bert_sizes.sentence(row("albert-xxlarge", "lan2020", 235))
