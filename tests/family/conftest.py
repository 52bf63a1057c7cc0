"""The language of a small study, and texts of it."""

import pytest
import torch
from small_studies import tiny

from course_utils.family.runs import items
from course_utils.family.worlds import World


@pytest.fixture(scope="session")
def world():
    return World(tiny("batch"))


@pytest.fixture(scope="session")
def texts(world):
    return world.corpus(16, seed=3)


@pytest.fixture
def batch(texts):
    return items(texts, 16, seed=5)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
