"""Exactness: every distribution of the process against a list of all texts."""

import math
from itertools import combinations

import pytest
import torch
from brute import LANGUAGE, all_infillings, all_texts

from course_utils.contest import tasks
from course_utils.contest.grammar import CLS, MASK, compile_grammar
from course_utils.contest.language import Language, divergence, entropy
from course_utils.objectives import IGNORE, Corrupted, spans

LENGTH = 5
PROCESS = LANGUAGE.process
VOCAB = PROCESS.vocab_size


@pytest.fixture(scope="module")
def texts():
    return all_texts(LENGTH)


@pytest.fixture(scope="module")
def table(texts):
    """All texts, (n, length), and their probabilities, (n,)."""
    return torch.tensor(list(texts)), torch.tensor(list(texts.values()), dtype=torch.float64)


def some(table, n, seed=0):
    which = torch.randperm(len(table[0]), generator=torch.Generator().manual_seed(seed))[:n]
    return table[0][which]


def exact_conditionals(table, text, known):
    """P(token at i | the known places but i), for all i, from the texts that agree; (length, vocab)."""
    ids, probability = table
    rows = []
    for i in range(LENGTH):
        elsewhere = known & (torch.arange(LENGTH) != i)
        weight = probability * ((ids == text) | ~elsewhere).all(-1)
        rows.append(torch.zeros(VOCAB, dtype=torch.float64).index_add_(0, ids[:, i], weight) / weight.sum())
    return torch.stack(rows)


def test_probabilities_of_all_texts_are_the_grammars(table):
    ids, probability = table
    assert float(probability.sum()) == pytest.approx(1, abs=1e-12)
    computed = PROCESS.log_likelihood(PROCESS.observed(ids)).exp()
    torch.testing.assert_close(computed, probability, rtol=1e-12, atol=1e-15)


def test_a_text_outside_the_language_is_refused():
    with pytest.raises(ValueError, match="impossible"):
        PROCESS.log_likelihood(PROCESS.observed(LANGUAGE.encode("dog dog dog run")[None]))


@pytest.mark.parametrize("hidden", [(), (0,), (4,), (2, 3), (0, 2, 4), (1, 2, 3), tuple(range(LENGTH))])
def test_conditionals_under_any_mask_are_exact(table, hidden):
    at = torch.zeros(LENGTH, dtype=torch.bool)
    at[list(hidden)] = True
    chosen = some(table, 20)
    computed = PROCESS.conditionals(PROCESS.observed(chosen, at.expand_as(chosen)))
    for text, distribution in zip(chosen, computed, strict=True):
        expected = exact_conditionals(table, text, ~at)
        torch.testing.assert_close(distribution, expected, rtol=1e-10, atol=1e-14)


def test_next_token_is_exact(table):
    chosen = some(table, 20)
    for text, computed in zip(chosen, PROCESS.next_token(chosen), strict=True):
        for i in range(LENGTH):
            expected = exact_conditionals(table, text, torch.arange(LENGTH) < i)[i]
            torch.testing.assert_close(computed[i], expected, rtol=1e-10, atol=1e-14)


def test_state_posterior_is_the_share_of_derivations():
    ids = LANGUAGE.encode("dog x .")[None]
    posterior = PROCESS.state_posterior(PROCESS.observed(ids))[0]
    kinds = [LANGUAGE.configurations[int(row.argmax())].kind for row in posterior[:2]]
    assert kinds == ["noun", "verb"]
    assert float(posterior[1].max()) == pytest.approx(1)
    half = PROCESS.state_posterior(PROCESS.observed(LANGUAGE.encode("dog x")[None]))[0, 1]
    assert {LANGUAGE.configurations[i].kind for i in half.nonzero().flatten().tolist()} == {"noun", "verb"}


def test_bert_truth_is_bayes_rule_over_all_texts(table):
    """The posterior under 80/10/10 against a sum over all texts with the noise's likelihood."""
    ids, probability = table
    text = some(table, 1, seed=3)[0]
    seen, chosen = text.clone(), torch.zeros(LENGTH, dtype=torch.bool)
    seen[1], seen[3] = MASK, ids[0, 0]
    chosen[[1, 3, 4]] = True  # masked, replaced, left as it was
    ordinary = len(LANGUAGE.tokens.ordinary())
    batch = {
        "input_ids": torch.cat([torch.tensor([CLS]), seen])[None],
        "labels": torch.cat([torch.tensor([IGNORE]), torch.where(chosen, text, IGNORE)])[None],
    }
    computed = tasks.bert_truth(LANGUAGE, text[None], batch)
    same = (ids == seen).double()
    unchosen = 0.85 * same + 0.15 * (0.1 / ordinary + 0.1 * same)
    noisy = torch.where(seen == MASK, torch.tensor(0.15 * 0.8).double(), unchosen)
    here = torch.where(seen == MASK, torch.tensor(0.8).double(), 0.1 / ordinary + 0.1 * same)
    for row, place in zip(computed, [1, 3, 4], strict=True):
        at = torch.arange(LENGTH) == place
        weight = probability * torch.where(at, here, noisy).prod(-1)
        expected = torch.zeros(VOCAB, dtype=torch.float64).index_add_(0, ids[:, place], weight)
        torch.testing.assert_close(row, expected / expected.sum(), rtol=1e-10, atol=1e-14)


def test_predict_all_truth_is_bayes_rule_over_all_texts(table):
    """Nobody says which places were chosen: every seen token may be a stray one."""
    ids, probability = table
    text = some(table, 1, seed=3)[0]
    seen = text.clone()
    seen[1], seen[3] = MASK, ids[0, 0]
    batch = {
        "input_ids": torch.cat([torch.tensor([CLS]), seen])[None],
        "labels": torch.cat([torch.tensor([IGNORE]), text])[None],
    }
    computed = tasks.predict_all_truth(LANGUAGE, text[None], batch)
    ordinary = len(LANGUAGE.tokens.ordinary())
    visible = 0.865 * (ids == seen).double() + 0.015 / ordinary
    weight = probability * torch.where(seen == MASK, torch.tensor(0.12).double(), visible).prod(-1)
    for place, row in enumerate(computed):
        expected = torch.zeros(VOCAB, dtype=torch.float64).index_add_(0, ids[:, place], weight)
        torch.testing.assert_close(row, expected / expected.sum(), rtol=1e-10, atol=1e-14)


def test_kept_truth_believes_what_it_sees(table):
    ids, probability = table
    text = some(table, 1, seed=3)[0]
    seen = text.clone()
    seen[1] = MASK
    labels = torch.where(torch.tensor([0, 1, 0, 1, *[0] * (LENGTH - 4)]) == 1, text, IGNORE)
    batch = {
        "input_ids": torch.cat([torch.tensor([CLS]), seen])[None],
        "labels": torch.cat([torch.tensor([IGNORE]), labels])[None],
    }
    masked, kept = tasks.kept_truth(LANGUAGE, text[None], batch)
    others = torch.arange(LENGTH) != 1
    weight = probability * (ids == text)[:, others].all(-1)
    expected = torch.zeros(VOCAB, dtype=torch.float64).index_add_(0, ids[:, 1], weight)
    torch.testing.assert_close(masked, expected / expected.sum(), rtol=1e-10, atol=1e-14)
    assert float(kept[text[3]]) == pytest.approx(1)


def damaged_posterior(texts, text, pair, damages):
    """log P(target | inputs) where damages(text) yields (probability, inputs, target)."""
    joint = total = 0.0
    seen, target = tuple(pair.input_ids.tolist()), tuple(pair.labels.tolist())
    for candidate, probability in texts.items():
        for odds, inputs, written in damages(candidate):
            if inputs == seen:
                total += probability * odds
                joint += probability * odds * (written == target)
    return math.log(joint / total)


@pytest.mark.parametrize("noise", [(0, 1), (0, 4), (1, 3)])
def test_dropped_tokens_posterior_is_exact(texts, table, noise):
    """Two tokens vanish, any two with equal odds."""

    def damages(candidate):
        for gone in combinations(range(LENGTH), 2):
            kept = tuple(token for i, token in enumerate(candidate) if i not in gone)
            yield 0.1, kept, (candidate[gone[0]], candidate[gone[1]])

    text = some(table, 1, seed=sum(noise))[0]
    pair = spans.drop_tokens(text, torch.tensor([i in noise for i in range(LENGTH)]))
    expected = damaged_posterior(texts, text, pair, damages)
    assert tasks.dropped_tokens_posterior(LANGUAGE, text, pair) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("sizes", [(1, 2), (2, 1)])
def test_replaced_spans_posterior_sums_over_the_sizes_of_the_spans(texts, table, sizes):
    """Three hidden tokens in two spans beside two seen tokens: (1, 2) and (2, 1) are equally likely."""
    text = some(table, 1, seed=7)[0]

    def noise_of(first, second):
        return torch.tensor([0] + [1] * first + [0] + [1] * second).bool()

    def damages(candidate):
        for noise in (noise_of(1, 2), noise_of(2, 1)):
            made = spans.replace_spans(torch.tensor(candidate), noise, LANGUAGE.tokens)
            yield 0.5, tuple(made.input_ids.tolist()), tuple(made.labels.tolist())

    pair = spans.replace_spans(text, noise_of(*sizes), LANGUAGE.tokens)
    expected = damaged_posterior(texts, text, pair, damages)
    assert tasks.replaced_spans_posterior(LANGUAGE, text, pair) == pytest.approx(expected, abs=1e-10)


def test_fragment_posterior_is_exact(texts, table):
    text = some(table, 1, seed=5)[0]
    inputs = text.clone()
    inputs[1:4] = MASK

    def damages(candidate):
        yield 1.0, (candidate[0], MASK, MASK, MASK, candidate[4]), candidate[1:4]

    pair = Corrupted(inputs, text[1:4])
    expected = damaged_posterior(texts, text, pair, damages)
    assert tasks.fragment_posterior(LANGUAGE, text, pair) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("masks", [1, 2, 3])
def test_infilled_posterior_is_exact(texts, table, masks):
    """Masks that hide 0, 1 or 2 tokens, two in all."""
    text = some(table, 1, seed=masks)[0]
    ways = list(all_infillings(LENGTH, MASK, masks, round(tasks.INFILLED * LENGTH), tasks.MEAN_SPAN))

    def damages(candidate):
        return ((odds, damage(candidate), candidate) for odds, damage in ways)

    for _, damage in ways[:: max(1, len(ways) // 3)]:
        pair = Corrupted(torch.tensor(damage(tuple(text.tolist()))), text)
        expected = damaged_posterior(texts, text, pair, damages)
        assert tasks.infilled_posterior(LANGUAGE, text, pair) == pytest.approx(expected, abs=1e-10)


def test_a_damaged_text_that_does_not_fit_is_refused(table):
    text = some(table, 1)[0]
    wrong = torch.cat([text[:4], torch.tensor([MASK])]).clone()
    wrong[0] = LANGUAGE.encode(")")[0]
    with pytest.raises(ValueError, match="fits"):
        tasks.infilled_posterior(LANGUAGE, text, Corrupted(wrong, text))


def test_samples_have_the_probabilities_of_the_texts(table):
    ids, probability = table
    sample = PROCESS.sample(100_000, LENGTH, torch.Generator().manual_seed(1)).ids
    code = VOCAB ** torch.arange(LENGTH)
    order = (ids * code).sum(-1).argsort()
    place = torch.searchsorted((ids * code).sum(-1)[order], (sample * code).sum(-1))
    counts = torch.bincount(place, minlength=len(ids)).double()
    expected = 100_000 * probability[order]
    common = expected >= 5
    statistic = float(((counts - expected)[common] ** 2 / expected[common]).sum())
    degrees = int(common.sum())
    assert abs(statistic - degrees) < 5 * math.sqrt(2 * degrees)
    assert float(counts[~common].sum()) == pytest.approx(float(expected[~common].sum()), rel=0.1, abs=30)


def test_samples_are_a_function_of_the_generator():
    a, b = (PROCESS.sample(5, 9, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(a.ids, b.ids)
    assert torch.equal(a.states, b.states)


def test_every_sentence_agrees_and_every_bracket_is_closed_by_its_partner():
    language = compile_grammar()
    sample = language.process.sample(200, 40, torch.Generator().manual_seed(0))
    for ids, states in zip(sample.ids, sample.states.tolist(), strict=True):
        waiting, brackets = [], []
        for word, state in zip(language.decode(ids).split(), states, strict=True):
            at = language.configurations[state]
            assert word in language.lexicon[{"open": at.mark, "close": at.mark}.get(at.kind, word_class(at))]
            if at.kind == "noun":
                waiting.append(at.mark)
            elif at.kind == "verb":
                assert waiting.pop() == at.mark
            elif at.kind == "open":
                brackets.append({"(": ")", "[": "]"}[word])
            elif at.kind == "close":
                assert brackets.pop() == word
            elif at.kind == "stop":
                assert not waiting
            assert (len(waiting), len(brackets)) == (len(at.subjects), len(at.brackets))


def word_class(at):
    part = "verb" if at.kind == "verb" else "noun"
    return f"{part} {at.mark}" if at.kind in ("noun", "attractor", "object", "verb") else at.kind


def test_entropy_and_divergence_at_the_edges():
    p = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64)
    assert float(entropy(p)) == pytest.approx(math.log(2))
    assert float(divergence(p, p.log())) == pytest.approx(0)
    assert float(divergence(p, torch.tensor([1.0, 0.0, 0.0]).double().log())) == math.inf


def test_tables_that_are_no_distributions_are_refused():
    with pytest.raises(ValueError, match="sum to 1"):
        Language(torch.ones(1).double(), torch.full((1, 1), 0.5).double(), torch.ones(1, 2).double() / 2)
