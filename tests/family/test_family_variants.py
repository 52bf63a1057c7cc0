"""Pairs, spans and replaced tokens: what is damaged, what is asked, and what it costs."""

import pytest
import torch
from small_studies import tiny
from torch import Generator

from course_utils.contest.grammar import CLS
from course_utils.contest.models import seeded
from course_utils.family import design
from course_utils.family.pairs import SEP, Paired, best_guess, frame_pair, segments, spoil
from course_utils.family.replacing import Judge, Replaced
from course_utils.family.runs import items, shape_of, variant_of
from course_utils.family.spans import CHOICES, Spans, choose, edges_of, frame_both
from course_utils.family.spelling import PIECES, pieces_of, spell, word_starts
from course_utils.family.variants import make_variant
from course_utils.family.worlds import make_world
from course_utils.objectives import IGNORE
from course_utils.training import LossTerms


def noise(seed=0):
    return Generator().manual_seed(seed)


# ---------------------------------------------------------------- pairs


def test_a_wrong_second_half_comes_from_another_text(texts):
    half = texts.shape[1] // 2
    found, is_wrong = spoil(texts, "other", noise())
    assert 0 < is_wrong.sum() < len(texts)
    assert torch.equal(found[:, :half], texts[:, :half])
    assert torch.equal(found[~is_wrong], texts[~is_wrong])
    marked = torch.tensor([[7, 0], [7, 1], [7, 2]])
    for seed in range(20):
        taken, wrong = spoil(marked, "other", noise(seed))
        assert ((taken[:, -1] != marked[:, -1]) == wrong).all(), "a wrong half must never be the text's own"


def test_swapped_halves_are_swapped(texts):
    half = texts.shape[1] // 2
    found, is_wrong = spoil(texts, "swapped", noise())
    assert torch.equal(found[is_wrong], texts[is_wrong].roll(half, dims=1))
    assert torch.equal(found[~is_wrong], texts[~is_wrong])


def test_without_nsp_every_pair_is_right(texts):
    found, is_wrong = spoil(texts, "none", noise())
    assert torch.equal(found, texts)
    assert not is_wrong.any()


def test_pairs_of_odd_texts_or_of_one_text_are_refused(texts):
    with pytest.raises(ValueError, match="no two halves"):
        spoil(texts[:, :-1], "other", noise())
    with pytest.raises(ValueError, match="no other"):
        spoil(texts[:1], "other", noise())


def test_pairs_are_framed_with_segments():
    framed = frame_pair(torch.tensor([[7, 8, 9, 10]]))
    assert framed.tolist() == [[CLS, 7, 8, SEP, 9, 10]]
    assert segments(framed).tolist() == [[0, 0, 0, 1, 1, 1]]


def test_who_knows_the_grammar_knows_most_pairs(world):
    texts = world.corpus(64, seed=9)
    found, is_wrong = spoil(texts, "other", noise())
    assert (best_guess(world.language.process, found) == is_wrong).double().mean() > 0.8


def test_the_pair_loss_is_there_where_it_is_judged(batch, world):
    shape = shape_of(tiny("nsp"), world, "nsp")
    judged, silent = Paired("other", judged=True), Paired("other")
    model = seeded(0, lambda: judged.build(shape))
    given = judged.collate(batch, world.language.tokens, noise())
    judged.loss(model, given).total.backward()
    assert model.pair_head.classifier.weight.grad.abs().sum() > 0
    model.zero_grad()
    silent.loss(model, given).total.backward()
    assert model.pair_head.classifier.weight.grad is None
    assert model.encoder.pooler.dense.weight.grad is None


# ---------------------------------------------------------------- spans


@pytest.fixture(scope="module")
def spelled():
    return make_world(tiny("spans"))


def test_words_and_their_pieces(spelled):
    assert pieces_of("sleeps") == ("sl", "##eep", "##s")
    text = spelled.language.decode(spelled.corpus(1, seed=0)[0])
    starts = word_starts(spelled.language.encode(text))
    assert [not piece.startswith("##") for piece in text.split()] == starts.tolist()


def test_the_spelled_language_gives_a_text_the_probability_of_its_words(world, spelled):
    """P(pieces) is P(words), unless the last word may go on ("do ##g" and "do ##g ##s")."""
    may_go_on = {word for word in world.language.words if pieces_of(word + "s") == (*pieces_of(word), "##s")}
    words = world.corpus(32, seed=4)
    whole = [text for text in words if world.language.words[text[-1]] not in may_go_on]
    assert len(whole) > 8
    spelled_again = spell(world.language)
    for text in whole:
        pieces = [p for word in world.language.decode(text).split() for p in pieces_of(word)]
        ids = torch.tensor([PIECES.index(piece) for piece in pieces])[None]
        process = spelled_again.process
        expected = world.language.process.log_likelihood(world.language.process.observed(text[None]))
        assert torch.allclose(process.log_likelihood(process.observed(ids)), expected)


def test_every_choice_masks_about_as_many_pieces_and_whole_words(spelled):
    texts = spelled.corpus(64, seed=1)
    chosen = {choice: choose(texts, choice, noise()) for choice in CHOICES}
    budget = round(0.15 * texts.shape[1])
    assert (chosen["tokens"].sum(1) == budget).all()
    starts = word_starts(texts)
    starts[:, 0] = True
    for choice in ("words", "spans"):
        assert chosen[choice].sum(1).max() <= budget
        assert chosen[choice].double().sum(1).mean() > 0.85 * budget
        cut = ~starts & (chosen[choice] != chosen[choice].roll(1, dims=1))
        assert not cut.any(), f"{choice} cut a word"
    assert (~starts & (chosen["tokens"] != chosen["tokens"].roll(1, dims=1))).any()

    def runs(flags):
        return (flags & ~flags.roll(1, dims=1)).sum() / flags.sum()

    assert runs(chosen["spans"]) < runs(chosen["words"]) < runs(chosen["tokens"])


def test_edges_are_outside_the_span():
    chosen = torch.tensor([[False, True, True, False], [False, False, True, False]])
    assert edges_of(chosen).tolist() == [[0, 0, 3, 0], [0, 0, 3, 1], [1, 1, 3, 0]]


def test_the_boundary_head_sees_nothing_of_its_span(spelled):
    """Its logits change with the states at the edges alone."""
    study = tiny("spans")
    variant, shape = Spans("spans", boundary=True), shape_of(study, spelled, "boundary")
    model = seeded(0, lambda: variant.build(shape)).eval()
    given = variant.collate(items(spelled.corpus(4, 0), 4, 0), spelled.language.tokens, noise())
    _, left, right, _ = edges = given["edges"].unbind(1)
    out = model.encoder(given["input_ids"])
    states = out.last_hidden_state.detach().requires_grad_()
    out.hidden_states = (*out.hidden_states[:-1], states)
    model.boundary(out, *edges, model.encoder.embeddings.token.weight).sum().backward()
    moved = states.grad.abs().sum(-1) > 0
    allowed = torch.zeros_like(moved)
    allowed[edges[0], left] = allowed[edges[0], right] = True
    assert torch.equal(moved, allowed)


def test_the_boundary_loss_is_added(spelled):
    study = tiny("spans")
    shape, with_edges = shape_of(study, spelled, "boundary"), Spans("spans", boundary=True)
    model = seeded(0, lambda: with_edges.build(shape))
    given = with_edges.collate(items(spelled.corpus(4, 0), 4, 0), spelled.language.tokens, noise())
    with torch.no_grad():
        both = with_edges.loss(model, given)
        one = Spans("spans").loss(model, {key: given[key] for key in ("input_ids", "labels")})
    assert both.terms == one.terms == len(given["edges"])
    assert both.total > 1.5 * one.total
    assert with_edges.forward_flops(shape, given) > Spans("spans").forward_flops(shape, given)


def test_texts_of_spans_have_a_token_on_either_side():
    assert frame_both(torch.tensor([7, 8])).tolist() == [CLS, 7, 8, SEP]


# ---------------------------------------------------------------- replaced tokens


def test_uniform_replacement_needs_no_generator(batch, world):
    study = tiny("electra")
    shape = shape_of(study, world, "uniform")
    uniform, sampled = Replaced("uniform"), Replaced("sampled")
    given = uniform.collate(batch, world.language.tokens, noise())
    assert (given["original"][:, 1:] == torch.stack([item.ids for item in batch])).all()
    changed = given["input_ids"] != given["original"]
    assert 0.05 < changed.double().mean() < 0.2
    assert not changed[:, 0].any()
    model = seeded(0, lambda: uniform.build(shape))
    assert isinstance(model, Judge)
    found = uniform.loss(model, given)
    assert isinstance(found, LossTerms)
    assert found.total.isfinite()
    more = sampled.collate(batch, world.language.tokens, noise())
    assert sampled.forward_flops(shape, more) > uniform.forward_flops(shape, given)


def test_the_same_encoder_starts_in_both_kinds_of_replacement(world):
    shape = shape_of(tiny("electra"), world, "uniform")
    first, second = (seeded(0, lambda f=f: Replaced(f).build(shape)) for f in ("uniform", "sampled"))
    for a, b in zip(first.encoder.parameters(), second.encoder.parameters(), strict=True):
        assert torch.equal(a, b)


# ---------------------------------------------------------------- all


@pytest.mark.parametrize("name", design.names())
def test_every_arm_makes_a_batch_and_a_gradient(name):
    study = tiny(name)
    world = make_world(study)
    for arm in study.arms:
        variant, shape = variant_of(study, arm), shape_of(study, world, arm)
        given = variant.collate(items(world.corpus(8, 0), 8, 0), world.language.tokens, noise())
        assert len(given["input_ids"]) == 8
        if "labels" in given:
            assert (given["labels"] != IGNORE).any()
        model = seeded(0, lambda v=variant, s=shape: v.build(s))
        variant.loss(model, given).total.backward()
        assert all(p.grad is not None for p in model.encoder.stack.parameters())


def test_an_unknown_variant_is_refused():
    with pytest.raises(KeyError, match="'paired'"):
        make_variant("sentences", {})
