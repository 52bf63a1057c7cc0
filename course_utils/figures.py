"""One look for every figure of the course, and files that come out the same byte for byte.

Call `style()` once, before the first figure of a chapter. Figures are drawn on white, so that their colors
mean the same on a light and on a dark page. In the book, the cell that draws a figure carries its caption,
name and alt text as metadata (notebooks outside of the book have no alt text for figures, so the sentence
after the cell says what there is to see):

    {"mystnb": {"figure": {"caption": "...", "name": "fig-fertility"}, "image": {"alt": "..."}}}
"""

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# After Okabe and Ito (2008) and Tol (2021), without the light ones: at least 3:1 on white, and told apart by
# readers with protanopia, deuteranopia and tritanopia: blue, vermilion, green, wine, pink, black.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#882255", "#C0679B", "#222222")
DASHES = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1))]
INK = "#222222"

_RC: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.prop_cycle": cycler(color=list(PALETTE)) + cycler(linestyle=DASHES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "figure.figsize": (7.0, 4.0),
    "font.family": ["DejaVu Sans"],  # it comes with matplotlib, so every machine draws the same letters
    "font.size": 10,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "image.cmap": "viridis",
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "bert-course",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
# Dates and the version of matplotlib would make every run's file a new one.
_METADATA = {"Date": None, "Creator": None}


def style() -> None:
    """Set the course's look for every figure from here on; notebooks then show figures as SVG."""
    mpl.rcParams.update(_RC)
    if "ipykernel" in sys.modules:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg", metadata=_METADATA)


def save(figure: Figure, path: Path) -> None:
    """Save a figure as SVG; the same figure gives the same bytes. Call `style()` before drawing it."""
    if path.suffix != ".svg":
        raise ValueError(f"figures are saved as .svg, got '{path.name}'")
    figure.savefig(path, metadata=_METADATA)


def label_lines(ax: Axes) -> None:
    """Write each line's label at its right end, instead of in a legend.

    Labels that would overlap are moved apart. Call it last, when the limits of the axes are final.
    """
    ax.figure.canvas.draw()  # the layout is only known then
    lines = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    ends = [np.asarray(line.get_xydata())[-1] for line in lines]
    heights = [float(ax.transData.transform(end)[1]) for end in ends]
    step = 1.2 * mpl.rcParams["font.size"] * ax.figure.dpi / 72  # one line of text, in pixels
    floor = -np.inf
    for index in np.argsort(heights, kind="stable"):
        floor = max(heights[index], floor + step)
        ax.annotate(
            str(lines[index].get_label()),
            xy=(ends[index][0], ends[index][1]),
            xytext=(6, (floor - heights[index]) * 72 / ax.figure.dpi),
            textcoords="offset points",
            color=_for_text(lines[index].get_color()),
            va="center",
            annotation_clip=False,
        )


def _for_text(color: Any) -> tuple[float, ...]:
    """A color darkened to 70%: letters need 4.5:1 on white, lines 3:1."""
    return tuple(0.7 * channel for channel in mpl.colors.to_rgb(color))
