"""Floors against a list of all texts, and the contest language's own numbers."""

import math
from collections import defaultdict

import pytest
import torch
from brute import LANGUAGE, all_texts

from course_utils.contest.floors import beliefs, masked_floor, single_floor, word_classes
from course_utils.contest.grammar import compile_grammar

LENGTH = 5


def block_entropy(texts, places):
    """H of the tokens at these places, from all texts."""
    of_block = defaultdict(float)
    for text, probability in texts.items():
        of_block[tuple(text[i] for i in places)] += probability
    return -sum(p * math.log(p) for p in of_block.values())


def test_next_token_entropies_are_differences_of_block_entropies():
    texts = all_texts(LENGTH)
    computed = beliefs(LANGUAGE.process).next_token_entropies(LENGTH)
    for i in range(LENGTH):
        expected = block_entropy(texts, range(i + 1)) - block_entropy(texts, range(i))
        assert float(computed[i]) == pytest.approx(expected, abs=1e-10)


def test_the_entropy_rate_is_the_limit_of_next_token_entropies():
    chain = beliefs(LANGUAGE.process)
    assert torch.allclose(chain.transition.sum(-1), torch.ones(()).double())
    assert chain.entropy_rate() == pytest.approx(float(chain.next_token_entropies(3000)[-1]), abs=1e-6)


def test_the_contest_language_has_few_beliefs_and_its_floor_is_met_by_samples():
    process = compile_grammar().process
    chain = beliefs(process)
    assert len(chain.entropies) < 500
    texts = process.sample(2000, 32, torch.Generator().manual_seed(0)).ids
    nats = -process.log_likelihood(process.observed(texts)) / 32
    error = float(nats.std()) / math.sqrt(2000)
    assert abs(float(nats.mean()) - float(chain.next_token_entropies(32).mean())) < 4 * error


def test_floors_with_both_sides_meet_the_list_of_all_texts():
    texts = all_texts(LENGTH)
    whole = block_entropy(texts, range(LENGTH))
    single = [whole - block_entropy(texts, [j for j in range(LENGTH) if j != i]) for i in range(LENGTH)]
    sample = LANGUAGE.process.sample(4000, LENGTH, torch.Generator().manual_seed(1)).ids
    found = single_floor(LANGUAGE.process, sample)
    assert abs(found.nats - sum(single) / LENGTH) < 4 * found.standard_error
    everything = masked_floor(LANGUAGE.process, sample, 1.0, torch.Generator().manual_seed(2))
    marginals = [block_entropy(texts, [i]) for i in range(LENGTH)]
    assert everything.nats == pytest.approx(sum(marginals) / LENGTH, abs=1e-9)
    some = masked_floor(LANGUAGE.process, sample, 0.15, torch.Generator().manual_seed(3))
    assert found.nats < some.nats < everything.nats
    assert 0 < some.standard_error < 0.02


def test_words_of_one_class_say_the_same():
    classes = word_classes(LANGUAGE.process)
    assert classes.sum() == pytest.approx(len(LANGUAGE.configurations))
    contest = compile_grammar()
    assert len(word_classes(contest.process)) < len(contest.words) - 6
