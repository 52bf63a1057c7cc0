"""GPT-2 (Radford et al. 2019): a stack that only looks back, and its tied output layer."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from course_utils.models import masks
from course_utils.models.config import DecoderConfig
from course_utils.models.generation import generate
from course_utils.models.layers import Embeddings
from course_utils.models.stack import Caches, Stack, StackOutput, combine, init_weights, new_caches


class Decoder(nn.Module):
    """A causal transformer.

    >>> config = DecoderConfig(vocab_size=10, hidden_size=4, num_layers=2, num_heads=2, intermediate_size=8)
    >>> Decoder(config)(torch.tensor([[1, 2, 3]])).last_hidden_state.shape
    torch.Size([1, 3, 4])
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.stack = Stack(config, config.num_layers)
        init_weights(self, config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        head_mask: Tensor | None = None,
        caches: Caches | None = None,
        return_maps: bool = False,
    ) -> StackOutput:
        """Run over a batch; the arguments are the encoder's, except:

        mask: default causal; `masks.prefix` makes a prefix LM. caches: from `stack.new_caches`; input_ids
        then holds the new tokens only, and attention_mask (batch, past + new) covers the cached ones too.
        """
        past = 0 if caches is None else caches[0][0].length
        x = self.embeddings(
            input_ids, position_ids=position_ids, inputs_embeds=inputs_embeds, past_length=past
        )
        visible = None if attention_mask is None else masks.padding(attention_mask)
        if mask is None:
            mask = masks.causal(x.shape[1], past + x.shape[1], device=x.device)
        return self.stack(
            x, combine(visible, mask), caches=caches, head_mask=head_mask, return_maps=return_maps
        )


class CausalLM(nn.Module):
    """A decoder that predicts the next token with its own embedding matrix."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.decoder = Decoder(config)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        *,
        mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        caches: Caches | None = None,
    ) -> Tensor:
        """Arguments as in `Decoder`. Returns logits, (batch, length, vocab): row t predicts token t + 1."""
        out = self.decoder(input_ids, attention_mask, mask=mask, position_ids=position_ids, caches=caches)
        return self.logits(out.last_hidden_state)

    def logits(self, hidden_states: Tensor) -> Tensor:
        """(..., hidden) -> (..., vocab)."""
        return F.linear(hidden_states, self.decoder.embeddings.token.weight)

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor,
        max_new_tokens: int,
        *,
        attention_mask: Tensor | None = None,
        eos_token_id: int | None = None,
        temperature: float = 0.0,
        top_k: int | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Continue each prompt; see `generation.generate` for the choice of the next token.

        input_ids, attention_mask: (batch, prompt), padded on the *left*. Returns (batch, prompt + new).
        """
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask.long()
        if not mask[:, -1].all():
            raise ValueError("prompts must be padded on the left: the last column has padding")
        caches = new_caches(self.config.num_layers)

        def next_logits(tokens: Tensor) -> Tensor:
            nonlocal mask
            grown = tokens.shape[1] - mask.shape[1]
            mask = F.pad(mask, (0, grown), value=1)
            new = slice(caches[0][0].length, None)  # tokens that no cache has seen
            positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, new]
            out = self.decoder(tokens[:, new], mask, position_ids=positions, caches=caches)
            return self.logits(out.last_hidden_state[:, -1])

        return generate(
            next_logits,
            input_ids,
            max_new_tokens,
            eos_token_id=eos_token_id,
            temperature=temperature,
            top_k=top_k,
            generator=generator,
        )
