"""Small multiples: how F1 changes as one property of a recording after another does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nwb_mepp.plots.image_files import check_format, save_figure
from nwb_mepp.plots.style import (
    ACCENT,
    FAINT,
    INK,
    LABEL_SIZE,
    MEAN,
    MUTED,
    SHADE,
    SMALL_SIZE,
    TITLE_SIZE,
    label_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CurvePanel", "draw_curves"]

_N_COLUMNS = 4
_PANEL_INCHES = (3.3, 2.9)
_HEAD_INCHES = 0.85
# The first lines stand out; those without a style of their own are gray.
_STYLES: tuple[dict[str, Any], ...] = (
    {"color": ACCENT, "linewidth": 2.6, "marker": "o"},
    {"color": MEAN, "linewidth": 1.6, "marker": "s"},
    {"color": MEAN, "linewidth": 1.6, "marker": "s", "linestyle": "--"},
    {"color": SHADE, "linewidth": 1.6, "marker": "^"},
    {"color": MUTED, "linewidth": 1.4, "marker": "D"},
    {"color": MUTED, "linewidth": 1.4, "marker": "v", "linestyle": "--"},
    {"color": FAINT, "linewidth": 1.4, "marker": "x"},
)


@dataclass(frozen=True, kw_only=True)
class CurvePanel:
    """How one property of a recording affects the F1 of each detector.

    Attributes
    ----------
    words : str
        Name of the property, with its unit.
    values : tuple of float
        In ascending order; on a logarithmic axis 0 is drawn left of the others.
    scores : mapping of str to sequence of float
        F1 at these values, by detector.
    logarithmic : bool
    """

    words: str
    values: tuple[float, ...]
    scores: Mapping[str, Sequence[float]]
    logarithmic: bool = True


def draw_curves(panels: Sequence[CurvePanel], path: Path, *, title: str) -> None:
    """Draw one panel for each property and save the picture.

    Parameters
    ----------
    panels : sequence of CurvePanel
        All with the same detectors; the first one is emphasized.
    path : Path
        Ending in ``.png``, ``.pdf`` or ``.svg``; written completely or not at all.
    title : str

    Raises
    ------
    UsageError
        If the path ends in anything else.
    OutputError
        If the file cannot be written.
    """
    check_format(path)
    from matplotlib.figure import Figure

    n_rows = -(-len(panels) // _N_COLUMNS)
    height = n_rows * _PANEL_INCHES[1] + _HEAD_INCHES
    figure = Figure(figsize=(_N_COLUMNS * _PANEL_INCHES[0], height), facecolor="white", layout=None)
    top = 1.0 - _HEAD_INCHES / height
    grid = figure.add_gridspec(
        n_rows, _N_COLUMNS, left=0.05, right=0.985, top=top - 0.045, bottom=0.085, hspace=0.48, wspace=0.22
    )
    lowest = min(min(scores) for panel in panels for scores in panel.scores.values())
    for number, panel in enumerate(panels):
        axes = figure.add_subplot(grid[number // _N_COLUMNS, number % _N_COLUMNS])
        _draw_panel(axes, panel, first=number % _N_COLUMNS == 0)
        axes.set_ylim(max(lowest - 0.05, 0.0), 1.02)
    figure.text(0.05, 0.985, title, fontsize=TITLE_SIZE, color=INK, fontweight="bold", va="top")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles[::-1],
        labels[::-1],
        loc="upper left",
        bbox_to_anchor=(0.045, 1.0 - 0.42 / height),
        ncols=len(labels),
        frameon=False,
        fontsize=SMALL_SIZE,
        labelcolor=INK,
        borderaxespad=0.0,
    )
    save_figure(figure, path)


def _draw_panel(axes: Axes, panel: CurvePanel, *, first: bool) -> None:
    positions = _positions(panel)
    styles = dict(zip(panel.scores, [*_STYLES, *[_STYLES[-1]] * len(panel.scores)], strict=False))
    # The emphasized line is drawn last, on top of the others.
    for order, (name, scores) in enumerate(reversed(list(panel.scores.items()))):
        axes.plot(positions, scores, label=name, markersize=4.5, zorder=2 + order, **styles[name])
    label_axes(axes, title=panel.words, xlabel="", ylabel="F1" if first else "")
    if panel.logarithmic:
        axes.set_xscale("log")
    axes.set_xticks(positions, [f"{value:g}" for value in panel.values])
    axes.minorticks_off()
    axes.grid(axis="y", color=FAINT, alpha=0.35, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", labelsize=SMALL_SIZE - 1)
    axes.yaxis.label.set_fontsize(LABEL_SIZE)


def _positions(panel: CurvePanel) -> list[float]:
    """Return positions on the axis; on a logarithmic one, 0 is one step left of the first value."""
    values = list(panel.values)
    if panel.logarithmic and values[0] == 0.0:
        values[0] = values[1] ** 2 / values[2]
    return values
