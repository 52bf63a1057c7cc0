"""Where things are: the checkout, if there is one, and the folder for what was downloaded."""

import os
from pathlib import Path

import platformdirs


def project_root() -> Path | None:
    """The checkout that this package is imported from, or None when it was installed as a wheel.

    Found from the package's own place, never from the working folder, so that a notebook finds it
    wherever it was started.
    """
    candidate = Path(__file__).resolve().parents[1]
    is_checkout = (candidate / "pyproject.toml").is_file() and (candidate / "chapters").is_dir()
    return candidate if is_checkout else None


def cache_dir() -> Path:
    """The folder that keeps downloaded data and models; it exists when this returns.

    It is the environment variable COURSE_CACHE where that is set, else the user's cache folder
    (``~/.cache/bert-course`` on Linux). Deleting it is safe: it is filled again when needed.
    """
    chosen = os.environ.get("COURSE_CACHE", "").strip()
    folder = (
        Path(chosen).expanduser()
        if chosen
        else Path(platformdirs.user_cache_dir("bert-course", appauthor=False))
    )
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise OSError(
            f"the cache folder {folder} cannot be made ({problem.strerror}): "
            "set COURSE_CACHE to a folder that you may write to"
        ) from problem
    return folder
