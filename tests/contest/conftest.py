"""Designs of a few seconds."""

import random
from dataclasses import replace

import pytest

from course_utils.contest import design
from course_utils.contest.english.corpus import Sizing, prepare
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


@pytest.fixture(scope="session")
def english_sizing():
    return Sizing(length=8, vocabulary=80, training_texts=96, held_out_texts=48, seed=0)


@pytest.fixture(scope="session")
def english_lines():
    """Sentences of a few words, drawn at random."""
    rng = random.Random(0)
    nouns, verbs = ["cat", "dog", "boat", "lamp", "girl"], ["sees", "likes", "finds", "paints"]
    return [
        f"The {rng.choice(nouns)} {rng.choice(verbs)} a {rng.choice(nouns)}. It {rng.choice(verbs)} me."
        for _ in range(600)
    ]


@pytest.fixture(scope="session")
def english_corpus(english_lines, english_sizing):
    return prepare({"story": english_lines}, english_sizing)


@pytest.fixture
def english_design(english_sizing):
    """World (b) in a second a run."""
    full = design.load("english")
    return replace(
        full,
        corpus=english_sizing,
        sizes=replace(full.sizes, vocab_size=80, max_positions=24, hidden_size=16, intermediate_size=32),
        entrants=("mlm", "bart"),
        training=replace(
            full.training, gigaflops=0.2, batch_size=8, corpus_texts=64, learning_rates=(0.001, 0.003)
        ),
        budget=Budget(texts=16, steps=2, batch_size=16),
        reviews=replace(full.reviews, train=8, test=8, steps=2, batch_size=4),
        pairs_each=2,
        test_texts=16,
        tagged_sentences=12,
        seeds=(0, 1),
    )
