"""Sphinx extension: put the files that pages need beside them, so that no outside host is asked.

MathJax is 2 MB of somebody else's JavaScript, so it is not committed: it comes out of the
wheel `sphinx-mathjax-offline` at build time. That wheel's own Sphinx extension would copy
all of its 24 MB and pick another bundle, so only its file is used here.
"""

from importlib.metadata import distribution
from pathlib import Path
from shutil import copyfile

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

BUNDLE = "sphinx-mathjax-offline/static/mathjax/tex-svg-full.js"


def mathjax_bundle() -> Path:
    """The one-file MathJax (TeX in, SVG out) inside the installed wheel."""
    path = Path(str(distribution("sphinx-mathjax-offline").locate_file(BUNDLE)))
    if not path.is_file():
        raise ExtensionError(f"{path} is missing; reinstall sphinx-mathjax-offline (see requirements.txt)")
    return path


def copy_mathjax(app: Sphinx) -> None:
    """Copy the bundle to the place under _static that `mathjax_path` in _config.yml names."""
    if app.builder.format != "html":
        return
    target = Path(app.outdir, "_static", app.config.mathjax_path)
    target.parent.mkdir(parents=True, exist_ok=True)
    copyfile(mathjax_bundle(), target)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
