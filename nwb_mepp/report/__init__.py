"""Pictures of what was found."""

from __future__ import annotations

from nwb_mepp.report.picture import draw_picture

__all__ = ["draw_picture"]
