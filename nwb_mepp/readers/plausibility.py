"""Plausibility checks after every read, because Neo can be wrong without raising an error."""

from __future__ import annotations

from collections.abc import Sequence

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.plausible_ranges import (
    RATES_TEXT,
    is_plausible_duration,
    is_plausible_rate,
    is_plausible_scale,
    is_plausible_start,
)
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
    """Check that every channel has a plausible sampling rate, start and duration.

    Parameters
    ----------
    traces : sequence of RawTrace
    name : str
        Name of the file, for error messages.

    Raises
    ------
    ReadError
        If the rate of a channel is missing, or a rate, start or duration is not finite or beyond what a
        recording can have (:mod:`nwb_mepp.core.plausible_ranges`).
    """
    for trace in traces:
        rate = trace.sampling_rate_hz
        if rate is None or not is_plausible_rate(rate):
            found = "none" if rate is None else f"{rate:g} Hz"
            raise ReadError(
                f"{name}: expected a sampling rate {RATES_TEXT} for channel {trace.channel!r}, found "
                f"{found}; pass `sampling_rate_hz=HZ`."
            )
        duration_s = len(trace.source) / rate
        if not (is_plausible_start(trace.start_s) and is_plausible_duration(duration_s)):
            raise ReadError(
                f"{name}: expected a sweep of at most 10 years that starts within 1000 years of the session "
                f"start for channel {trace.channel!r}, found a start at {trace.start_s:g} s and a duration "
                f"of {duration_s:g} s; the header is damaged."
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
        If a scale factor is 0, or a factor or offset is not finite or beyond what a channel can have.
    """
    for trace in traces:
        if not is_plausible_scale(trace.gain, trace.offset):
            raise ReadError(
                f"{name}: expected a scale factor from 1e-24 to 1e12 and an offset of at most 1e15 for "
                f"channel {trace.channel!r}, found {trace.gain:g} and {trace.offset:g}; the header is wrong."
            )
