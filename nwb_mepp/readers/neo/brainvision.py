"""What a BrainVision header says that Neo does not return."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.neo.start_times import brainvision_start

__all__ = ["refine"]


def refine(contents: FileContents, path: Path) -> FileContents:
    """Complete the units, and take the start from the file of markers.

    Parameters
    ----------
    contents : FileContents
    path : Path
        The header.

    Returns
    -------
    FileContents
    """
    # By definition of the format, a channel without a unit is in microvolts; Neo returns "u" for it.
    traces = [replace(t, unit_label="uV") if t.unit_label == "u" else t for t in contents.traces]
    return replace(contents, traces=tuple(traces), session_start=brainvision_start(path))
