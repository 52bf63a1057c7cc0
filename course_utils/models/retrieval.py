"""REALM and RAG: answer from a retrieved document that nobody marked as the right one.

- A dense retriever gives every document z a score for a question x, the inner product of two vectors, so that
  the best k are found by maximum inner product search.
- p(z|x) is the softmax of the scores over the k retrieved documents (Guu et al. 2020; Lewis et al. 2020).
- A reader says p(y|x, z) for the answer y; here a span of the document, as in REALM.
- The document is a latent variable: p(y|x) = sum over z of p(z|x) p(y|x, z) (Guu et al. 2020, eq. 1). Its
  gradient with respect to a document's score is p(z|x, y) - p(z|x): documents that explain the answer better
  than the others do are pulled toward the question, and nobody told the retriever which they are.

All sums over documents and spans are done in log space.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

INITIAL_SCALE = 20.0  # scores of unit vectors lie in [-1, 1], too close together for a softmax


class Tower(nn.Module):
    """Token states to one vector: a learned weighting of the tokens, then a linear map.

    Starts as the plain mean of the real tokens, and as the identity where `size` is `hidden`.
    """

    def __init__(self, hidden: int, size: int | None = None) -> None:
        super().__init__()
        size = size or hidden
        self.weight = nn.Parameter(torch.zeros(hidden))
        self.projection = nn.Linear(hidden, size, bias=False)
        if size == hidden:
            nn.init.eye_(self.projection.weight)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """states (..., length, hidden), mask (..., length), true for real tokens -> unit (..., size)."""
        weights = (states @ self.weight).masked_fill(~mask, -torch.inf).softmax(dim=-1)
        pooled = (weights[..., None, :] @ states).squeeze(-2)
        return F.normalize(self.projection(pooled), dim=-1)


class DenseRetriever(nn.Module):
    """Two towers and a scale; a score is the inner product of a question's and a document's vector.

    The scale is part of the question's vector, so that document vectors can be indexed once.
    """

    def __init__(self, hidden: int, size: int | None = None) -> None:
        super().__init__()
        self.query_tower, self.document_tower = Tower(hidden, size), Tower(hidden, size)
        self.log_scale = nn.Parameter(torch.tensor(INITIAL_SCALE).log())

    def queries(self, states: Tensor, mask: Tensor) -> Tensor:
        """(..., length, hidden), (..., length) -> (..., size)."""
        return self.log_scale.exp() * self.query_tower(states, mask)

    def documents(self, states: Tensor, mask: Tensor) -> Tensor:
        """(..., length, hidden), (..., length) -> (..., size)."""
        return self.document_tower(states, mask)


class Index:
    """Document vectors as they were at the last refresh. Search is exact; `age` counts searches since then.

    While the retriever learns, its index goes stale: the k documents are then found by old vectors. REALM
    rebuilds its index every few hundred steps, and scores the k documents found with fresh vectors.
    """

    def __init__(self, documents: Tensor) -> None:
        self.refresh(documents)

    def refresh(self, documents: Tensor) -> None:
        """Put in new vectors, (documents, size); a copy is kept, without gradient."""
        self.vectors = documents.detach().clone()
        self.age = 0

    def search(self, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
        """`exact_search` in the vectors of the last refresh."""
        self.age += 1
        return exact_search(queries.detach(), self.vectors, k)


def exact_search(queries: Tensor, documents: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k documents with the largest inner product: scores and rows, both (queries, k), best first.

    queries: (queries, size); documents: (documents, size). Raises ValueError unless 1 <= k <= documents.

    >>> exact_search(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.1, 9.0], [0.3, 0.0], [0.2, 5.0]]), k=2)[1]
    tensor([[1, 2]])
    """
    if not 1 <= k <= len(documents):
        raise ValueError(f"k must lie between 1 and the number of documents, {len(documents)}, got {k}")
    found = (queries @ documents.T).topk(k, dim=-1)
    return found.values, found.indices


def faiss_index(documents: Tensor) -> Any:
    """The library's exact index for inner products, of document vectors (documents, size)."""
    import faiss  # here, since it brings its own threads, which only large corpora are worth

    index = faiss.IndexFlatIP(documents.shape[1])
    index.add(np.ascontiguousarray(documents.detach().numpy(), dtype=np.float32))
    return index


def faiss_search(index: Any, queries: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """As `exact_search`, by any index of faiss."""
    scores, rows = index.search(np.ascontiguousarray(queries.detach().numpy(), dtype=np.float32), k)
    return torch.from_numpy(scores), torch.from_numpy(rows)


def document_log_probs(scores: Tensor) -> Tensor:
    """log p(z|x): scores (..., k) of the retrieved documents, normalized over these k."""
    return scores.log_softmax(dim=-1)


def log_sum_exp(values: Tensor, dim: int = -1) -> Tensor:
    """log of the sum of exponentials; where all are -inf, -inf with gradient zero (torch's would be nan).

    >>> log_sum_exp(torch.tensor([[0.0, 0.0], [-torch.inf, -torch.inf]])).tolist()
    [0.6931471824645996, -inf]
    """
    nothing = (values == -torch.inf).all(dim=dim, keepdim=True)
    total = values.masked_fill(nothing, 0.0).logsumexp(dim=dim)
    return total.masked_fill(nothing.squeeze(dim), -torch.inf)


def marginal_log_likelihood(scores: Tensor, answer_log_probs: Tensor) -> Tensor:
    """log p(y|x) = log sum_z p(z|x) p(y|x, z): REALM, and RAG-sequence.

    scores: (batch, k) of the retrieved documents. answer_log_probs: (batch, k), log p(y|x, z); -inf where the
    document cannot give the answer. Returns (batch,); -inf, with gradient zero, where none can.

    >>> scores = torch.tensor([[0.0, 0.0]])  # two documents, 1/2 each
    >>> marginal_log_likelihood(scores, torch.tensor([[0.8, 0.2]]).log()).exp()
    tensor([0.5000])
    """
    return log_sum_exp(document_log_probs(scores) + answer_log_probs)


def token_marginal_log_likelihood(scores: Tensor, token_log_probs: Tensor) -> Tensor:
    """log prod_t sum_z p(z|x) p(y_t|x, z, y_<t): RAG-token, where each token may have its own document.

    scores: (batch, k). token_log_probs: (batch, k, length), 0 for padding. Returns (batch,). With one token
    it is `marginal_log_likelihood` of it.
    """
    return log_sum_exp(document_log_probs(scores)[..., None] + token_log_probs, dim=1).sum(dim=-1)


def document_posterior(scores: Tensor, answer_log_probs: Tensor) -> Tensor:
    """p(z|x, y), (batch, k): who explains the answer, by Bayes' rule. Arguments as for the marginal.

    The gradient of log p(y|x) with respect to the scores is this minus p(z|x). Rows of zeros where no
    document can give the answer.
    """
    joint = document_log_probs(scores) + answer_log_probs
    return (joint - marginal_log_likelihood(scores, answer_log_probs)[..., None]).exp().nan_to_num(0.0)


def inverse_cloze_loss(queries: Tensor, documents: Tensor) -> Tensor:
    """Cross-entropy of finding the own document among those of the batch (Lee et al. 2019).

    queries, documents: (batch, size), row i of one belongs to row i of the other: a sentence, and the text it
    was taken out of. Warms a retriever up that would at first retrieve nothing of use. Returns a scalar.
    """
    return F.cross_entropy(queries @ documents.T, torch.arange(len(queries), device=queries.device))


class SpanReader(nn.Module):
    """p(y|x, z) over the spans of a document: one hidden layer on each token beside the question.

    longest: spans have 1 to `longest` tokens.
    """

    def __init__(self, hidden: int, size: int, longest: int = 8) -> None:
        super().__init__()
        self.longest = longest
        self.token, self.question = nn.Linear(hidden, size), nn.Linear(hidden, size, bias=False)
        self.bounds = nn.Linear(size, 2)

    def forward(self, question: Tensor, states: Tensor, mask: Tensor) -> Tensor:
        """question (batch, hidden), states (batch, k, length, hidden), mask (batch, k, length), true where an
        answer may stand -> log p of the span that starts at a token and has w + 1 tokens, at [..., token, w]:
        (batch, k, length, longest); -inf for spans that run out of the mask.
        """
        inner = F.gelu(self.token(states) + self.question(question)[:, None, None])
        start, end = self.bounds(inner).unbind(dim=-1)
        return span_log_probs(start, end, mask, self.longest)


def span_log_probs(start: Tensor, end: Tensor, mask: Tensor, longest: int) -> Tensor:
    """log softmax over all spans of start logit + end logit.

    start, end, mask: (..., length). Returns (..., length, longest), the last axis counting tokens from 1.
    """
    length = start.shape[-1]
    ends = torch.arange(length, device=start.device)[:, None] + torch.arange(longest, device=start.device)
    inside = ends < length
    ends = ends.clamp(max=length - 1)
    # All tokens up to the end must be in the mask: a running product, 0 from the first one that is not.
    allowed = (mask[..., ends] & inside).cumprod(dim=-1).bool()
    scores = (start[..., None] + end[..., ends]).masked_fill(~allowed, -torch.inf)
    return scores.flatten(-2).log_softmax(dim=-1).view_as(scores)


def answer_log_probs(spans: Tensor, is_answer: Tensor) -> Tensor:
    """log p(y|x, z): the sum over all spans that read as the answer; -inf where there is none.

    spans: (..., length, longest) log probabilities. is_answer: the same shape, boolean. Returns (...).
    """
    return log_sum_exp(spans.masked_fill(~is_answer, -torch.inf).flatten(-2))
