"""EM and F1 of answers against the official evaluation script of SQuAD 1.1, written out here as it is."""

import re
import string
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.metrics import answer_scores, exact_match, normalize_answer, token_f1

few = settings(max_examples=60)


def official_normalize(s):
    def remove_articles(text):
        return re.sub(r"\b(a|an|the)\b", " ", text)

    def white_space_fix(text):
        return " ".join(text.split())

    def remove_punc(text):
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    return white_space_fix(remove_articles(remove_punc(s.lower())))


def official_f1(prediction, ground_truth):
    prediction_tokens = official_normalize(prediction).split()
    ground_truth_tokens = official_normalize(ground_truth).split()
    common = Counter(prediction_tokens) & Counter(ground_truth_tokens)
    num_same = sum(common.values())
    if num_same == 0:
        return 0
    precision = 1.0 * num_same / len(prediction_tokens)
    recall = 1.0 * num_same / len(ground_truth_tokens)
    return (2 * precision * recall) / (precision + recall)


def official_evaluate(dataset, predictions):
    f1 = em = total = 0
    for article in dataset:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                total += 1
                if qa["id"] not in predictions:
                    continue
                truths = [answer["text"] for answer in qa["answers"]]
                prediction = predictions[qa["id"]]
                em += max(official_normalize(prediction) == official_normalize(truth) for truth in truths)
                f1 += max(official_f1(prediction, truth) for truth in truths)
    return {"exact_match": 100.0 * em / total, "f1": 100.0 * f1 / total}


# Words that the normalization has rules for, beside any text at all.
pieces = st.sampled_from(
    [
        "a",
        "an",
        "the",
        "The",
        "A",
        "U.S.",
        "us",
        "it's",
        "its",
        "“the”",
        "the-",
        "-a",
        "Σ",
        "İ",
        "ß",
        "é",
        "東京",
        "1,066",
        "don’t",
        ".",
    ]
)
answers = st.lists(pieces | st.text(max_size=4), max_size=6).map(" ".join)
questions = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3),
    st.lists(answers, min_size=1, max_size=3),
    min_size=1,
    max_size=8,
)


@few
@given(st.text() | answers)
def test_normalization_is_the_official_one_and_does_no_more_when_repeated(text):
    assert normalize_answer(text) == official_normalize(text)
    assert normalize_answer(normalize_answer(text)) == normalize_answer(text)


@few
@given(questions, st.data())
def test_scores_equal_the_official_script(references, data):
    asked = data.draw(st.lists(st.sampled_from(sorted(references)), unique=True))
    predictions = {question: data.draw(answers | st.sampled_from(references[question])) for question in asked}
    qas = [
        {"id": question, "answers": [{"text": text} for text in texts]}
        for question, texts in references.items()
    ]
    expected = official_evaluate([{"paragraphs": [{"qas": qas}]}], predictions)
    assert answer_scores(predictions, references) == pytest.approx(expected, abs=1e-9)


@few
@given(answers, st.lists(answers, min_size=1, max_size=3))
def test_f1_is_symmetric_bounded_and_at_least_the_match_of_answers_with_tokens(prediction, references):
    assert token_f1(prediction, references[:1]) == token_f1(references[0], [prediction])
    f1 = token_f1(prediction, references)
    assert 0 <= f1 <= 1 + 1e-12
    assert f1 >= token_f1(prediction, references[:1])
    if normalize_answer(prediction):
        assert f1 >= exact_match(prediction, references) - 1e-12


@pytest.mark.parametrize(
    ("prediction", "reference", "match", "f1"),
    [
        ("The Denver Broncos!", "denver broncos", 1, 1),
        ("Broncos Broncos", "Broncos", 0, 2 / 3),  # bags: the second is one too many
        ("“Broncos”", "Broncos", 0, 0),  # typographic quotes stay
        ("the", "a", 1, 0),  # nothing is left of both
        ("U.S.", "us", 1, 1),
        ("10-8", "10 8", 0, 0),
    ],
)
def test_quirks(prediction, reference, match, f1):
    assert exact_match(prediction, [reference]) == match
    assert token_f1(prediction, [reference]) == pytest.approx(f1)


def test_the_best_reference_counts_and_a_missing_prediction_counts_zero():
    assert exact_match("Rollo", ["King Rollo", "Rollo"]) == 1
    assert answer_scores({}, {"q": ["Rollo"]}) == {"exact_match": 0, "f1": 0}


@pytest.mark.parametrize("references", [[], "Rollo"])
def test_references_are_a_list_with_an_answer(references):
    with pytest.raises(ValueError, match="reference"):
        exact_match("Rollo", references)


@pytest.mark.parametrize(("predictions", "references"), [({"q2": "x"}, {"q1": ["x"]}), ({}, {})])
def test_ids_must_fit(predictions, references):
    with pytest.raises(ValueError, match="at least one question"):
        answer_scores(predictions, references)
