"""What a training tells about its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Reporter"]


@dataclass(frozen=True, kw_only=True)
class Reporter:
    """Callbacks for the progress of a training.

    Attributes
    ----------
    tell : callable (text)
        Called with each line of the report.
    advance : callable (what, done, total)
        Called often, for a progress bar.
    """

    tell: Callable[[str], None] = lambda _: None
    advance: Callable[[str, int, int], None] = lambda _what, _done, _total: None
