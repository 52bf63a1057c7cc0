"""The measures, put to readers whose marks are known: one knows the grammar, one knows nothing."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from course_utils.contest.grammar import MASK, compile_grammar
from course_utils.contest.measures import (
    Budget,
    accuracy,
    baselines,
    examination,
    examine,
    fit_linear,
    floor,
    masked_kl,
    memory_classes,
    probe_kl,
)
from course_utils.contest.models import Sizes, seeded
from course_utils.models.encoder import Encoder

LANGUAGE = compile_grammar()
PROCESS = LANGUAGE.process
BUDGET = Budget(texts=64, steps=2, batch_size=16, probe_texts=64)
EXAM = examination(LANGUAGE, 24, BUDGET, test_texts=48, cases=24, seed=0)


def oracle(input_ids, positions):
    """Logits of a reader that knows the grammar."""
    ids = input_ids[:, 1:]
    truth = PROCESS.conditionals(PROCESS.observed(ids, ids == MASK))
    return truth[positions[:, 1:]].log()


def ignorant(input_ids, positions):
    """The same logits everywhere, a little in favor of the later words."""
    return torch.arange(PROCESS.vocab_size).double().expand(int(positions.sum()), -1) / 1000


class Memory(nn.Module):
    """An encoder whose states are the exact posterior of the grammar's memory."""

    def forward(self, ids, mask=None):
        posterior = PROCESS.state_posterior(PROCESS.observed(ids[:, 1:]))
        parts = [posterior @ nn.functional.one_hot(c).double() for c in memory_classes(LANGUAGE)]
        states = torch.cat(parts, dim=-1).float()
        return SimpleNamespace(last_hidden_state=nn.functional.pad(states, (0, 0, 1, 0)))


def test_who_knows_the_grammar_gets_full_marks():
    assert masked_kl(oracle, EXAM) == pytest.approx(0, abs=1e-12)
    assert accuracy(oracle, EXAM.agreement) == 1
    assert accuracy(oracle, EXAM.closing) == 1
    assert probe_kl(Memory(), EXAM) < 0.1


def test_who_knows_nothing_does_not():
    assert masked_kl(ignorant, EXAM) > 1.5
    assert 0.1 < accuracy(ignorant, EXAM.agreement) < 0.9
    assert 0.1 < accuracy(ignorant, EXAM.closing) < 0.9


def test_counting_pairs_is_better_than_counting_words_is_better_than_guessing():
    corpus = PROCESS.sample(4000, 24, torch.Generator().manual_seed(1)).ids
    kl = {name: values["masked_kl"] for name, values in baselines(EXAM, corpus).items()}
    assert 0.5 < kl["bigram"] < kl["unigram"] < kl["uniform"]
    assert 1 < floor(EXAM) < 2.5


def test_hard_cases_are_hard_and_decided():
    assert EXAM.agreement.asked.sum(-1).eq(1).all()
    assert (EXAM.agreement.texts[EXAM.agreement.asked] == MASK).all()
    for cases in (EXAM.agreement, EXAM.closing):
        assert not (cases.right * cases.wrong).any()
        assert cases.right.sum(-1).gt(0).all()
    misled = [_misled(text, asked) for text, asked in zip(*EXAM.agreement[:2], strict=True)]
    plural_is_right = EXAM.agreement.right @ LANGUAGE.emitted(("sleep",))
    told = [(m, bool(p)) for m, p in zip(misled, plural_is_right.tolist(), strict=True) if m]
    assert len(told) >= 3
    assert all((nearest == "s") == plural for nearest, plural in told)


def _misled(text, asked):
    """The number of the noun nearest to the asked verb, or nothing where an ambiguous word stands nearer."""
    classes = ("noun s", "noun p", "verb s", "verb p")
    for word in reversed(LANGUAGE.decode(text[: int(asked.nonzero())]).split()):
        found = [name for name in classes if word in LANGUAGE.lexicon[name]]
        if len(found) > 1:
            return None
        if found and found[0].startswith("noun"):
            return found[0][-1]
    return None


def test_an_examination_is_a_function_of_its_seed():
    again = examination(LANGUAGE, 24, BUDGET, test_texts=48, cases=24, seed=0)
    assert torch.equal(again.texts, EXAM.texts)
    assert torch.equal(again.agreement.texts, EXAM.agreement.texts)
    other = examination(LANGUAGE, 24, BUDGET, test_texts=48, cases=24, seed=1)
    assert not torch.equal(other.texts, EXAM.texts)


def test_examining_leaves_the_encoder_alone_and_can_be_repeated():
    sizes = Sizes(PROCESS.vocab_size, 25, hidden_size=8, intermediate_size=16)
    encoder = seeded(0, lambda: Encoder(sizes.encoder()))
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    first, second = (examine(encoder, EXAM, BUDGET, seed=3) for _ in range(2))
    assert first == second
    assert set(first) == {"probe_kl", "frozen_kl", "tuned_kl", "agreement", "closing"}
    assert all(torch.equal(before[name], value) for name, value in encoder.state_dict().items())
    assert all(p.requires_grad for p in encoder.parameters())


def test_the_linear_probe_finds_what_is_linear():
    features = torch.randn(400, 3, generator=torch.Generator().manual_seed(0))
    labels = (features[:, 1] > 0).long()
    probe = fit_linear(features, labels, 2)
    assert float((probe(features).argmax(-1) == labels).double().mean()) > 0.97
