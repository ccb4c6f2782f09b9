"""The stretches of time that a user leaves out, which need nothing of the analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.recording import Trace
from nwb_mepp.workflows.option_kinds import Stretches
from nwb_mepp.workflows.settings import DetectionSettings

__all__ = ["check_stretches", "stretches_in_sweep", "stretches_left_out"]


def check_stretches(traces: Sequence[Trace], *, settings: DetectionSettings) -> None:
    """Refuse a stretch outside the recording, which is probably a typing error.

    Parameters
    ----------
    traces : sequence of Trace
    settings : DetectionSettings

    Raises
    ------
    UsageError
    """
    channel = traces[0].channel
    for start_s, stop_s in settings.exclude:
        if not any(start_s < trace.start_s + trace.duration_s and stop_s > trace.start_s for trace in traces):
            first, last = traces[0].start_s, max(trace.start_s + trace.duration_s for trace in traces)
            raise UsageError(
                f"`exclude`: expected a stretch within the recording, found {start_s:g}:{stop_s:g} while "
                f"channel {channel!r} lasts from {first:g} to {last:g} s; times count from the session start."
            )
    longest_s = max(trace.duration_s for trace in traces)
    for start_s, stop_s in settings.exclude_per_sweep:
        if not (start_s < longest_s and stop_s > 0):
            raise UsageError(
                f"`exclude_per_sweep`: expected a stretch within a sweep, found {start_s:g}:{stop_s:g} "
                f"while the sweeps of channel {channel!r} last {longest_s:g} s; times count from the start "
                "of each sweep."
            )


def stretches_left_out(traces: Sequence[Trace], *, settings: DetectionSettings) -> Stretches:
    """Return every stretch that the settings leave out of these traces, in seconds from the session start.

    Parameters
    ----------
    traces : sequence of Trace
    settings : DetectionSettings
    """
    stretches = {stretch for trace in traces for stretch in stretches_in_sweep(trace, settings)}
    return tuple(sorted(stretches | set(settings.exclude)))


def stretches_in_sweep(trace: Trace, settings: DetectionSettings) -> Iterator[tuple[float, float]]:
    """Return the stretches that the settings leave out of one trace, in seconds from the session start."""
    yield from settings.exclude
    for start_s, stop_s in settings.exclude_per_sweep:
        yield trace.start_s + start_s, trace.start_s + stop_s
