"""Left-to-right objectives shift once, and only once."""

import pytest
import torch

from course_utils.objectives import IGNORE
from course_utils.objectives import causal as c


def test_labels_are_the_next_tokens():
    ids = torch.arange(12).reshape(3, 4)
    inputs, labels = c.causal_lm(ids)
    assert torch.equal(inputs[:, 1:], labels[:, :-1])
    assert torch.equal(torch.cat([inputs, labels[:, -1:]], dim=1), ids)


def test_the_loss_equals_transformers_which_shifts_inside():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=50, n_positions=16, n_embd=8, n_layer=1, n_head=2)
    model = transformers.GPT2LMHeadModel(config).eval()
    ids = torch.randint(0, 50, (3, 12))
    inputs, labels = c.causal_lm(ids)
    ours = torch.nn.functional.cross_entropy(model(inputs).logits.flatten(0, 1), labels.flatten())
    torch.testing.assert_close(ours, model(ids, labels=ids).loss, atol=1e-6, rtol=0)


def test_padding_is_not_predicted():
    assert c.causal_lm(torch.tensor([5, 6, 0, 0]), pad=0).labels.tolist() == [6, IGNORE, IGNORE]


def test_the_first_label_is_the_first_token_after_the_prefix():
    inputs, labels = c.prefix_lm(torch.arange(10, 16), prefix_length=3)
    assert inputs.tolist() == [10, 11, 12, 13, 14]
    assert labels.tolist() == [IGNORE, IGNORE, 13, 14, 15]
    assert c.prefix_lm(torch.arange(3), prefix_length=1).labels.tolist() == [1, 2]
    assert (c.prefix_lm(torch.arange(3), prefix_length=3).labels == IGNORE).all()


def test_cuts_are_uniform_and_lose_nothing(generator):
    ids = torch.arange(6)
    cuts = torch.zeros(6)
    for _ in range(3000):
        front, back = c.split_prefix(ids, generator)
        assert torch.equal(torch.cat([front, back]), ids)
        cuts[len(front)] += 1
    assert cuts[0] == 0
    assert cuts[1:].min() > 500


def test_the_decoder_reads_its_targets_one_step_late():
    targets = torch.tensor([[7, 8, 9], [7, IGNORE, IGNORE]])
    assert c.shift_right(targets, start=2).tolist() == [[2, 7, 8], [2, 7, 2]]


def test_bad_input_is_named(generator):
    with pytest.raises(ValueError, match="at least one token"):
        c.causal_lm(torch.tensor([], dtype=torch.long))
    with pytest.raises(ValueError, match="got 4"):
        c.prefix_lm(torch.arange(3), prefix_length=4)
    with pytest.raises(ValueError, match="cannot be cut"):
        c.split_prefix(torch.tensor([1]), generator)
