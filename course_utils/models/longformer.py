"""An encoder with local attention, and its weights: from a model with full attention, or from Longformer.

Longformer (Beltagy et al. 2020) started from RoBERTa: the weights are kept, the global projections start as
copies of the ordinary ones, and the position table is repeated until it is long enough.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder, EncoderOutput
from course_utils.models.layouts import LAYOUTS
from course_utils.models.local_attention import GLOBAL, LOCAL, PADDING, LocalAttention
from course_utils.models.stack import init_weights
from course_utils.models.weights import config_from_library

Sizes = int | Sequence[int]  # one for all layers, or one for each


class LocalEncoder(Encoder):
    """An encoder whose every layer looks at a window, and at the global tokens.

    >>> config = EncoderConfig(vocab_size=10, hidden_size=4, num_layers=2, num_heads=2, intermediate_size=8)
    >>> model = LocalEncoder(config, radius=1, global_first=1)
    >>> model(torch.tensor([[1, 2, 3, 4, 5]])).last_hidden_state.shape
    torch.Size([1, 5, 4])
    """

    def __init__(
        self,
        config: EncoderConfig,
        radius: Sizes,
        *,
        dilation: Sizes = 1,
        causal: bool = False,
        global_first: int = 0,
    ) -> None:
        """radius, dilation: of all layers, or of each. global_first: so many first tokens are global."""
        super().__init__(config)
        self.global_first = global_first
        layers = len(self.stack.blocks)
        each = zip(
            self.stack.blocks,
            _for_each(radius, layers, "radius"),
            _for_each(dilation, layers, "dilation"),
            strict=True,
        )
        for block, one_radius, one_dilation in each:
            block.attention = LocalAttention(config, one_radius, dilation=one_dilation, causal=causal)
            init_weights(block.attention, config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        *,
        is_global: Tensor | None = None,
        mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        head_mask: Tensor | Sequence[Tensor] | None = None,
        return_maps: bool = False,
    ) -> EncoderOutput:
        """As Encoder.forward. is_global: (batch, length), 1 or True for tokens that look at all and are
        seen by all; default: the first `global_first`. Raises ValueError for a mask or maps: the window is
        the mask, and there is no map of all pairs.
        """
        if mask is not None or return_maps:
            raise ValueError(
                "local attention has neither masks nor maps of pairs: use Encoder with masks.sliding_window"
            )
        x = self.embeddings(
            input_ids, token_type_ids=token_type_ids, position_ids=position_ids, inputs_embeds=inputs_embeds
        )
        real = torch.ones(x.shape[:2], dtype=torch.bool, device=x.device)
        real = real if attention_mask is None else attention_mask.bool()
        if is_global is None:
            is_global = torch.arange(x.shape[1], device=x.device).expand(x.shape[:2]) < self.global_first
        out = self.stack(x, marks(real, is_global), head_mask=head_mask)
        return EncoderOutput(
            hidden_states=out.hidden_states,
            pooled=None if self.pooler is None else self.pooler(out.last_hidden_state),
            attention_mask=real,
        )


def marks(attention_mask: Tensor, is_global: Tensor) -> Tensor:
    """What `LocalAttention` takes for a mask; padding is never global. All are (batch, length).

    >>> marks(torch.tensor([[1, 1, 0]]), torch.tensor([[1, 0, 1]]))
    tensor([[2, 1, 0]])
    """
    kinds = torch.where(is_global.bool(), GLOBAL, LOCAL)
    return kinds.masked_fill(~attention_mask.bool(), PADDING)


def with_local_attention(
    encoder: Encoder,
    radius: Sizes,
    *,
    dilation: Sizes = 1,
    causal: bool = False,
    global_first: int = 0,
    max_positions: int | None = None,
) -> LocalEncoder:
    """A copy of a full-attention encoder that looks at windows, as Longformer was made from RoBERTa.

    max_positions: repeat the position table until it has so many rows; default: keep it.
    Raises ValueError if the encoder has local attention already.
    """
    if isinstance(encoder, LocalEncoder):
        raise ValueError("the encoder has local attention already")
    config = replace(encoder.config, max_positions=max_positions or encoder.config.max_positions)
    local = LocalEncoder(config, radius, dilation=dilation, causal=causal, global_first=global_first)
    state = dict(encoder.state_dict())
    if max_positions is not None:
        table = "embeddings.position.weight"
        state[table] = repeat_positions(state[table], config.position_offset, max_positions)
    for name in list(state):
        if re.search(r"attention\.(query|key|value)\.", name):
            state[re.sub(r"(query|key|value)\.", r"\1_global.", name)] = state[name]
    local.load_state_dict(state, strict=True)
    return local.train(encoder.training)


def repeat_positions(table: Tensor, offset: int, max_positions: int) -> Tensor:
    """The position table again and again: (offset + old, size) -> (offset + max_positions, size).

    Rows before `offset` belong to no position and are kept once.

    >>> repeat_positions(torch.tensor([[9.0], [1.0], [2.0]]), offset=1, max_positions=5).T
    tensor([[9., 1., 2., 1., 2., 1.]])
    """
    times = -(-max_positions // (len(table) - offset))
    return torch.cat([table[:offset], table[offset:].repeat(times, 1)[:max_positions]])


def load_longformer(source: Path | nn.Module) -> LocalEncoder:
    """The encoder of a Longformer: a folder with config.json and model.safetensors, or a library's model.

    What is loaded is a copy in float32 and in evaluation mode. Raises FileNotFoundError, or ValueError on
    another architecture, a setting, a key or a shape that does not fit.
    """
    fields, state = _read(source)
    if fields.get("model_type") != "longformer":
        raise ValueError(f"model_type is {fields.get('model_type')!r}, expected 'longformer'")
    config = config_from_library(fields | {"model_type": "roberta"})
    assert isinstance(config, EncoderConfig)
    state = {name.removeprefix("longformer."): tensor for name, tensor in state.items()}
    config = replace(config, pooler="pooler.dense.weight" in state)
    window = fields["attention_window"]
    windows = [window] * config.num_layers if isinstance(window, int) else window
    model = LocalEncoder(config, [size // 2 for size in windows])
    model.load_state_dict(_renamed(model, state), strict=True)
    return model.eval()


def _renamed(model: LocalEncoder, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Our state out of theirs; raises ValueError for keys that are missing or unknown, by name."""
    names = {ours: _their_name(ours) for ours in model.state_dict()}
    ignored = re.compile(r"embeddings\.position_ids|(lm_head|classifier|qa_outputs)\.")
    missing = sorted(set(names.values()) - state.keys())
    unknown = sorted(name for name in state.keys() - set(names.values()) if not ignored.match(name))
    if missing or unknown:
        raise ValueError(f"the checkpoint does not fit its config.json: missing {missing}, unknown {unknown}")
    return {ours: state[theirs].detach().float().clone() for ours, theirs in names.items()}


def _their_name(name: str) -> str:
    """The library's name of one of our weights: RoBERTa's, and the same with _global for the global ones.

    >>> _their_name("stack.blocks.3.attention.key_global.bias")
    'encoder.layer.3.attention.self.key_global.bias'
    """
    module, _, kind = name.rpartition(".")
    plain = module.removesuffix("_global")
    number = re.search(r"(?<=blocks\.)\d+", plain)
    template = LAYOUTS["roberta"].names[re.sub(r"(?<=blocks\.)\d+", "{i}", plain)]
    return template.format(i=number.group() if number else "") + module[len(plain) :] + f".{kind}"


def _read(source: Path | nn.Module) -> tuple[dict, dict[str, Tensor]]:
    """config.json's fields and all tensors of a source."""
    if isinstance(source, nn.Module):
        return source.config.to_dict(), source.state_dict()  # type: ignore[union-attr, operator]
    for name in ("config.json", "model.safetensors"):
        if not (source / name).is_file():
            raise FileNotFoundError(f"no {name} in {source}: expected a folder written by save_pretrained")
    return json.loads((source / "config.json").read_text()), load_file(source / "model.safetensors")


def _for_each(sizes: Sizes, layers: int, name: str) -> list[int]:
    """One size for each layer; raises ValueError if there are not as many."""
    each = [sizes] * layers if isinstance(sizes, int) else list(sizes)
    if len(each) != layers:
        raise ValueError(f"{name} must be one number or one for each of {layers} layers, got {len(each)}")
    return each
