"""ELMo (Peters et al. 2018): an LSTM language model in each direction, and a learnt mix of their layers.

The two directions never meet below the loss: a state of the forward model depends on its own token and
the past, a state of the backward model on its own token and the future. That is what keeps the target hidden
(a bidirectional LSTM stacked twice would show every layer above the first the token it has to predict).
Leaves out: the character convolution that makes ELMo's token embeddings; ours is a table.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


@dataclass(frozen=True)
class BiLMConfig:
    """Defaults are ELMo's sizes cut to a tenth, to train on a laptop."""

    vocab_size: int = 30522
    size: int = 128  # of the token embedding and of each direction's states
    num_layers: int = 2  # the paper's: syntax is best read from the first, meaning from the second
    dropout: float = 0.1
    pad_token_id: int = 0


@dataclass
class BiLMOutput:
    """The states of both directions at each layer; layer 0 is the token embedding, the same in both."""

    forwards: tuple[Tensor, ...]  # each (batch, length, size)
    backwards: tuple[Tensor, ...]

    @property
    def layers(self) -> tuple[Tensor, ...]:
        """Both directions side by side, as ELMo hands them on: each (batch, length, 2 * size)."""
        return tuple(torch.cat(pair, dim=-1) for pair in zip(self.forwards, self.backwards, strict=True))


def reverse(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse the real part of each row; padding stays where it is.

    x: (batch, length, ...), lengths: (batch,). Returns the shape of x.

    >>> reverse(torch.tensor([[1, 2, 3, 0]]), torch.tensor([3]))
    tensor([[3, 2, 1, 0]])
    """
    place = torch.arange(x.shape[1], device=x.device)[None]
    mirrored = lengths[:, None] - 1 - place
    index = torch.where(mirrored >= 0, mirrored, place)
    return x[torch.arange(x.shape[0], device=x.device)[:, None], index]


class DirectedLM(nn.Module):
    """Stacked LSTM layers in reading order, with a residual connection around each layer above the first."""

    def __init__(self, config: BiLMConfig) -> None:
        super().__init__()
        layers = range(config.num_layers)
        self.layers = nn.ModuleList(nn.LSTM(config.size, config.size, batch_first=True) for _ in layers)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(batch, length, size) -> the states of each layer, the input first."""
        states = [x]
        for number, layer in enumerate(self.layers):
            out, _ = layer(self.dropout(states[-1]))
            states.append(out + states[-1] if number else out)
        return tuple(states)


class BiLM(nn.Module):
    """A bidirectional language model; both directions share the embedding and the output layer."""

    def __init__(self, config: BiLMConfig) -> None:
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.vocab_size, config.size, padding_idx=config.pad_token_id)
        self.forward_lm, self.backward_lm = DirectedLM(config), DirectedLM(config)
        self.output = nn.Linear(config.size, config.vocab_size)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> BiLMOutput:
        """input_ids, attention_mask: (batch, length), padded on the right (else ValueError)."""
        mask = attention_mask.bool()
        if (mask[:, 1:] & ~mask[:, :-1]).any():
            raise ValueError("pad on the right: the backward model starts at the last real token")
        x, lengths = self.token(input_ids), mask.sum(dim=1)
        backwards = self.backward_lm(reverse(x, lengths))
        return BiLMOutput(self.forward_lm(x), tuple(reverse(state, lengths) for state in backwards))

    def logits(self, output: BiLMOutput) -> tuple[Tensor, Tensor]:
        """What each direction says about the *inner* neighbors, each (batch, length - 1, vocab).

        Row t of the first predicts token t + 1 from tokens 0 to t; row t of the second predicts token t from
        tokens t + 1 on.
        """
        return self.output(output.forwards[-1][:, :-1]), self.output(output.backwards[-1][:, 1:])

    def loss(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The mean of both directions' cross-entropies over real pairs of neighbors; a scalar, in nats."""
        forwards, backwards = self.logits(self(input_ids, attention_mask))
        both_real = attention_mask.bool()[
            :, 1:
        ]  # padding is on the right: then the left neighbor is real too
        ahead = F.cross_entropy(forwards[both_real], input_ids[:, 1:][both_real])
        behind = F.cross_entropy(backwards[both_real], input_ids[:, :-1][both_real])
        return (ahead + behind) / 2


class ScalarMix(nn.Module):
    """gamma * sum of softmax(s)_j h_j over the layers (Peters et al. 2018, eq. 1): what a task learns.

    >>> ScalarMix(2)([torch.zeros(1), torch.ones(1)])
    tensor([0.5000], grad_fn=<MulBackward0>)
    """

    def __init__(self, num_layers: int) -> None:
        """num_layers counts the embedding layer too. All layers start with the same weight."""
        super().__init__()
        self.scores = nn.Parameter(torch.zeros(num_layers))
        self.gamma = nn.Parameter(torch.ones(()))

    def forward(self, layers: tuple[Tensor, ...] | list[Tensor]) -> Tensor:
        """A list of equal shapes -> that shape. Raises ValueError on a wrong number of layers."""
        if len(layers) != len(self.scores):
            raise ValueError(f"this mix was made for {len(self.scores)} layers, got {len(layers)}")
        weights = self.scores.softmax(dim=0)
        return self.gamma * sum(weight * layer for weight, layer in zip(weights, layers, strict=True))
