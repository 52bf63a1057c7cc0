"""BERT and the encoders that differ from it by an option.

- BERT (Devlin et al. 2019): the defaults of `EncoderConfig`.
- RoBERTa (Liu et al. 2019): positions start at 2 and skip padding; one segment.
- ALBERT (Lan et al. 2020): `embedding_size` and `share_layers`.
- DistilBERT (Sanh et al. 2019): half the layers, no segments, no pooler.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_utils.models import masks
from course_utils.models.config import EncoderConfig
from course_utils.models.layers import Embeddings
from course_utils.models.stack import Stack, StackOutput, combine, init_weights


@dataclass(kw_only=True)
class EncoderOutput(StackOutput):
    """Hidden states, maps, the pooled [CLS] state, and which tokens are real."""

    pooled: Tensor | None  # (batch, hidden), None without a pooler
    attention_mask: Tensor  # (batch, length), boolean


class Pooler(nn.Module):
    """tanh(W h + b) of the first token's last state."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, last_hidden_state: Tensor) -> Tensor:
        """(batch, length, hidden) -> (batch, hidden)."""
        return torch.tanh(self.dense(last_hidden_state[:, 0]))


class Encoder(nn.Module):
    """A bidirectional transformer encoder.

    >>> config = EncoderConfig(vocab_size=10, hidden_size=4, num_layers=2, num_heads=2, intermediate_size=8)
    >>> out = Encoder(config)(torch.tensor([[1, 2, 3]]), return_maps=True)
    >>> out.last_hidden_state.shape, len(out.hidden_states), out.attentions[0].shape, out.pooled.shape
    (torch.Size([1, 3, 4]), 3, torch.Size([1, 2, 3, 3]), torch.Size([1, 4]))
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.stack = Stack(config, config.num_layers, share_layers=config.share_layers)
        self.pooler = Pooler(config) if config.pooler else None
        init_weights(self, config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        head_mask: Tensor | Sequence[Tensor] | None = None,
        return_maps: bool = False,
    ) -> EncoderOutput:
        """Encode a batch.

        input_ids, attention_mask (1 for real tokens; default all), token_type_ids: (batch, length).
        mask: who may look at whom, from `masks` (default: everyone at everyone); padding is always added.
        inputs_embeds: (batch, length, embedding) in place of input_ids.
        head_mask: (layers, heads), or (heads,) for each layer where layers differ; 0 switches a head off.
        return_maps: also return the attention maps (slower: each map is stored).
        """
        x = self.embeddings(
            input_ids, token_type_ids=token_type_ids, position_ids=position_ids, inputs_embeds=inputs_embeds
        )
        visible = None if attention_mask is None else masks.padding(attention_mask)
        out = self.stack(x, combine(visible, mask), head_mask=head_mask, return_maps=return_maps)
        real = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        return EncoderOutput(
            hidden_states=out.hidden_states,
            attentions=out.attentions,
            pooled=None if self.pooler is None else self.pooler(out.last_hidden_state),
            attention_mask=real if attention_mask is None else attention_mask.bool(),
        )
