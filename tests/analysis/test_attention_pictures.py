"""Attention averaged, rolled out and replaced: what counts, what does not, and the plain path unchanged."""

import pytest
import torch

from course_utils.analysis import attention
from course_utils.finetuning.classifier import new_classifier
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

CONFIG = EncoderConfig(
    vocab_size=30, hidden_size=16, num_layers=3, num_heads=4, intermediate_size=32, max_positions=16
)
REAL = torch.tensor([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]])
IDS = torch.tensor([[2, 7, 9, 3, 0, 0], [2, 5, 6, 7, 8, 3]])


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    made = Encoder(CONFIG).eval()
    for parameter in made.parameters():  # wide weights, so that attention is far from uniform
        parameter.data.mul_(8.0 if parameter.dim() > 1 else 1.0)
    return made


@pytest.fixture(scope="module")
def maps(encoder: Encoder) -> torch.Tensor:
    return attention.attention_maps(encoder, IDS, REAL)


def test_received_equals_the_loop(maps: torch.Tensor) -> None:
    found = attention.received(maps, REAL)
    for text, length in ((0, 4), (1, 6)):
        for key in range(6):
            values = [
                maps[layer, text, head, query, key]
                for layer in range(3)
                for head in range(4)
                for query in range(length)
            ]
            assert found[text, key] == pytest.approx(float(sum(values) / len(values)), abs=1e-6)
    assert found.sum(dim=1) == pytest.approx(torch.ones(2), abs=1e-6)
    assert found[0, 4:].abs().max() == 0


def test_padded_queries_have_no_say(maps: torch.Tensor) -> None:
    changed = maps.clone()
    changed[:, 0, :, 4:] = torch.tensor([1.0, 0, 0, 0, 0, 0])
    assert (attention.received(changed, REAL) == attention.received(maps, REAL)).all()
    assert attention.rollout(changed, REAL) == pytest.approx(attention.rollout(maps, REAL), abs=1e-6)


def test_a_text_alone_looks_as_it_does_in_a_batch(encoder: Encoder, maps: torch.Tensor) -> None:
    alone = attention.attention_maps(encoder, IDS[:1, :4], REAL[:1, :4])
    for picture in (attention.received, attention.rollout):
        assert picture(alone, REAL[:1, :4])[0] == pytest.approx(picture(maps, REAL)[0, :4], abs=1e-5)


def test_rollout_of_one_layer_is_half_the_map_and_half_the_residual(maps: torch.Tensor) -> None:
    mixed = 0.5 * maps[0, 1].mean(dim=0) + 0.5 * torch.eye(6)
    assert attention.rollout(maps[:1], REAL)[1] == pytest.approx(mixed.mean(dim=0), abs=1e-6)
    assert attention.rollout(maps, REAL).sum(dim=1) == pytest.approx(torch.ones(2), abs=1e-5)


def test_without_special_sums_to_one() -> None:
    scores = torch.tensor([[0.5, 0.2, 0.1, 0.2]])
    found = attention.without_special(scores, torch.tensor([[0, 1, 1, 0]]))
    assert found[0].tolist() == pytest.approx([0, 2 / 3, 1 / 3, 0])


def test_replacing_nothing_changes_nothing(encoder: Encoder) -> None:
    plain = encoder(IDS, attention_mask=REAL, return_maps=True)
    with attention.with_attention(encoder, lambda _layer, weights: weights):
        same = encoder(IDS, attention_mask=REAL, return_maps=True)
    assert torch.equal(plain.last_hidden_state, same.last_hidden_state)
    after = encoder(IDS, attention_mask=REAL)  # the hooks are gone: no map is asked for
    assert torch.allclose(after.last_hidden_state, plain.last_hidden_state, atol=1e-5)


def test_a_replaced_map_is_used_in_every_layer(encoder: Encoder) -> None:
    """Attention of a token to itself alone: the context is its own value, by hand."""
    seen: list[int] = []

    def own(layer: int, weights: torch.Tensor) -> torch.Tensor:
        seen.append(layer)
        return torch.eye(weights.shape[-1]).expand_as(weights)

    with attention.with_attention(encoder, own):
        found = encoder(IDS, attention_mask=REAL, return_maps=True).last_hidden_state
    x = encoder.embeddings(IDS)
    for block in encoder.stack.blocks:
        x = block.attention_norm(x + block.attention.output(block.attention.value(x)))
        x = block.feed_forward_norm(x + block.feed_forward(x))
    assert seen == [0, 1, 2]
    assert torch.allclose(found, x, atol=1e-5)


def test_gradients_reach_the_replacement(encoder: Encoder) -> None:
    model = new_classifier(encoder, 2, seed=0).eval()
    scores = torch.zeros(3, 2, 4, 6, 6, requires_grad=True)
    with attention.with_attention(model.encoder, lambda layer, _own: scores.softmax(dim=-1)[layer]):
        model(IDS, attention_mask=REAL, return_maps=True).sum().backward()
    assert scores.grad is not None
    assert (scores.grad.abs().amax(dim=(1, 2, 3, 4)) > 0).all()


def test_a_call_without_maps_is_refused_while_attention_is_replaced(encoder: Encoder) -> None:
    with (
        attention.with_attention(encoder, lambda _layer, weights: weights),
        pytest.raises(RuntimeError, match="return_maps=True"),
    ):
        encoder(IDS, attention_mask=REAL)


def test_a_map_of_another_shape_is_refused(encoder: Encoder) -> None:
    with (
        attention.with_attention(encoder, lambda _layer, weights: weights[..., :1]),
        pytest.raises(ValueError, match="layer 0"),
    ):
        encoder(IDS, attention_mask=REAL, return_maps=True)


def test_permuting_moves_the_same_numbers_among_the_chosen_keys(maps: torch.Tensor) -> None:
    among = torch.tensor([[0, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0]])
    shuffle = attention.permuting(among, torch.Generator().manual_seed(0))
    found = shuffle(0, maps[0])
    fixed = among[:, None, None, :].expand_as(found) == 0
    assert torch.equal(found[fixed], maps[0][fixed])
    assert torch.equal(found.sort(dim=-1).values, maps[0].sort(dim=-1).values)
    assert not torch.equal(found, maps[0])
    assert not torch.equal(shuffle(0, maps[0]), found)


def test_every_order_is_as_likely() -> None:
    shuffle = attention.permuting(torch.tensor([[1, 1, 1]]), torch.Generator().manual_seed(0))
    rows = shuffle(0, torch.tensor([0.2, 0.3, 0.5]).expand(1, 1, 6000, 3))[0, 0]
    _, counts = rows.unique(dim=0, return_counts=True)
    assert len(counts) == 6
    assert counts.min() > 1000 - 5 * 29  # five standard deviations of a binomial


def test_uniform_keeps_what_the_other_keys_get(maps: torch.Tensor) -> None:
    among = torch.tensor([[0, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0]])
    found = attention.uniform(among)(0, maps[0])
    assert found.sum(dim=-1) == pytest.approx(maps[0].sum(dim=-1), abs=1e-6)
    assert torch.equal(found[:, :, :, 0], maps[0][:, :, :, 0])
    assert (found[1, :, :, 1] == found[1, :, :, 4]).all()
