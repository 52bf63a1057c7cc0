"""What a model computes on the way: hidden states, queries, keys and values of every layer, with gradients.

The models' attention returns its output and, if asked, its map; the scores before the softmax, which TinyBERT
matches, and the values, which MiniLM matches, stay inside. `look_inside` reads them where they are made, at
the outputs of the query, key and value maps, so that attention itself runs as it always does.

Layers are numbered as in the papers: 0 is the output of the embeddings, 1 the first block.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from course_utils.finetuning.classifier import PAD
from course_utils.models.encoder import Encoder, EncoderOutput
from course_utils.models.layers import MultiHeadAttention

Kept = dict[str, list[tuple[MultiHeadAttention, Tensor]]]
Hook = Callable[[nn.Module, Any, Tensor], None]


@dataclass(frozen=True)
class Inside:
    """One batch's way through an encoder."""

    output: EncoderOutput
    queries: tuple[Tensor, ...]  # a block each: (batch, heads, length, head_size)
    keys: tuple[Tensor, ...]
    values: tuple[Tensor, ...]
    scales: tuple[float, ...]  # of the scores: 1 / sqrt(head_size), or 1 where the model does not scale

    @property
    def num_layers(self) -> int:
        """Blocks; the embeddings are layer 0 and do not count."""
        return len(self.queries)

    @property
    def real(self) -> Tensor:
        """(batch, length), boolean: True for tokens, False for padding."""
        return self.output.attention_mask

    def state(self, layer: int) -> Tensor:
        """The hidden state after a layer, (batch, length, hidden); layer 0 is the embeddings' output."""
        self._check(layer, first=0)
        return self.output.hidden_states[layer]

    def scores(self, layer: int) -> Tensor:
        """Q K^T * scale of a block (1 is the first), before mask and softmax: (batch, heads, query, key)."""
        self._check(layer, first=1)
        return self.queries[layer - 1] @ self.keys[layer - 1].transpose(-2, -1) * self.scales[layer - 1]

    def _check(self, layer: int, first: int) -> None:
        if not first <= layer <= self.num_layers:
            raise IndexError(
                f"layer {layer}: this model has {first} to {self.num_layers} here (0 is the embeddings)"
            )


def look_inside(encoder: Encoder, batch: Mapping[str, Tensor]) -> Inside:
    """Run an encoder on a batch of `collate` and keep what it computed.

    batch: input_ids (batch, length), padded with `PAD`; token_type_ids (batch, length) if there are segments.
    """
    kept: Kept = {"query": [], "key": [], "value": []}
    with _listening(encoder, kept):
        ids = batch["input_ids"]
        output = encoder(ids, attention_mask=ids != PAD, token_type_ids=batch.get("token_type_ids"))
    queries, keys, values = (tuple(attention.split(x) for attention, x in found) for found in kept.values())
    return Inside(output, queries, keys, values, tuple(attention.scale for attention, _ in kept["query"]))


@contextmanager
def _listening(encoder: Encoder, kept: Kept) -> Iterator[None]:
    """Within, every call of a query, key or value map adds its attention and its output, (batch, length,
    heads * head_size).

    In the order of the calls, so that a block that is applied several times (ALBERT) counts each time.
    """
    handles = []
    for block in encoder.stack.blocks:
        if not isinstance(block.attention, MultiHeadAttention):
            raise TypeError(f"expected MultiHeadAttention, got {type(block.attention).__name__}")
        for name, found in kept.items():
            handles.append(
                getattr(block.attention, name).register_forward_hook(_keeper(block.attention, found))
            )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _keeper(attention: MultiHeadAttention, found: list[tuple[MultiHeadAttention, Tensor]]) -> Hook:
    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        found.append((attention, output))

    return keep
