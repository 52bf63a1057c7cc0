"""An encoder that reads and a decoder that writes: BART (Lewis et al. 2020), and T5 (Raffel et al. 2020).

BART is the default: learnt positions, post-norm. T5 is an option of the same class: a learnt bias for
each bucket of distances in place of positions, pre-norm with RMSNorm, no biases, no scaled scores.
Leaves out: T5's extra dropout after the last norm, and untied output layers.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.models import masks
from course_utils.models.config import Seq2SeqConfig
from course_utils.models.generation import generate
from course_utils.models.layers import Embeddings, token_table
from course_utils.models.stack import Caches, Stack, StackOutput, combine, init_weights, new_caches


def shift_right(labels: Tensor, config: Seq2SeqConfig) -> Tensor:
    """What the decoder reads when it should write labels: the start token, then all labels but the last.

    labels: (batch, length); -100 (no loss) is read as padding. Raises ValueError without a padding token.

    >>> shift_right(torch.tensor([[7, 8, -100]]), Seq2SeqConfig(decoder_start_token_id=2, pad_token_id=1))
    tensor([[2, 7, 8]])
    """
    if config.pad_token_id is None:
        raise ValueError("shift_right reads -100 as padding: set pad_token_id in the config")
    shifted = F.pad(labels[:, :-1], (1, 0), value=config.decoder_start_token_id)
    return shifted.masked_fill(shifted == -100, config.pad_token_id)


def distance_bucket(distance: Tensor, num_buckets: int, max_distance: int, bidirectional: bool) -> Tensor:
    """T5's buckets of key position minus query position: near ones exact, far ones logarithmic.

    Half of the buckets are for keys after the query if bidirectional; otherwise those share bucket 0.
    Within a direction half of the buckets hold one distance each; the rest widen up to max_distance.

    >>> distance_bucket(torch.tensor([-20, -2, 0, 2, 20]), 8, 16, bidirectional=True)
    tensor([3, 2, 0, 6, 7])
    """
    bucket = torch.zeros_like(distance)
    if bidirectional:
        num_buckets //= 2
        bucket = (distance > 0).long() * num_buckets
        distance = distance.abs()
    else:
        distance = (-distance).clamp(min=0)
    exact = num_buckets // 2
    growth = torch.log(distance.clamp(min=1).float() / exact) / math.log(max_distance / exact)
    far = (exact + (growth * (num_buckets - exact)).long()).clamp(max=num_buckets - 1)
    return bucket + torch.where(distance < exact, distance, far)


class RelativeBias(nn.Module):
    """One learnt number for each head and bucket of distances, added to the scores of every layer."""

    def __init__(self, config: Seq2SeqConfig, bidirectional: bool) -> None:
        super().__init__()
        self.config, self.bidirectional = config, bidirectional
        self.bias = nn.Embedding(config.relative_buckets, config.num_heads)

    def forward(self, query_length: int, key_length: int) -> Tensor:
        """(1, heads, query, key); the queries are the last positions."""
        keys = torch.arange(key_length, device=self.bias.weight.device)
        distance = keys - keys[key_length - query_length :, None]
        buckets = distance_bucket(
            distance, self.config.relative_buckets, self.config.relative_max_distance, self.bidirectional
        )
        return self.bias(buckets).permute(2, 0, 1)[None]


@dataclass
class Seq2SeqOutput:
    """logits: (batch, target, vocab); row t predicts label t. The rest as the two stacks returned it."""

    logits: Tensor
    encoder: StackOutput
    decoder: StackOutput


class Side(nn.Module):
    """One of the two stacks with its own positions; it gets token embeddings, since both share one table."""

    def __init__(self, config: Seq2SeqConfig, is_decoder: bool) -> None:
        super().__init__()
        self.is_decoder = is_decoder
        self.embeddings = Embeddings(config, has_tokens=False)
        layers = config.num_decoder_layers if is_decoder else config.num_layers
        self.stack = Stack(config, layers, cross_attention=is_decoder)
        self.relative = (
            RelativeBias(config, bidirectional=not is_decoder) if config.relative_buckets else None
        )

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        memory: Tensor | None = None,
        memory_mask: Tensor | None = None,
        caches: Caches | None = None,
        head_mask: Tensor | None = None,
        return_maps: bool = False,
    ) -> StackOutput:
        """inputs_embeds: (batch, length, hidden); memory_mask: (batch, memory). The rest as in `Decoder`."""
        past = 0 if caches is None else caches[0][0].length
        new, total = inputs_embeds.shape[1], past + inputs_embeds.shape[1]
        if mask is None and self.is_decoder:
            mask = masks.causal(new, total, device=inputs_embeds.device)
        visible = None if attention_mask is None else masks.padding(attention_mask)
        return self.stack(
            self.embeddings(None, inputs_embeds=inputs_embeds, past_length=past),
            combine(visible, mask),
            memory=memory,
            memory_mask=None if memory_mask is None else masks.padding(memory_mask),
            caches=caches,
            bias=None if self.relative is None else self.relative(new, total),
            head_mask=head_mask,
            return_maps=return_maps,
        )


class Seq2Seq(nn.Module):
    """Encoder-decoder with one embedding matrix for reading, writing and the output layer.

    >>> config = Seq2SeqConfig(vocab_size=10, hidden_size=4, num_layers=1, num_decoder_layers=1, num_heads=2)
    >>> Seq2Seq(config)(torch.tensor([[5, 6]]), torch.tensor([[2, 7, 8]])).logits.shape
    torch.Size([1, 3, 10])
    """

    def __init__(self, config: Seq2SeqConfig) -> None:
        super().__init__()
        self.config = config
        self.token = token_table(config)
        self.encoder = Side(config, is_decoder=False)
        self.decoder = Side(config, is_decoder=True)
        init_weights(self, config)

    def forward(
        self,
        input_ids: Tensor,
        decoder_input_ids: Tensor,
        attention_mask: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        return_maps: bool = False,
    ) -> Seq2SeqOutput:
        """input_ids, attention_mask: (batch, source); the decoder's: (batch, target), see `shift_right`."""
        encoded = self.encoder(self.embed(input_ids), attention_mask, return_maps=return_maps)
        decoded = self.decoder(
            self.embed(decoder_input_ids),
            decoder_attention_mask,
            memory=encoded.last_hidden_state,
            memory_mask=attention_mask,
            return_maps=return_maps,
        )
        return Seq2SeqOutput(self.logits(decoded.last_hidden_state), encoded, decoded)

    def embed(self, input_ids: Tensor) -> Tensor:
        """(batch, length) -> (batch, length, hidden): the token embeddings, before positions."""
        scale = self.config.hidden_size**0.5 if self.config.scale_embedding else 1.0
        return self.token(input_ids) * scale

    def logits(self, hidden_states: Tensor) -> Tensor:
        """(..., hidden) -> (..., vocab)."""
        if self.config.scale_logits:
            hidden_states = hidden_states * self.config.hidden_size**-0.5
        return F.linear(hidden_states, self.token.weight)

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor,
        max_new_tokens: int,
        *,
        attention_mask: Tensor | None = None,
        temperature: float = 0.0,
        top_k: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Write an output for each source, (batch, source); returns (batch, 1 + new), start token first."""
        memory = self.encoder(self.embed(input_ids), attention_mask).last_hidden_state
        caches = new_caches(self.config.num_decoder_layers)

        def next_logits(tokens: Tensor) -> Tensor:
            new = tokens[:, caches[0][0].length :]
            out = self.decoder(self.embed(new), memory=memory, memory_mask=attention_mask, caches=caches)
            return self.logits(out.last_hidden_state[:, -1])

        start = torch.full_like(input_ids[:, :1], self.config.decoder_start_token_id)
        return generate(
            next_logits,
            start,
            max_new_tokens,
            eos_token_id=self.config.eos_token_id,
            temperature=temperature,
            top_k=top_k,
            generator=generator,
        )
