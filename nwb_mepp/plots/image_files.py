"""Saving pictures as PNG, PDF or SVG, completely or not at all, without a date, and marked as ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp._utils.ownership import picture_metadata
from nwb_mepp.core.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["check_format", "save_figure"]

_DPI = 150  # makes a picture of 13.33 inches 2000 pixels wide
# Pictures carry no date: the same result gives the same file.
_UNDATED: dict[str, dict[str, str | None]] = {
    ".png": {},
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
}


def check_format(path: Path) -> str:
    """Return the suffix of a picture, such as ``.png``, if its format can be written.

    Raises
    ------
    UsageError
        If it cannot.
    """
    suffix = path.suffix.lower()
    if suffix not in _UNDATED:
        raise UsageError(
            f"expected a picture ending in {', '.join(_UNDATED)}, found {path.name!r}; choose one of these."
        )
    return suffix


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure, completely or not at all.

    Parameters
    ----------
    figure : Figure
    path : Path

    Raises
    ------
    UsageError
        If the suffix is not that of a supported format.
    OutputError
        If the file cannot be written.
    """
    import matplotlib

    suffix = check_format(path)
    metadata = {**_UNDATED[suffix], **picture_metadata(suffix)}
    # Without a salt, matplotlib gives the parts of an SVG file random names.
    with complete_or_absent(path) as temporary, matplotlib.rc_context({"svg.hashsalt": "nwb-mepp"}):
        figure.savefig(temporary, format=suffix[1:], dpi=_DPI, metadata=metadata)
