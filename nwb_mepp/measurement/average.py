"""The average of isolated MEPPs, aligned at their rise, and its kinetics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.results import AverageWaveform
from nwb_mepp.core.segments import Segment
from nwb_mepp.measurement.noise_weights import Bins, NoiseWeights, white_noise
from nwb_mepp.measurement.peaks import PolarizedTrace
from nwb_mepp.measurement.shape_fit import Shapes, Windows, fit_shapes
from nwb_mepp.measurement.waveform import POWERS, widths

__all__ = ["AverageKinetics", "average_waveform", "describe_average"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_BEFORE_S = 5e-3
_AFTER_DURATIONS = 4.0
_AFTER_LIMITS_S = (10e-3, 55e-3)
_MIN_MEPPS = 3


@dataclass(frozen=True)
class AverageKinetics:
    """Amplitude and kinetics of an averaged waveform; NaN where none can be fitted."""

    amplitude: float = np.nan
    rise_10_90_s: float = np.nan
    half_width_s: float = np.nan
    decay_tau_s: float = np.nan


def average_waveform(
    mepps: Mepps,
    segments: Sequence[Segment],
    *,
    polarity: Polarity,
    readers: Sequence[Callable[[int, int], FloatArray]],
) -> AverageWaveform | None:
    """Average the isolated MEPPs of one channel.

    Parameters
    ----------
    mepps : Mepps
    segments : sequence of Segment
        Those that they lie in.
    polarity : Polarity
    readers : sequence of callable (start, stop) -> ndarray
        The trace of each segment without hum.

    Returns
    -------
    AverageWaveform or None
        None with fewer than 3 isolated MEPPs.

    Notes
    -----
    A MEPP is isolated if no other begins in the time shown, or so shortly before that it has not decayed.
    Each is shifted by a fraction of a sample so that it passes half of its amplitude at time 0, where the
    trace smoothed by a Gaussian of 0.2 ms does, and its baseline is subtracted.
    """
    rate_hz = segments[0].sampling_rate_hz
    duration_s = float(np.median(mepps.stop_s - mepps.start_s)) if len(mepps) else 0.0
    before = round(_BEFORE_S * rate_hz)
    after = round(float(np.clip(_AFTER_DURATIONS * duration_s, *_AFTER_LIMITS_S)) * rate_hz)
    total, n_mepps = np.zeros(before + after), 0
    for segment, read in zip(segments, readers, strict=True):
        view = PolarizedTrace(read, polarity.sign, rate_hz, segment.n_samples)
        for number in _isolated(mepps, segment, before=before, after=after).tolist():
            total += _aligned(view, segment, mepps, number, before=before, after=after)
            n_mepps += 1
    if n_mepps < _MIN_MEPPS:
        return None
    values = polarity.sign * (total / n_mepps)
    time_s = np.arange(-before, after) / rate_hz
    return AverageWaveform(time_s=time_s, values=np.asarray(values), n_mepps=n_mepps)


def _isolated(mepps: Mepps, segment: Segment, *, before: int, after: int) -> IntArray:
    """Return the rows of a segment whose surroundings hold no other MEPP."""
    inside = (mepps.sweep == segment.trace.sweep) & (mepps.start_index >= segment.start)
    rows = np.flatnonzero(inside & (mepps.start_index < segment.stop))
    start = mepps.start_index[rows] - segment.start
    gap = np.diff(start)
    far = np.iinfo(np.int64).max
    alone = (np.append(gap, far) > 1.2 * after) & (np.insert(gap, 0, far) > 1.2 * after)
    whole = (start >= 2 * before) & (start + 1.2 * after < segment.n_samples)
    return rows[alone & whole & ~mepps.unresolved[rows]]


def _aligned(
    view: PolarizedTrace, segment: Segment, mepps: Mepps, number: int, *, before: int, after: int
) -> FloatArray:
    """Return one MEPP of amplitude as measured, shifted so that it passes half of its amplitude at 0."""
    start, peak = (
        int(index) - segment.start for index in (mepps.start_index[number], mepps.peak_index[number])
    )
    level = view.sign * float(mepps.baseline[number])
    smoothed = view.smoothed(start, peak + 1) - level
    half = 0.5 * abs(float(mepps.amplitude[number]))
    below = np.flatnonzero(smoothed < half)
    last = int(below[-1]) if len(below) else 0
    step = float(smoothed[min(last + 1, len(smoothed) - 1)] - smoothed[last])
    crossing = (
        start + last + (min(max((half - float(smoothed[last])) / step, 0.0), 1.0) if step > 0.0 else 0.0)
    )
    first = int(np.floor(crossing)) - before
    share = crossing - np.floor(crossing)
    values = view.values(first, first + before + after + 1) - level
    return np.asarray((1.0 - share) * values[:-1] + share * values[1:])


def describe_average(
    waveform: AverageWaveform | None, *, rate_hz: float, polarity: Polarity
) -> AverageKinetics:
    """Fit the shape of a MEPP to an averaged waveform, with the ``power`` that fits best.

    Parameters
    ----------
    waveform : AverageWaveform or None
        NaN throughout if None.
    rate_hz : float
    polarity : Polarity
    """
    if waveform is None:
        return AverageKinetics()
    values = polarity.sign * waveform.values
    peak = int(np.argmax(values))
    bins = Bins.around_peak(rate_hz)
    first, last = bins.edges[[0, -1]].tolist()
    padded = np.pad(values, (max(-(first + peak), 0), max(peak + last - len(values), 0)), mode="edge")
    begin = peak + first + max(-(first + peak), 0)
    start = np.searchsorted(bins.edges, -peak)
    stop = np.searchsorted(bins.edges, len(values) - peak, side="right") - 1
    windows = Windows(
        values=bins.average(padded[begin : begin + last - first])[None],
        first=np.array([start]),
        last=np.array([stop]),
        level=np.array([np.nan]),
        level_sd=np.array([np.inf]),
        largest=np.array([np.inf]),
    )
    weights = NoiseWeights(bins, white_noise(0.01 * float(values.max())))
    fits = []
    for power in POWERS:
        guess = replace(
            Shapes.blank(1, power=power),
            onset_s=np.array([-1e-3]),
            tau_rise_s=np.array([0.4e-3]),
            tau_decay_s=np.array([3e-3]),
        )
        fits.append(fit_shapes(windows, weights, start=guess))
    best = min(fits, key=lambda fit: float(fit.chi_square[0]))
    if not best.usable[0]:
        return AverageKinetics()
    rise_s, half_width_s = widths(best.tau_rise_s, best.tau_decay_s, power=best.power)
    return AverageKinetics(
        amplitude=polarity.sign * float(best.amplitude[0]),
        rise_10_90_s=float(rise_s[0]),
        half_width_s=float(half_width_s[0]),
        decay_tau_s=float(best.tau_decay_s[0]),
    )
