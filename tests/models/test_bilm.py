"""The bidirectional LSTM language model never shows a direction what it has to predict."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from course_utils.models.bilm import BiLM, BiLMConfig, ScalarMix, reverse

LENGTH = 6


@pytest.fixture
def model():
    torch.manual_seed(0)
    return BiLM(BiLMConfig(vocab_size=20, size=8)).eval()


@pytest.fixture
def ids():
    return torch.randint(1, 20, (1, LENGTH), generator=torch.Generator().manual_seed(0))


def depends_on(state, source):
    """Which positions of the source the state depends on, by gradient."""
    gradient = torch.autograd.grad(state.sum(), source, retain_graph=True)[0]
    return {t for t in range(source.shape[1]) if gradient[0, t].abs().sum() > 0}


def embedded(model, ids, mask=None):
    """The output, and the token embeddings as a leaf of the graph."""
    leaf = model.token(ids).detach().requires_grad_()
    model.token.forward = lambda _: leaf
    return model(ids, torch.ones_like(ids) if mask is None else mask), leaf


def test_each_direction_depends_on_its_own_side_only(model, ids):
    output, leaf = embedded(model, ids)
    assert len(output.layers) == 3
    for layer in (1, 2):
        for t in range(LENGTH):
            assert depends_on(output.forwards[layer][0, t], leaf) == set(range(t + 1))
            assert depends_on(output.backwards[layer][0, t], leaf) == set(range(t, LENGTH))


def test_no_prediction_depends_on_its_target(model, ids):
    output, leaf = embedded(model, ids)
    forwards, backwards = model.logits(output)
    for t in range(LENGTH - 1):
        assert depends_on(forwards[0, t].square(), leaf) == set(range(t + 1))  # predicts t + 1
        assert depends_on(backwards[0, t].square(), leaf) == set(range(t + 1, LENGTH))  # predicts t


def test_padding_changes_no_real_state_and_no_loss(model, ids):
    alone = model(ids, torch.ones_like(ids))
    padded_ids = F.pad(ids, (0, 3), value=7)
    mask = F.pad(torch.ones_like(ids), (0, 3))
    padded = model(padded_ids, mask)
    for short, long in zip(alone.layers, padded.layers, strict=True):
        assert torch.allclose(short, long[:, :LENGTH], atol=1e-6)
    assert model.loss(ids, torch.ones_like(ids)).item() == pytest.approx(model.loss(padded_ids, mask).item())


def test_loss_by_hand(model, ids):
    output = model(ids, torch.ones_like(ids))
    log_p = lambda state: model.output(state).log_softmax(-1)
    ahead = [-log_p(output.forwards[-1][0, t])[ids[0, t + 1]] for t in range(LENGTH - 1)]
    behind = [-log_p(output.backwards[-1][0, t])[ids[0, t - 1]] for t in range(1, LENGTH)]
    by_hand = (sum(ahead) + sum(behind)) / (2 * (LENGTH - 1))
    assert model.loss(ids, torch.ones_like(ids)).item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_it_learns_a_deterministic_language():
    torch.manual_seed(0)
    model = BiLM(BiLMConfig(vocab_size=6, size=16, dropout=0.0))
    ids = (
        torch.arange(8) + torch.arange(5)[:, None]
    ) % 5 + 1  # each token has one right and one left neighbor
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.loss(ids, torch.ones_like(ids))
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


def test_padding_on_the_left_is_refused(model):
    with pytest.raises(ValueError, match="pad on the right"):
        model(torch.tensor([[0, 5]]), torch.tensor([[0, 1]]))


def test_reverse_twice_is_the_identity():
    x, lengths = torch.randn(4, 7, 2), torch.tensor([7, 3, 1, 0])
    once = reverse(x, lengths)
    assert torch.equal(once[1, :3], x[1, :3].flip(0))
    assert torch.equal(once[1, 3:], x[1, 3:])
    assert torch.equal(reverse(once, lengths), x)


def test_scalar_mix_is_a_softmax_average_scaled():
    mix = ScalarMix(3)
    layers = [torch.full((2,), float(value)) for value in (1, 2, 6)]
    assert torch.allclose(mix(layers), torch.full((2,), 3.0))
    with torch.no_grad():
        mix.scores.copy_(torch.tensor([0.0, 50.0, 0.0]))
        mix.gamma.fill_(2)
    assert torch.allclose(mix(layers), torch.full((2,), 4.0))
    with pytest.raises(ValueError, match="3 layers, got 2"):
        mix(layers[:2])
