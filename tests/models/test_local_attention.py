"""Local attention: equal to masked full attention in every case, in gradients too, without the matrix."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from library_models import assert_close, random_like
from torch import Tensor

from course_utils.models import masks
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.layers import attention_weights
from course_utils.models.local_attention import LocalAttention, first_places, local_attention
from course_utils.models.longformer import LocalEncoder, marks, repeat_positions, with_local_attention

SCALE = 4**-0.5
CONFIG = EncoderConfig(
    vocab_size=30,
    hidden_size=12,
    num_layers=3,
    num_heads=3,
    intermediate_size=20,
    max_positions=200,
    dropout=0.0,
    attention_dropout=0.0,
)


def inputs(length: int, seed: int, batch: int = 2) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, 3, length, 4, generator=generator, requires_grad=True) for _ in range(3)]


def some(length: int, seed: int, share: float) -> Tensor:
    """(2, length) booleans, each true with probability `share`."""
    return torch.rand(2, length, generator=torch.Generator().manual_seed(seed)) < share


def gradients(x: Tensor, leaves: list[Tensor]) -> tuple[Tensor, ...]:
    return torch.autograd.grad((x * random_like(x, 0)).sum(), leaves)


@settings(max_examples=150)
@given(
    length=st.integers(1, 140),
    radius=st.integers(0, 150),
    dilation=st.integers(1, 9),
    causal=st.booleans(),
    share=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_equals_the_masked_matrix(length, radius, dilation, causal, share, seed):
    leaves = inputs(length, seed)
    query, key, value = leaves
    visible = some(length, seed, share)
    mask = masks.sliding_window(length, radius, dilation) & masks.padding(visible)
    if causal:
        mask = mask & masks.causal(length)
    ours = local_attention(*leaves, radius, dilation=dilation, causal=causal, visible=visible)
    theirs = attention_weights(query, key, mask, scale=SCALE) @ value
    assert_close(ours, theirs)
    for mine, reference in zip(gradients(ours, leaves), gradients(theirs, leaves), strict=True):
        assert mine.isfinite().all()
        assert_close(mine, reference)


@settings(max_examples=80)
@given(
    length=st.integers(1, 90),
    radius=st.integers(0, 100),
    dilation=st.integers(1, 5),
    share=st.sampled_from([0.0, 0.1, 0.6, 1.0]),
    real_share=st.sampled_from([0.5, 1.0]),
    seed=st.integers(0, 99),
)
def test_the_layer_equals_full_attention_with_longformers_mask(
    length, radius, dilation, share, real_share, seed
):
    """As long as the global projections are copies of the ordinary ones."""
    torch.manual_seed(seed)
    local = LocalAttention(CONFIG, radius, dilation=dilation)
    full = Encoder(CONFIG).stack.blocks[0].attention
    for name in ("query", "key", "value"):
        state = getattr(full, name).state_dict()
        getattr(local, name).load_state_dict(state)
        getattr(local, f"{name}_global").load_state_dict(state)
    local.output.load_state_dict(full.output.state_dict())
    real = some(length, seed + 1, real_share)
    is_global = some(length, seed + 2, share) & real
    x = torch.randn(2, length, CONFIG.hidden_size, requires_grad=True)
    window = masks.sliding_window(length, radius, dilation)
    mask = (window | masks.global_tokens(is_global)) & masks.padding(real)
    ours, _ = local(x, marks(real, is_global))
    theirs, _ = full(x, mask)
    assert_close(ours, theirs)
    assert_close(*(gradients(out, [x])[0] for out in (ours, theirs)))


def test_global_tokens_use_their_own_projections():
    """Against the definition, row by row: a global query has its own query, keys and values."""
    torch.manual_seed(0)
    layer, length, chosen = LocalAttention(CONFIG, radius=1), 7, 4
    x = torch.randn(1, length, CONFIG.hidden_size)
    is_global = (torch.arange(length) == chosen)[None]
    context = torch.empty(1, 3, length, 4)
    for row in range(length):
        ends = ["_global" if row == chosen else ""] * 3
        query, key, value = (
            layer.split(getattr(layer, name + end)(x))
            for name, end in zip(("query", "key", "value"), ends, strict=True)
        )
        sees = [row == chosen or abs(row - k) <= 1 or k == chosen for k in range(length)]
        weights = attention_weights(query[:, :, row : row + 1], key, torch.tensor(sees), scale=SCALE)
        context[:, :, row] = (weights @ value)[:, :, 0]
    expected = layer.output(context.transpose(1, 2).flatten(2))
    assert_close(layer(x, marks(torch.ones(1, length), is_global))[0], expected)


@pytest.mark.parametrize("length", [512, 2048])
def test_never_holds_a_matrix_of_the_square(length):
    """The largest tensor that is saved for the way back grows with the length."""
    sizes = []
    query, key, value = inputs(length, 0, batch=1)
    with torch.autograd.graph.saved_tensors_hooks(lambda x: sizes.append(x.numel()) or x, lambda x: x):
        local_attention(query, key, value, radius=16)
    heads, size = 3, 4
    assert max(sizes) <= length * 3 * heads * max(size, 32)
    assert max(sizes) < length * length


def encoders(radius, **options):
    torch.manual_seed(0)
    full = Encoder(CONFIG).eval()
    return full, with_local_attention(full, radius, **options)


def test_a_window_over_the_whole_text_changes_nothing():
    full, local = encoders(radius=40, global_first=2)
    ids = torch.randint(1, 30, (2, 33))
    real = torch.arange(33) < torch.tensor([[33], [20]])
    ours, theirs = (model(ids, real) for model in (local, full))
    for mine, reference in zip(ours.hidden_states, theirs.hidden_states, strict=True):
        assert_close(mine[real], reference[real])
    assert_close(ours.pooled, theirs.pooled)


@pytest.mark.parametrize(("dilation", "causal"), [(1, False), (3, False), (1, True)])
def test_a_whole_encoder_equals_the_masked_one(dilation, causal):
    full, local = encoders(radius=2, dilation=dilation, causal=causal)
    ids = torch.randint(1, 30, (2, 41))
    mask = masks.sliding_window(41, 2, dilation)
    theirs = full(ids, mask=mask & masks.causal(41) if causal else mask)
    assert_close(local(ids).last_hidden_state, theirs.last_hidden_state)


def test_which_tokens_are_global_may_differ_from_text_to_text():
    full, local = encoders(radius=1)
    ids, is_global = torch.randint(1, 30, (3, 19)), torch.zeros(3, 19)
    is_global[0, 3] = is_global[1, [0, 7, 18]] = 1
    mask = masks.sliding_window(19, 1) | masks.global_tokens(is_global)
    assert_close(local(ids, is_global=is_global).last_hidden_state, full(ids, mask=mask).last_hidden_state)


@pytest.mark.parametrize(
    ("radius", "dilation", "reached"),
    [(2, 1, range(-6, 7)), (1, 4, range(-12, 13, 4)), ((1, 0, 2), (1, 1, 5), None)],
)
def test_the_receptive_field_is_the_sum_of_the_windows(radius, dilation, reached):
    _, local = encoders(radius, dilation=dilation)
    ids, place = torch.randint(1, 30, (1, 41)), 20
    if reached is None:
        reached = {far + near for far in range(-10, 11, 5) for near in (-1, 0, 1)}
    x = local.embeddings.token(ids).detach().requires_grad_()
    state = local(inputs_embeds=x).last_hidden_state[0, place]
    (found,) = torch.autograd.grad((state * random_like(state, 0)).sum(), x)
    seen = {int(i) - place for i in found[0].abs().sum(dim=1).nonzero()}
    assert seen == set(reached)


def test_a_head_that_is_switched_off_passes_nothing_on():
    full, local = encoders(radius=50)
    ids, head_mask = torch.randint(1, 30, (1, 9)), torch.tensor([[1.0, 0.0, 1.0]] * 3)
    theirs = full(ids, head_mask=head_mask).last_hidden_state
    assert_close(local(ids, head_mask=head_mask).last_hidden_state, theirs)


def test_dropout_only_while_training():
    config = EncoderConfig(**vars(CONFIG) | {"attention_dropout": 0.5})
    layer, x = LocalAttention(config, 3), torch.randn(1, 20, 12)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    assert torch.equal(layer.eval()(x)[0], layer(x)[0])


def test_first_places_fill_up_texts_with_fewer():
    places, real = first_places(torch.tensor([[False, True, True], [True, False, False]]))
    assert places[real].tolist() == [1, 2, 0]
    assert real.tolist() == [[True, True], [True, False]]


def test_positions_are_repeated_in_order():
    full, local = encoders(radius=2, max_positions=450)
    table, longer = full.embeddings.position.weight, local.embeddings.position.weight
    assert longer.shape == (450, 12)
    assert torch.equal(longer[:200], table)
    assert torch.equal(longer[200:400], table)
    assert torch.equal(longer[400:], table[:50])
    assert repeat_positions(torch.arange(4.0)[:, None], 2, 5)[:, 0].tolist() == [0, 1, 2, 3, 2, 3, 2]
    assert local(torch.randint(1, 30, (1, 450))).last_hidden_state.isfinite().all()


def test_the_copy_is_a_copy():
    full, local = encoders(radius=2)
    with torch.no_grad():
        local.stack.blocks[0].attention.query.weight.zero_()
    assert full.stack.blocks[0].attention.query.weight.any()
    assert local.stack.blocks[0].attention.query_global.weight.any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda layer, x: local_attention(x, x, x, -1), "radius=-1"),
        (lambda layer, x: local_attention(x, x, x, 1, dilation=0), "dilation=0"),
        (lambda layer, x: LocalAttention(CONFIG, 1, dilation=0), "dilation=0"),
        (lambda layer, x: layer(x[0], torch.ones(3, 1, 1, 5).bool()), "longformer.LocalEncoder"),
        (lambda layer, x: layer(x[0], return_map=True), "MultiHeadAttention"),
        (lambda layer, x: layer(x[0], torch.tensor([[2, 1, 1, 1, 1]] * 3)), "see the future"),
        (lambda layer, x: LocalEncoder(CONFIG, [1, 2]), "each of 3 layers, got 2"),
        (lambda layer, x: LocalEncoder(CONFIG, 1)(None, return_maps=True), "neither masks nor maps"),
        (lambda layer, x: with_local_attention(LocalEncoder(CONFIG, 1), 1), "already"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    layer = LocalAttention(CONFIG, 2, causal=True)
    with pytest.raises(ValueError, match=message):
        call(layer, torch.randn(1, 3, 5, 12))
