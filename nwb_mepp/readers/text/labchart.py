"""Text exported from LabChart: columns separated by tabs, decimal commas or points, any language."""

from __future__ import annotations

from pathlib import Path

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.options import ReadOptions
from nwb_mepp.readers.text.column_text import looks_like_recording, read_columns
from nwb_mepp.readers.text.layout import TextLayout, sniff_layout

__all__ = ["LABCHART", "read_labchart"]


def read_labchart(path: Path, options: ReadOptions) -> FileContents:
    """Read columns separated by tabs.

    Names and units come from the titles of the columns (``Время, s<TAB>Канал 1, V``, ``Time (s)<TAB>Vm
    (mV)``) or from the heading that LabChart writes (``ChannelTitle=``, ``UnitName=``, ``Range=``). Each
    block, which has a heading of its own, is a sweep.

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
            f"{path.name}: expected columns of numbers separated by tabs, found none; `reader='NAME'` "
            "chooses another reader."
        )
    return read_columns(path, layout, options)


def _layout(path: Path) -> TextLayout | None:
    layout = sniff_layout(path)
    return layout if layout is not None and layout.separator == "\t" else None


def _claims(path: Path) -> bool:
    return _layout(path) is not None


def _resembles_recording(path: Path) -> bool:
    layout = _layout(path)
    return layout is not None and looks_like_recording(layout)


LABCHART = ReaderEntry(
    name="labchart",
    description="text separated by tabs, as exported from LabChart",
    suffixes=(".txt", ".asc", ".csv", ".tsv"),
    read=read_labchart,
    claims=_claims,
    resembles_recording=_resembles_recording,
)
