"""What a layout is."""

from dataclasses import dataclass, field
from typing import Any

from course_utils.models.config import TransformerConfig


@dataclass(frozen=True)
class Layout:
    """One architecture.

    Weight names are templates of modules, with {i} for the number of the layer; `name[k]` is the k-th
    third of a fused matrix. `fields` pairs (theirs, ours); one of ours may have several of theirs,
    and one of theirs several of ours.
    """

    defaults: TransformerConfig  # what a missing field means: the library's own defaults
    architectures: dict[str, str]  # our class -> the library's
    prefix: str  # before every weight of the base model in a checkpoint with a head
    names: dict[str, str]  # our module -> theirs
    fields: tuple[tuple[str, str], ...]
    constants: dict[str, Any]  # fields with the only value that our models can be
    head: dict[str, str]  # our masked-LM head's modules -> theirs
    ignored: str  # keys that are not ours to load: buffers and heads for other tasks (a pattern)
    tied: str = r"lm_head\.weight"  # copies of the token embeddings (a pattern); checked, then dropped
    zeros: str = "(?!)"  # weights that our models lack, so that they must be zero (a pattern)
    transposed: bool = False  # True: linear weights are stored (in, out), as in GPT-2's Conv1D
    inner_factor: int = 0  # > 0: a missing feed-forward size is so many times the width
    judge: dict[str, str] = field(default_factory=dict)  # our replaced-token head's modules -> theirs
    square_projection: bool = True  # False: no projection where the embedding is as wide as the states
    reserved_positions: int = 0  # rows that their max_position_embeddings counts, and ours does not


def block(templates: dict[str, str], ours: str = "stack.blocks.{i}.", theirs: str = "") -> dict[str, str]:
    """Templates with a common beginning on either side."""
    return {ours + a: theirs + b for a, b in templates.items()}
