"""Span answers: what is encoded, and a tiny model that learns to point."""

import itertools

import pytest

from course_utils.data.errors import DataError
from course_utils.data.task_sets import Question
from course_utils.finetuning.answering import (
    collate_spans,
    encode_question,
    fine_tune_answerer,
    new_answerer,
    predict_answers,
)
from course_utils.metrics import answer_scores
from course_utils.training import TrainingConfig

LONG = "red is in blue. play play play playing zzz zzz play unplay. green is in red."


def question(passage=LONG, answer="green", asked="who is in red ?"):
    return Question("q", asked, passage, (answer,), (passage.rindex(answer),))


def test_windows_without_the_answer_point_to_cls(small_tokenizer):
    examples = encode_question(small_tokenizer, question(), max_length=18, stride=5)
    assert len(examples) > 2
    assert (examples[0].start, examples[0].end) == (0, 0)
    last = examples[-1]
    assert small_tokenizer.id_to_token(last.ids[last.start]) == "green"
    assert last.start == last.end


def test_a_batch_has_segments_and_places(small_tokenizer):
    batch = collate_spans(encode_question(small_tokenizer, question(), max_length=18, stride=5))
    assert batch["input_ids"].shape == batch["token_type_ids"].shape
    assert batch["starts"].shape == batch["ends"].shape == batch["input_ids"].shape[:1]


def test_an_answer_that_is_not_there_is_refused(small_tokenizer):
    wrong = question()._replace(starts=(3,))
    with pytest.raises(DataError, match="the answer is 'green', but the passage has"):
        encode_question(small_tokenizer, wrong)


def test_a_tiny_model_learns_to_point(small_tokenizer, small_encoder):
    names, places = ("red", "blue", "green"), ("play", "zzz", "unplay")
    made = []
    for number, (name, place) in enumerate(itertools.product(names, places)):
        passage = f"{name} is in {place}."
        made.append(Question(str(number), "where is who ?", passage, (place,), (passage.index(place),)))
    examples = [example for one in made for example in encode_question(small_tokenizer, one)]
    model = new_answerer(small_encoder, seed=0)
    config = TrainingConfig(steps=80, batch_size=9, learning_rate=3e-3)
    lines = fine_tune_answerer(model, examples, config)
    assert lines[-1]["loss"] < 0.3
    answers = predict_answers(model, small_tokenizer, made)
    given = {one.id: answer.text for one, answer in zip(made, answers, strict=True)}
    assert answer_scores(given, {one.id: one.answers for one in made})["exact_match"] == 100


def test_predictions_cover_the_windows_of_long_passages(small_tokenizer, small_encoder):
    model = new_answerer(small_encoder, seed=0)
    asked = [question(), question("red is in blue."[:-1], "blue")]
    answers = predict_answers(model, small_tokenizer, asked, max_length=18, stride=5, max_tokens=3)
    for one, answer in zip(asked, answers, strict=True):
        assert one.passage[answer.start : answer.end] == answer.text != ""
    assert answers[1].window == 0
