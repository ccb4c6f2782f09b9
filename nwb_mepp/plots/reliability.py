"""Reliability diagrams: how predicted probabilities compare with observed frequencies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.plots.image_files import check_format, save_figure
from nwb_mepp.plots.style import ACCENT, MUTED, label_axes

__all__ = ["draw_reliability"]

_INCHES = (4.0, 4.0)


def draw_reliability(path: Path, *, predicted: npt.ArrayLike, observed: npt.ArrayLike) -> None:
    """Draw the observed share of MEPPs among candidates over their predicted probability.

    Parameters
    ----------
    path : Path
        Ending in ``.png``, ``.pdf`` or ``.svg``; written completely or not at all.
    predicted, observed : array_like, shape (n_bins,)
        Mean probability and share of MEPPs of each bin; NaN for one without candidates.

    Raises
    ------
    UsageError
        If the path ends in anything else.
    OutputError
        If the file cannot be written.
    """
    check_format(path)
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    axes.plot([0.0, 1.0], [0.0, 1.0], color=MUTED, linewidth=1.0, linestyle="--")
    means, shares = np.asarray(predicted, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    filled = np.isfinite(means)
    axes.plot(means[filled], shares[filled], color=ACCENT, marker="o", linewidth=2.0)
    label_axes(axes, title="", xlabel="Predicted probability", ylabel="Share of MEPPs")
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(0.0, 1.0)
    axes.set_aspect("equal")
    save_figure(figure, path)
