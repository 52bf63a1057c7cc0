"""A head on the [CLS] state from which the mean over sentences is subtracted (after Zhou et al. 2019).

The [CLS] states of a pretrained encoder point nearly all the same way: their mean is much longer than what
sets sentences apart. Zhou et al. normalize them before the classifier; this is the simplest of their ways,
the mean alone. In training it is the mean of the batch, as in batch normalization; in evaluation a running
one.
"""

import torch
from torch import Tensor, nn

from course_utils.models.encoder import Encoder, EncoderOutput
from course_utils.models.heads import EncoderWithHead
from course_utils.models.stack import init_weights


class Centering(nn.Module):
    """Subtracts the mean over sentences: of the batch in training, the running one in evaluation.

    >>> centering = Centering(2, momentum=1.0)
    >>> centering(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    tensor([[-1.,  0.],
            [ 1.,  0.]])
    >>> centering.eval()(torch.tensor([[1.0, 5.0]]))  # alone, it still is what it was in the batch
    tensor([[-1.,  0.]])
    """

    mean: Tensor
    seen: Tensor

    def __init__(self, size: int, momentum: float = 0.1) -> None:
        """momentum: weight of the newest batch in the running mean, in (0, 1]; 0.1 is batch norm's."""
        super().__init__()
        if not 0 < momentum <= 1:
            raise ValueError(f"momentum must lie in (0, 1], got {momentum}")
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, size) -> (batch, size)."""
        if not self.training:
            return x - self.mean
        mean = x.mean(dim=0)
        with torch.no_grad():
            self.seen += 1
            # The first batches share the weight evenly: a mean that started at zero would lag for long.
            weight = max(self.momentum, 1 / int(self.seen))
            self.mean += weight * (mean - self.mean)
        return x - mean


class ClsHead(nn.Module):
    """A linear classifier on the last state of [CLS], centered or not; no pooler in between."""

    def __init__(self, size: int, num_labels: int, *, centered: bool, dropout: float = 0.1) -> None:
        super().__init__()
        self.centering = Centering(size) if centered else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(size, num_labels)

    def forward(self, output: EncoderOutput) -> Tensor:
        """Returns logits, (batch, labels)."""
        return self.classifier(self.dropout(self.centering(output.last_hidden_state[:, 0])))


def new_cls_classifier(encoder: Encoder, num_labels: int, seed: int, *, centered: bool) -> EncoderWithHead:
    """The encoder with a fresh [CLS] head; both kinds start from the same weights at the same seed."""
    head = ClsHead(encoder.config.hidden_size, num_labels, centered=centered)
    init_weights(head, encoder.config, torch.Generator().manual_seed(seed))
    return EncoderWithHead(encoder, head)


def mean_share(states: Tensor) -> float:
    """Which share of the states' mean square is their common mean: 0 if they are centered, 1 if all equal.

    states: (sentences, hidden).

    >>> mean_share(torch.tensor([[3.0, 1.0], [3.0, -1.0]]))
    0.9
    """
    total = states.square().sum(dim=-1).mean()
    return round(float(states.mean(dim=0).square().sum() / total), 6)
