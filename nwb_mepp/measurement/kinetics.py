"""Onset, peak, amplitude, rise, half-width, decay and area of each MEPP, on the original trace.

A detector only says where to look. Everything in the table is measured here, at the trace's own sampling rate
and in its own unit, in three steps:

1. The peak of each candidate is the maximum of the trace smoothed by a Gaussian of 0.2 ms (full width at half
   maximum 0.47 ms), no farther than the valley before the neighboring candidate
   (:mod:`nwb_mepp.measurement.peaks`).
2. A rise and a decay are fitted to the samples around it, up to five decay constants after the peak or to the
   next onset, weighted for the noise of the recording (:mod:`nwb_mepp.measurement.event_fits`). Tails of
   earlier MEPPs are subtracted, so a MEPP that rides on the decay of another is measured from where that
   decay would have been, not from the raised level. Each is fitted twice: by itself, and given the time
   constants that are typical of the recording.
3. Rise, half-width and decay are those of the fit by itself, with their standard errors. Onset, peak position
   and end are read from the other one, which noise moves less; amplitude and area are means and sums of
   samples.

The baseline is the level that is fitted with the shape. In the table it includes the tails of earlier MEPPs
at the peak, so that baseline and amplitude always add up to the peak value. The amplitude is the mean of
+-0.25 ms around the peak less the baseline, times the factor by which the fitted shape is higher at its peak
than in the mean over that time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.blas import one_thread
from nwb_mepp._utils.spool import Spool
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.segments import Segment
from nwb_mepp.measurement.event_fits import find_pairs_of, fit_freely, fit_likely, fit_roughly, fit_train
from nwb_mepp.measurement.event_table import Part, ShapeTimes, table_of
from nwb_mepp.measurement.fit_windows import affected_by
from nwb_mepp.measurement.noise_weights import Bins, NoiseWeights, white_noise
from nwb_mepp.measurement.pairs import separable, split_events
from nwb_mepp.measurement.peaks import Events, PolarizedTrace, locate_peaks
from nwb_mepp.measurement.train import FittedEvents, Train

__all__ = ["LocatedEvents", "MeasuredEvents", "locate", "measure"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Reader = Callable[[int, int], FloatArray]

# Segments lie this far apart on the clock of a train.
_APART_S = 10.0
# How often a deflection is looked at again: three MEPPs in one need two rounds.
_ROUNDS = 2
_RISE_S = 1.5e-3
# So many events are looked at, at most, for a first guess of the noise.
_MOST_EVENTS = 20_000
_NORMAL_SCALE = 1.4826  # SD of a normal distribution over its median absolute deviation


def measure(
    segment: Segment,
    candidates: Events,
    *,
    polarity: Polarity,
    read: Reader | None = None,
    autocovariance: FloatArray | None = None,
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
    autocovariance : ndarray, shape (n_lags,), optional
        Of the noise, in unit**2, at lags of 0, 1, 2, ... samples. White noise, of the size of that around the
        candidates, if not given.

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
    segment ends before it, where noise leaves it open within a factor of five, and where no deflection with a
    decay of 0.1 to 100 ms can be fitted; ``missing_kinetics`` says which. In the last case the interval is
    the candidate's own, and ``rise_10_90_s`` and ``half_width_s`` are NaN too. These are also NaN where noise
    leaves them open, and ``half_width_s`` where the next onset or the end of the segment comes before the
    half.

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
    located = locate([segment], [candidates], polarity=polarity, readers=[read])
    return located.fit(autocovariance).mepps()


def locate(
    segments: Sequence[Segment],
    candidates: Sequence[Events],
    *,
    polarity: Polarity,
    readers: Sequence[Reader | None] | None = None,
) -> LocatedEvents:
    """Find the peaks of the candidates of one channel, and read the trace around them.

    Parameters
    ----------
    segments : sequence of Segment
        At least one, in order.
    candidates : sequence of Events
        One for each segment.
    polarity : Polarity
    readers : sequence of (callable or None), optional
        One for each segment, as ``read`` of :func:`measure`.

    Raises
    ------
    ValueError
        If the polarity is ``AUTO``.
    """
    rate_hz = segments[0].sampling_rate_hz
    parts, begin = [], 0
    for segment, found, read in zip(segments, candidates, readers or [None] * len(segments), strict=True):
        view = PolarizedTrace(read or segment.values, polarity.sign, rate_hz, segment.n_samples)
        rows, peak = locate_peaks(view, found)
        columns = (found.start[rows], peak, found.stop[rows], found.probability[rows])
        parts.append(Part(segment, view, begin, *columns, held=np.zeros(len(peak), dtype=bool)))
        begin += segment.n_samples + round(_APART_S * rate_hz)
    return LocatedEvents.of(parts, Bins.around_peak(rate_hz))


@dataclass(frozen=True, eq=False)
class LocatedEvents:
    """The events of one channel with the trace around them, from :func:`locate`."""

    parts: list[Part]
    bins: Bins
    train: Train

    @classmethod
    def of(
        cls, parts: list[Part], bins: Bins, *, before: Train | None = None, source: IntArray | None = None
    ) -> LocatedEvents:
        """Read the trace around the peaks of all parts.

        Parameters
        ----------
        parts : list of Part
        bins : Bins
        before : Train, optional
            Events that were read already.
        source : ndarray of int64, shape (n_events,), optional
            Which of those each event was; where its peak is the same, nothing is read again.
        """
        lengths = [len(part.peak) for part in parts]
        values, number = Spool(), 0
        for part in parts:
            for peak in part.peak.tolist():
                old = -1 if before is None or source is None else int(source[number])
                same = before is not None and old >= 0 and before.peak[old] == peak + part.begin
                values.append(before.values[old] if before is not None and same else part.binned(peak, bins))
                number += 1
        train = Train(
            peak=np.concatenate([part.peak + part.begin for part in parts]),
            low=np.repeat([part.begin for part in parts], lengths),
            high=np.repeat([part.begin + part.view.n_samples for part in parts], lengths),
            values=values,
            held=np.concatenate([part.held for part in parts]),
        )
        return cls(parts, bins, train)

    def fit(
        self, autocovariance: FloatArray | None = None, *, roughly: bool = False, split: bool = False
    ) -> MeasuredEvents:
        """Fit the shapes of all events, held by what is typical of all of them.

        Parameters
        ----------
        autocovariance : ndarray, shape (n_lags,), optional
            As of :func:`measure`.
        roughly : bool, default False
            Fit once, held by what is usual: enough to subtract the events from the trace.
        split : bool, default False
            Make two events of a deflection that two explain better. By default such are only flagged as
            ``unresolved``.
        """
        if not len(self.train.peak):
            return MeasuredEvents(self, None)
        known = white_noise(_noise_sd(self.train, self.bins)) if autocovariance is None else autocovariance
        weights = NoiseWeights(self.bins, known)
        with one_thread():
            if roughly:
                return MeasuredEvents(self, _Fit(weights, fit_roughly(self.train, weights)))
            return self._with_pairs(weights, fit_train(self.train, weights), split=split)

    def _with_pairs(self, weights: NoiseWeights, fitted: FittedEvents, *, split: bool) -> MeasuredEvents:
        """Look for two events in each deflection, and split as long as there are any to split."""
        duration_s = sum(part.view.n_samples for part in self.parts) / self.bins.rate_hz
        located: LocatedEvents = self
        pairs = find_pairs_of(self.train, weights, fitted, rate_hz=len(self.train.peak) / duration_s)
        for _ in range(_ROUNDS if split else 0):
            apart = separable(located.train, fitted, pairs, rate_hz=self.bins.rate_hz)
            if not apart.any():
                break
            start, peak, held = split_events(located.train, fitted, pairs=pairs, apart=apart)
            source = np.repeat(np.arange(len(apart)), 1 + apart)
            located = LocatedEvents.of(
                located._with(source, peak, held), self.bins, before=located.train, source=source
            )
            # Where nothing was split nearby, fits would move by less than a hundredth of their errors.
            among = affected_by(apart[source], train=located.train, shapes=start, bins=self.bins)
            fitted = fit_likely(
                located.train, weights, start=start, population=fitted.population, among=among
            )
            # What was no pair before does not become one by what was split beside it.
            pairs = find_pairs_of(
                located.train,
                weights,
                fitted,
                rate_hz=len(source) / duration_s,
                known=pairs.select(source),
                among=pairs.apart[source],
            )
        suspected = pairs.suspected & ~located.train.held
        return MeasuredEvents(located, _Fit(weights, replace(fitted, unresolved=suspected)))

    def _with(self, source: IntArray, peak: IntArray, held: BoolArray) -> list[Part]:
        """Return the parts with events at other peaks; ``source`` is the event that each comes from."""
        parts, first = [], 0
        for part in self.parts:
            last = first + len(part.peak)
            rows = np.flatnonzero((source >= first) & (source < last))
            own = source[rows] - first
            parts.append(
                replace(
                    part,
                    start=part.start[own],
                    peak=peak[rows] - part.begin,
                    stop=part.stop[own],
                    probability=part.probability[own],
                    held=held[rows],
                )
            )
            first = last
        return parts


@dataclass(frozen=True, eq=False)
class _Fit:
    """The likely shapes of all events, and the weights that they were fitted with."""

    weights: NoiseWeights
    events: FittedEvents


@dataclass(frozen=True, eq=False)
class MeasuredEvents:
    """The events of one channel with their shapes; ``fit`` is None without events."""

    located: LocatedEvents
    fit: _Fit | None

    def again(self, autocovariance: FloatArray, *, split: bool = False) -> MeasuredEvents:
        """Fit the shapes again, beginning with these, in noise that is better known now.

        Parameters
        ----------
        autocovariance : ndarray, shape (n_lags,)
            As of :func:`measure`.
        split : bool, default False
            As of :meth:`LocatedEvents.fit`.
        """
        if self.fit is None:
            return self
        train, weights = self.located.train, NoiseWeights(self.located.bins, autocovariance)
        with one_thread():
            fitted = fit_train(train, weights, start=self.fit.events)
            return self.located._with_pairs(weights, fitted, split=split)

    def mepps(self) -> Mepps:
        """Return the table, sorted by onset."""
        parts = self.located.parts
        if self.fit is None:
            return Mepps.empty(parts[0].segment.trace.channel, parts[0].segment.trace.unit)
        with one_thread():
            fitted = fit_freely(self.located.train, self.fit.weights, self.fit.events)
            times = ShapeTimes.of(fitted)
            return Mepps.concatenate(
                [
                    table_of(part, fitted.select(rows), times.select(rows))
                    for part, rows in zip(parts, self._rows, strict=True)
                    if rows.stop > rows.start
                ]
            )

    def curves(self, segment: Segment, start: int, stop: int) -> FloatArray:
        """Return the sum of the fitted shapes, without level, in samples of a segment.

        Parameters
        ----------
        segment : Segment
            One of those in which the events were located, or a stretch of it.
        start, stop : int
            Samples ``start <= i < stop``, counted from the start of the segment.

        Returns
        -------
        ndarray, shape (stop - start,)
            Signed, in the unit of the trace.
        """
        number = bisect_right(self._places, (segment.trace.sweep, segment.start)) - 1
        fitted, part = self._of_segment[number], self.located.parts[number]
        if fitted is None:
            return np.zeros(stop - start)
        before = segment.start - part.segment.start
        return part.view.sign * fitted.sum_at(part.peak, before + start, before + stop)

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        """Sweep and first sample of each segment, sorted as the segments are."""
        return [(part.segment.trace.sweep, part.segment.start) for part in self.located.parts]

    @cached_property
    def _rows(self) -> list[slice]:
        """Return which events are those of each segment."""
        lengths = [len(part.peak) for part in self.located.parts]
        ends = np.cumsum(lengths).tolist()
        return [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]

    @cached_property
    def _of_segment(self) -> list[FittedEvents | None]:
        """Return the events of each segment; None without any."""
        fit = self.fit
        return [
            fit.events.select(rows) if fit is not None and rows.stop > rows.start else None
            for rows in self._rows
        ]


def _noise_sd(train: Train, bins: Bins) -> float:
    """Return the SD of white noise that scatters as the trace does just before the events."""
    before = (bins.center_s < -_RISE_S) & (bins.n_samples == bins.n_samples.min())
    # Of a hundred thousand events, every fifth says as much.
    step = -(-len(train.peak) // _MOST_EVENTS)
    beside = []
    low, high = np.inf, -np.inf
    for some, every in train.in_blocks():
        values = every[(-some.start) % step :: step, before]
        beside.append(np.abs(values - np.median(values, axis=1, keepdims=True)))
        low, high = min(low, float(every.min())), max(high, float(every.max()))
    scale = float(np.median(np.concatenate(beside), overwrite_input=True))
    sd = _NORMAL_SCALE * scale * float(np.sqrt(bins.n_samples.min()))
    return max(sd, 1e-6 * (high - low), float(np.finfo(np.float64).tiny ** 0.5))
