"""The models of the contest: one encoder for all entrants, and what each objective adds to it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from course_utils.models.config import EncoderConfig, Seq2SeqConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import MaskedLM, ReplacedTokenHead
from course_utils.models.seq2seq import Seq2Seq

Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True)
class Sizes:
    """The encoder that every entrant shares, and the parts that only some need."""

    vocab_size: int
    max_positions: int  # of the longest framed text, inserted masks included
    hidden_size: int = 64
    num_layers: int = 2
    num_heads: int = 2
    intermediate_size: int = 256
    num_decoder_layers: int = 1  # of the entrants that write; its cost counts
    generator_size: int = 32  # ELECTRA's generator: half the width, within the paper's 1/4 to 1/2
    initializer_range: float = 0.1  # near 64 ** -0.5; BERT's 0.02 is for 768 and learns slowly at this width

    def encoder(self) -> EncoderConfig:
        """No dropout: texts are drawn without end, so nothing can be learnt by heart."""
        return EncoderConfig(
            vocab_size=self.vocab_size,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            intermediate_size=self.intermediate_size,
            max_positions=self.max_positions,
            type_vocab_size=0,
            pooler=False,
            norm_eps=1e-5,
            initializer_range=self.initializer_range,
            dropout=0.0,
            attention_dropout=0.0,
        )

    def generator(self) -> EncoderConfig:
        """A narrower encoder that reads the discriminator's token embeddings through a projection."""
        return EncoderConfig(
            vocab_size=self.vocab_size,
            embedding_size=self.hidden_size,
            hidden_size=self.generator_size,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            intermediate_size=4 * self.generator_size,
            max_positions=self.max_positions,
            type_vocab_size=0,
            pooler=False,
            norm_eps=1e-5,
            initializer_range=self.initializer_range,
            dropout=0.0,
            attention_dropout=0.0,
        )

    def seq2seq(self) -> Seq2SeqConfig:
        """The same encoder with a decoder."""
        return Seq2SeqConfig(
            vocab_size=self.vocab_size,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            num_decoder_layers=self.num_decoder_layers,
            num_heads=self.num_heads,
            intermediate_size=self.intermediate_size,
            max_positions=self.max_positions,
            position_offset=0,
            pad_token_id=0,
            norm_eps=1e-5,
            initializer_range=self.initializer_range,
            dropout=0.0,
            attention_dropout=0.0,
        )


class Electra(nn.Module):
    """A discriminator on the shared encoder, and the generator that tries to fool nobody in particular.

    Both read one table of token embeddings (Clark et al. 2020, section 3.2).
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.encoder = Encoder(sizes.encoder())
        self.head = ReplacedTokenHead(sizes.encoder())
        self.generator = MaskedLM(Encoder(sizes.generator()))
        self.generator.encoder.embeddings.token = self.encoder.embeddings.token

    def generate(self, input_ids: Tensor, positions: Tensor) -> Tensor:
        """The generator's logits at `positions`, (n, vocab)."""
        return self.generator(input_ids, positions=positions)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Logits of "replaced", (batch, length)."""
        return self.head(self.encoder(input_ids))


def encoder_of(model: nn.Module, sizes: Sizes) -> Encoder:
    """A copy of the shared encoder as this model trained it; its size is the same for every model."""
    encoder = Encoder(sizes.encoder())
    if isinstance(model, Seq2Seq):
        state = {"embeddings.token.weight": model.token.weight, **model.encoder.state_dict()}
    elif isinstance(model, MaskedLM | Electra):
        state = model.encoder.state_dict()
    else:
        raise TypeError(f"no shared encoder in {type(model).__name__}")
    encoder.load_state_dict(state)
    return encoder


def seeded(seed: int, build: Callable[[], Model]) -> Model:
    """Build a model with the weights that `seed` draws, and leave the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()
