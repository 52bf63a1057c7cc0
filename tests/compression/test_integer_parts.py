"""Linear maps and tables in integers: torch's kernel against the written-out one, training that rehearses."""

import copy

import pytest
import torch
from pruning_models import classifier, logits, rows
from torch import nn

from course_utils.compression import integer_parts, number_steps, qat
from course_utils.compression.integer_parts import Int8Embedding, Int8Linear
from course_utils.compression.packed_parts import Int4Embedding, Int4Linear
from course_utils.compression.quantize import choose_grid, dequantize, fake_quantize, quantize
from course_utils.compression.saved import count_parameters
from course_utils.finetuning.classifier import fine_tune
from course_utils.training import TrainingConfig


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def linear(out=20, width=48, bias=True, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Linear(width, out, bias=bias)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("static", [True, False])
@pytest.mark.parametrize("shape", [(1, 48), (3, 7, 48)])
def test_kernel_written_out_and_fake_agree(generator, bias, static, shape):
    assert integer_parts.has_kernel()
    plain = linear(bias=bias)
    x = torch.randn(shape, generator=generator) * 2 + 0.5
    grid = choose_grid(x, 7, symmetric=False)
    made = Int8Linear.from_linear(plain, activations=grid if static else None)
    fake = nn.functional.linear(
        fake_quantize(x, grid), fake_quantize(plain.weight, choose_grid(plain.weight, keep=(0,))), plain.bias
    )
    assert made.weight.dtype == torch.int8
    for found in (made(x), made.written_out(x)):
        assert found.shape == (*shape[:-1], 20)
        assert torch.allclose(found, fake, atol=2e-5)
    assert not torch.allclose(made(x), plain(x), atol=1e-4)  # it does round


def test_a_static_grid_clamps_what_training_never_saw(generator):
    seen = torch.randn(50, 48, generator=generator)
    made = Int8Linear.from_linear(linear(), activations=choose_grid(seen, 7, symmetric=False))
    wild = seen[:4] * 10
    assert torch.allclose(made(wild), made.written_out(wild), atol=2e-5)
    bounded = wild.clamp(seen.min(), seen.max())
    assert torch.allclose(made(wild), made(bounded), atol=0.05)


def test_without_a_kernel_the_same(generator, monkeypatch):
    made = Int8Linear.from_linear(linear())
    x = torch.randn(5, 48, generator=generator)
    with_kernel = made(x)
    monkeypatch.setattr(integer_parts, "has_kernel", lambda: False)
    assert torch.allclose(made(x), with_kernel, atol=2e-5)


def test_per_channel_keeps_small_rows(generator):
    plain = linear()
    with torch.no_grad():
        plain.weight[0] *= 500
    x = torch.randn(10, 48, generator=generator)
    error = [
        (Int8Linear.from_linear(plain, per_channel=fine)(x) - plain(x))[:, 1:].pow(2).mean()
        for fine in (True, False)
    ]
    assert error[1] > 20 * error[0]


def test_new_weights_are_not_answered_from_the_old_ones(generator):
    x = torch.randn(5, 48, generator=generator)
    first, second = Int8Linear.from_linear(linear(seed=1)), Int8Linear.from_linear(linear(seed=2))
    four_first, four_second = Int4Linear.from_linear(linear(seed=1)), Int4Linear.from_linear(linear(seed=2))
    for a, b in ((first, second), (four_first, four_second)):
        before = a(x)
        copied = copy.deepcopy(a)
        a.load_state_dict(b.state_dict())
        assert torch.equal(a(x), b(x))
        assert torch.equal(copied(x), before)


def test_tables_and_four_bits(generator):
    table, ids = nn.Embedding(30, 48), torch.tensor([[0, 3], [29, 3]])
    grid = choose_grid(table.weight.detach(), keep=(0,))
    assert torch.equal(
        Int8Embedding.from_embedding(table)(ids), dequantize(quantize(table.weight.detach(), grid), grid)[ids]
    )
    four = Int4Embedding.from_embedding(table, 16)
    assert four(ids).shape == (2, 2, 48)
    assert four.packed.numel() == 30 * 24
    assert (four(ids) - table(ids)).abs().max() < table.weight.abs().max() / 7
    x = torch.randn(5, 48, generator=generator)
    assert (Int4Linear.from_linear(linear(), 16)(x) - linear()(x)).abs().max() < 0.5


def test_every_weight_of_the_encoder_is_in_integers():
    model = classifier()
    count = count_parameters(model)
    number_steps.change_linears(model, Int8Linear.from_linear)
    number_steps.change_tables(model, "int4", 8)
    kinds = {type(m) for m in model.encoder.modules()}
    assert not kinds & {nn.Linear, nn.Embedding}
    assert {Int8Linear, Int4Embedding} <= kinds
    assert type(model.head.classifier) is nn.Linear
    assert count_parameters(model) == count
    assert logits(model, rows()).shape == (12, 2)


CONFIG = TrainingConfig(steps=30, batch_size=12, learning_rate=2e-3, seed=1)
STILL = {"dropout": 0.0, "attention_dropout": 0.0}  # so that two dozen rows are learnt in 30 steps


@pytest.mark.parametrize("activations", ["dynamic", "static"])
def test_a_converted_model_answers_as_the_rehearsing_one(activations):
    model = qat.prepare(classifier(**STILL), activations)
    fine_tune(model, rows(24), CONFIG)
    before = logits(model, rows(24, seed=5))
    converted = qat.convert(copy.deepcopy(model))
    after = logits(converted, rows(24, seed=5))
    plain = sum(isinstance(m, Int8Linear) for m in converted.modules())
    assert plain == sum(isinstance(m, qat.RehearsingLinear) for m in model.modules())
    error = (after - before).abs().amax(1) / before.std()
    # Where a sum ends near a tie it may be rounded the other way: one step of 127 in one activation.
    assert (error < 1e-5).sum() >= 20
    assert error.max() < 0.15


def test_rehearsing_rounds_and_learns():
    model = classifier(**STILL)
    start = copy.deepcopy(model)
    qat.prepare(model)
    assert not torch.equal(logits(model, rows()), logits(start, rows()))
    lines = fine_tune(model, rows(24), CONFIG)
    assert lines[-1]["loss"] < 0.5 * lines[0]["loss"]
    for name, p in model.encoder.stack.named_parameters():
        if name.endswith("query.linear.weight"):
            assert not torch.equal(p, start.encoder.stack.get_parameter(name.replace(".linear", "")))


def test_training_with_rounding_beats_rounding_afterwards():
    """At 2 bits, where rounding alone destroys the fit; the same number of steps for both."""
    coarse = fake_at_two_bits()
    examples = rows(24)
    fitted = classifier(**STILL)
    fine_tune(fitted, examples, CONFIG)
    aware = coarse(copy.deepcopy(fitted))
    fine_tune(aware, examples, CONFIG)
    fine_tune(fitted, examples, CONFIG)
    labels = torch.tensor([e.label for e in examples])
    loss = [nn.functional.cross_entropy(logits(m, examples), labels) for m in (aware, coarse(fitted))]
    assert loss[0] < 0.2 * loss[1]


def fake_at_two_bits():
    """A wrapper of all linear maps of the stack whose weights have the values -s, 0, s."""

    class Coarse(nn.Module):
        def __init__(self, plain):
            super().__init__()
            self.plain = plain

        def forward(self, x):
            weight = self.plain.weight
            grid = choose_grid(weight.detach(), 2, keep=(0,))
            return nn.functional.linear(x, fake_quantize(weight, grid), self.plain.bias)

    def wrap(model):
        number_steps.change_linears(model, Coarse)
        return model

    return wrap


def test_what_cannot_be_done_is_said():
    model = classifier()
    with pytest.raises(ValueError, match="nothing to convert: call `prepare` first"):
        qat.convert(model)
    qat.prepare(model, "static")
    with pytest.raises(ValueError, match="prepared already"):
        qat.prepare(model)
    with pytest.raises(ValueError, match="train for at least one step"):
        qat.convert(model)
