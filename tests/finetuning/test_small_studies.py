"""Texts without marks, frozen features, cut encoders, and networks whose gradients vanish or explode."""

import numpy as np
import pytest
import torch

from course_utils.finetuning.classifier import Example
from course_utils.finetuning.clipping import DeepNet, gradient_norms, total_norm
from course_utils.finetuning.features import bag_of_words, mean_states, probe, right_share
from course_utils.finetuning.starts import first_layers, random_like
from course_utils.finetuning.stripping import strip_marks
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

TINY = EncoderConfig(vocab_size=30, hidden_size=16, num_layers=3, num_heads=2, intermediate_size=32)


def encoder(seed=0):
    torch.manual_seed(seed)
    return Encoder(TINY).eval()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't", "dont"),
        ("8/10, a must-see!!", "a mustsee"),
        ("\N{LEFT DOUBLE QUOTATION MARK}fine\N{RIGHT DOUBLE QUOTATION MARK} \N{EM DASH} ok", "fine ok"),
        ("½ ² ٣ Ⅳ", ""),
        ("costs $5 + tip", "costs tip"),
        ("\N{GRINNING FACE} 很好。", "\N{GRINNING FACE} 很好"),
        ("", ""),
    ],
)
def test_marks_and_digits_go(text, expected):
    assert strip_marks(text) == expected
    assert strip_marks(strip_marks(text)) == strip_marks(text)


def test_one_of_both_may_stay():
    assert strip_marks("a 10!", punctuation=False) == "a !"
    assert strip_marks("a 10!", digits=False) == "a 10"


def test_the_first_layers_compute_what_they_did():
    full = encoder()
    short = first_layers(full, 2).eval()
    ids = torch.tensor([[2, 7, 9, 3]])
    torch.testing.assert_close(short(ids).last_hidden_state, full(ids).hidden_states[2], rtol=0, atol=1e-6)
    assert short.pooler is None
    with torch.no_grad():
        next(short.stack.parameters()).zero_()
    assert next(full.stack.parameters()).abs().sum() > 0  # a copy


@pytest.mark.parametrize("layers", [0, 4])
def test_layers_that_are_not_there(layers):
    with pytest.raises(ValueError, match="has 3 layers"):
        first_layers(encoder(), layers)


def test_random_weights_come_from_the_seed():
    first, again, other = (random_like(encoder(), seed).embeddings.token.weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_mean_states_are_in_order_and_know_no_padding():
    rows = [Example([2, *range(5, 5 + n), 3], 0) for n in (9, 1, 4)]
    model = encoder()
    together = mean_states(model, rows, batch_size=2)
    alone = [model(torch.tensor([row.ids])).last_hidden_state[0].mean(dim=0) for row in rows]
    torch.testing.assert_close(torch.from_numpy(together), torch.stack(alone).detach(), rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="no examples"):
        mean_states(model, [])


def test_the_probe_finds_a_direction_and_no_more_than_there_is():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(200, 10)), rng.integers(2, size=200)
    x[:, 3] += 3 * labels
    model = probe().fit(x[:100], labels[:100])
    assert right_share(model, x[100:], labels[100:]) > 0.9
    shuffled = probe().fit(x[:100], rng.permutation(labels[:100]))
    assert abs(right_share(shuffled, x[100:], labels[100:]) - 0.5) < 0.2


def test_the_bag_of_words_reads_pairs_and_marks():
    texts = ["not good", "good not", "fine !", "fine ?"] * 8
    model = bag_of_words().fit(texts, [0, 1, 1, 0] * 8)
    assert right_share(model, ["not good", "good not", "fine !"], [0, 1, 1]) == 1


def norms(kind, bound=None, depth=20):
    generator = torch.Generator().manual_seed(0)
    net = DeepNet(8, 32, depth, kind, generator)
    x = torch.randn(64, 8, generator=generator)
    torch.nn.functional.cross_entropy(net(x), (x[:, 0] > 0).long()).backward()
    if bound:
        torch.nn.utils.clip_grad_norm_(net.parameters(), bound)
    return gradient_norms(net)


def test_gradients_vanish_explode_or_pass():
    ratio = {kind: norms(kind)["first.weight"] / norms(kind)["last.weight"] for kind in KINDS}
    assert ratio["saturated"] < 1e-10
    assert 0.1 < ratio["residual"] < 10
    assert total_norm(norms("exploding")) > 100 * total_norm(norms("residual"))


KINDS = ("saturated", "residual", "exploding")


@pytest.mark.parametrize("kind", KINDS)
def test_clipping_bounds_and_keeps_the_ratios(kind):
    before, after = norms(kind), norms(kind, bound=1.0)
    assert total_norm(after) <= 1 + 1e-5
    factor = min(1.0, 1 / total_norm(before))
    for name in before:
        assert after[name] == pytest.approx(factor * before[name], rel=1e-4)


def test_an_unknown_kind():
    with pytest.raises(ValueError, match="kind"):
        DeepNet(2, 2, 2, "sideways", torch.Generator())
