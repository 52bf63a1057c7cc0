"""Adapters: no change at the start, only they learn, and merging them changes no output."""

import pytest
import torch
from torch import nn

from course_utils.models.adapters import (
    adapter_state,
    add_adapters,
    load_adapted,
    merge_adapters,
    save_adapted,
)


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Sequential(nn.Linear(8, 3, bias=False)))


def trained(net, steps=60):
    x = torch.randn(32, 6, generator=torch.Generator().manual_seed(1))
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.005)
    for _ in range(steps):
        optimizer.zero_grad()
        (net(x) - x[:, :3]).square().mean().backward()
        optimizer.step()
    return net, x


def test_an_untrained_adapter_changes_nothing():
    x = torch.randn(5, 6)
    assert torch.equal(add_adapters(model())(x), model()(x))


def test_only_the_adapters_learn():
    net, _ = trained(add_adapters(model(), rank=2))
    before = model().state_dict()
    assert torch.equal(net[0].linear.weight, before["0.weight"])
    assert torch.equal(net[0].linear.bias, before["0.bias"])
    assert {name for name, p in net.named_parameters() if p.requires_grad} == set(adapter_state(net))
    assert all(state.abs().sum() > 0 for state in adapter_state(net).values())


def test_merging_changes_no_output_and_leaves_the_plain_layers():
    net, x = trained(add_adapters(model(), rank=2))
    before = net(x)
    merged = merge_adapters(net)
    torch.testing.assert_close(merged(x), before, atol=1e-6, rtol=0)
    assert set(merged.state_dict()) == set(model().state_dict())
    change = merged[0].weight - model()[0].weight
    assert torch.linalg.matrix_rank(change) == 2


def test_the_state_carries_the_correction_to_another_copy():
    net, x = trained(add_adapters(model(), rank=2))
    other = add_adapters(model(), rank=2)
    missing, unexpected = other.load_state_dict(adapter_state(net), strict=False)
    assert not unexpected
    assert all(".linear." in name for name in missing)
    assert torch.equal(other(x), net(x))


def test_what_was_trained_comes_back_from_disk_in_half_precision(tmp_path):
    net, x = trained(add_adapters(model(), rank=2))
    save_adapted(net, tmp_path / "adapters.safetensors")
    back = load_adapted(add_adapters(model(), rank=2), tmp_path / "adapters.safetensors")
    torch.testing.assert_close(back(x), net(x), atol=2e-3, rtol=0)
    with pytest.raises(ValueError, match="4 parameters differ"):
        load_adapted(add_adapters(model(), rank=3), tmp_path / "adapters.safetensors")


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="at least 1"):
        add_adapters(model(), rank=0)
    with pytest.raises(ValueError, match="already"):
        add_adapters(add_adapters(model()))
    with pytest.raises(ValueError, match="no linear map"):
        add_adapters(nn.Tanh())
