"""Directions as long as what they move, models that come back, radii that can be worked out."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.finetuning.surfaces import loss_grid, moved, radius, random_direction


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.Linear(3, 2))


def test_each_row_of_a_direction_is_as_long_as_the_row_it_moves():
    model = net()
    direction = random_direction(model, torch.Generator().manual_seed(1))
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            torch.testing.assert_close(direction[name].norm(dim=1), parameter.detach().norm(dim=1))
        else:
            assert direction[name].abs().sum() == 0


def test_a_row_of_zeros_stays():
    model = nn.Linear(3, 2)
    nn.init.zeros_(model.weight)
    direction = random_direction(model, torch.Generator().manual_seed(1))
    assert direction["weight"].abs().sum() == 0


def test_rows_are_scale_free():
    """Doubling a layer doubles its direction: relative to the weights the step is the same."""
    model = net()
    before = random_direction(model, torch.Generator().manual_seed(1))["0.weight"]
    with torch.no_grad():
        model[0].weight *= 2
    after = random_direction(model, torch.Generator().manual_seed(1))["0.weight"]
    torch.testing.assert_close(after, 2 * before)


def test_what_is_frozen_is_not_moved():
    model = net()
    model[0].requires_grad_(False)
    assert set(random_direction(model, torch.Generator())) == {"1.weight", "1.bias", "2.weight", "2.bias"}
    with pytest.raises(ValueError, match="no trainable"):
        random_direction(model.requires_grad_(False), torch.Generator())


def test_the_model_comes_back_bit_for_bit_also_after_an_error():
    model = net()
    before = {name: p.clone() for name, p in model.named_parameters()}
    direction = random_direction(model, torch.Generator().manual_seed(1))
    moved_by = {}

    def fail():
        with moved(model, (0.7, direction), (0.1, direction)):
            moved_by.update(now=model[0].weight - before["0.weight"])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    torch.testing.assert_close(moved_by["now"], 0.8 * direction["0.weight"])
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_a_grid_has_the_first_direction_along_its_columns():
    model = nn.Linear(2, 1, bias=False)
    nn.init.zeros_(model.weight)
    loss = lambda: float(model.weight.detach() @ torch.tensor([10.0, 1.0]))
    first, second = ({"weight": torch.tensor([row])} for row in ([1.0, 0.0], [0.0, 1.0]))
    grid = loss_grid(model, loss, first, second, [0, 1, 2])
    assert grid.tolist() == [[0, 10, 20], [1, 11, 21], [2, 12, 22]]


@pytest.mark.parametrize("width", [0.01, 0.3, 1.0, 5.0])
def test_the_radius_of_a_bowl(width):
    found = radius(lambda step: (step / width) ** 2, level=1.0)
    assert found == pytest.approx(width, rel=0.05)


def test_a_radius_has_an_end_and_a_beginning():
    assert radius(lambda step: 0.0, level=1.0, largest=8.0) == 8.0
    with pytest.raises(ValueError, match=r"above 1\.0 before the first step"):
        radius(lambda step: 2.0, level=1.0)


def test_a_network_with_a_norm_after_its_layer_does_not_get_narrower_when_scaled():
    """The reason for the normalization: both networks compute the same, and have the same radius."""
    rows = torch.randn(64, 4, generator=torch.Generator().manual_seed(2))
    found = []
    for scale in (1.0, 10.0):
        model = net()
        with torch.no_grad():
            model[0].weight *= scale
            model[0].bias *= scale
        reference = model(rows).detach()
        direction = random_direction(model, torch.Generator().manual_seed(3))

        def loss_at(step, model=model, direction=direction, reference=reference):
            with moved(model, (step, direction)), torch.no_grad():
                return float((model(rows) - reference).square().mean())

        found.append(radius(loss_at, level=0.05))
    assert np.diff(found) == pytest.approx(0, abs=1e-3)
