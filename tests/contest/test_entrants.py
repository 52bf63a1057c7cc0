"""Every entrant: a batch, a loss that reaches the shared encoder, its cost, its distance from the floor."""

import math

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from course_utils.contest import tasks
from course_utils.contest.compute import Meter, flops_per_step, steps_for
from course_utils.contest.entrants import ENTRANTS, frame
from course_utils.contest.grammar import CLS, MASK, PAD, compile_grammar
from course_utils.contest.models import Sizes, encoder_of, seeded
from course_utils.objectives import IGNORE

LANGUAGE = compile_grammar()
SIZES = Sizes(LANGUAGE.process.vocab_size, 40, hidden_size=16, intermediate_size=32, generator_size=8)
TEXTS = LANGUAGE.process.sample(48, 20, torch.Generator().manual_seed(0)).ids
every_entrant = pytest.mark.parametrize("name", list(ENTRANTS))


def prepared(name):
    entrant = ENTRANTS[name]
    batch = entrant.collate(list(TEXTS), LANGUAGE.tokens, torch.Generator().manual_seed(1))
    return entrant, seeded(2, lambda: entrant.build(SIZES)), batch


@every_entrant
def test_the_loss_teaches_the_shared_encoder(name):
    entrant, model, batch = prepared(name)
    torch.manual_seed(0)
    loss = entrant.loss(model, batch)
    (loss.total / loss.terms).backward()
    gradients = {n: p.grad for n, p in model.named_parameters()}
    shared = [g for n, g in gradients.items() if "stack.blocks" in n and "generator" not in n]
    assert len(shared) >= 2 * 16
    assert all(g is not None and torch.isfinite(g).all() for g in shared)
    assert all(float(g.abs().sum()) > 0 for g in shared if g.dim() == 2)


@every_entrant
def test_noise_comes_from_the_generator_alone(name):
    entrant, _, batch = prepared(name)
    torch.manual_seed(99)
    again = entrant.collate(list(TEXTS), LANGUAGE.tokens, torch.Generator().manual_seed(1))
    assert all(torch.equal(batch[key], again[key]) for key in batch)
    assert (batch["input_ids"][:, 0] == CLS).all()


@every_entrant
def test_the_counted_cost_is_torchs(name):
    """Torch counts what it runs; ours is a formula on shapes. Lookups and norms are free in both."""
    entrant, model, batch = prepared(name)
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        entrant.loss(model, batch)
    assert entrant.forward_flops(SIZES, batch) == pytest.approx(counter.get_total_flops(), rel=1e-3)


@every_entrant
def test_the_shared_encoder_is_the_one_that_was_trained(name):
    _, model, batch = prepared(name)
    encoder = encoder_of(model, SIZES).eval()
    ids = batch["input_ids"]
    with torch.no_grad():
        ours = encoder(ids, ids != PAD).last_hidden_state
        inside = model.encoder
        if hasattr(model, "decoder"):
            theirs = inside(model.embed(ids), ids != PAD).last_hidden_state
        else:
            theirs = inside(ids, ids != PAD).last_hidden_state
    torch.testing.assert_close(ours, theirs)
    parameters = sum(p.numel() for p in encoder.parameters())
    mlm = encoder_of(prepared("mlm")[1], SIZES)
    assert parameters == sum(p.numel() for p in mlm.parameters())


def test_only_known_models_hold_the_encoder():
    with pytest.raises(TypeError, match="Linear"):
        encoder_of(torch.nn.Linear(1, 1), SIZES)


@every_entrant
def test_an_untrained_model_stays_above_its_floor(name):
    entrant, model, batch = prepared(name)
    with torch.no_grad():
        found = entrant.own_task(model.eval(), LANGUAGE, TEXTS, batch)
    if name in ("deshuffle", "electra"):
        assert found is None
    else:
        assert 0 < found.floor < tasks.uniform_nats(LANGUAGE)
        assert 0.5 < found.excess < 4


@pytest.mark.parametrize("name", ["mlm", "mlm_mask", "mlm_keep", "mlm_spans", "causal", "prefix"])
def test_the_exact_answer_has_no_excess(name):
    entrant, _, batch = prepared(name)
    truth = entrant.truth(LANGUAGE, TEXTS, batch)
    labels = batch["labels"][batch["labels"] != IGNORE]
    assert truth.shape == (len(labels), LANGUAGE.process.vocab_size)
    assert tasks.from_distributions(truth, truth.log()).excess == pytest.approx(0, abs=1e-12)
    assert (truth.gather(-1, labels[:, None]) > 0).all()
    nats = -truth.gather(-1, labels[:, None]).log()
    assert float(nats.mean()) == pytest.approx(tasks.from_distributions(truth, truth.log()).floor, rel=0.15)


@pytest.mark.parametrize("name", ["causal", "prefix"])
def test_left_to_right_entrants_do_not_see_what_they_predict(name):
    entrant, model, batch = prepared(name)
    cut = batch.get("prefix_lengths", torch.ones(len(TEXTS)).long())
    changed = {k: v.clone() for k, v in batch.items()}
    changed["input_ids"][:, -1] = LANGUAGE.encode("dog")[0]
    with torch.no_grad():
        before, after = entrant.logits(model, batch), entrant.logits(model, changed)
    rows, places = (batch["labels"] != IGNORE).nonzero(as_tuple=True)
    earlier = (places < TEXTS.shape[1] - 1) & (cut[rows] < TEXTS.shape[1])
    assert int(earlier.sum()) > 100
    torch.testing.assert_close(before[earlier], after[earlier])
    assert not torch.allclose(before[~earlier], after[~earlier])


def test_masked_inputs_show_what_the_designs_say():
    _, _, plain = prepared("mlm_mask")
    chosen = plain["labels"] != IGNORE
    assert (plain["input_ids"][chosen] == MASK).all()
    assert not (plain["input_ids"][~chosen] == MASK).any()
    _, _, bert = prepared("mlm")
    assert 0.6 < float((bert["input_ids"][bert["labels"] != IGNORE] == MASK).double().mean()) < 0.95
    _, _, of_spans = prepared("mlm_spans")
    chosen = of_spans["labels"][:, 1:] != IGNORE
    neighbors = (chosen[:, 1:] & chosen[:, :-1]).sum() / chosen.sum()
    assert float(neighbors) > 0.4  # independent choice would give 0.15


def test_steps_make_compute_equal_within_two_percent():
    corpus = LANGUAGE.process.sample(256, 20, torch.Generator().manual_seed(3)).ids
    budget, spent = 1.5e9, {}
    for name, entrant in ENTRANTS.items():
        steps = steps_for(budget, flops_per_step(entrant, SIZES, LANGUAGE, corpus, 8, seed=4))
        meter = Meter(_Costs(entrant), SIZES)
        generator = torch.Generator().manual_seed(5)
        for step in range(steps):
            first = 8 * step % 248
            meter(None, entrant.collate(list(corpus[first : first + 8]), LANGUAGE.tokens, generator))
        spent[name] = meter.flops
    assert max(spent.values()) < 1.02 * min(spent.values()), spent


class _Costs:
    """An entrant without its loss, so that costs can be added up without training."""

    def __init__(self, entrant):
        self.forward_flops, self.processed_tokens = entrant.forward_flops, entrant.processed_tokens

    def loss(self, model, batch):
        return None


def test_a_budget_below_one_step_is_refused():
    with pytest.raises(ValueError, match="more than"):
        steps_for(10.0, 11.0)


def test_electra_reads_the_original_at_places_that_are_not_masked():
    entrant, model, batch = prepared("electra")
    torch.manual_seed(0)
    loss = entrant.loss(model, batch)
    assert math.isfinite(loss.total.item())
    assert loss.terms == len(TEXTS)
    assert frame(TEXTS).equal(batch["original"])
