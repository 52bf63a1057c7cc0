"""A small vocabulary in which every kind of special id is present, and a seeded generator."""

import pytest
import torch

from course_utils.objectives import SpecialTokens


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(20190524)


@pytest.fixture
def tokens():
    """Ids 0..4 are special or the mask, 90..99 are sentinels, 5..89 are text."""
    return SpecialTokens(mask=3, special=(0, 1, 2, 4), sentinels=tuple(range(99, 89, -1)), vocab_size=100)
