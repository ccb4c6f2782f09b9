"""Pictures: the MEPPs of a channel, curves of the benchmark, reliability diagrams."""

from __future__ import annotations

from nwb_mepp.plots.curves import CurvePanel, draw_curves
from nwb_mepp.plots.picture import draw_picture
from nwb_mepp.plots.reliability import draw_reliability

__all__ = ["CurvePanel", "draw_curves", "draw_picture", "draw_reliability"]
