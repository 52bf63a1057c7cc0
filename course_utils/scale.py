"""The three scales at which the same notebook code runs, and the switch between them.

``COURSE_SCALE`` picks one; nothing else in a notebook differs:

* ``laptop`` (the default): two CPU cores, no model hub, data and model out of packages;
* ``colab``: one GPU, models and sub-sampled data from the hub;
* ``full``: the same, with all of the data.
"""

import os
from enum import StrEnum


class Scale(StrEnum):
    """One of the three scales; a string, so that it can be printed and compared as one."""

    LAPTOP = "laptop"
    COLAB = "colab"
    FULL = "full"


def parse(name: str) -> Scale:
    """The scale called ``name``; upper case and blanks around it do not matter.

    Raises ValueError for a name that is none of the three.

    >>> parse(" Colab ")
    <Scale.COLAB: 'colab'>
    """
    try:
        return Scale(name.strip().lower())
    except ValueError:
        known = ", ".join(Scale)
        raise ValueError(f"unknown scale {name!r}: set COURSE_SCALE to one of {known}") from None


def current() -> Scale:
    """The scale that the environment variable COURSE_SCALE names; laptop where it is not set or empty."""
    return parse(os.environ.get("COURSE_SCALE", "").strip() or Scale.LAPTOP)


def go_offline() -> None:
    """At the laptop scale, tell the hub's libraries to stay off the network; elsewhere do nothing.

    Call it before transformers or datasets are imported, because they read these variables once.
    A value that the user has set is kept, so ``HF_HUB_OFFLINE=0`` opens the hub at any scale.
    """
    if current() is Scale.LAPTOP:
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
