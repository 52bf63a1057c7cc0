"""Heads, neurons, coordinates and layers: removal equals masking, and the numbers are really gone."""

import copy

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st
from pruning_models import classifier, logits, rows, total
from safetensors.torch import save_file

from course_utils.compression.drop_layers import keep_layers, layers_left, without_unused
from course_utils.compression.heads import head_importance, remove_heads
from course_utils.compression.importance import least_important
from course_utils.compression.rebuilding import plain
from course_utils.compression.width import (
    hidden_importance,
    neuron_importance,
    remove_neurons,
    slice_hidden,
)
from course_utils.finetuning.classifier import collate, run_model
from course_utils.models import flops
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead, TokenHead

EXAMPLES = rows()
subsets = st.lists(st.lists(st.sampled_from(range(4)), unique=True), min_size=3, max_size=3)


def masked(model, keep):
    mask = torch.zeros(3, 4)
    for layer, heads in enumerate(keep):
        mask[layer, heads] = 1
    batch = collate(EXAMPLES)
    with torch.no_grad():
        ids = batch["input_ids"]
        return model.head(model.encoder(ids, ids != 0, head_mask=mask))


@settings(max_examples=8)
@given(keep=subsets)
def test_removing_heads_is_masking_them(keep):
    model = classifier()
    pruned = remove_heads(model, keep)
    assert torch.allclose(logits(pruned, EXAMPLES), masked(model, keep), atol=1e-6)
    head = 4 * 24 * 6 + 3 * 6  # rows of three matrices with biases, columns of the fourth
    gone = sum(4 - len(heads) for heads in keep)
    assert total(model) - total(pruned) == gone * head


def test_heads_can_be_removed_in_two_goes():
    model = classifier()
    once = remove_heads(model, [[0, 3], [2], []])
    twice = remove_heads(remove_heads(model, [[0, 2, 3], [1, 2], []]), [[0, 2], [1], []])
    assert torch.equal(logits(once, EXAMPLES), logits(twice, EXAMPLES))
    assert twice.encoder.config.layer_heads == (2, 1, 0)


def test_head_importance_is_the_mean_of_each_examples_gradient_at_the_mask():
    model = classifier()
    expected = torch.zeros(3, 4)
    for example in EXAMPLES:
        mask = torch.ones(3, 4, requires_grad=True)
        out = model.head(model.encoder(torch.tensor([example.ids]), head_mask=mask))
        loss = F.cross_entropy(out, torch.tensor([example.label]))
        expected += torch.autograd.grad(loss, mask)[0].abs() / len(EXAMPLES)
    found = torch.stack(head_importance(model, EXAMPLES, normalize=False, batch_size=5))
    assert torch.allclose(found, expected, atol=1e-6)
    by_layer = torch.stack(head_importance(model, EXAMPLES))
    assert torch.allclose(by_layer, expected / expected.norm(dim=1, keepdim=True), atol=1e-5)


def test_importance_predicts_the_change_of_the_loss_when_a_head_fades():
    model = classifier()
    batch = collate(EXAMPLES[:1])
    found = head_importance(model, EXAMPLES[:1], normalize=False)[1][2]
    step = 1e-2

    def loss(fade):
        mask = torch.ones(3, 4)
        mask[1, 2] += fade
        with torch.no_grad():
            return F.cross_entropy(
                model.head(model.encoder(batch["input_ids"], head_mask=mask)), batch["labels"]
            )

    slope = (loss(step) - loss(-step)).abs() / (2 * step)
    assert abs(float(slope) - float(found)) < 1e-3 * max(1.0, float(found))


def test_importance_needs_no_trainable_weights_and_leaves_the_mode_alone():
    model = classifier().train()
    free = head_importance(model, EXAMPLES)
    assert model.training
    assert all(p.grad is None for p in model.parameters())
    model.requires_grad_(False)
    for found, expected in zip(head_importance(model, EXAMPLES), free, strict=True):
        assert torch.allclose(found, expected)
    assert hidden_importance(model, EXAMPLES).min() > 0


def test_a_layer_without_heads_has_no_importances():
    model = remove_heads(classifier(), [[0, 1], [], [3]])
    assert [len(row) for row in head_importance(model, EXAMPLES)] == [2, 0, 1]


@settings(max_examples=8)
@given(st.lists(st.lists(st.sampled_from(range(40)), unique=True, min_size=1), min_size=3, max_size=3))
def test_removing_neurons_is_masking_them(keep):
    model = classifier()
    zeroed = copy.deepcopy(model)
    for block, kept in zip(zeroed.encoder.stack.blocks, keep, strict=True):
        gone = [n for n in range(40) if n not in kept]
        with torch.no_grad():
            block.feed_forward.outer.weight[:, gone] = 0
    pruned = remove_neurons(model, keep)
    assert torch.allclose(logits(pruned, EXAMPLES), logits(zeroed, EXAMPLES), atol=1e-6)
    assert total(model) - total(pruned) == sum(40 - len(kept) for kept in keep) * (2 * 24 + 1)


def test_neuron_importance_is_weight_times_gradient():
    model = classifier()
    expected = torch.zeros(3, 40)
    for example in EXAMPLES:
        outers = [block.feed_forward.outer.weight for block in model.encoder.stack.blocks]
        out = run_model(model, collate([example]))
        slopes = torch.autograd.grad(F.cross_entropy(out, torch.tensor([example.label])), outers)
        expected += torch.stack([(w * g).sum(0).abs() for w, g in zip(outers, slopes, strict=True)])
    found = torch.stack(neuron_importance(model, EXAMPLES))
    assert torch.allclose(found, expected / len(EXAMPLES), atol=1e-6)


class MaskedNorm(torch.nn.Module):
    """A layer norm over some coordinates only; the others come out as zero."""

    def __init__(self, norm, kept):
        super().__init__()
        self.norm, self.kept = norm, kept

    def forward(self, x):
        weight, bias = self.norm.weight[self.kept], self.norm.bias[self.kept]
        out = torch.zeros_like(x)
        out[..., self.kept] = F.layer_norm(x[..., self.kept], (len(self.kept),), weight, bias, self.norm.eps)
        return out


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_slicing_the_width_is_masking_with_norms_over_what_is_left(pooling):
    model = classifier(pooling=pooling)
    kept = [0, 3, 4, 9, 17, 20, 23]
    cut = copy.deepcopy(model)
    for path, module in list(cut.named_modules()):
        if isinstance(module, torch.nn.LayerNorm):
            parent, _, name = path.rpartition(".")
            setattr(cut.get_submodule(parent), name, MaskedNorm(module, kept))
    if pooling == "cls":
        gone = [i for i in range(24) if i not in kept]
        with torch.no_grad():
            cut.head.classifier.weight[:, gone] = 0
    sliced = slice_hidden(model, kept)
    assert torch.allclose(logits(sliced, EXAMPLES), logits(cut, EXAMPLES), atol=1e-6)
    assert sliced.encoder.config.hidden_size == 7
    assert {p.shape[-1] for n, p in sliced.named_parameters() if "norm" in n} == {7}


def test_slicing_follows_pruned_heads_and_factorized_tables():
    model = remove_heads(classifier(token_rank=5), [[0], [], [1, 2]])
    assert logits(slice_hidden(model, [1, 2, 5]), EXAMPLES).shape == (12, 2)
    narrow = classifier(embedding_size=6)
    assert logits(slice_hidden(narrow, [1, 2, 5]), EXAMPLES).shape == (12, 2)


def test_layers_go_and_the_others_stay():
    model = classifier()
    short = keep_layers(model, [0, 2])
    whole = copy.deepcopy(model)
    del whole.encoder.stack.blocks[1]
    whole.encoder.stack.num_layers = 2
    assert torch.equal(logits(short, EXAMPLES), logits(whole, EXAMPLES))
    block = sum(p.numel() for p in model.encoder.stack.blocks[1].parameters())
    assert total(model) - total(short) == block
    pruned = keep_layers(remove_heads(model, [[0], [1, 2], []]), [1, 2])
    assert pruned.encoder.config.layer_heads == (2, 0)


def test_what_is_never_read_goes_without_a_trace():
    model = classifier()
    small = without_unused(model, 12)
    assert torch.equal(logits(small, EXAMPLES), logits(model, EXAMPLES))
    assert total(model) - total(small) == (32 - 12) * 24 + 24 * 24 + 24
    read = classifier(pooling="cls")
    assert without_unused(read, 12).encoder.pooler is not None


def test_pruning_really_removes_where_zeroing_does_not(tmp_path):
    """Zeroing keeps file and arithmetic as they were: what these tests measure would notice."""
    model = classifier()
    zeroed = copy.deepcopy(model)
    for block in zeroed.encoder.stack.blocks:
        torch.nn.init.zeros_(block.attention.output.weight[:, :12])
    pruned = remove_heads(model, [[2, 3]] * 3)
    sizes, costs = {}, {}
    for name, made in (("whole", model), ("zeroed", zeroed), ("pruned", pruned)):
        save_file({n: t.contiguous() for n, t in made.state_dict().items()}, tmp_path / name)
        sizes[name] = (tmp_path / name).stat().st_size
        costs[name] = flops.encoder_flops(made.encoder.config, 10)
    assert sizes["zeroed"] == sizes["whole"] > sizes["pruned"] + 4 * 3 * 2 * 4 * 24 * 6
    assert costs["zeroed"] == costs["whole"] > costs["pruned"]


@settings(max_examples=50)
@given(st.floats(0, 0.99), st.integers(0, 10**6))
def test_the_least_important_go_first(share, seed):
    values = torch.rand(3, 5, generator=torch.Generator().manual_seed(seed))
    keep = least_important(list(values), share)
    kept = {(layer, i) for layer, row in enumerate(keep) for i in row}
    assert len(kept) == 15 - int(share * 15 + 1e-9)
    gone = {(a, b) for a in range(3) for b in range(5)} - kept
    assert max((values[p] for p in gone), default=-1) <= min(values[p] for p in kept)
    assert all(row for row in least_important(list(values), share, keep_one=True))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda m: remove_heads(m, [[0], [1]]), "3 layers need a list each, got 2"),
        (lambda m: remove_heads(m, [[0], [4], [1]]), "heads to keep in layer 1 .* from 0 to 3"),
        (lambda m: remove_heads(m, [[0], [1, 1], [1]]), "different numbers"),
        (lambda m: remove_neurons(m, [[0], [], [1]]), "neurons to keep in layer 1 must be at least 1"),
        (lambda m: slice_hidden(m, [24]), "coordinates to keep"),
        (lambda m: least_important([torch.ones(2)], 1.0), r"in \[0, 1\)"),
        (lambda m: layers_left(6, 6), "1 to 5 can be dropped"),
        (lambda m: layers_left(6, 4, "alternate"), "1 to 3 can be dropped"),
        (lambda m: layers_left(6, 2, "left"), "which must be one of top, bottom"),
        (lambda m: keep_layers(m, [0, 3]), "from 0 to 2"),
        (lambda m: keep_layers(m, []), "layers to keep"),
        (lambda m: without_unused(m, 0), "at least 1 token"),
        (lambda m: head_importance(m, []), "give some, with labels"),
    ],
)
def test_what_cannot_be_done_is_said(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(classifier())


def test_models_of_another_kind_are_refused():
    shared = Encoder(
        EncoderConfig(**{"vocab_size": 9, "hidden_size": 4, "num_heads": 2, "share_layers": True})
    )
    with pytest.raises(TypeError, match="layers are shared"):
        plain(EncoderWithHead(shared, TokenHead(shared.config, 2)))
    with pytest.raises(TypeError, match="Linear"):
        plain(torch.nn.Linear(2, 2))
    model = classifier()
    model.head = TokenHead(model.config, 2)
    with pytest.raises(TypeError, match="TokenHead"):
        slice_hidden(model, [0, 1])


def test_the_model_that_is_given_is_left_alone():
    model = classifier()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for change in (
        lambda m: remove_heads(m, [[0]] * 3),
        lambda m: remove_neurons(m, [[0]] * 3),
        lambda m: slice_hidden(m, [0, 1]),
        lambda m: keep_layers(m, [0]),
    ):
        made = change(model)
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.zero_()
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
