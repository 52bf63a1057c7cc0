"""Every page of the built book, opened as a file with no network, in each scheme and width."""

from pathlib import Path
from typing import Literal

import pytest
from browser import PageFactory, Tab

pytestmark = [pytest.mark.browser, pytest.mark.book]

# Opens everything that is folded; returns how many there were.
UNFOLD = """() => {
  const content = document.querySelector('.bd-content') || document.body;
  const folded = content.querySelectorAll('details:not([open]), button.toggle-button');
  folded.forEach(part => { if (part.matches('details')) part.open = true; else part.click(); });
  return folded.length;
}"""
# Leaves one token of a kind colored in each block of code, and makes plain text of the others, since axe-core
# looks at every element: ten thousand tokens of some twenty kinds are four fifths of its time.
ONE_TOKEN_OF_A_KIND = """() => {
  for (const block of document.querySelectorAll('.highlight pre')) {
    const kinds = new Set();
    for (const token of block.querySelectorAll('span[class]:not([id])')) {
      const kind = `${token.className} in ${token.parentElement.className}`;
      if (!kinds.has(kind)) kinds.add(kind);
      else if (!token.childElementCount) token.replaceWith(token.textContent);
    }
  }
}"""
# TeX that MathJax has not drawn yet, or could not.
UNDRAWN = """() => [...document.querySelectorAll('.math.notranslate')]
  .filter(m => !m.querySelector('mjx-container > svg') || m.querySelector('[data-mjx-error]'))
  .map(m => m.textContent.slice(0, 80))"""


@pytest.fixture(params=[1280, 400])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def tab(open_page: PageFactory, html: Path, page_name: str, width: int) -> Tab:
    """The page after its scripts ran and its mathematics had time to be drawn."""
    opened = open_page(html / page_name, width=width)
    opened.page.wait_for_load_state("load")
    if opened.page.query_selector(".math.notranslate"):
        opened.page.wait_for_function(
            "() => window.MathJax && MathJax.startup && MathJax.startup.promise", timeout=10_000
        )
        opened.page.evaluate("() => MathJax.startup.promise")
    return opened


def violations(tab: Tab, *schemes: Literal["light", "dark"]) -> list[str]:
    """What axe-core finds in these color schemes; the page follows the system's choice."""
    found = []
    for scheme in schemes:
        tab.page.emulate_media(color_scheme=scheme)
        tab.page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")
        found += [f"{scheme}: {violation}" for violation in tab.axe()]
    return found


def test_page_works_offline_and_is_accessible(tab: Tab, width: int) -> None:
    """No outside request, no console error, mathematics drawn, no overflow, no violation, folded or not."""
    assert tab.page.evaluate(UNDRAWN) == []
    tab.page.evaluate(ONE_TOKEN_OF_A_KIND)
    assert violations(tab, "light") == []
    tab.page.evaluate(UNFOLD)
    assert violations(tab, "light", "dark") == []
    assert tab.overflow() == 0, f"the page is wider than {width} pixels"
    tab.check()
