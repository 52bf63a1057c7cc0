"""Two texts in one input: ids, segments, batches, and a regression."""

import pytest
import torch

from course_utils.finetuning.classifier import (
    Example,
    collate,
    encode_pairs,
    fine_tune,
    new_classifier,
    outputs,
    predict,
    run_model,
    squared_error,
)
from course_utils.training import TrainingConfig

PAIRS = (["red", "blue ?", "red blue green"], ["red", "red", "green"], [1, 0, 1])


def test_a_pair_is_one_input_with_two_segments(small_tokenizer):
    examples = encode_pairs(small_tokenizer, *PAIRS)
    tokens = [small_tokenizer.id_to_token(i) for i in examples[1].ids]
    assert tokens == ["[CLS]", "blue", "?", "[SEP]", "red", "[SEP]"]
    assert examples[1].segments == [0, 0, 0, 0, 1, 1]
    assert [example.label for example in examples] == [1, 0, 1]


def test_a_batch_of_pairs_has_segments_and_one_of_texts_has_none(small_tokenizer):
    batch = collate(encode_pairs(small_tokenizer, *PAIRS))
    assert batch["token_type_ids"].shape == batch["input_ids"].shape == (3, 7)
    assert batch["token_type_ids"][0].tolist() == [0, 0, 0, 1, 1, 0, 0]
    assert "token_type_ids" not in collate([Example([2, 3], 1)])
    with pytest.raises(ValueError, match="pairs or single texts"):
        collate([Example([2, 3], 1), Example([2, 3], 1, [0, 0])])


def test_the_encoder_is_given_the_segments(small_tokenizer, small_encoder):
    model = new_classifier(small_encoder, 2, seed=0).eval()
    batch = collate(encode_pairs(small_tokenizer, *PAIRS))
    without = {name: tensor for name, tensor in batch.items() if name != "token_type_ids"}
    with torch.no_grad():
        assert not torch.allclose(run_model(model, batch), run_model(model, without))


def test_predictions_come_in_the_order_of_the_examples(small_tokenizer, small_encoder):
    model = new_classifier(small_encoder, 2, seed=0)
    examples = encode_pairs(small_tokenizer, *PAIRS)
    together = predict(model, examples, batch_size=2)
    alone = torch.cat([predict(model, [example]) for example in examples])
    assert torch.allclose(together, alone, atol=1e-6)
    with pytest.raises(ValueError, match="no examples"):
        outputs(model, [], collate)


def test_the_longer_text_of_a_pair_is_cut(small_tokenizer):
    small_tokenizer.enable_truncation(8)
    try:
        example = encode_pairs(small_tokenizer, ["red " * 20], ["blue green"], [0])[0]
    finally:
        small_tokenizer.no_truncation()
    tokens = [small_tokenizer.id_to_token(i) for i in example.ids]
    assert tokens == ["[CLS]", *3 * ["red"], "[SEP]", "blue", "green", "[SEP]"]


def test_numbers_are_learned_with_squared_error(small_tokenizer, small_encoder):
    labels = [1.0, 0.25, 0.0]
    examples = encode_pairs(small_tokenizer, *PAIRS[:2], labels)
    assert collate(examples)["labels"].dtype == torch.float32
    model = new_classifier(small_encoder, 1, seed=0, dropout=0.0)
    config = TrainingConfig(steps=60, batch_size=3, learning_rate=3e-3, log_every=20)
    fine_tune(model, examples, config, loss=squared_error)
    assert predict(model, examples)[:, 0].tolist() == pytest.approx(labels, abs=0.2)


def test_squared_error_does_not_broadcast():
    assert squared_error(torch.tensor([[1.0], [3.0]]), torch.tensor([0.0, 1.0])).tolist() == [1.0, 4.0]
    with pytest.raises(ValueError, match=r"logits \(2, 1\)"):
        squared_error(torch.zeros(2, 2), torch.zeros(2))


def test_sides_must_be_equally_long(small_tokenizer):
    with pytest.raises(ValueError, match="got 1, 2 and 2"):
        encode_pairs(small_tokenizer, ["red"], ["red", "blue"], [0, 1])
