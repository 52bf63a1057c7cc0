"""Every link and every file that a built page names inside the book is there."""

from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

pytestmark = pytest.mark.book


class Anchors(HTMLParser):
    """Collects where a page points (`links`) and what can be pointed at in it (`ids`)."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in ("href", "src") and value:
                self.links.add(value)


def read(page: Path) -> Anchors:
    anchors = Anchors()
    anchors.feed(page.read_text(encoding="utf-8"))
    return anchors


def dead_links(page: Path, pages: dict[Path, Anchors]) -> list[str]:
    """The links of a page that lead nowhere inside the book; links that leave it are not followed."""
    dead = []
    for link in sorted(pages[page].links):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        lost = not target.is_file()
        if not lost and parts.fragment and target in pages:
            lost = unquote(parts.fragment) not in pages[target].ids
        if lost:
            dead.append(link)
    return dead


def test_internal_links_resolve(html: Path) -> None:
    pages = {path: read(path) for path in html.rglob("*.html") if "_static" not in path.parts}
    dead = defaultdict(list)
    for page in pages:
        for link in dead_links(page, pages):
            dead[link].append(page.relative_to(html).as_posix())
    assert dict(dead) == {}


def test_dead_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    page.write_text(
        '<p id="x"><a href="#x">1</a><a href="#y">2</a><a href="b.html">3</a><a href="a.html#x">4</a>'
    )
    assert dead_links(page, {page: read(page)}) == ["#y", "b.html"]
