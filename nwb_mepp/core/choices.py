"""Choices that have names."""

from __future__ import annotations

from typing import Literal

__all__ = ["ClampMode", "FitMode"]

ClampMode = Literal["current", "voltage", "izero"]
FitMode = Literal["empty", "all"]
