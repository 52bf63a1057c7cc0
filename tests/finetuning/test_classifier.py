"""Classifiers on an encoder: batches, heads, training in place, predictions in order."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from course_utils.finetuning.classifier import (
    PAD,
    Example,
    collate,
    encode,
    epochs,
    fine_tune,
    freeze_embeddings,
    new_classifier,
    predict,
)
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.training import TrainingConfig

TINY = EncoderConfig(vocab_size=30, hidden_size=16, num_layers=1, num_heads=2, intermediate_size=32)


def encoder(seed=0):
    torch.manual_seed(seed)
    return Encoder(TINY)


def examples(n=48, seed=0):
    """Class 1 if token 7 is there; texts of 3 to 9 tokens."""
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for i in range(n):
        length = 3 + i % 7
        ids = torch.randint(10, 30, (length,), generator=generator).tolist()
        if i % 2:
            ids[1] = 7
        rows.append(Example([2, *ids, 3], i % 2))
    return rows


def test_a_batch_is_padded_to_its_longest_text():
    batch = collate([Example([2, 9, 3], 1), Example([2, 3], 0)])
    assert batch["input_ids"].tolist() == [[2, 9, 3], [2, 3, PAD]]
    assert batch["labels"].tolist() == [1, 0]


def test_as_many_labels_as_texts():
    with pytest.raises(ValueError, match="2 texts need as many labels, got 1"):
        encode(None, ["a", "b"], [0])


def test_a_head_is_drawn_from_its_seed_alone():
    first, again, other = (new_classifier(encoder(), 3, seed) for seed in (1, 1, 2))
    assert torch.equal(first.head.classifier.weight, again.head.classifier.weight)
    assert not torch.equal(first.head.classifier.weight, other.head.classifier.weight)
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    new_classifier(encoder_ := Encoder(TINY), 2, 0)
    torch.manual_seed(5)
    new_classifier(encoder_, 2, 0)
    assert torch.equal(torch.rand(1), expected)  # the global generator is where it was


def test_predictions_come_in_the_order_of_the_examples_and_ignore_padding():
    model = new_classifier(encoder(), 2, 0)
    rows = examples(11)
    together = predict(model, rows, batch_size=4)
    alone = torch.cat([predict(model, [row]) for row in rows])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_predictions_are_made_in_evaluation_mode_and_leave_the_mode():
    model = new_classifier(encoder(), 2, 0, dropout=0.5).train()
    assert torch.equal(predict(model, examples(6)), predict(model, examples(6)))
    assert model.training
    with pytest.raises(ValueError, match="no examples"):
        predict(model, [])


def test_training_learns_what_can_be_learned_and_spares_the_tables():
    model = new_classifier(encoder(), 2, 0, dropout=0.0)
    freeze_embeddings(model)
    table = model.encoder.embeddings.token.weight.clone()
    block = next(model.encoder.stack.parameters()).clone()
    config = TrainingConfig(steps=60, batch_size=16, learning_rate=5e-3, log_every=20)
    history = fine_tune(model, examples(), config)
    assert history[-1]["loss"] < 0.2 < history[0]["loss"]
    assert torch.equal(model.encoder.embeddings.token.weight, table)
    assert not torch.equal(next(model.encoder.stack.parameters()), block)
    test = examples(40, seed=1)
    right = predict(model, test).argmax(dim=1) == torch.tensor([row.label for row in test])
    assert right.float().mean() > 0.9


def test_the_loss_that_is_given_is_the_one_that_is_trained():
    rows = examples(8)
    config = TrainingConfig(steps=1, batch_size=8, learning_rate=1e-9, log_every=1)
    seen = {}
    for name, factor in (("once", 1.0), ("twice", 2.0)):
        model = new_classifier(encoder(), 2, 0, dropout=0.0)
        loss = lambda logits, labels, factor=factor: (
            factor * F.cross_entropy(logits, labels, reduction="none")
        )
        seen[name] = fine_tune(model, rows, config, loss=loss)[0]["loss"]
    assert seen["twice"] == pytest.approx(2 * seen["once"], rel=1e-5)


@pytest.mark.parametrize(("count", "expected"), [(1, 100), (7, 700), (0.001, 1)])
def test_steps_of_epochs(count, expected):
    assert epochs(1600, 16, count) == expected
