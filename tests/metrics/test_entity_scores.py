"""Entities and their F1 against seqeval, on tag sequences that break every rule."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval import metrics as seqeval_metrics
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, IOBES, Entities

from course_utils.metrics import entities, entity_scores, entity_scores_by_kind

few = settings(max_examples=60)

SCHEMES = {"IOB2": IOB2, "IOBES": IOBES}
KINDS = ("PER", "LOC", "MISC-2")


def tags_of(letters):
    return ["O", *(f"{letter}-{kind}" for letter in letters for kind in KINDS)]


def sentence(letters):
    return st.lists(st.sampled_from(tags_of(letters)), min_size=1, max_size=9)


def pairs(letters, seed, sentences=30):
    """Random true and predicted tags, half of the predicted ones copied."""
    rng = random.Random(seed)
    true = [rng.choices(tags_of(letters), k=rng.randint(1, 9)) for _ in range(sentences)]
    predicted = [[t if rng.random() < 0.6 else rng.choice(tags_of(letters)) for t in tags] for tags in true]
    return true, predicted


@few
@given(sentence("BIES"))
def test_lenient_entities_are_those_of_seqeval(tags):
    assert [(kind, start, end - 1) for kind, start, end in entities(tags)] == get_entities(tags)


@pytest.mark.parametrize("scheme", SCHEMES)
@few
@given(data=st.data())
def test_strict_entities_are_those_of_seqeval(scheme, data):
    tags = data.draw(sentence("BI" if scheme == "IOB2" else "BIES"))
    expected = [(e.tag, e.start, e.end) for e in Entities([tags], SCHEMES[scheme]).entities[0]]
    assert [tuple(entity) for entity in entities(tags, strict=scheme)] == expected


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("strict", [None, "IOB2", "IOBES"])
def test_scores_equal_seqeval(strict, seed):
    true, predicted = pairs("BIES" if strict == "IOBES" else "BI", seed)
    options = {"mode": "strict", "scheme": SCHEMES[strict]} if strict else {}
    ours = entity_scores(true, predicted, strict)
    expected = [
        getattr(seqeval_metrics, f"{name}_score")(true, predicted, zero_division=0, **options)
        for name in ("precision", "recall", "f1")
    ]
    assert ours[:3] == pytest.approx(expected, abs=1e-12)
    report = seqeval_metrics.classification_report(
        true, predicted, output_dict=True, zero_division=0, **options
    )
    by_kind = entity_scores_by_kind(true, predicted, strict)
    for kind, scores in by_kind.items():
        row = report[kind]
        assert tuple(scores) == pytest.approx(
            (row["precision"], row["recall"], row["f1-score"], row["support"]), abs=1e-12
        )
    assert sum(scores.support for scores in by_kind.values()) == ours.support


@few
@given(st.lists(sentence("BI"), min_size=1, max_size=4))
def test_the_truth_scores_one_where_there_are_entities(true):
    assert entity_scores(true, true).f1 == (1.0 if entity_scores(true, true).support else 0.0)


def test_half_an_entity_is_none():
    assert entity_scores([["B-PER", "I-PER"]], [["B-PER", "O"]]).f1 == 0


def test_entities_do_not_cross_sentences():
    assert entity_scores([["B-PER"], ["I-PER"]], [["B-PER"], ["B-PER"]]).f1 == 1


def test_an_entity_that_begins_with_i_is_one_unless_strict():
    assert entities(["O", "I-LOC"])[0][:] == ("LOC", 1, 2)
    assert entities(["O", "I-LOC"], strict="IOB2") == []


@pytest.mark.parametrize("tag", ["PER", "B", "B-", "X-PER", "", "b-PER", "U-PER"])
def test_what_is_no_tag_is_refused(tag):
    with pytest.raises(ValueError, match="a tag is 'O'"):
        entities([tag])


def test_a_letter_of_another_scheme_is_refused():
    with pytest.raises(ValueError, match="IOB2 has the letters B, I, O, got S"):
        entities(["S-PER"], strict="IOB2")
    with pytest.raises(ValueError, match="strict must be"):
        entities(["S-PER"], strict="BIO")


@pytest.mark.parametrize("predicted", [[], [["O"]], [["O", "O"], ["O"]]])
def test_shapes_must_fit(predicted):
    if predicted == [["O"]]:
        message = "sentence 0 has 2 words but 1"
    elif not predicted:
        message = "1 sentences need"
    else:
        message = "1 sentences need as many predictions, got 2"
    with pytest.raises(ValueError, match=message):
        entity_scores([["O", "O"]], predicted)
