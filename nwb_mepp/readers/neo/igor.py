"""Igor waves, whose x scale is 1 per point unless someone has set it."""

from __future__ import annotations

from dataclasses import replace

from nwb_mepp.readers.contents import FileContents

__all__ = ["refine"]


def refine(contents: FileContents) -> FileContents:
    """Take back a rate of 1 Hz of all waves, which is that of waves without a scale.

    Parameters
    ----------
    contents : FileContents

    Returns
    -------
    FileContents
    """
    if any(trace.sampling_rate_hz != 1.0 for trace in contents.traces):
        return contents  # an experiment in which some waves have a scale holds others that are no signals
    traces = tuple(replace(trace, sampling_rate_hz=None) for trace in contents.traces)
    return replace(contents, traces=traces)
