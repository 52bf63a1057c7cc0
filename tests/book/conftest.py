"""The built book, as the tests of this folder see it. `make test` builds it first when it is stale."""

from pathlib import Path

import pytest

HTML = Path(__file__).resolve().parents[2] / "_build" / "html"
PAGES = sorted(
    path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html") if "_static" not in path.parts
)
# index.html only sends the reader on to the first page.
READ_PAGES = [page for page in PAGES if page != "index.html"]


NOT_BUILT = "the book is not built: run `make book`, or `make test`, which builds it"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case for each page (`page_name`), or for each page with an explorable (`explorable_page`)."""
    nothing = [pytest.param("", marks=pytest.mark.skip(reason=NOT_BUILT))]
    if "page_name" in metafunc.fixturenames:
        metafunc.parametrize("page_name", READ_PAGES or nothing)
    if "explorable_page" in metafunc.fixturenames:
        found = [page for page in READ_PAGES if 'class="cw' in (HTML / page).read_text(encoding="utf-8")]
        metafunc.parametrize("explorable_page", found or nothing)


@pytest.fixture
def html() -> Path:
    """The folder of the built book."""
    if not PAGES:
        pytest.skip(NOT_BUILT)
    return HTML
