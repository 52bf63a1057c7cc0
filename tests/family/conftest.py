"""A study of seconds, and texts of its language."""

from dataclasses import replace

import pytest
import torch

from course_utils.contest.measures import Budget
from course_utils.family import design
from course_utils.family.runs import items
from course_utils.family.worlds import World


def tiny(name, **changes):
    """The study called `name` with hardly any texts, steps and questions."""
    study = design.load(name)
    budget = {"gigaflops": 0.5} if study.gigaflops else {"texts_read": 64}
    small = {
        "seeds": (0, 1, 2),
        "batch_size": 16,
        "texts": 16 if study.texts else 0,
        "test_texts": 24,
        "cases": 8,
        "budget": Budget(texts=32, steps=2, batch_size=16, probe_texts=16),
    }
    arms = {key: replace(arm, texts=min(arm.texts, 64)) for key, arm in study.arms.items()}
    return replace(study, **{**small, **budget, "arms": arms, **changes})


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
