"""The verdict rules of the claims on subwords, a case for each branch, and the results they wrote."""

import numpy as np
import pytest

from course_utils import results
from experiments import subword_examples, subword_likelihood, subword_open_vocabulary
from experiments.subword_open_vocabulary import JUDGED, SUBWORDS, UNSEEN, count_texts, covers_unseen
from experiments.subword_open_vocabulary import _fertility as fertility_interval
from experiments.subword_open_vocabulary import _scores as domain_scores
from experiments.subword_rules import Step


@pytest.mark.parametrize(
    ("domains", "languages", "expected"),
    [
        ([True, True, True], True, "holds"),
        ([True, True, True], False, "holds here only"),
        ([True, False, True], True, "cannot tell"),
        ([False, False, False], True, "does not hold"),
    ],
)
def test_open_vocabulary(domains, languages, expected):
    covered = dict(zip(SUBWORDS, domains, strict=True))
    assert subword_open_vocabulary.verdict(covered, languages) == expected


def judged_rows(limit: float) -> list[dict]:
    """Rows for one vocabulary and for words; the last unseen domain gets the given upper limit."""
    rows = []
    for domain in UNSEEN:
        common = {"part": "domain", "size": JUDGED, "domain": domain}
        high = limit if domain == UNSEEN[-1] else 0.0
        rows.append({**common, "vocabulary": "WordPiece", "unknown_high": high})
        rows.append({**common, "vocabulary": "words", "unknown_low": 0.2})
    return rows


def test_coverage_compares_limit_with_limit_in_every_domain():
    assert covers_unseen(judged_rows(0.02), "WordPiece")
    assert not covers_unseen(judged_rows(0.021), "WordPiece")


@pytest.mark.parametrize(
    ("frequency", "score", "bits", "stops", "expected"),
    [
        (0.95, 0.5, 0.1, True, "does not hold"),
        (0.94, 0.5, -0.1, True, "holds"),
        (0.94, 0.5, -0.1, False, "cannot tell"),
        (0.99, 0.1, -0.1, True, "cannot tell"),
        (0.10, 0.9, 0.1, True, "cannot tell"),
    ],
)
def test_likelihood(frequency, score, bits, stops, expected):
    assert subword_likelihood.verdict(frequency, score, bits, stops) == expected


def test_words_and_marks_are_counted_apart_and_by_sentence():
    texts = count_texts({"movies": ["ab - ab", "x!"], "products": ["ab"]})
    counts = texts.counts["movies"]
    unknown = np.array([word in ("x", "-") for word in texts.words], float)
    made = domain_scores(counts, texts.is_word, np.ones(len(texts.words)), unknown)
    assert (made["words"], made["unknown_words"], made["unknown"]) == (3, 1, 1 / 3)
    assert made["unknown_marks"] == 1 / 2
    assert made["fertility"] == 1


def test_fertility_repeats_splits_and_sentences():
    made = fertility_interval([{"fertility": 1.2, "fertility_error": 0.01}] * 3)
    assert made["fertility_high"] - 1.2 == pytest.approx(0.0196, rel=0.01)  # the splits agree


def test_thresholds_are_where_the_best_score_first_falls_below():
    steps = [Step("a", 2, score) for score in (1e4, 500.0, 2000.0, 50.0)]
    made = {f"score, minimum count {n}": ([], steps) for n in subword_likelihood.MIN_COUNTS}
    rows = subword_likelihood.threshold_rows({**made, "likelihood gain": ([], steps)})
    found = {row["threshold"]: (row["merges"], row["stopped_by"]) for row in rows if row["min_count"] == 1}
    assert found[1000.0] == (1, "threshold")
    assert found[100.0] == (3, "threshold")
    assert found[1e-5] == (4, "size")


def test_likelihood_measures():
    words = {"ab": 3, "abc": 1}
    assert subword_likelihood.count_pieces(words, {"ab", "##c"}) == {"ab": 4, "##c": 1}
    assert subword_likelihood.share_of({"a", "ab", "x"}, {"a", "ab", "ac"}, alphabet={"a"}) == 0.5
    even = {"a": 1, "b": 1}  # with one added to each, two entries of probability 1/2 cost one bit each
    assert subword_likelihood.bits_per_character(even, even, {"a", "b"}, characters=2) == pytest.approx(1.0)


def test_examples_are_exact_and_name_their_ties():
    rows = subword_examples.compression_rows()
    assert [row["shows"] for row in rows] == ["ZabdZabac", "ZYdZYac"]
    assert [row["tied_with"] for row in rows] == ["", "Z a, Z being aa"]
    claim = subword_examples.claim(rows, ["ZabdZabac", "something else"])
    assert (claim["verdict"], claim["estimate"]) == ("does not hold", 1)
    assert [row["shows"] for row in subword_examples.dictionary_rows()] == ["es", "est", "lo"]


@pytest.mark.parametrize("module", [subword_open_vocabulary, subword_likelihood])
def test_written_verdict_follows_from_the_written_rows(module):
    written = results.load(module.NAME)
    (claim_id,) = written.claims
    if module is subword_open_vocabulary:
        again = module.claim(written.rows())
    else:  # the estimate stands for the split-by-split differences, which the file does not keep
        estimate, (low, high) = (written.claims[claim_id][key] for key in ("estimate", "interval"))
        assert low < estimate < high
        again = module.claim(written.rows(), np.array([low, high]))
    assert again["verdict"] == written.claims[claim_id]["verdict"]
    assert again["sentence"] == written.claims[claim_id]["sentence"]
