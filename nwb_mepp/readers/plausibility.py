"""Is what was read plausible? Neo can be silently wrong, so this is asked after every read."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.contents import StatedTrace

__all__ = ["check_rates", "check_scales", "check_traces"]


def check_traces(traces: Sequence[StatedTrace], *, name: str, reader: str) -> None:
    """Raise unless there is a signal with samples in it.

    Parameters
    ----------
    traces : sequence of StatedTrace
    name : str
        Of the file.
    reader : str

    Raises
    ------
    ReadError
        If there is no trace, or none holds a sample.
    """
    if not any(len(trace.source) for trace in traces):
        what = "signals without a single sample" if traces else "no continuous signal"
        raise ReadError(
            f"{name}: expected at least one signal, but the reader {reader!r} found {what}. If another "
            "program wrote the file, choose a reader with `reader='NAME'` (nwb-mepp formats lists them)."
        )


def check_rates(traces: Sequence[StatedTrace], *, name: str) -> None:
    """Raise unless every channel states a sampling rate that is a finite number above zero.

    Parameters
    ----------
    traces : sequence of StatedTrace
    name : str
        Of the file.

    Raises
    ------
    ReadError
        If one does not.
    """
    for trace in traces:
        rate = trace.sampling_rate_hz
        if rate is None or not math.isfinite(rate) or rate <= 0:
            found = "none" if rate is None else f"{rate:g} Hz"
            raise ReadError(
                f"{name}: expected a sampling rate above 0 for channel {trace.channel!r}, found {found}; "
                "pass `sampling_rate_hz=HZ`."
            )


def check_scales(traces: Sequence[StatedTrace], *, name: str) -> None:
    """Raise unless the stored numbers of every channel can be turned into values.

    Parameters
    ----------
    traces : sequence of StatedTrace
    name : str
        Of the file.

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
