"""A design of a few seconds."""

from dataclasses import replace

import pytest

from course_utils.contest import design
from course_utils.contest.measures import Budget


@pytest.fixture
def tiny_design():
    full = design.load("formal")
    return replace(
        full,
        name="tiny",
        length=16,
        entrants=("mlm_mask", "t5_spans"),
        training=replace(
            full.training,
            gigaflops=1.0,
            tuning_share=0.8,
            batch_size=8,
            corpus_texts=64,
            learning_rates=(0.001, 0.003),
        ),
        budget=Budget(texts=32, steps=2, batch_size=16, probe_texts=16),
        seeds=(0, 1),
        test_texts=16,
        cases=16,
        own_task_texts=8,
    )
