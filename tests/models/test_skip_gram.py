"""Skip-gram with negative sampling: its loss, its samples, and what it converges to."""

import math

import pytest
import torch

from course_utils.models.static import SkipGram, keep_probability, noise_distribution, skip_gram_pairs


@pytest.mark.parametrize("window", [1, 2, 5])
@pytest.mark.parametrize("length", [0, 1, 2, 9])
def test_pairs_equal_the_double_loop(length, window):
    ids = torch.randperm(100)[:length]
    by_hand = [
        [ids[i].item(), ids[j].item()]
        for i in range(length)
        for j in range(length)
        if i != j and abs(i - j) <= window
    ]
    assert sorted(skip_gram_pairs(ids, window).tolist()) == sorted(by_hand)


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        skip_gram_pairs(torch.arange(3), 0)


def test_loss_by_hand():
    model = SkipGram(5, 3)
    torch.nn.init.normal_(model.context.weight)
    centers, contexts, negatives = torch.tensor([0, 1]), torch.tensor([2, 3]), torch.tensor([[4, 0], [1, 1]])
    total = 0.0
    for c, o, noise in zip(centers, contexts, negatives, strict=True):
        score = [
            float(model.center.weight[c].detach() @ model.context.weight[w].detach()) for w in (o, *noise)
        ]
        total += math.log1p(math.exp(-score[0])) + sum(math.log1p(math.exp(s)) for s in score[1:])
    assert model.loss(centers, contexts, negatives).item() == pytest.approx(total / 2, rel=1e-5)


def test_it_starts_at_probability_one_half():
    model = SkipGram(50, 8)
    loss = model.loss(torch.arange(10), torch.arange(10), torch.randint(50, (10, 5)))
    assert loss.item() == pytest.approx(6 * math.log(2), rel=1e-6)


def test_the_optimum_is_shifted_pointwise_mutual_information():
    """Levy & Goldberg (2014): with enough dimensions, scores become PMI(w, c) - log k."""
    generator = torch.Generator().manual_seed(0)
    joint = torch.rand(4, 4, generator=generator, dtype=torch.float64) + 0.1
    joint = (joint + joint.T) / (joint + joint.T).sum()
    unigram, k = joint.sum(0), 3
    torch.manual_seed(0)
    model = SkipGram(4, 4).double()
    words = torch.arange(4)
    optimizer = torch.optim.LBFGS(
        model.parameters(),
        max_iter=300,
        tolerance_grad=1e-10,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def expected_loss():
        optimizer.zero_grad()
        scores = model(words, words.expand(4, 4))
        positive = joint * torch.nn.functional.logsigmoid(scores)
        negative = k * unigram[:, None] * unigram * torch.nn.functional.logsigmoid(-scores)
        loss = -(positive + negative).sum()
        loss.backward()
        return loss

    optimizer.step(expected_loss)
    target = (joint / (unigram[:, None] * unigram)).log() - math.log(k)
    assert torch.allclose(model(words, words.expand(4, 4)), target, atol=1e-4)


def test_noise_and_subsampling():
    counts = torch.tensor([1000.0, 10.0, 0.0])
    noise = noise_distribution(counts)
    assert noise.sum().item() == pytest.approx(1)
    assert (noise[0] / noise[1]).item() == pytest.approx(100**0.75, rel=1e-5)
    assert noise[2] == 0
    keep = keep_probability(counts[:2], threshold=0.01)
    assert keep[0].item() == pytest.approx(math.sqrt(0.01 / (1000 / 1010)), rel=1e-5)
    assert keep[1] == 1


def test_nearest_leaves_the_word_itself_out():
    model = SkipGram(4, 2)
    with torch.no_grad():
        model.center.weight.copy_(torch.tensor([[1.0, 0], [2, 0.1], [0, 1], [-1, 0]]))
    ids, similarity = model.nearest(0, 3)
    assert ids.tolist() == [1, 2, 3]
    assert similarity[2].item() == pytest.approx(-1)
