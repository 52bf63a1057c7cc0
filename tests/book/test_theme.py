"""What the reader does with the book itself: search it, switch its scheme, copy code."""

import re
from pathlib import Path

import pytest
from browser import PageFactory

pytestmark = [pytest.mark.browser, pytest.mark.book]


def test_search_by_keyboard_finds_pages_offline(open_page: PageFactory, html: Path) -> None:
    tab = open_page(html / "README.html")
    tab.page.keyboard.press("Control+k")
    tab.page.keyboard.type("fertility")
    assert tab.axe() == [], "with the search field open"
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#search-results li a")
    targets = tab.page.eval_on_selector_all("#search-results li a", "links => links.map(a => a.href)")
    assert any("glossary.html" in target for target in targets), targets
    assert tab.axe() == [], "with results on the page"
    tab.check()


@pytest.mark.parametrize("system", ["light", "dark"])
def test_scheme_follows_the_system_and_then_the_reader(
    open_page: PageFactory, html: Path, system: str
) -> None:
    tab = open_page(html / "README.html", color_scheme=system)
    shown = "document.documentElement.dataset.theme"
    assert tab.page.evaluate(shown) == system
    chosen = {system}
    for _ in range(2):
        tab.page.locator("button.theme-switch-button").first.press("Enter")
        chosen.add(tab.page.evaluate(shown))
    assert chosen == {"light", "dark"}
    tab.check()


def test_code_can_be_copied_and_sections_are_launched_on_colab(open_page: PageFactory, html: Path) -> None:
    tab = open_page(html / "chapters/01_subword_tokenization.html")
    page = tab.page
    assert page.locator("button.copybtn").count() >= page.locator("div.cell_input").count() > 0
    colab = page.eval_on_selector_all(
        "a[href*='colab.research.google.com']", "links => links.map(a => a.href)"
    )
    assert any(link.endswith("/chapters/01_subword_tokenization.ipynb") for link in colab), colab


def test_a_chapter_has_the_number_of_its_file(html: Path) -> None:
    chapters = sorted((html / "chapters").glob("[0-9]*.html"))
    assert chapters
    for chapter in chapters:
        number = int(chapter.name.split("_")[0])
        page = chapter.read_text(encoding="utf-8")
        # Of headings, figures and exercises; links to the chapters around it have other numbers.
        heads = re.findall(r'<h\d><span class="section-number">(\d+)\.', page)
        numbered = heads + re.findall(r'class="caption-number">(?:Fig\.|Exercise) (\d+)\.', page)
        assert len(heads) > 5
        assert set(numbered) == {str(number)}, f"{chapter.name}: {sorted(set(numbered))}"
        assert f'{chapter.name}">{number}. ' in (html / "README.html").read_text(encoding="utf-8")
