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
    """Give a test that asks for `page_name` one case for each page of the book."""
    if "page_name" in metafunc.fixturenames:
        nothing = [pytest.param("", marks=pytest.mark.skip(reason=NOT_BUILT))]
        metafunc.parametrize("page_name", READ_PAGES or nothing)


@pytest.fixture
def html() -> Path:
    """The folder of the built book."""
    if not PAGES:
        pytest.skip(NOT_BUILT)
    return HTML
