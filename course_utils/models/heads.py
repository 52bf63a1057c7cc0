"""What sits on an encoder: one small module for each pretraining objective and each task.

Every head maps an `EncoderOutput` to logits; losses belong to the objectives. Heads that predict tokens
also take the token embedding matrix, which they share with the encoder instead of owning a second one.
"""

from typing import Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder, EncoderOutput
from course_utils.models.layers import ACTIVATIONS, make_norm
from course_utils.models.stack import init_weights


class MaskedLMHead(nn.Module):
    """BERT's masked-language-model head: dense, activation, norm, tied output with its own bias."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        size = config.embedding_size or config.hidden_size
        self.dense = nn.Linear(config.hidden_size, size)
        self.activation = ACTIVATIONS[config.activation]
        self.norm = make_norm(config, size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        init_weights(self, config)

    def forward(self, hidden_states: Tensor, token_embeddings: Tensor) -> Tensor:
        """(..., hidden) and (vocab, embedding) -> logits (..., vocab)."""
        return F.linear(self.norm(self.activation(self.dense(hidden_states))), token_embeddings, self.bias)


class MaskedLM(nn.Module):
    """An encoder that fills in masked tokens."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.config = encoder.config
        self.encoder, self.head = encoder, MaskedLMHead(encoder.config)

    def forward(self, *args: Any, positions: Tensor | None = None, **kwargs: Any) -> Tensor:
        """Takes the encoder's arguments. positions: (batch, length), boolean: where to predict.

        Returns logits, (batch, length, vocab), or (positions.sum(), vocab) in reading order: the output
        layer is the most expensive part of a small encoder, and 85% of its rows carry no loss.
        """
        hidden_states = self.encoder(*args, **kwargs).last_hidden_state
        if positions is not None:
            hidden_states = hidden_states[positions]
        return self.head(hidden_states, self.encoder.embeddings.token.weight)


class NextSentenceHead(nn.Module):
    """Does B follow A? Two logits from the pooled state; also sentence order (ALBERT)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        if not config.pooler:
            raise ValueError("the next-sentence head reads the pooler: set pooler=True in the config")
        self.classifier = nn.Linear(config.hidden_size, 2)
        init_weights(self, config)

    def forward(self, output: EncoderOutput) -> Tensor:
        """Returns logits, (batch, 2); class 0 is "B follows A", as in BERT's checkpoints."""
        return self.classifier(output.pooled)


class ReplacedTokenHead(nn.Module):
    """ELECTRA's discriminator: was this token replaced?"""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.activation = ACTIVATIONS[config.activation]
        self.classifier = nn.Linear(config.hidden_size, 1)
        init_weights(self, config)

    def forward(self, output: EncoderOutput) -> Tensor:
        """Returns one logit a token, (batch, length): above 0 says "replaced"."""
        return self.classifier(self.activation(self.dense(output.last_hidden_state))).squeeze(-1)


class SpanBoundaryHead(nn.Module):
    """SpanBERT's boundary objective: predict a masked token from the two tokens around its span.

    Reads the states just outside the span and an embedding of the place inside it (Joshi et al. 2020, eq. 1).
    """

    def __init__(self, config: EncoderConfig, max_span: int = 10, position_size: int = 200) -> None:
        """max_span: 10 is the paper's longest span; position_size: 200 is the paper's."""
        super().__init__()
        size = config.embedding_size or config.hidden_size
        self.position = nn.Embedding(max_span, position_size)
        self.first = nn.Linear(2 * config.hidden_size + position_size, config.hidden_size)
        self.second = nn.Linear(config.hidden_size, size)
        self.first_norm, self.second_norm = make_norm(config), make_norm(config, size)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))
        init_weights(self, config)

    def forward(
        self, output: EncoderOutput, rows: Tensor, left: Tensor, right: Tensor, offset: Tensor, table: Tensor
    ) -> Tensor:
        """Predict n tokens. rows, left, right, offset: (n,), integers.

        Token i is in sequence rows[i]; left[i] and right[i] are the positions just outside its span;
        offset[i] counts from 0 at the span's first token. table: the token embeddings, (vocab, embedding).
        Returns logits, (n, vocab).
        """
        states = output.last_hidden_state
        x = torch.cat([states[rows, left], states[rows, right], self.position(offset)], dim=-1)
        x = self.first_norm(F.gelu(self.first(x)))
        x = self.second_norm(F.gelu(self.second(x)))
        return F.linear(x, table, self.bias)


def mean_pool(output: EncoderOutput) -> Tensor:
    """The mean of the real tokens' last states: (batch, hidden); zero for a row of padding only."""
    real = output.attention_mask[..., None].to(output.last_hidden_state.dtype)
    return (output.last_hidden_state * real).sum(dim=1) / real.sum(dim=1).clamp(min=1)


class SequenceHead(nn.Module):
    """One label for the whole input: a sentence, or a pair in one input with two segments.

    pooling "cls" reads the pooler (the raw [CLS] state without one); "mean" the mean of real tokens,
    the better start for an encoder whose pooler was never trained.
    """

    def __init__(
        self,
        config: EncoderConfig,
        num_labels: int,
        pooling: Literal["cls", "mean"] = "cls",
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if pooling not in ("cls", "mean"):
            raise ValueError(f"pooling must be 'cls' or 'mean', got {pooling!r}")
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(config.hidden_size, num_labels)
        init_weights(self, config)

    def forward(self, output: EncoderOutput) -> Tensor:
        """Returns logits, (batch, labels)."""
        if self.pooling == "mean":
            pooled = mean_pool(output)
        else:
            pooled = output.last_hidden_state[:, 0] if output.pooled is None else output.pooled
        return self.classifier(self.dropout(pooled))


class PairHead(nn.Module):
    """A label for two sentences encoded apart: linear in (u, v, |u - v|), as in Sentence-BERT."""

    def __init__(self, config: EncoderConfig, num_labels: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(3 * config.hidden_size, num_labels)
        init_weights(self, config)

    def forward(self, first: EncoderOutput, second: EncoderOutput) -> Tensor:
        """Returns logits, (batch, labels)."""
        u, v = mean_pool(first), mean_pool(second)
        return self.classifier(torch.cat([u, v, (u - v).abs()], dim=-1))


class TokenHead(nn.Module):
    """One label for each token (tagging)."""

    def __init__(self, config: EncoderConfig, num_labels: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(config.hidden_size, num_labels)
        init_weights(self, config)

    def forward(self, output: EncoderOutput) -> Tensor:
        """Returns logits, (batch, length, labels)."""
        return self.classifier(self.dropout(output.last_hidden_state))


class SpanAnswerHead(nn.Module):
    """Where the answer starts and where it ends (SQuAD)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.classifier = nn.Linear(config.hidden_size, 2)
        init_weights(self, config)

    def forward(self, output: EncoderOutput) -> Tensor:
        """Returns logits, (batch, 2, length): starts, then ends; -inf on padding."""
        logits = self.classifier(output.last_hidden_state).transpose(1, 2)
        return logits.masked_fill(~output.attention_mask[:, None], -torch.inf)


class EncoderWithHead(nn.Module):
    """An encoder and a head that reads nothing but the encoder's output."""

    def __init__(self, encoder: Encoder, head: nn.Module) -> None:
        super().__init__()
        self.config = encoder.config
        self.encoder, self.head = encoder, head

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """Takes the encoder's arguments, returns the head's logits."""
        return self.head(self.encoder(*args, **kwargs))
