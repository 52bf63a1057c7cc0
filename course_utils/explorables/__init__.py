"""Figures a reader can play with in a page that has no kernel and no network."""
