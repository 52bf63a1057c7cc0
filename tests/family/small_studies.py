"""Studies of seconds."""

from dataclasses import replace

from course_utils.contest.measures import Budget
from course_utils.family import design


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
