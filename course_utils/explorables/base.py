"""What every explorable shares: safe embedding of data, the page's frame, the notebook protocol.

An explorable is one self-contained piece of HTML: styles, data and scripts are inside it, nothing is
fetched, nothing carries an id, so any number of them can stand on one page. Its first state is plain
HTML made by Python, which readers without JavaScript and printed pages keep.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from string import Template

ASSETS = Path(__file__).parent
# Hidden once the script runs: unlike noscript it also shows where a viewer has stripped the script.
STILL = "This figure shows its first state. Turn on JavaScript to play with it."


class Html(str):
    """Text that already is HTML; :func:`fill` and :func:`tag` leave it as it is."""

    __slots__ = ()


def embed_json(data: object) -> Html:
    """`data` as JSON that is safe inside a script element of any page, whatever its encoding.

    Everything outside ASCII is escaped, and so is every ``<``, so no string can close the element
    (``</script``), open a comment (``<!--``) or break a line (U+2028). Raises ValueError for NaN and
    infinity and TypeError for what JSON has no form for.

    >>> embed_json({"text": "</script><!-- é"})
    '{"text":"\\\\u003c/script>\\\\u003c!-- \\\\u00e9"}'
    """
    try:
        text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        raise ValueError(
            f"explorable data must be finite numbers, strings, lists and dicts: {error}"
        ) from error
    return Html(text.replace("<", "\\u003c"))


def fill(template: str, /, **values: object) -> Html:
    """`template` with each ``$name`` replaced by its escaped value (:class:`Html` is not escaped again).

    Raises KeyError for a ``$name`` that has no value.

    >>> fill("<b>$word</b>", word="a < b")
    '<b>a &lt; b</b>'
    """
    return Html(Template(template).substitute({key: _escaped(value) for key, value in values.items()}))


def tag(name: str, *children: object, **attributes: object) -> Html:
    """One HTML element; ``class_`` is written as ``class`` and ``data_part`` as ``data-part``.

    >>> tag("td", "x & y", class_="cw-number")
    '<td class="cw-number">x &amp; y</td>'
    """
    named = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    opening = "".join(f' {key}="{_escaped(value)}"' for key, value in named)
    return Html(f"<{name}{opening}>{join(children)}</{name}>")


def join(parts: Iterable[object]) -> Html:
    """The parts one after the other, escaped where they are not :class:`Html`."""
    return Html("".join(map(_escaped, parts)))


def _escaped(value: object) -> str:
    return str(value) if isinstance(value, Html) else escape(str(value))


@cache
def asset(name: str, folder: Path = ASSETS) -> Html:
    """The text of a template file (.html, .css or .js) beside this module, or in `folder`."""
    return Html((folder / name).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Explorable:
    """A figure to play with; shows itself as the last value of a notebook cell.

    kind: name of the script file, ``<kind>.js``, which defines ``start(root, data)``; ``<kind>.css``
    is added where it exists. title and lede: what the reader sees first; the title is also the
    accessible name. data: what `start` receives, anything JSON can hold. body: HTML of the first
    state. uses: further script files that `start` needs (``chart.js``), with their
    styles. folder: where these files are.
    Raises ValueError for data that JSON or UTF-8 cannot hold.
    """

    kind: str
    title: str
    lede: str
    data: Mapping[str, object]
    body: Html
    uses: tuple[str, ...] = ()
    folder: Path = ASSETS
    _html: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        html = self._build()
        try:
            html.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{self.kind}: text holds half a surrogate pair, not a character: {error}"
            ) from error
        object.__setattr__(self, "_html", html)

    def _build(self) -> str:
        return fill(
            asset("frame.html"),
            kind=self.kind,
            title=self.title,
            lede=self.lede,
            css=self._style(),
            body=self.body,
            still=STILL,
            data=embed_json(self.data),
            script=self._script(),
        )

    def _style(self) -> Html:
        """The styles of the runtime, of each script in `uses` that has some, and of this kind."""
        used = [Path(name).with_suffix(".css").name for name in ("runtime.js", *self.uses)]
        shared = [asset(name) for name in used if (ASSETS / name).exists()]
        own = self.folder / f"{self.kind}.css"
        return Html("".join([*shared, asset(own.name, self.folder) if own.exists() else ""]))

    def _script(self) -> Html:
        """One function around all scripts: nothing leaks into the page, every explorable has its own."""
        own = asset(f"{self.kind}.js", self.folder)
        shared = [asset(name) for name in ("runtime.js", *self.uses)]
        return Html("\n".join(["(() => {", *shared, own, f'mount("{self.kind}", start);', "})();"]))

    def _repr_html_(self) -> str:
        return self._html

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/html": self._html, "text/plain": str(self)}

    def __str__(self) -> str:
        return (
            f"{self.title}: {self.lede} (An interactive figure: it needs a page or notebook that shows HTML.)"
        )
