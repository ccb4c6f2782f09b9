"""What a BrainVision header says that Neo does not return."""

from __future__ import annotations

from dataclasses import replace

from nwb_mepp.readers.contents import FileContents

__all__ = ["refine"]


def refine(contents: FileContents) -> FileContents:
    """Complete the units.

    Parameters
    ----------
    contents : FileContents

    Returns
    -------
    FileContents
    """
    # By definition of the format, a channel without a unit is in microvolts; Neo returns "u" for it.
    traces = [replace(t, unit_label="uV") if t.unit_label == "u" else t for t in contents.traces]
    return replace(contents, traces=tuple(traces))
