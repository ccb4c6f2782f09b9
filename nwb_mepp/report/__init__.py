"""Pictures of what was found."""

from __future__ import annotations

from nwb_mepp.report.curves import CurvePanel, draw_curves
from nwb_mepp.report.picture import draw_picture
from nwb_mepp.report.reliability import draw_reliability

__all__ = ["CurvePanel", "draw_curves", "draw_picture", "draw_reliability"]
