"""What is checked after Neo has read a Spike2 file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import FileContents

__all__ = ["refine"]


def refine(contents: FileContents, reader: Any, path: Path) -> FileContents:
    """Refuse a file whose blocks of samples end before they begin, as the header of one of them says.

    Neo refuses it only where there are spikes as well.

    Raises
    ------
    ReadError
    """
    for block, n_segments in enumerate(reader.header["nb_segment"]):
        for segment in range(n_segments):
            begins_s, ends_s = (
                float(of(block, segment)) for of in (reader.segment_t_start, reader.segment_t_stop)
            )
            if ends_s < begins_s:
                raise ReadError(
                    f"{path.name}: expected sampling to end after it begins, found that it begins at "
                    f"{begins_s:g} s and ends at {ends_s:g} s; a block of the file is damaged, copy it again."
                )
    return contents
