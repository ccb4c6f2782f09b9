"""Pictures of what was found."""

from __future__ import annotations

from nwb_mepp.report.curves import CurvePanel, draw_curves
from nwb_mepp.report.picture import draw_picture

__all__ = ["CurvePanel", "draw_curves", "draw_picture"]
