"""Figures: the same bytes each time, colors that everybody can tell apart, labels that do not overlap."""

from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from course_utils import figures

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
VISION = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deuteranopia": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritanopia": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}


@pytest.fixture(autouse=True)
def drawn():
    """The course's style for one test, without a window."""
    with mpl.rc_context(), mpl.rc_context({"backend": "agg"}):
        figures.style()
        yield
        plt.close("all")


def lines(ends=(1.0, 2.0, 3.0)):
    figure, ax = plt.subplots()
    for number, end in enumerate(ends):
        ax.plot([0, 1], [0, end], label=f"line {number}")
    ax.set_ylim(0, 3)
    return figure, ax


def linear(color):
    channels = np.array(mpl.colors.to_rgb(color))
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear sRGB under D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.maximum(to_xyz @ np.clip(rgb, 0, 1) / [0.95047, 1, 1.08883], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_same_figure_saved_twice_has_the_same_bytes(tmp_path):
    for name in ("first.svg", "second.svg"):
        figures.save(lines()[0], tmp_path / name)
    first = (tmp_path / "first.svg").read_bytes()
    assert first == (tmp_path / "second.svg").read_bytes()
    assert b"<dc:date>" not in first
    assert mpl.__version__.encode() not in first


def test_only_svg_is_saved(tmp_path):
    with pytest.raises(ValueError, match=r"saved as \.svg, got 'figure\.png'"):
        figures.save(lines()[0], tmp_path / "figure.png")


def contrast_with_white(color):
    return 1.05 / (linear(color) @ [0.2126, 0.7152, 0.0722] + 0.05)


@pytest.mark.parametrize("color", figures.PALETTE)
def test_every_color_stands_out_from_white(color):
    assert contrast_with_white(color) >= 3


def test_labels_of_lines_can_be_read():
    _, ax = lines(range(1, 7))
    figures.label_lines(ax)
    assert min(contrast_with_white(text.get_color()) for text in ax.texts) >= 4.5


@pytest.mark.parametrize("matrix", VISION.values(), ids=VISION)
def test_every_two_colors_are_told_apart(matrix):
    for a, b in combinations(figures.PALETTE, 2):
        distance = np.linalg.norm(lab(np.array(matrix) @ linear(a)) - lab(np.array(matrix) @ linear(b)))
        assert distance >= 15, f"{a} and {b} look alike"


def test_lines_differ_in_more_than_color():
    cycle = list(mpl.rcParams["axes.prop_cycle"])
    for field in ("color", "linestyle"):
        assert len({str(look[field]) for look in cycle}) == len(figures.PALETTE)


@pytest.mark.parametrize("ends", [(1.0, 2.0, 3.0), (1.0, 1.0, 1.0), (1.5, 1.55, 1.45)])
def test_labels_of_lines_do_not_overlap(ends):
    figure, ax = lines(ends)
    figures.label_lines(ax)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert [text.get_text() for text in sorted(ax.texts, key=lambda t: t.get_text())] == [
        "line 0",
        "line 1",
        "line 2",
    ]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))


def test_a_line_without_a_label_gets_none():
    _, ax = lines()
    ax.plot([0, 1], [0, 0])
    figures.label_lines(ax)
    assert len(ax.texts) == 3
