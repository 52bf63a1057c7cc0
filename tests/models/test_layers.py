"""The parts: attention against loops, masks in every layer, rows that see nothing, heads switched off."""

import math

import pytest
import torch
from torch import nn

from course_utils.models import masks
from course_utils.models.config import DecoderConfig, EncoderConfig, Seq2SeqConfig, TransformerConfig
from course_utils.models.decoder import Decoder
from course_utils.models.encoder import Encoder
from course_utils.models.layers import Block, MultiHeadAttention, attention_weights, make_norm
from course_utils.models.stack import init_weights

SMALL = {"vocab_size": 30, "hidden_size": 12, "num_layers": 3, "num_heads": 3, "intermediate_size": 20}


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return Encoder(EncoderConfig(**SMALL, max_positions=16, initializer_range=0.3)).eval()


def test_attention_equals_the_naive_loops():
    torch.manual_seed(0)
    attention = MultiHeadAttention(TransformerConfig(**SMALL)).eval()
    x = torch.randn(2, 5, 12)
    mask = masks.sliding_window(5, 1).expand(2, 1, 5, 5)
    output, weights = attention(x, mask, return_map=True)
    q, k, v = attention.query(x), attention.key(x), attention.value(x)
    for b in range(2):
        for t in range(5):
            context = torch.zeros(12)
            for head in range(3):
                part = slice(4 * head, 4 * head + 4)
                keys = [s for s in range(5) if abs(s - t) <= 1]
                scores = [math.exp((q[b, t, part] @ k[b, s, part]).item() / 2) for s in keys]
                for s, score in zip(keys, scores, strict=True):
                    share = score / sum(scores)
                    assert abs(weights[b, head, t, s].item() - share) < 1e-6
                    context[part] += share * v[b, s, part]
            assert torch.allclose(output[b, t], attention.output(context), atol=1e-6)


def test_the_fused_path_equals_the_written_out_one(encoder):
    ids = torch.randint(1, 30, (2, 9))
    real = torch.tensor([[1] * 9, [1] * 4 + [0] * 5])
    for mask in (None, masks.causal(9), masks.sliding_window(9, 1)):
        fused, explicit = encoder(ids, real, mask=mask), encoder(ids, real, mask=mask, return_maps=True)
        assert fused.attentions is None
        assert torch.allclose(fused.last_hidden_state, explicit.last_hidden_state, atol=2e-6)


@pytest.mark.parametrize("return_maps", [False, True])
@pytest.mark.parametrize("with_bias", [False, True])
def test_a_query_that_sees_nothing_gives_zero_and_no_nan(return_maps, with_bias):
    torch.manual_seed(0)
    attention = MultiHeadAttention(TransformerConfig(**SMALL)).eval()
    nn.init.constant_(attention.output.bias, 0.5)
    x = torch.randn(2, 4, 12, requires_grad=True)
    bias = torch.randn(1, 3, 4, 4, requires_grad=True) if with_bias else None
    mask = masks.padding(torch.tensor([[1, 1, 1, 0], [0, 0, 0, 0]]))
    output, weights = attention(x, mask.expand(2, 1, 4, 4), bias=bias, return_map=return_maps)
    assert torch.equal(output[1], torch.full((4, 12), 0.5))
    if return_maps:
        assert torch.equal(weights.sum(-1)[1], torch.zeros(3, 4))
    with torch.autograd.set_detect_anomaly(return_maps):  # no NaN on the way either, in our own path
        output.sum().backward()
    assert x.grad.isfinite().all()
    assert torch.equal(x.grad[1], torch.zeros(4, 12))
    assert bias is None or bias.grad.isfinite().all()


def test_weights_sum_to_one_where_anything_is_visible():
    query, key = torch.randn(2, 2, 3, 5, 4)
    weights = attention_weights(query, key, masks.causal(5), scale=0.5)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 3, 5))
    assert (weights.masked_select(~masks.causal(5)) == 0).all()


def test_padding_reaches_no_layer(encoder):
    """The museum's bug: the mask is applied in the first layer and forgotten in the others."""
    ids = torch.randint(1, 30, (1, 6))
    alone = encoder(ids, return_maps=True)
    padded_ids = torch.cat([ids, torch.randint(1, 30, (1, 5))], dim=1)
    padded = encoder(padded_ids, torch.tensor([[1] * 6 + [0] * 5]), return_maps=True)
    for short, long in zip(alone.hidden_states, padded.hidden_states, strict=True):
        assert torch.allclose(short, long[:, :6], atol=1e-6)
    for attention_map in padded.attentions:
        assert (attention_map[..., 6:] == 0).all()


def looks_at(model, length, mask=None):
    """Which input positions each last state depends on, by gradient: (query, key), boolean."""
    embeds = torch.randn(1, length, model.config.hidden_size, requires_grad=True)
    states = model(inputs_embeds=embeds, mask=mask).last_hidden_state[0]
    rows = [torch.autograd.grad(state.square().sum(), embeds, retain_graph=True)[0] for state in states]
    return torch.stack([row[0].abs().sum(-1) > 0 for row in rows])


def test_causal_never_looks_ahead():
    torch.manual_seed(0)
    decoder = Decoder(DecoderConfig(**SMALL, max_positions=16)).eval()
    assert torch.equal(looks_at(decoder, 7), masks.causal(7)[0, 0])


def test_a_prefix_lm_looks_ahead_inside_the_prefix_only():
    torch.manual_seed(0)
    decoder = Decoder(DecoderConfig(**SMALL, max_positions=16)).eval()
    mask = masks.prefix(7, torch.tensor([3]))
    assert torch.equal(looks_at(decoder, 7, mask), mask[0, 0])


def test_a_window_widens_by_its_radius_with_each_layer(encoder):
    seen = looks_at(encoder, 12, masks.sliding_window(12, 1))
    assert torch.equal(seen, masks.sliding_window(12, 3)[0, 0])


def test_head_mask_switches_one_head_off(encoder):
    ids = torch.randint(1, 30, (2, 6))
    keep = torch.ones(3, 3)
    assert torch.equal(encoder(ids, head_mask=keep).last_hidden_state, encoder(ids).last_hidden_state)
    keep[1, 2] = 0
    with torch.no_grad():
        ablated = encoder(ids, head_mask=keep)
        # Head 2 of layer 1 reaches the residual stream only through these columns of the output map.
        encoder.stack.blocks[1].attention.output.weight[:, 8:12] = 0
        assert torch.allclose(ablated.last_hidden_state, encoder(ids).last_hidden_state, atol=1e-6)


def test_head_mask_works_with_and_without_maps_and_carries_a_gradient(encoder):
    ids = torch.randint(1, 30, (2, 6))
    gate = torch.ones(3, 3, requires_grad=True)
    encoder(ids, head_mask=gate).last_hidden_state.square().sum().backward()
    assert (gate.grad != 0).all()
    half = torch.full((3, 3), 0.5)
    first, second = encoder(ids, head_mask=half), encoder(ids, head_mask=half, return_maps=True)
    assert torch.allclose(first.last_hidden_state, second.last_hidden_state, atol=2e-6)


def test_head_mask_of_the_wrong_depth_is_refused(encoder):
    with pytest.raises(ValueError, match="3 layers"):
        encoder(torch.tensor([[1]]), head_mask=torch.ones(2, 3))


def test_the_norm_divides_by_the_biased_variance():
    x = torch.randn(3, 12)
    norm = make_norm(TransformerConfig(**SMALL))
    by_hand = (x - x.mean(-1, keepdim=True)) / x.var(-1, correction=0, keepdim=True).sqrt()
    assert torch.allclose(norm(x), by_hand, atol=1e-6)
    unbiased = (x - x.mean(-1, keepdim=True)) / x.var(-1, correction=1, keepdim=True).sqrt()
    assert not torch.allclose(norm(x), unbiased, atol=1e-3)


def test_the_rms_norm_subtracts_no_mean():
    x = torch.randn(3, 12) + 5
    norm = make_norm(TransformerConfig(**SMALL, norm="rms"))
    assert torch.allclose(norm(x), x / x.square().mean(-1, keepdim=True).sqrt(), atol=1e-6)


def test_post_norm_ends_normalized_and_pre_norm_keeps_the_residual():
    torch.manual_seed(0)
    x = 10 * torch.randn(1, 4, 12)
    post = Block(TransformerConfig(**SMALL)).eval()(x, None)[0]
    assert torch.allclose(post.mean(-1), torch.zeros(1, 4), atol=1e-6)
    pre = Block(TransformerConfig(**SMALL, norm_first=True)).eval()
    init_weights(pre, TransformerConfig(**SMALL, initializer_range=1e-6))
    assert torch.allclose(pre(x, None)[0], x, atol=1e-3)


def test_roberta_counts_positions_over_real_tokens_only():
    config = EncoderConfig(**SMALL, pad_token_id=1, position_offset=2, positions_skip_padding=True)
    embeddings = Encoder(config).embeddings
    ids = torch.tensor([[1, 5, 6, 1, 7]])
    assert embeddings.default_positions(embeddings.token(ids), ids, 0).tolist() == [[-1, 0, 1, -1, 2]]


def test_a_sequence_beyond_the_position_table_is_refused(encoder):
    with pytest.raises(ValueError, match="17 tokens are more than the 16 positions"):
        encoder(torch.ones(1, 17, dtype=torch.long))


def test_either_ids_or_embeddings(encoder):
    ids = torch.randint(1, 30, (1, 4))
    embeds = encoder.embeddings.token(ids)
    assert torch.equal(encoder(ids).pooled, encoder(inputs_embeds=embeds).pooled)
    with pytest.raises(ValueError, match="exactly one"):
        encoder(ids, inputs_embeds=embeds)
    with pytest.raises(ValueError, match="exactly one"):
        encoder()


def test_initialization_is_reproducible_and_has_the_papers_deviations():
    config = DecoderConfig(vocab_size=400, hidden_size=96, num_layers=8, num_heads=4, intermediate_size=384)
    first, second = Decoder(config), Decoder(config)
    for model in (first, second):
        init_weights(model, config, torch.Generator().manual_seed(3))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    block = first.stack.blocks[0]
    assert block.attention.query.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert block.feed_forward.outer.weight.std().item() == pytest.approx(0.02 / 4, rel=0.05)  # sqrt(2 * 8)


@pytest.mark.parametrize(
    ("config", "changes", "message"),
    [
        (EncoderConfig, {"hidden_size": 10, "num_heads": 3}, "3 heads do not divide"),
        (EncoderConfig, {"num_layers": 0}, "num_layers must be at least 1"),
        (DecoderConfig, {"freeze_padding": True}, "pad_token_id"),
        (EncoderConfig, {"positions_skip_padding": True}, "position_offset to at least 1"),
        (EncoderConfig, {"activation": "swish"}, "gelu, gelu_new, relu, got 'swish'"),
        (Seq2SeqConfig, {"hidden_size": 7}, "12 heads do not divide"),
    ],
)
def test_impossible_shapes_are_refused(config, changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)
