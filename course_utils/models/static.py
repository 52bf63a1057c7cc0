"""Skip-gram with negative sampling (Mikolov et al. 2013): one vector for each word, whatever its context.

Leaves out: hierarchical softmax, and phrases.
"""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


def skip_gram_pairs(ids: Tensor, window: int) -> Tensor:
    """All (center, context) pairs at most `window` tokens apart. ids: (length,). Returns (pairs, 2).

    Raises ValueError if window < 1.

    >>> skip_gram_pairs(torch.tensor([7, 8, 9]), window=1).tolist()
    [[7, 8], [8, 9], [8, 7], [9, 8]]
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, got {window}")
    reach = range(1, min(window, len(ids) - 1) + 1)
    ahead = [torch.stack([ids[:-step], ids[step:]], dim=1) for step in reach]
    forward = torch.cat(ahead) if ahead else ids.new_empty(0, 2)
    return torch.cat([forward, forward.flip(1)])


def noise_distribution(counts: Tensor, power: float = 0.75) -> Tensor:
    """Where negatives are drawn from: counts ** power, normalized. (vocab,) -> (vocab,).

    The paper's 0.75 was chosen by trial: between the unigram distribution (1) and the uniform (0).

    >>> noise_distribution(torch.tensor([16.0, 1.0]))
    tensor([0.8889, 0.1111])
    """
    weights = counts.float() ** power
    return weights / weights.sum()


def keep_probability(counts: Tensor, threshold: float = 1e-5) -> Tensor:
    """Chance that one occurrence of a word survives subsampling: sqrt(threshold / frequency), at most 1.

    >>> keep_probability(torch.tensor([96.0, 4.0]), threshold=0.24)
    tensor([0.5000, 1.0000])
    """
    return (threshold * counts.sum() / counts.float()).sqrt().clamp(max=1.0)


class SkipGram(nn.Module):
    """Two vectors for each word: one as center, which is kept, and one as context."""

    def __init__(self, vocab_size: int, size: int) -> None:
        super().__init__()
        self.center = nn.Embedding(vocab_size, size)
        self.context = nn.Embedding(vocab_size, size)
        # word2vec's start: small centers and zero contexts, so that every pair begins at probability 1/2.
        nn.init.uniform_(self.center.weight, -0.5 / size, 0.5 / size)
        nn.init.zeros_(self.context.weight)

    def forward(self, centers: Tensor, contexts: Tensor) -> Tensor:
        """Scores: centers (n,) with contexts (n,) -> (n,), or with contexts (n, k) -> (n, k)."""
        center, context = self.center(centers), self.context(contexts)
        if contexts.dim() == 1:
            return (center * context).sum(dim=-1)
        return (context @ center[..., None]).squeeze(-1)

    def loss(self, centers: Tensor, contexts: Tensor, negatives: Tensor) -> Tensor:
        """Mean over pairs of -log s(true) - sum over negatives of log s(-negative), s the logistic function.

        centers, contexts: (n,); negatives: (n, k), drawn from `noise_distribution`. Returns a scalar.
        """
        true = F.logsigmoid(self(centers, contexts))
        noise = F.logsigmoid(-self(centers, negatives)).sum(dim=-1)
        return -(true + noise).mean()

    def nearest(self, word: int, k: int) -> tuple[Tensor, Tensor]:
        """The k words with the highest cosine similarity to `word`, itself left out: ids and similarities."""
        vectors = F.normalize(self.center.weight.detach(), dim=-1)
        similarity = vectors @ vectors[word]
        similarity[word] = -torch.inf
        top = similarity.topk(k)
        return top.indices, top.values
