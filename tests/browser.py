"""Headless Chromium for tests: find it, open pages in it, watch what they do.

Three fixtures (tests/conftest.py hands them to every test):

- ``browser``: one Chromium per pytest process (so one per pytest-xdist worker); skips without one.
- ``open_page``: a factory, ``open_page(target, color_scheme="dark", width=400) -> Tab``. It opens a
  file, a URL or a string of HTML in a fresh context, offline unless told otherwise, and closes it
  after the test.
- ``shared_page``: the same factory, but its pages live until the module ends (for read-only checks).

A ``Tab`` is a playwright page plus what it did: ``tab.page``, ``tab.outside`` (requests that left
this machine), ``tab.errors`` (console errors and warnings, uncaught exceptions, failed requests).
``tab.check()`` asserts that both are empty; ``tab.axe()`` returns accessibility violations.

    def test_it_is_quiet(open_page):
        tab = open_page(Path("_build/html/index.html"), color_scheme="dark", width=400)
        tab.page.keyboard.press("Tab")
        tab.check()
        assert tab.axe() == []
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_FLAGS = (
    "--no-sandbox",  # containers have no user namespaces to build the sandbox from
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A chart draws when its size is first observed, which is after layout: perhaps after the load event.
TWO_FRAMES = "() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))"
LOCAL_SCHEMES = ("file:", "data:", "blob:", "about:", "http://127.0.0.1", "http://localhost")
NO_CHROMIUM = (
    "no Chromium found: install one (`python -m playwright install --with-deps chromium`, or your "
    "system's package) or set COURSE_CHROMIUM to its path"
)

PageFactory = Callable[..., "Tab"]


def find_chromium(playwright: Playwright | None = None) -> str | None:
    """Path of a Chromium: $COURSE_CHROMIUM, else one on PATH, else playwright's own, else None."""
    named = os.environ.get("COURSE_CHROMIUM")
    if named:
        return named
    on_path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if on_path or playwright is None:
        return on_path
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


@dataclass
class Tab:
    """One open page and a record of what it did since it was opened."""

    page: Page
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self._note_request(request.url))
        self.page.on("requestfailed", lambda r: self.errors.append(f"failed: {r.url[:160]} {r.failure}"))
        self.page.on("pageerror", lambda error: self.errors.append(f"uncaught: {str(error)[:400]}"))
        self.page.on("console", lambda message: self._note_console(message.type, message.text))

    def _note_request(self, url: str) -> None:
        if not url.startswith(LOCAL_SCHEMES):
            self.outside.append(url)

    def _note_console(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(f"{kind}: {text[:400]}")

    def check(self) -> None:
        """Assert that the page asked no outside host for anything and logged no error."""
        assert self.outside == [], f"the page asked outside hosts: {self.outside}"
        assert self.errors == [], f"the page logged: {self.errors}"

    def axe(self, scope: str | None = None) -> list[str]:
        """WCAG 2.2 AA and best-practice violations, one line each; `scope` is a CSS selector."""
        options = {"runOnly": AXE_RULES, "resultTypes": ["violations"], "preload": False}
        found = Axe().run(self.page, context=scope, options=options).response["violations"]
        return [
            f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['target']} {node['html'][:160]}"
            for rule in found
            for node in rule["nodes"]
        ]

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window (0 when it fits)."""
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        return int(self.page.evaluate(width))


@contextmanager
def page_factory(browser: Browser, folder: Path) -> Iterator[PageFactory]:
    """Yield ``open_page``; close what it opened on leaving. HTML strings are written below `folder`."""
    contexts: list[BrowserContext] = []

    def open_page(
        target: str | Path,
        *,
        color_scheme: Literal["light", "dark"] = "light",
        width: int = 1280,
        height: int = 900,
        offline: bool = True,
        reduced_motion: Literal["reduce", "no-preference"] = "reduce",
        javascript: bool = True,
    ) -> Tab:
        """Open a Path, a URL or HTML text (anything that starts with ``<``) in a fresh context."""
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=color_scheme,
            offline=offline,
            reduced_motion=reduced_motion,
            java_script_enabled=javascript,
        )
        contexts.append(context)
        tab = Tab(context.new_page())
        tab.page.goto(_address(target, folder / f"page{len(contexts)}.html"))
        if javascript:
            tab.page.evaluate(TWO_FRAMES)
        return tab

    try:
        yield open_page
    finally:
        for context in contexts:
            context.close()


def _address(target: str | Path, scratch: Path) -> str:
    """A URL for `target`; HTML text is first written to the file `scratch`."""
    if isinstance(target, str) and target.lstrip().startswith("<"):
        scratch.write_text(target, encoding="utf-8")
        target = scratch
    return target.resolve().as_uri() if isinstance(target, Path) else target


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for this pytest process; skips the test where there is none."""
    with sync_playwright() as playwright:
        path = find_chromium(playwright)
        if path is None:
            pytest.skip(NO_CHROMIUM)
        chromium = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[PageFactory]:
    """Factory of pages that close when the test ends; see the module's docstring."""
    with page_factory(browser, tmp_path) as factory:
        yield factory


@pytest.fixture(scope="module")
def shared_page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageFactory]:
    """Factory of pages that stay open for all tests of a module."""
    with page_factory(browser, tmp_path_factory.mktemp("pages")) as factory:
        yield factory
