"""A look at each channel of a recording, by which the files of a batch are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nwb_mepp.core.recording import Recording, Trace
from nwb_mepp.core.units import ELECTRICAL_UNITS

__all__ = ["ChannelLook", "look_at"]

# From the middle of the first sweep, as test pulses are mostly at the beginning.
_N_SAMPLES = 20_000


@dataclass(frozen=True, kw_only=True)
class ChannelLook:
    """What is seen of a channel at first glance.

    Attributes
    ----------
    channel : str
    unit : str
        V or A.
    sampling_rate_hz : float
    median, noise_sd : float
        In the unit; the noise is estimated from differences of successive samples.
    """

    channel: str
    unit: str
    sampling_rate_hz: float
    median: float
    noise_sd: float


def look_at(recording: Recording) -> tuple[ChannelLook, ...]:
    """Look at each electrical channel.

    Parameters
    ----------
    recording : Recording

    Returns
    -------
    tuple of ChannelLook
        In the order of the channels.
    """
    looks = []
    firsts: dict[str, Trace] = {}
    for trace in recording.traces:
        firsts.setdefault(trace.channel, trace)
    for channel, trace in firsts.items():
        if trace.unit not in ELECTRICAL_UNITS or trace.n_samples < 2:
            continue
        first = max(trace.n_samples // 2 - _N_SAMPLES // 2, 0)
        values = trace.values(first, min(first + _N_SAMPLES, trace.n_samples))
        if not np.isfinite(values).all():
            values = values[np.isfinite(values)]
        if len(values) < 2:
            continue
        steps = np.diff(values)
        looks.append(
            ChannelLook(
                channel=channel,
                unit=trace.unit,
                sampling_rate_hz=trace.sampling_rate_hz,
                median=float(np.median(values)),
                # Of a normal distribution it is SD / 1.4826; differences have the SD times sqrt 2.
                noise_sd=float(np.median(np.abs(steps - np.median(steps))) * 1.4826 / np.sqrt(2)),
            )
        )
    return tuple(looks)
