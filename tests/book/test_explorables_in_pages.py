"""Every explorable (`class="cw"`) of every page can be reached by Tab and answers to the keyboard."""

from pathlib import Path

import pytest
from browser import PageFactory
from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.book]

KEYS = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Enter", "a"]
# An invisible place just before the explorable, from which one Tab must lead into it.
STAND_BEFORE = """root => {
  const here = document.createElement('span');
  here.tabIndex = -1;
  root.before(here);
  here.focus();
}"""
HAS_FOCUS = "root => root.contains(document.activeElement)"
CONTROLS = "input:not([type=hidden]), select, button, textarea, [tabindex='0']"


def answers(root: Locator, page: Page) -> bool:
    """True when a key, pressed in one of the controls, changes what the explorable shows."""
    controls = root.locator(CONTROLS)
    for i in range(controls.count()):
        control = controls.nth(i)
        if not control.is_visible() or not control.is_enabled():
            continue
        for key in KEYS:
            before = root.inner_text(), root.inner_html()
            control.focus()
            page.keyboard.press(key)
            if (root.inner_text(), root.inner_html()) != before:
                return True
    return False


def test_explorables_answer_to_the_keyboard(open_page: PageFactory, html: Path, explorable_page: str) -> None:
    tab = open_page(html / explorable_page)
    roots = tab.page.locator(".cw")
    assert roots.count() > 0
    for i in range(roots.count()):
        root = roots.nth(i)
        name = root.get_attribute("aria-label") or root.get_attribute("aria-labelledby") or f"number {i + 1}"
        root.evaluate(STAND_BEFORE)
        tab.page.keyboard.press("Tab")
        assert root.evaluate(HAS_FOCUS), f"Tab does not lead into the explorable {name!r}"
        assert answers(root, tab.page), f"no key changes the explorable {name!r}"
    tab.check()
