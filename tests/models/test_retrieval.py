"""Retrieval with a latent document: the marginal is a sum, its gradient finds documents, search sorts."""

import pytest
import torch

from course_utils.models.retrieval import (
    DenseRetriever,
    Index,
    SpanReader,
    Tower,
    answer_log_probs,
    document_log_probs,
    document_posterior,
    exact_search,
    faiss_index,
    faiss_search,
    inverse_cloze_loss,
    log_sum_exp,
    marginal_log_likelihood,
    span_log_probs,
    token_marginal_log_likelihood,
)

INF = torch.inf


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def brute_force(scores, answers):
    """The sum over documents, one at a time, in plain probabilities."""
    found = []
    for row, answer in zip(scores, answers, strict=True):
        weights = [s.exp() for s in row]
        found.append(sum(w / sum(weights) * a.exp() for w, a in zip(weights, answer, strict=True)))
    return torch.stack(found)


def test_the_marginal_is_the_sum_over_documents():
    scores, answers = drawn(7, 5), drawn(7, 5, seed=1).abs().neg()
    torch.testing.assert_close(
        marginal_log_likelihood(scores, answers).exp(), brute_force(scores, answers), rtol=1e-12, atol=0
    )


def test_it_is_no_mean_of_logs_no_maximum_and_no_sum_without_a_prior():
    scores, answers = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.8, 0.2]]).log()
    found = marginal_log_likelihood(scores, answers).exp().item()
    assert found == pytest.approx(0.5)
    wrong = (answers.mean().exp(), answers.max().exp() / 2, answers.exp().sum())
    assert all(abs(found - other.item()) > 0.05 for other in wrong)


def test_only_the_retrieved_documents_share_the_probability():
    scores = drawn(3, 4)
    torch.testing.assert_close(document_log_probs(scores).exp().sum(-1), torch.ones(3).double())
    # A shift of all scores says nothing about the documents.
    torch.testing.assert_close(document_log_probs(scores + 7), document_log_probs(scores))


@pytest.mark.parametrize("size", [1.0, 1e3, 1e6])
def test_extreme_scores_give_numbers(size):
    scores = (size * drawn(4, 6)).float().requires_grad_()
    answers = (size * drawn(4, 6, seed=1).abs().neg()).float().requires_grad_()
    found = marginal_log_likelihood(scores, answers)
    found.sum().backward()
    assert found.isfinite().all()
    assert scores.grad.isfinite().all()
    assert answers.grad.isfinite().all()
    exact = marginal_log_likelihood(scores.detach().double(), answers.detach().double())
    torch.testing.assert_close(found.detach().double(), exact, rtol=1e-5, atol=1e-5)


def test_no_document_with_the_answer_is_minus_infinity_with_gradient_zero():
    scores = drawn(2, 3).requires_grad_()
    answers = torch.tensor([[-INF] * 3, [-INF, -1.0, -2.0]]).double()
    found = marginal_log_likelihood(scores, answers)
    assert found[0] == -INF
    assert found[1].isfinite()
    found[found > -INF].sum().backward()
    assert (scores.grad[0] == 0).all()
    assert (scores.grad[1] != 0).all()
    assert (document_posterior(scores.detach(), answers)[0] == 0).all()


def test_the_gradient_is_posterior_minus_prior():
    scores, answers = drawn(6, 4).requires_grad_(), drawn(6, 4, seed=1).abs().neg()
    marginal_log_likelihood(scores, answers).sum().backward()
    expected = document_posterior(scores, answers) - document_log_probs(scores).exp()
    torch.testing.assert_close(scores.grad, expected.detach(), rtol=1e-10, atol=1e-12)


def test_the_document_that_explains_the_answer_is_pulled_up():
    scores = torch.zeros(1, 3, requires_grad=True)
    marginal_log_likelihood(scores, torch.tensor([[0.9, 0.1, 0.1]]).log()).sum().backward()
    assert scores.grad[0, 0] > 0
    assert (scores.grad[0, 1:] < 0).all()
    assert scores.grad.sum().abs() < 1e-6


def towers(seed=0):
    torch.manual_seed(seed)
    model = DenseRetriever(6)
    with torch.no_grad():
        model.log_scale.zero_()  # so that no document has all the probability
        for tower in (model.query_tower, model.document_tower):
            tower.projection.weight += 0.3 * torch.randn(6, 6)
    return model


def training_signal(model, detach=False):
    """The likelihood of answers that only document 2 gives, with its gradients."""
    questions, documents = drawn(1, 4, 6, dtype=torch.float32), drawn(3, 5, 6, seed=1, dtype=torch.float32)
    q = model.queries(questions, torch.ones(1, 4, dtype=torch.bool))
    d = model.documents(documents, torch.ones(3, 5, dtype=torch.bool))
    scores = (q @ d.T).detach() if detach else q @ d.T
    answers = torch.tensor([[-9.0, -9.0, -0.1]], requires_grad=True)
    likelihood = marginal_log_likelihood(scores, answers).sum()
    likelihood.backward()
    return likelihood.item(), document_log_probs(scores)[0, 2].item()


def test_gradients_reach_both_towers_and_a_step_finds_the_document():
    model = towers()
    before = training_signal(model)
    for tower in (model.query_tower, model.document_tower):
        assert tower.projection.weight.grad.norm() > 1e-4
        assert tower.weight.grad.norm() > 1e-6
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 1e-3 * parameter.grad
    after = training_signal(model)
    assert after[0] > before[0]
    assert after[1] > before[1]


def test_a_detached_retriever_learns_nothing():
    model = towers()
    training_signal(model, detach=True)
    assert all(p.grad is None for p in model.parameters())


def test_a_tower_starts_as_the_mean_of_real_tokens():
    states, mask = drawn(2, 3, 4, dtype=torch.float32), torch.tensor([[True] * 3, [True, False, False]])
    found = Tower(4)(states, mask)
    expected = torch.stack([states[0].mean(0), states[1, 0]])
    torch.testing.assert_close(found, expected / expected.norm(dim=-1, keepdim=True))
    changed = states.clone()
    changed[1, 1:] = 99
    torch.testing.assert_close(Tower(4)(changed, mask), found)
    assert Tower(4, 2)(states, mask).shape == (2, 2)


def test_search_is_sorting():
    queries, documents = drawn(5, 8), drawn(40, 8, seed=1)
    values, rows = exact_search(queries, documents, 40)
    for row, query in enumerate(queries):
        inner = [(float(query @ d), i) for i, d in enumerate(documents)]
        assert rows[row].tolist() == [i for _, i in sorted(inner, reverse=True)]
        assert values[row].tolist() == pytest.approx(sorted((v for v, _ in inner), reverse=True))


@pytest.mark.parametrize("k", [0, 41])
def test_search_refuses_a_k_that_cannot_be(k):
    with pytest.raises(ValueError, match=f"between 1 and the number of documents, 40, got {k}"):
        exact_search(drawn(1, 8), drawn(40, 8), k)


def test_faiss_finds_the_same():
    queries, documents = drawn(20, 16, dtype=torch.float32), drawn(500, 16, seed=1, dtype=torch.float32)
    values, rows = exact_search(queries, documents, 10)
    theirs = faiss_search(faiss_index(documents), queries, 10)
    assert torch.equal(rows, theirs[1])
    torch.testing.assert_close(values, theirs[0])


def test_all_documents_give_the_exact_marginal_and_fewer_come_near():
    queries, documents, answers = drawn(6, 8), drawn(30, 8, seed=1), drawn(6, 30, seed=2).abs().neg()
    full = marginal_log_likelihood(queries @ documents.T, answers)
    for k in (30, 12):
        scores, rows = exact_search(queries, documents, k)
        found = marginal_log_likelihood(scores, answers.gather(1, rows))
        error = (found - full).abs().max().item()
        assert error < 1e-12 if k == 30 else 1e-6 < error < 1


def test_an_index_is_as_old_as_its_refresh():
    vectors = drawn(10, 4)
    index = Index(vectors)
    first = index.search(vectors[:1], 3)[1]
    kept = index.vectors.clone()
    vectors *= -1  # the retriever learns on; the index keeps what it has
    assert torch.equal(index.vectors, kept)
    assert torch.equal(index.search(-vectors[:1], 3)[1], first)
    assert index.age == 2
    index.refresh(vectors)
    assert index.age == 0
    assert not torch.equal(index.search(-vectors[:1], 3)[1], first)
    assert not index.vectors.requires_grad


def test_rag_token_with_one_token_is_rag_sequence():
    scores, tokens = drawn(3, 4), drawn(3, 4, 1, seed=1).abs().neg()
    torch.testing.assert_close(
        token_marginal_log_likelihood(scores, tokens), marginal_log_likelihood(scores, tokens[..., 0])
    )


def test_rag_token_sums_for_each_token():
    scores = torch.tensor([[0.0, 0.0]])
    tokens = torch.tensor([[[0.9, 0.1, 1.0], [0.1, 0.9, 1.0]]]).log()  # the third is padding
    assert token_marginal_log_likelihood(scores, tokens).exp().item() == pytest.approx(0.25)
    assert marginal_log_likelihood(scores, tokens.sum(-1)).exp().item() == pytest.approx(0.09)


def test_inverse_cloze_wants_its_own_document():
    vectors = torch.eye(4)
    assert inverse_cloze_loss(9 * vectors, vectors) < 0.01
    assert inverse_cloze_loss(9 * vectors, vectors.roll(1, 0)) > 8
    assert inverse_cloze_loss(0 * vectors, vectors).item() == pytest.approx(torch.tensor(4.0).log().item())


def test_log_sum_exp_is_torchs_where_that_is_finite():
    values = drawn(3, 5)
    torch.testing.assert_close(log_sum_exp(values), values.logsumexp(-1))
    torch.testing.assert_close(log_sum_exp(values, dim=0), values.logsumexp(0))


def test_span_probabilities_are_those_of_a_loop():
    start, end = drawn(2, 5), drawn(2, 5, seed=1)
    mask = torch.tensor([[False, True, True, True, False], [False, True, False, True, True]])
    found = span_log_probs(start, end, mask, longest=2)
    for row in range(2):
        spans = {
            (s, w): (start[row, s] + end[row, s + w]).exp()
            for s in range(5)
            for w in range(2)
            if s + w < 5 and mask[row, s : s + w + 1].all()
        }
        total = sum(spans.values())
        for s in range(5):
            for w in range(2):
                expected = spans.get((s, w), torch.zeros(()).double()) / total
                torch.testing.assert_close(found[row, s, w].exp(), expected)


def test_an_answer_may_stand_in_several_places():
    spans = torch.tensor([[[0.1, 0.2], [0.3, 0.4]]]).log()
    both = torch.tensor([[[True, False], [False, True]]])
    assert answer_log_probs(spans, both).exp().item() == pytest.approx(0.5)
    assert answer_log_probs(spans, ~both & both).item() == -INF


def test_the_reader_gives_a_distribution_over_spans_that_depends_on_the_question():
    torch.manual_seed(0)
    reader = SpanReader(hidden=6, size=5, longest=3)
    states, mask = torch.randn(2, 4, 7, 6), torch.ones(2, 4, 7, dtype=torch.bool)
    mask[..., 0] = mask[..., -1] = False
    found = reader(torch.randn(2, 6), states, mask)
    assert found.shape == (2, 4, 7, 3)
    torch.testing.assert_close(found.exp().sum((-1, -2)), torch.ones(2, 4))
    other = reader(torch.randn(2, 6), states, mask)
    assert (found - other)[found > -INF].abs().max() > 1e-3


def test_the_whole_model_has_finite_gradients_where_documents_lack_the_answer():
    torch.manual_seed(0)
    reader, scores = SpanReader(4, 3, longest=2), torch.zeros(1, 2, requires_grad=True)
    spans = reader(torch.randn(1, 4), torch.randn(1, 2, 5, 4), torch.ones(1, 2, 5, dtype=torch.bool))
    is_answer = torch.zeros(1, 2, 5, 2, dtype=torch.bool)
    is_answer[0, 1, 3, 0] = True
    likelihood = marginal_log_likelihood(scores, answer_log_probs(spans, is_answer))
    likelihood.sum().backward()
    assert scores.grad[0, 1] > 0 > scores.grad[0, 0]
    assert all(p.grad.isfinite().all() for p in reader.parameters())
    assert reader.bounds.weight.grad.norm() > 0
