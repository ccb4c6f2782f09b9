"""Text in columns separated by commas, semicolons or spaces, with or without a label for each sample."""

from __future__ import annotations

from pathlib import Path

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.text.column_text import looks_like_recording, read_columns
from nwb_mepp.readers.text.layout import TextLayout, sniff_layout

__all__ = ["LABELED_TEXT", "read_labeled_text"]


def read_labeled_text(path: Path, options: ReadOptions) -> FileContents:
    """Read columns separated by commas, semicolons or spaces: the time, channels, and optionally labels.

    The title of the time column includes the unit (``Time_ms``); the column ``labels`` is 1 within a MEPP and
    0 elsewhere. A first column of row numbers is skipped. One number a line is read, too.

    Parameters
    ----------
    path : Path
    options : ReadOptions

    Returns
    -------
    FileContents

    Raises
    ------
    ReadError
        If a line cannot be read; the message gives its number.
    """
    layout = _layout(path)
    if layout is None:
        raise ReadError(
            f"{path.name}: expected columns separated by commas, semicolons or spaces with titles such as "
            "'Time_ms,Voltage,labels' (the first with the unit of time), found none; "
            "`reader='NAME'` chooses another reader."
        )
    return read_columns(path, layout, options)


def _layout(path: Path) -> TextLayout | None:
    layout = sniff_layout(path)
    return layout if layout is not None and layout.separator != "\t" else None


def _claims(path: Path) -> bool:
    return _layout(path) is not None


def _resembles_recording(path: Path) -> bool:
    layout = _layout(path)
    return layout is not None and looks_like_recording(layout)


LABELED_TEXT = ReaderEntry(
    name="labeled-text",
    description="text separated by commas, semicolons or spaces, with or without labels",
    suffixes=(".txt", ".asc", ".csv", ".tsv"),
    read=read_labeled_text,
    claims=_claims,
    resembles_recording=_resembles_recording,
)
