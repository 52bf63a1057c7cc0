"""Tagging: what is encoded, what the loss counts, and a tiny tagger that learns."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from course_utils.finetuning.alignment import IGNORED, tag_set
from course_utils.finetuning.tagging import (
    collate_tagged,
    cut_off,
    encode_tagged,
    fine_tune_tagger,
    new_tagger,
    predict_tags,
)
from course_utils.training import TrainingConfig

SENTENCES = [["playing", "in", "unplay"], ["red", "is", "playing", "?"], ["unplay"]]
TAGS = [["O", "O", "B-LOC"], ["B-PER", "O", "O", "O"], ["B-LOC"]]
NUMBERS = tag_set(TAGS)


def test_labels_stand_on_first_pieces_and_padding_has_none(small_tokenizer):
    batch = collate_tagged(encode_tagged(small_tokenizer, SENTENCES, TAGS, NUMBERS))
    first = batch["labels"][0].tolist()
    assert first == [IGNORED, 0, IGNORED, 0, NUMBERS["B-LOC"], IGNORED, IGNORED]
    assert batch["labels"][2].tolist() == [IGNORED, NUMBERS["B-LOC"], *5 * [IGNORED]]
    assert (batch["labels"] != IGNORED).sum() == 8


def test_the_loss_is_the_mean_over_words_not_over_tokens(small_tokenizer, small_encoder):
    examples = encode_tagged(small_tokenizer, SENTENCES, TAGS, NUMBERS)
    model = new_tagger(small_encoder, len(NUMBERS), seed=0, dropout=0.0).eval()
    batch = collate_tagged(examples)
    with torch.no_grad():
        logits = model(batch["input_ids"], attention_mask=batch["input_ids"] != 0)
    counted = batch["labels"] != IGNORED
    by_hand = F.cross_entropy(logits[counted], batch["labels"][counted]).item()
    config = TrainingConfig(steps=1, batch_size=3, learning_rate=1e-9)
    assert fine_tune_tagger(model, examples, config)[0]["loss"] == pytest.approx(by_hand, abs=1e-5)


def test_a_tagger_learns_its_three_sentences(small_tokenizer, small_encoder):
    examples = encode_tagged(small_tokenizer, SENTENCES, TAGS, NUMBERS)
    model = new_tagger(small_encoder, len(NUMBERS), seed=0)
    fine_tune_tagger(model, examples, TrainingConfig(steps=60, batch_size=3, learning_rate=3e-3))
    assert predict_tags(model, examples, NUMBERS, batch_size=2) == TAGS


def test_words_that_are_cut_off_are_counted_and_tagged_as_missing(small_tokenizer, small_encoder):
    small_tokenizer.enable_truncation(5)
    try:
        examples = encode_tagged(small_tokenizer, SENTENCES, TAGS, NUMBERS)
    finally:
        small_tokenizer.no_truncation()
    assert cut_off(examples) == 2  # unplay in the first, ? in the second
    model = new_tagger(small_encoder, len(NUMBERS), seed=0)
    predicted = predict_tags(model, examples, NUMBERS, missing="B-PER")
    assert [len(row) for row in predicted] == [3, 4, 1]
    assert predicted[1][3] == "B-PER"


@pytest.mark.parametrize("tags", [[["O"]], [["O", "O", "O"], ["O"], ["O"]]])
def test_every_word_needs_a_tag(small_tokenizer, tags):
    with pytest.raises(ValueError, match="every word needs one tag"):
        encode_tagged(small_tokenizer, SENTENCES, tags, NUMBERS)
