"""Fixtures for every test: a headless browser (see browser.py for what they do)."""

from browser import browser, open_page, shared_page

__all__ = ["browser", "open_page", "shared_page"]
