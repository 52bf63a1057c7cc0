"""For every test: fixtures of a headless browser (see browser.py for what they do), and how hypothesis draws.

Its examples are the same in every run: what fails, fails for everybody, and a slow machine is no failure.
For other ones: pytest --hypothesis-profile=default
"""

from browser import browser, open_page, shared_page
from hypothesis import settings

__all__ = ["browser", "open_page", "shared_page"]

settings.register_profile("course", derandomize=True, deadline=None)
settings.load_profile("course")
