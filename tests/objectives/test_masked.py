"""Masked language modeling: shares by chi-squared, nothing special touched, the original recoverable."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from course_utils.objectives import IGNORE, SpecialTokens
from course_utils.objectives import masked as m

N = 1_200_000


def text(n, generator, tokens):
    return tokens.ordinary()[torch.randint(len(tokens.ordinary()), (n,), generator=generator)]


def chi_squared_p(observed, expected_shares):
    total = sum(observed)
    return stats.chisquare(observed, [total * s for s in expected_shares]).pvalue


def test_fifteen_percent_are_chosen_and_split_80_10_10(generator, tokens):
    ids = text(N, generator, tokens)
    inputs, labels = m.mask_tokens(ids, tokens, generator)
    chosen = labels != IGNORE
    assert chi_squared_p([int(chosen.sum()), int((~chosen).sum())], [0.15, 0.85]) > 1e-4
    masked = int((inputs[chosen] == tokens.mask).sum())
    same = int((inputs[chosen] == ids[chosen]).sum())
    other = int(chosen.sum()) - masked - same
    chance = 0.1 / len(tokens.ordinary())  # a random token that happens to be the original
    assert chi_squared_p([masked, other, same], [0.8, 0.1 - chance, 0.1 + chance]) > 1e-4


def test_random_replacements_are_uniform_over_ordinary_ids(generator, tokens):
    draws = tokens.random_like(torch.zeros(N, dtype=torch.long), generator)
    counts = torch.bincount(draws, minlength=tokens.vocab_size)
    assert stats.chisquare(counts[tokens.ordinary()].numpy()).pvalue > 1e-4
    reserved = torch.ones(tokens.vocab_size, dtype=torch.bool)
    reserved[tokens.ordinary()] = False
    assert counts[reserved].sum() == 0


def test_shares_agree_with_the_collator_of_transformers(generator):
    """The same shares out of the reference library on the same text, by a test of homogeneity."""
    transformers = pytest.importorskip("transformers")
    vocab = {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(str, range(95))])}
    tokenizer = transformers.BertTokenizer(vocab=vocab)
    ours = SpecialTokens(mask=4, special=(0, 1, 2, 3), vocab_size=100)
    ids = text(400_000, generator, ours)
    collator = transformers.DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15, seed=3)
    theirs = collator([{"input_ids": row} for row in ids.reshape(-1, 500)])
    rows = []
    for inputs, labels in [m.mask_tokens(ids, ours, generator), (theirs["input_ids"], theirs["labels"])]:
        inputs, labels = inputs.flatten(), labels.flatten()
        chosen = labels != IGNORE
        kept, mask = (chosen & (inputs == labels)).sum(), (chosen & (inputs == ours.mask)).sum()
        rows.append([int(kept), int(mask), int(chosen.sum() - kept - mask), int((~chosen).sum())])
    assert stats.chi2_contingency(rows).pvalue > 1e-4


@given(st.lists(st.integers(0, 99), max_size=40), st.floats(0, 1), st.integers(0, 2**31))
@settings(max_examples=150)
def test_the_original_is_restored_and_special_tokens_stay(ids, share, seed):
    tokens = SpecialTokens(mask=3, special=(0, 1, 2, 4), sentinels=tuple(range(99, 89, -1)), vocab_size=100)
    ids = torch.tensor(ids, dtype=torch.long)
    corrupted = m.mask_tokens(ids, tokens, torch.Generator().manual_seed(seed), share=share)
    assert torch.equal(m.restore(corrupted), ids)
    protected = ~tokens.corruptible(ids)
    assert torch.equal(corrupted.input_ids[protected], ids[protected])
    assert (corrupted.labels[protected] == IGNORE).all()


def test_all_special_and_empty_inputs_stay_whole(generator, tokens):
    for ids in [torch.tensor([1, 2, 0, 0]), torch.tensor([], dtype=torch.long)]:
        inputs, labels = m.mask_tokens(ids, tokens, generator, share=1.0)
        assert torch.equal(inputs, ids)
        assert (labels == IGNORE).all()


WORDS = torch.tensor([0, 1, 0, 0, 1, 1, 0, 1, 0, 0], dtype=torch.bool)  # [CLS] w ## ## w w ## w ## [SEP]
ELIGIBLE = torch.tensor([0, 1, 1, 1, 1, 1, 1, 1, 1, 0], dtype=torch.bool)
UNITS = [{1, 2, 3}, {4}, {5, 6}, {7, 8}]


@pytest.mark.parametrize("share", [0.15, 0.3, 0.5, 1.0])
def test_whole_words_are_chosen_whole_and_within_budget(share):
    for seed in range(60):
        chosen = m.choose_words(ELIGIBLE, WORDS, share, torch.Generator().manual_seed(seed))
        where = set(chosen.nonzero().flatten().tolist())
        touched = [u for u in UNITS if u & where]
        assert where == set().union(*touched)
        assert len(where) <= max(round(share * 8), 3)
        assert where


def test_a_share_of_zero_chooses_nothing(generator):
    assert not m.choose_words(ELIGIBLE, WORDS, 0.0, generator).any()
    assert not m.choose_spans(ELIGIBLE, WORDS, 0.0, generator).any()


def test_span_lengths_are_the_clipped_geometric(generator):
    """With a tiny share of a long text of one-token words, spans hardly collide: lengths follow the law."""
    n = 400_000
    flags = torch.ones(n, dtype=torch.bool)
    chosen = m.choose_spans(flags, flags, 0.02, generator)
    lengths = torch.tensor([b - a for a, b in m._runs(chosen)])
    p = 0.2 * 0.8 ** torch.arange(10).double()
    mean = float((torch.arange(1, 11) * p / p.sum()).sum())
    assert mean == pytest.approx(3.8, abs=0.01)  # the paper's figure
    assert float(lengths.double().mean()) == pytest.approx(mean, rel=0.06)
    assert int(chosen.sum()) == round(0.02 * n)


def test_spans_never_cross_a_special_token_or_cut_a_word():
    eligible, starts = ELIGIBLE.clone(), WORDS.clone()
    eligible[4] = False
    for seed in range(80):
        chosen = m.choose_spans(eligible, starts, 0.6, torch.Generator().manual_seed(seed))
        where = set(chosen.nonzero().flatten().tolist())
        assert 4 not in where
        assert all(not u & where or u <= where for u in [{1, 2, 3}, {5, 6}, {7, 8}])


def test_by_span_one_draw_decides_a_whole_span(generator, tokens):
    ids = text(20_000, generator, tokens)
    flags = torch.ones_like(ids, dtype=torch.bool)
    chosen = m.choose_spans(flags, flags, 0.15, generator)
    inputs, _ = m.corrupt(ids, chosen, tokens, generator, by_span=True)
    kinds = [{bool(inputs[i] == tokens.mask) for i in range(a, b)} for a, b in m._runs(chosen)]
    assert all(len(kind) == 1 for kind in kinds)
    assert {True} in kinds
    assert {False} in kinds


def test_static_masks_repeat_after_the_copies_and_dynamic_ones_do_not(tokens, generator):
    ids = text(200, generator, tokens)
    masks = [m.mask_tokens(ids, tokens, m.static_generator(7, 3, e, copies=4)).labels for e in range(8)]
    assert all(torch.equal(masks[e], masks[e + 4]) for e in range(4))
    assert not torch.equal(masks[0], masks[1])
    assert not torch.equal(
        m.mask_tokens(ids, tokens, generator).labels, m.mask_tokens(ids, tokens, generator).labels
    )


def test_span_boundaries_name_the_tokens_outside_the_span():
    chosen = torch.tensor([0, 1, 1, 0, 1, 0], dtype=torch.bool)
    assert m.span_boundaries(chosen).tolist() == [[1, 0, 3, 1], [2, 0, 3, 2], [4, 3, 5, 1]]
    assert m.span_boundaries(torch.zeros(4, dtype=torch.bool)).shape == (0, 4)
    with pytest.raises(ValueError, match="frame the text"):
        m.span_boundaries(torch.tensor([True, False]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g, t: m.mask_tokens(torch.tensor([5]), t, g, share=1.5), "must lie in"),
        (lambda g, t: m.corrupt(torch.tensor([5]), torch.tensor([True, True]), t, g), "differ in shape"),
        (
            lambda g, t: m.corrupt(torch.tensor([5]), torch.tensor([True]), t, g, shares=(0.8, 0.1, 0.2)),
            "sum to 1",
        ),
        (lambda g, t: m.choose_spans(ELIGIBLE, WORDS, 0.1, g, p=0.0), "need 0 < p"),
        (lambda g, t: m.choose_words(ELIGIBLE, WORDS[1:], 0.1, g), "differ"),
        (lambda g, t: m.static_generator(0, 0, 0, copies=0), "at least 1"),
        (lambda g, t: SpecialTokens(mask=200, vocab_size=100), "outside the vocabulary"),
        (lambda g, t: SpecialTokens(mask=1, special=(0,), vocab_size=2), "every id is special"),
    ],
)
def test_bad_input_is_named(call, message, generator, tokens):
    with pytest.raises(ValueError, match=message):
        call(generator, tokens)
