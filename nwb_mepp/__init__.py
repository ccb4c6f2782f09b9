"""Find miniature end-plate potentials and share them as NWB.

The functions below are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from nwb_mepp.core.version import __version__

if TYPE_CHECKING:
    from nwb_mepp.api import annotate, convert, detect, read, review, summarize, to_dataframe

__all__ = ["__version__", "annotate", "convert", "detect", "read", "review", "summarize", "to_dataframe"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("nwb_mepp.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
