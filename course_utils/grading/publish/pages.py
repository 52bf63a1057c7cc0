"""HTML pages of the grader: one template, everything in it escaped, no script, nothing from outside.

The browser is told so too: the pages' content security policy forbids scripts, images and requests.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

_PAGES = Environment(
    loader=PackageLoader("course_utils.grading", "publish"),
    autoescape=True,
    undefined=StrictUndefined,  # a name that is missing is an error, not an empty place
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(template: str, **values: Any) -> str:
    """The page of a template in this folder. Every value is escaped where it stands."""
    css = files("course_utils.grading.publish").joinpath("page.css").read_text(encoding="utf-8")
    return _PAGES.get_template(template).render(css=Markup(css), **values)
