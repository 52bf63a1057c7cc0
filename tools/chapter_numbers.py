"""Sphinx extension: a chapter has the number in its file's name, whatever place it has in the book.

Sphinx numbers the chapters of a book one after the other. Here `chapters/11_embedding_spaces` is chapter 11
also while chapters before it are not written, in headings, in contents, and in the numbers of figures,
equations and exercises: other chapters and the exercises call it so.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector

NAMED = re.compile(r"chapters/(\d+)_")
AFTER_SPHINX = 900  # Sphinx itself numbers at 500


def renumber(_app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Put the file's number first in all numbers of a chapter; returns documents whose figures changed."""
    for document, numbers in env.toc_secnumbers.items():
        if named := NAMED.match(document):
            first = int(named[1])
            env.toc_secnumbers[document] = {
                anchor: (first, *number[1:]) for anchor, number in numbers.items() if number
            }
            for node in (env.titles[document], *env.tocs[document].findall(nodes.reference)):
                if node.get("secnumber"):
                    node["secnumber"] = (first, *node["secnumber"][1:])
    return TocTreeCollector().assign_figure_numbers(env)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("env-get-updated", renumber, priority=AFTER_SPHINX)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
