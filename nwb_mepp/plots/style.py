"""Common style: a few colors that color-blind readers can tell apart, and no frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "ACCENT",
    "FAINT",
    "INK",
    "LABEL_SIZE",
    "MEAN",
    "MUTED",
    "SHADE",
    "SMALL_SIZE",
    "TITLE_SIZE",
    "TRACE",
    "label_axes",
    "show_message",
]

# From the palette of Okabe and Ito, besides grays.
ACCENT = "#D55E00"
MEAN = "#0072B2"
SHADE = "#E69F00"
TRACE = "#4A5568"
INK = "#1F2933"
MUTED = "#5F6B7A"
FAINT = "#9AA5B1"

TITLE_SIZE = 17
LABEL_SIZE = 12
SMALL_SIZE = 10.5


def label_axes(axes: Axes, *, title: str, xlabel: str, ylabel: str) -> None:
    """Label a panel and remove what carries no information."""
    axes.set_title(title, loc="left", fontsize=LABEL_SIZE, color=INK, fontweight="bold", pad=7)
    axes.set_xlabel(xlabel, fontsize=LABEL_SIZE, color=INK)
    axes.set_ylabel(ylabel, fontsize=LABEL_SIZE, color=INK)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    axes.tick_params(labelsize=SMALL_SIZE, colors=INK, color=FAINT)
    # A baseline of -70.01 mV is written out, not as -7.001e1 with an offset in a corner.
    axes.ticklabel_format(style="plain", useOffset=False)


def show_message(axes: Axes, message: str) -> None:
    """Show a message where there is nothing to draw."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.text(
        0.5,
        0.5,
        message,
        transform=axes.transAxes,
        ha="center",
        va="center",
        fontsize=TITLE_SIZE,
        color=FAINT,
    )
