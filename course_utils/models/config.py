"""What a transformer is made of: one dataclass for each shape, with the reason beside each default.

The fields carry one name in all three shapes; `layouts.py` translates them to and from the names that
each architecture uses in the transformers library. `PRESETS` holds the published sizes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self, get_args

Activation = Literal["gelu", "gelu_new", "relu"]  # gelu_new is the tanh approximation of gelu


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """The fields that encoder, decoder and encoder-decoder share. The defaults are BERT base's.

    Raises ValueError when the heads do not divide the width, a size is not positive, or an activation
    is unknown.
    """

    vocab_size: int = 30522  # the WordPiece vocabulary of bert-base-uncased
    hidden_size: int = 768  # the width of every hidden state
    num_layers: int = 12
    num_heads: int = 12
    head_size: int | None = None  # None: hidden_size / num_heads; T5 chooses it freely
    intermediate_size: int = 3072  # four times the width, as in the first transformer
    activation: Activation = "gelu"
    bias: bool = True  # T5 has no bias in any linear map
    norm: Literal["layer", "rms"] = "layer"  # rms: no mean is subtracted and no shift is learnt (T5)
    norm_first: bool = False  # False: post-norm, as BERT; True: pre-norm, as GPT-2 and T5
    norm_eps: float = 1e-12  # BERT's; GPT-2 and BART have 1e-5, T5 1e-6
    dropout: float = 0.1
    attention_dropout: float = 0.1  # on the attention weights
    activation_dropout: float = 0.0  # inside the feed-forward; only T5 has it
    scale_scores: bool = True  # divide scores by sqrt(head_size); T5 has it in the initialization instead
    max_positions: int = 512  # the longest sequence; 0: no position embedding (T5)
    position_offset: int = 0  # rows of the position table before position 0: 2 in RoBERTa and BART
    positions_skip_padding: bool = False  # True: padding does not count as a position (RoBERTa)
    type_vocab_size: int = 0  # segments; 0: no segment embedding
    embedding_size: int | None = None  # ALBERT's factorization: a narrow embedding, then a projection
    token_rank: int | None = None  # the token table as a product of this rank; None: whole
    embedding_norm: bool = True  # GPT-2 and T5 do not normalize the embeddings
    pad_token_id: int | None = 0
    freeze_padding: bool = True  # the embedding of padding gets no gradient; T5 and GPT-2 do train theirs
    initializer_range: float | None = 0.02  # None: each linear map's fan_in ** -0.5 (T5)

    def __post_init__(self) -> None:
        for name in ("vocab_size", "hidden_size", "num_layers", "num_heads", "intermediate_size"):
            # An attention without heads is what pruning leaves of a layer; its head_size is still known.
            least = 0 if name == "num_heads" and self.head_size else 1
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if self.token_rank is not None and self.token_rank < 1:
            raise ValueError(f"token_rank must be at least 1, or None, got {self.token_rank}")
        if self.head_size is None and self.hidden_size % self.num_heads:
            raise ValueError(
                f"{self.num_heads} heads do not divide the hidden size {self.hidden_size}: "
                "choose a multiple, or set head_size"
            )
        if self.activation not in get_args(Activation):
            known = ", ".join(get_args(Activation))
            raise ValueError(f"activation must be one of {known}, got {self.activation!r}")
        if self.pad_token_id is None and (self.freeze_padding or self.positions_skip_padding):
            raise ValueError(
                "freeze_padding and positions_skip_padding need a pad_token_id: give one, or set both False"
            )
        if self.positions_skip_padding and self.position_offset < 1:
            raise ValueError(
                "positions_skip_padding needs a row for padding: set position_offset to at least 1"
            )

    @property
    def width_of_head(self) -> int:
        """Features of one head.

        >>> EncoderConfig().width_of_head
        64
        """
        return self.head_size or self.hidden_size // self.num_heads

    def at_layer(self, layer: int) -> Self:
        """The config of one layer's block: the same for all, unless layers differ."""
        return self


@dataclass(frozen=True, kw_only=True)
class EncoderConfig(TransformerConfig):
    """BERT and its family (Devlin et al. 2019): reads in both directions."""

    type_vocab_size: int = 2  # sentence A and sentence B
    share_layers: bool = False  # True: one block, applied num_layers times (ALBERT)
    pooler: bool = True  # tanh(W h_[CLS] + b), trained by next sentence prediction; DistilBERT has none
    # What pruning left of each layer, first to last; None: every layer has num_heads, intermediate_size.
    layer_heads: tuple[int, ...] | None = None  # heads; 0: the attention only adds its output bias
    layer_inner: tuple[int, ...] | None = None  # neurons of the feed-forward

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("layer_heads", "layer_inner"):  # JSON knows lists only
            kept = getattr(self, name)
            object.__setattr__(self, name, None if kept is None else tuple(kept))
        if self.share_layers and (self.layer_heads or self.layer_inner):
            raise ValueError("layers that are shared cannot differ: set share_layers=False to prune them")
        _check_kept("layer_heads", self.layer_heads, 0, self.num_heads, self.num_layers)
        _check_kept("layer_inner", self.layer_inner, 1, self.intermediate_size, self.num_layers)

    def at_layer(self, layer: int) -> "EncoderConfig":
        """The config of one layer's block, with the heads and neurons that this layer has.

        >>> EncoderConfig(num_layers=2, layer_heads=(12, 5)).at_layer(1).num_heads
        5
        """
        if self.layer_heads is None and self.layer_inner is None:
            return self
        return replace(
            self,
            num_heads=self.num_heads if self.layer_heads is None else self.layer_heads[layer],
            head_size=self.width_of_head,
            intermediate_size=self.intermediate_size if self.layer_inner is None else self.layer_inner[layer],
            layer_heads=None,
            layer_inner=None,
        )


def _check_kept(name: str, kept: Sequence[int] | None, least: int, most: int, layers: int) -> None:
    """Raise ValueError unless `kept` is None or has one number for each layer, all in [least, most]."""
    if kept is None:
        return
    if len(kept) != layers:
        raise ValueError(f"{name} needs one number for each of the {layers} layers, got {tuple(kept)}")
    if not all(least <= number <= most for number in kept):
        raise ValueError(f"{name} must lie between {least} and {most} in every layer, got {tuple(kept)}")


@dataclass(frozen=True, kw_only=True)
class DecoderConfig(TransformerConfig):
    """GPT-2 (Radford et al. 2019): reads from left to right and predicts the next token."""

    vocab_size: int = 50257  # 256 bytes, 50,000 merges, one end-of-text token
    activation: Activation = "gelu_new"
    norm_first: bool = True  # keeps the residual stream free of norms, so that depth trains
    norm_eps: float = 1e-5
    max_positions: int = 1024
    embedding_norm: bool = False
    pad_token_id: int | None = None  # GPT-2 has no padding token
    freeze_padding: bool = False


@dataclass(frozen=True, kw_only=True)
class Seq2SeqConfig(TransformerConfig):
    """BART (Lewis et al. 2020): an encoder that reads and a decoder that writes. Defaults: BART base's."""

    vocab_size: int = 50265  # RoBERTa's byte-level vocabulary and the mask
    num_layers: int = 6
    num_decoder_layers: int = 6
    norm_eps: float = 1e-5
    attention_dropout: float = 0.0
    max_positions: int = 1024
    position_offset: int = 2  # kept from fairseq, whose positions start after the padding id 1
    pad_token_id: int | None = 1
    eos_token_id: int = 2
    decoder_start_token_id: int = 2  # BART starts with the end token, T5 with the padding token
    scale_embedding: bool = False  # multiply token embeddings by sqrt(hidden_size)
    scale_logits: bool = False  # True: states by hidden_size ** -0.5 before the tied output (T5)
    relative_buckets: int = 0  # > 0: T5's learnt bias for each bucket of distances; 32 there
    relative_max_distance: int = 128  # all farther pairs share the last bucket


def _albert(hidden_size: int, num_layers: int, num_heads: int) -> EncoderConfig:
    """ALBERT version 2 at one width; the feed-forward is four times as wide."""
    return EncoderConfig(
        vocab_size=30000,
        embedding_size=128,
        hidden_size=hidden_size,
        num_layers=num_layers,
        num_heads=num_heads,
        intermediate_size=4 * hidden_size,
        activation="gelu_new",
        dropout=0.0,  # version 2 trains without: the shared layers underfit
        attention_dropout=0.0,
        share_layers=True,
    )


_T5_SMALL = Seq2SeqConfig(
    vocab_size=32128,
    hidden_size=512,
    num_layers=6,
    num_decoder_layers=6,
    num_heads=8,
    head_size=64,
    intermediate_size=2048,
    activation="relu",
    bias=False,
    norm="rms",
    norm_first=True,
    norm_eps=1e-6,
    attention_dropout=0.1,
    activation_dropout=0.1,
    scale_scores=False,
    max_positions=0,
    position_offset=0,
    embedding_norm=False,
    pad_token_id=0,
    freeze_padding=False,
    eos_token_id=1,
    decoder_start_token_id=0,
    scale_logits=True,
    relative_buckets=32,
    initializer_range=None,
)

PRESETS: dict[str, TransformerConfig] = {
    "bert-base": EncoderConfig(),
    "bert-large": EncoderConfig(hidden_size=1024, num_layers=24, num_heads=16, intermediate_size=4096),
    "minilm-l6": EncoderConfig(hidden_size=384, num_layers=6, intermediate_size=1536),
    "distilbert-base": EncoderConfig(num_layers=6, type_vocab_size=0, pooler=False),
    "roberta-base": EncoderConfig(
        vocab_size=50265,
        type_vocab_size=1,
        norm_eps=1e-5,
        pad_token_id=1,
        position_offset=2,
        positions_skip_padding=True,
    ),
    "electra-small": EncoderConfig(
        embedding_size=128, hidden_size=256, num_heads=4, intermediate_size=1024, pooler=False
    ),
    "albert-base": _albert(768, 12, 12),
    "albert-large": _albert(1024, 24, 16),
    "albert-xlarge": _albert(2048, 24, 16),
    "albert-xxlarge": _albert(4096, 12, 64),
    "gpt2": DecoderConfig(),
    "bart-base": Seq2SeqConfig(),
    "bart-large": Seq2SeqConfig(
        hidden_size=1024, num_layers=12, num_decoder_layers=12, num_heads=16, intermediate_size=4096
    ),
    "t5-small": _T5_SMALL,
    "t5-base": replace(
        _T5_SMALL,
        hidden_size=768,
        num_layers=12,
        num_decoder_layers=12,
        num_heads=12,
        intermediate_size=3072,
    ),
}
