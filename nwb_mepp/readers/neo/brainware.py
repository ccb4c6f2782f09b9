"""BrainWare DAM files, which state neither the sampling rate nor the unit, but when each sweep began."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from nwb_mepp.readers.contents import FileContents
from nwb_mepp.readers.neo.gaps import from_first_sample

__all__ = ["refine"]

# BrainWare counts days from here, as spreadsheets do.
_DAY_0, _DAY_S = datetime(1899, 12, 30), 86_400


def refine(contents: FileContents) -> FileContents:
    """Take back the rate of 1 Hz, which Neo invents, and relate times to the first sweep.

    Parameters
    ----------
    contents : FileContents

    Returns
    -------
    FileContents
    """
    if not contents.traces:
        return contents
    first_s = min(trace.start_s for trace in contents.traces)
    contents = from_first_sample(contents)
    traces = tuple(replace(trace, sampling_rate_hz=None) for trace in contents.traces)
    start = _DAY_0 + timedelta(milliseconds=round(first_s * 1000)) if 0 < first_s < 1e5 * _DAY_S else None
    note = "The file states no unit; mV, as Neo assumes, is kept. State a unit if it is another."
    return replace(contents, traces=traces, session_start=start, notes=(*contents.notes, note))
