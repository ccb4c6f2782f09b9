"""Pictures as files: one of three formats, whole or not at all, and without a date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nwb_mepp._utils.atomic_files import complete_or_absent
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
    """Return the format of a picture by its suffix, such as ``.png``.

    Raises
    ------
    UsageError
        If it is none that can be written.
    """
    suffix = path.suffix.lower()
    if suffix not in _UNDATED:
        raise UsageError(
            f"expected a picture ending in {', '.join(_UNDATED)}, found {path.name!r}; choose one of these."
        )
    return suffix


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure, whole or not at all.

    Parameters
    ----------
    figure : Figure
    path : Path

    Raises
    ------
    UsageError
        If the suffix is none of the formats.
    OutputError
        If the file cannot be written.
    """
    import matplotlib

    suffix = check_format(path)
    # SVG names its parts by chance unless it is told a word to make names of.
    with complete_or_absent(path) as temporary, matplotlib.rc_context({"svg.hashsalt": "nwb-mepp"}):
        figure.savefig(temporary, format=suffix[1:], dpi=_DPI, metadata=_UNDATED[suffix])
