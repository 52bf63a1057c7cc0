"""Centering: what is subtracted in training and in evaluation, and heads that start alike."""

import pytest
import torch

from course_utils.finetuning.centering import Centering, mean_share, new_cls_classifier
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

TINY = EncoderConfig(
    vocab_size=30, hidden_size=16, num_layers=1, num_heads=2, intermediate_size=32, pooler=False
)


def batches(n=40, rows=64):
    generator = torch.Generator().manual_seed(0)
    return [5 + torch.randn(rows, 3, generator=generator) for _ in range(n)]


def test_a_batch_is_centered_exactly_in_training():
    out = Centering(3)(batches(1)[0])
    torch.testing.assert_close(out.mean(dim=0), torch.zeros(3), atol=1e-6, rtol=0)


def test_the_first_batch_counts_fully_and_the_first_ones_evenly():
    centering = Centering(3)
    rows = batches(4)
    centering(rows[0])
    torch.testing.assert_close(centering.mean, rows[0].mean(dim=0))
    for batch in rows[1:]:
        centering(batch)
    torch.testing.assert_close(centering.mean, torch.cat(rows).mean(dim=0))


def test_later_the_running_mean_follows():
    centering = Centering(1, momentum=0.1)
    for value in [0.0] * 20 + [1.0] * 60:
        centering(torch.full((2, 1), value))
    assert centering.mean.item() == pytest.approx(1, abs=0.01)


def test_evaluation_uses_the_running_mean_and_keeps_it():
    centering = Centering(3)
    for batch in batches():
        centering(batch)
    centering.eval()
    kept = centering.mean.clone()
    alone = centering(torch.full((1, 3), 5.0))
    torch.testing.assert_close(alone, torch.zeros(1, 3), atol=0.1, rtol=0)
    assert torch.equal(centering.mean, kept)


def test_no_gradient_reaches_the_running_mean_but_it_flows_through_the_batch_mean():
    x = torch.randn(4, 3, requires_grad=True)
    centering = Centering(3)
    centering(x)[0].sum().backward()
    # Each row pulls a quarter of the mean along.
    torch.testing.assert_close(x.grad[1], torch.full((3,), -0.25))
    torch.testing.assert_close(x.grad[0], torch.full((3,), 0.75))
    assert not centering.mean.requires_grad


def test_the_running_mean_is_saved_with_the_model():
    centering = Centering(3)
    centering(batches(1)[0])
    other = Centering(3)
    other.load_state_dict(centering.state_dict())
    assert torch.equal(other.mean, centering.mean)


@pytest.mark.parametrize("momentum", [0.0, 1.5])
def test_a_momentum_is_a_share(momentum):
    with pytest.raises(ValueError, match="momentum"):
        Centering(3, momentum)


def test_both_heads_start_from_the_same_weights():
    torch.manual_seed(0)
    encoder = Encoder(TINY).eval()
    plain, centered = (new_cls_classifier(encoder, 2, 7, centered=c).eval() for c in (False, True))
    assert torch.equal(plain.head.classifier.weight, centered.head.classifier.weight)
    ids = torch.tensor([[2, 5, 3], [2, 9, 3]])
    # Before any training the running mean is zero.
    assert torch.equal(plain(ids), centered(ids))
    centered.train()(ids)
    assert not torch.equal(plain(ids), centered.eval()(ids))


def test_share_of_the_common_mean():
    assert mean_share(torch.ones(5, 3)) == 1
    assert mean_share(torch.tensor([[1.0], [-1.0]])) == 0
