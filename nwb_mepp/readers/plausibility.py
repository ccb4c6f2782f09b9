"""Plausibility checks after every read, because Neo can be wrong without raising an error."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import RawTrace

__all__ = ["check_rates", "check_scales", "check_traces"]


def check_traces(traces: Sequence[RawTrace], *, name: str, reader: str) -> None:
    """Check that there is at least one signal with samples.

    Parameters
    ----------
    traces : sequence of RawTrace
    name : str
        Name of the file, for error messages.
    reader : str

    Raises
    ------
    ReadError
        If there is no trace, or none with samples.
    """
    if not any(len(trace.source) for trace in traces):
        what = "only signals without samples" if traces else "no continuous signal"
        raise ReadError(
            f"{name}: expected at least one signal, but the reader {reader!r} found {what}. If another "
            "program wrote the file, choose a reader with `reader='NAME'` (nwb-mepp formats lists them)."
        )


def check_rates(traces: Sequence[RawTrace], *, name: str) -> None:
    """Check that every channel has a finite sampling rate above zero.

    Parameters
    ----------
    traces : sequence of RawTrace
    name : str
        Name of the file, for error messages.

    Raises
    ------
    ReadError
        If the rate of a channel is missing, not finite, or not above zero.
    """
    for trace in traces:
        rate = trace.sampling_rate_hz
        if rate is None or not math.isfinite(rate) or rate <= 0:
            found = "none" if rate is None else f"{rate:g} Hz"
            raise ReadError(
                f"{name}: expected a sampling rate above 0 for channel {trace.channel!r}, found {found}; "
                "pass `sampling_rate_hz=HZ`."
            )


def check_scales(traces: Sequence[RawTrace], *, name: str) -> None:
    """Check that the stored numbers of every channel can be converted to values.

    Parameters
    ----------
    traces : sequence of RawTrace
    name : str
        Name of the file, for error messages.

    Raises
    ------
    ReadError
        If a scale factor is 0 or not finite, or an offset is not finite.
    """
    for trace in traces:
        if not (math.isfinite(trace.gain) and trace.gain and math.isfinite(trace.offset)):
            raise ReadError(
                f"{name}: expected a finite scale factor other than 0 and a finite offset for channel "
                f"{trace.channel!r}, found {trace.gain:g} and {trace.offset:g}; the header is damaged."
            )
