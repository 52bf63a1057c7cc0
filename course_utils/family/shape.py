"""The encoder of a study: the contest's, with what the family varies in it."""

from dataclasses import dataclass, replace
from typing import Any

from course_utils.contest.models import Sizes
from course_utils.models.config import EncoderConfig

_INSERTED = 16  # places beyond the text, for [CLS] and separators; as in the contest


@dataclass(frozen=True)
class Shape(Sizes):
    """Sizes of an encoder, with ALBERT's two changes and the parts that pairs of texts need."""

    embedding_size: int | None = None  # ALBERT: a narrow table of tokens, then a projection
    share_layers: bool = False  # ALBERT: one block, used num_layers times
    segments: int = 0
    pooler: bool = False

    def encoder(self) -> EncoderConfig:
        """The contest's encoder with these settings."""
        return replace(
            super().encoder(),
            embedding_size=self.embedding_size,
            share_layers=self.share_layers,
            type_vocab_size=self.segments,
            pooler=self.pooler,
        )


def make_shape(vocab_size: int, length: int, fields: dict[str, Any]) -> Shape:
    """A shape for texts of `length` tokens; the feed-forward is four times as wide unless `fields` say so.

    >>> make_shape(35, 32, {"hidden_size": 32}).intermediate_size
    128
    """
    width = fields.get("hidden_size", Shape.hidden_size)
    return Shape(vocab_size, length + _INSERTED, **{"intermediate_size": 4 * width, **fields})
