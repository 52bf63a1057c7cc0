"""What a cell shows as a box: HTML that brings its own style, and the same in words elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from course_utils.explorables.base import Html, asset, join, tag

_HERE = Path(__file__).parent


@dataclass(frozen=True, repr=False)
class Box:
    """Shows itself as the last value of a notebook cell: `html` in a page, `text` in a terminal."""

    html: Html
    text: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        style = tag("style", asset("boxes.css", _HERE))
        return {"text/html": join([style, self.html]), "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def definitions(pairs: Mapping[str, object]) -> Html:
    """A definition list: term -> description."""
    return tag("dl", *(join([tag("dt", term), tag("dd", said)]) for term, said in pairs.items()))
