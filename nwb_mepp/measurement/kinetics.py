"""Onset, peak, amplitude, rise, half-width, decay and area of each MEPP, on the original trace.

A detector only says where to look. Everything in the table is measured here, at the trace's own sampling rate
and in its own unit, in three steps:

1. The peak of each candidate is the maximum of the trace smoothed by a Gaussian of 0.2 ms (full width at half
   maximum 0.47 ms), no farther than the valley before the neighboring candidate
   (:mod:`nwb_mepp.measurement.peaks`).
2. In order of time, the rise and decay of :mod:`nwb_mepp.measurement.waveform` are fitted to the samples from
   2 ms before the onset to four decay constants after the peak, or to the valley before the next MEPP.
   Tails of earlier MEPPs are subtracted first, so a MEPP that rides on the decay of another is measured from
   where that decay would have been, not from the raised level. All are fitted twice: the clear MEPPs of the
   first round give the typical time constants of the recording, which are the prior of the second round.
3. Onset, peak position and widths are read from the fitted curve; amplitude and area are means and sums of
   samples.

The baseline is the mean of the middle half (robust against small MEPPs that were missed and against
converter steps) of the samples in up to 5 ms that end 0.3 ms before the onset and begin no earlier than one
decay constant after the previous peak; where less than 1 ms is left, it is that of the previous MEPP. The
baseline in the table includes the tails of earlier MEPPs at the peak, so that baseline and amplitude always
add up to the peak value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.segments import Segment
from nwb_mepp.measurement.peaks import PEAK_HALF_WINDOW_S, Events, PolarizedTrace, locate_peaks
from nwb_mepp.measurement.waveform import Shape, ShapePrior, fit_shape, level_times

__all__ = ["measure"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_BASELINE_S = 5e-3
_BASELINE_GAP_S = 0.3e-3
_MIN_BASELINE_S = 1e-3

_BEFORE_S = 20e-3
_AFTER_S = 60e-3
_FIT_BEFORE_ONSET_S = 2e-3
_FIT_DECAYS = 4.0
_FIRST_FIT_S = 12e-3  # while the decay is unknown
_MIN_FIT_S = 6e-3
_FIT_ROUNDS = 3
_DECAYS_TO_STOP = 1.3
_MIN_DECAY_S = 0.5e-3
_SETTLED_S = 0.05e-3
# After this many decay constants, a MEPP no longer affects later ones: 0.03 % of it is left.
_TAIL_DECAYS = 8.0
# At least this many MEPPs, each this many noise SD high, give the typical time constants of a recording.
# Smaller ones would only reproduce the prior, as noise leaves their time constants undetermined.
_MIN_CLEAR = 5
_CLEAR_SD = 5.0
# SD of the natural logarithm of the time constants within a recording: CVs of 0.15 to 0.4 are typical.
_LOG_SD_WITHIN = 0.3


@dataclass(kw_only=True)
class _Event:
    """One MEPP between candidate and table row; samples and seconds count from the start of the segment."""

    start: int
    peak: int
    stop: int
    probability: float
    level: float = np.nan
    shape: Shape | None = None
    tails: tuple[Shape, ...] = ()
    clear: bool = False
    overlapped: bool = False

    def tails_at(self, time_s: float) -> tuple[Shape, ...]:
        """Return this MEPP and earlier ones, as far as they have not decayed at a later time."""
        known = self.tails if self.shape is None else (*self.tails, self.shape)
        return tuple(s for s in known if time_s - s.peak_s < _TAIL_DECAYS * s.tau_decay_s)


def measure(
    segment: Segment,
    candidates: Events,
    *,
    polarity: Polarity,
    read: Callable[[int, int], FloatArray] | None = None,
) -> Mepps:
    """Measure the MEPPs of one segment.

    Parameters
    ----------
    segment : Segment
    candidates : Events
        Where to look: ``start``, ``peak``, ``stop`` and ``probability``, sorted by peak.
    polarity : Polarity
        Positive or negative.
    read : callable (start, stop) -> ndarray, optional
        Trace of the segment in SI units, reflected beyond its borders; ``segment.values`` if not given. Pass
        the trace without hum where hum was found.

    Returns
    -------
    Mepps
        Sorted by onset; the intervals neither overlap nor leave the segment, and each holds its peak. Two
        candidates with one peak become one row, that of the more probable. Amplitude, area and baseline
        are signed. ``anomaly`` is NaN.

    Raises
    ------
    ValueError
        If the polarity is ``AUTO``.

    Notes
    -----
    ``decay_tau_s`` is NaN where the next MEPP begins before the decay to 1/e (``overlapped``), where the
    segment ends before it, and where no deflection with a decay of 0.1 to 100 ms can be fitted; in this last
    case the interval is the candidate's own, and ``rise_10_90_s`` and ``half_width_s`` are NaN too.
    ``half_width_s`` is NaN as well where the next onset or the end of the segment comes before the half.

    Examples
    --------
    A MEPP of 1 mV on a resting potential of -70 mV that begins after 20 ms, rises with 0.4 ms and decays
    with 3 ms.

    >>> from types import SimpleNamespace
    >>> from nwb_mepp.core.recording import ArraySource, Trace
    >>> since_s = np.maximum(np.arange(1000) / 10e3 - 20e-3, 0)
    >>> bump = (1 - np.exp(-since_s / 0.4e-3)) * np.exp(-since_s / 3e-3)
    >>> trace = Trace(channel="Vm", sweep=0, source=ArraySource(bump / bump.max()), unit="V",
    ...               conversion=1e-3, offset=-70e-3, sampling_rate_hz=10e3, start_s=0.0)
    >>> found = SimpleNamespace(start=np.array([195]), peak=np.array([212]), stop=np.array([240]),
    ...                         probability=np.array([0.9]))
    >>> mepps = measure(Segment(trace=trace, start=0, stop=1000), found, polarity=Polarity.POSITIVE)
    >>> int(mepps.start_index[0]), int(mepps.peak_index[0]), round(1e3 * float(mepps.decay_tau_s[0]), 2)
    (200, 209, 3.0)
    """
    view = PolarizedTrace(read or segment.values, polarity.sign, segment.sampling_rate_hz, segment.n_samples)
    rows, peaks = locate_peaks(view, candidates)
    if not len(rows):
        return Mepps.empty(segment.trace.channel, segment.trace.unit)
    columns = (candidates.start[rows], peaks, candidates.stop[rows], candidates.probability[rows])
    events = [
        _Event(start=int(start), peak=int(peak), stop=int(stop), probability=float(probability))
        for start, peak, stop, probability in zip(*columns, strict=True)
    ]
    _fit_all(view, events)
    _set_intervals(view, events)
    return _table(segment, view, events)


def _fit_all(view: PolarizedTrace, events: list[_Event]) -> None:
    """Fit the events twice: the first round gives the prior of this recording for the second."""
    _fit_in_order(view, events, population=None)
    population = _population(view, events)
    if population is not None:
        _fit_in_order(view, events, population=population)


def _population(view: PolarizedTrace, events: Sequence[_Event]) -> ShapePrior | None:
    """Return the median shape of the clear MEPPs of a recording; None where there are too few."""
    clear = []
    for event, following in zip_longest(events, events[1:]):
        end_s = (view.n_samples if following is None else following.peak) / view.rate_hz
        if event.shape is not None and event.clear and event.shape.peak_s + event.shape.tau_decay_s < end_s:
            clear.append((event.shape.tau_rise_s, event.shape.tau_decay_s))
    if len(clear) < _MIN_CLEAR:
        return None
    tau_rise_s, tau_decay_s = np.median(clear, axis=0).tolist()
    return ShapePrior(tau_rise_s=tau_rise_s, tau_decay_s=tau_decay_s, log_sd=_LOG_SD_WITHIN)


def _fit_in_order(view: PolarizedTrace, events: list[_Event], *, population: ShapePrior | None) -> None:
    """Fit the events one after another, each to the trace without the tails of earlier ones."""
    for number, event in enumerate(events):
        previous = events[number - 1] if number else None
        following = events[number + 1] if number + 1 < len(events) else None
        if previous is not None:
            event.tails = previous.tails_at(event.peak / view.rate_hz)
        prior = ShapePrior() if population is None else population
        if following is None or event.stop < following.start:
            # The detector's stop marks the end of the decay, where 1/e is left. It counts as much as what is
            # typical of the recording, and alone in the first round, when that is not known yet.
            detected_s = max((event.stop - event.peak) / _DECAYS_TO_STOP / view.rate_hz, _MIN_DECAY_S)
            typical_s = detected_s if population is None else population.tau_decay_s
            prior = replace(prior, tau_decay_s=float(np.sqrt(typical_s * detected_s)))
        _fit_event(view, event, previous=previous, following=following, prior=prior)


def _fit_event(
    view: PolarizedTrace,
    event: _Event,
    *,
    previous: _Event | None,
    following: _Event | None,
    prior: ShapePrior,
) -> None:
    """Find baseline and shape of one event; each depends on the other, so both are estimated in turn."""
    rate_hz = view.rate_hz
    first = max(event.peak - view.samples(_BEFORE_S), 0 if previous is None else previous.peak)
    last = min(event.peak + view.samples(_AFTER_S) + 1, view.n_samples)
    if following is not None and following.peak < last:
        last = event.peak + max(int(np.argmin(view.smoothed(event.peak, following.peak + 1))), 1)
    time_s = np.arange(first, last) / rate_hz
    tails = _sum_of(event.tails, time_s)
    smoothed = view.smoothed(first, last) - tails
    trace = _Trace(view.values(first, last) - tails, smoothed, first, event.peak, rate_hz)

    level, noise_sd = _level(trace, onset_s=(event.peak / rate_hz) - 1.2e-3, previous=previous)
    shape = _first_guess(trace, level=level, prior=prior)
    for round_ in range(_FIT_ROUNDS):
        fit_s = _FIRST_FIT_S if round_ == 0 else max(_FIT_DECAYS * shape.tau_decay_s, _MIN_FIT_S)
        fitted = (time_s >= shape.onset_s - _FIT_BEFORE_ONSET_S) & (time_s <= event.peak / rate_hz + fit_s)
        onset_s = shape.onset_s
        shape = fit_shape(
            time_s[fitted], trace.values[fitted] - level, start=shape, noise_sd=noise_sd, prior=prior
        )
        level, noise_sd = _level(trace, onset_s=shape.onset_s, previous=previous)
        if round_ > 0 and abs(shape.onset_s - onset_s) < _SETTLED_S:
            break
    event.level, event.shape, event.clear = level, None, False
    distance_s = abs(shape.peak_s - event.peak / rate_hz)
    if shape.usable and distance_s <= max(1.5e-3, shape.peak_s - shape.onset_s):
        event.shape = shape
        event.clear = shape.amplitude >= _CLEAR_SD * noise_sd


@dataclass(frozen=True)
class _Trace:
    """The samples around one event without the tails of earlier ones."""

    values: FloatArray
    smoothed: FloatArray
    first: int
    peak: int
    rate_hz: float


def _level(trace: _Trace, *, onset_s: float, previous: _Event | None) -> tuple[float, float]:
    """Return the baseline before an onset and the standard deviation of the noise around it."""
    earliest_s = trace.first / trace.rate_hz
    if previous is not None and previous.shape is not None:
        earliest_s = max(earliest_s, previous.shape.peak_s + previous.shape.tau_decay_s)
    stop_s = min(onset_s, trace.peak / trace.rate_hz) - _BASELINE_GAP_S
    start_s = max(earliest_s, stop_s - _BASELINE_S)
    start, stop = (int(np.ceil(time_s * trace.rate_hz)) - trace.first for time_s in (start_s, stop_s))
    before = np.sort(trace.values[start : max(stop, start)])
    if len(before) >= max(_MIN_BASELINE_S * trace.rate_hz, 3):
        quarter = len(before) // 4
        return float(before[quarter : len(before) - quarter].mean()), float(before.std())
    if previous is not None and trace.first == previous.peak:
        return previous.level, 0.0
    # At the very beginning of a segment there is no baseline: the minimum so far is the best estimate.
    return float(trace.smoothed[: trace.peak - trace.first + 1].min()), 0.0


def _first_guess(trace: _Trace, *, level: float, prior: ShapePrior) -> Shape:
    """Guess the shape from where the smoothed trace passes half of the peak."""
    peak = trace.peak - trace.first
    half = 0.5 * (trace.smoothed[peak] + level)
    before = np.flatnonzero(trace.smoothed[:peak] < half)
    after = np.flatnonzero(trace.smoothed[peak:] < half)
    rise_s = (peak - before[-1] if len(before) else 1) / trace.rate_hz
    fall_s = after[0] / trace.rate_hz if len(after) else prior.tau_decay_s
    return Shape(
        onset_s=trace.peak / trace.rate_hz - 1.4 * rise_s,
        tau_rise_s=0.7 * rise_s,
        tau_decay_s=min(max(fall_s / np.log(2.0), 0.5e-3), 30e-3),
        amplitude=1.0,
    )


def _sum_of(shapes: Sequence[Shape], time_s: FloatArray) -> FloatArray:
    total = np.zeros_like(time_s)
    for shape in shapes:
        total += shape.curve(time_s)
    return total


def _set_intervals(view: PolarizedTrace, events: list[_Event]) -> None:
    """Turn shapes into intervals that contain their peak and neither overlap nor leave the segment."""
    fall_s = _level_times(events, level=np.exp(-1.0), falling=True)
    floor = 0
    for number, event in enumerate(events):
        ceiling = events[number + 1].peak if number + 1 < len(events) else view.n_samples
        onset, stop = event.start, event.stop
        if event.shape is not None:
            onset = round(event.shape.onset_s * view.rate_hz)
            stop = int(np.ceil((event.shape.onset_s + fall_s[number]) * view.rate_hz))
            event.peak = min(max(round(event.shape.peak_s * view.rate_hz), floor + 1), ceiling - 1)
        event.start = min(max(onset, floor), max(event.peak - 1, floor))
        event.stop = min(max(stop, event.peak + 1), view.n_samples)
        floor = event.peak + 1
    for event, following in pairwise(events):
        event.overlapped = event.stop > following.start
        event.stop = min(event.stop, following.start)


def _level_times(events: Sequence[_Event], *, level: float, falling: bool) -> FloatArray:
    """Return when events cross a fraction of their amplitude, in seconds from onset; NaN without a fit."""
    taus = [(e.shape.tau_rise_s, e.shape.tau_decay_s) if e.shape else (np.nan, np.nan) for e in events]
    tau_rise_s, tau_decay_s = np.array(taus).T
    return level_times(tau_rise_s, tau_decay_s, level=level, falling=falling)


def _table(segment: Segment, view: PolarizedTrace, events: list[_Event]) -> Mepps:
    start, stop, peak = np.array([(e.start, e.stop, e.peak) for e in events], dtype=np.int64).T
    amplitude, area, baseline = np.array([_sizes(view, event) for event in events]).T
    tau_decay_s = np.array([e.shape.tau_decay_s if e.shape else np.nan for e in events])
    # How long a MEPP is visible: from its onset to the next one or to the end of the segment.
    visible_s = np.append(start[1:], view.n_samples) / view.rate_hz
    visible_s -= np.array([e.shape.onset_s if e.shape else np.nan for e in events])
    fall_s = {level: _level_times(events, level=level, falling=True) for level in (0.5, np.exp(-1.0))}
    rise_s = {level: _level_times(events, level=level, falling=False) for level in (0.1, 0.5, 0.9)}
    in_sweep = segment.start + np.stack([start, stop, peak])
    start_s, stop_s, peak_s = segment.trace.start_s + in_sweep / view.rate_hz
    return Mepps(
        channel=segment.trace.channel,
        unit=segment.trace.unit,
        sweep=np.full(len(events), segment.trace.sweep, dtype=np.int64),
        start_index=in_sweep[0],
        stop_index=in_sweep[1],
        peak_index=in_sweep[2],
        start_s=start_s,
        stop_s=stop_s,
        peak_s=peak_s,
        amplitude=amplitude,
        rise_10_90_s=rise_s[0.9] - rise_s[0.1],
        half_width_s=np.where(fall_s[0.5] <= visible_s, fall_s[0.5] - rise_s[0.5], np.nan),
        decay_tau_s=np.where(fall_s[np.exp(-1.0)] <= visible_s, tau_decay_s, np.nan),
        area=area,
        baseline=baseline,
        probability=np.array([event.probability for event in events]),
        overlapped=np.array([event.overlapped for event in events]),
    )


def _sizes(view: PolarizedTrace, event: _Event) -> tuple[float, float, float]:
    """Return amplitude, area and baseline of one event, signed."""
    half = view.samples(PEAK_HALF_WINDOW_S)
    first, last = min(event.start, event.peak - half), max(event.stop, event.peak + half + 1)
    below = event.level + _sum_of(event.tails, np.arange(first, last) / view.rate_hz)
    trace = view.values(first, last)
    peak = event.peak - first
    baseline = float(below[peak])
    amplitude = float(trace[peak - half : peak + half + 1].mean()) - baseline
    area = float((trace - below)[event.start - first : event.stop - first].sum()) / view.rate_hz
    return view.sign * amplitude, view.sign * area, view.sign * baseline
