"""What a person marks, measured at once on the samples around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from nwb_mepp.conditioning import ChannelNoise, measure_noise_left, survey
from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.segments import Segment
from nwb_mepp.curation.rows import Row, rows_of
from nwb_mepp.detectors import Candidates
from nwb_mepp.evaluation import match_times
from nwb_mepp.measurement.kinetics import MeasuredEvents, locate

__all__ = ["Measuring", "Place"]

FloatArray = npt.NDArray[np.float64]

# Around what is measured, for noise and the shape of its neighbors: short enough to be measured at once.
_AROUND_S = 10.0
_MOST_NEIGHBORS = 24
_SNAP_S = 3e-3
_SMOOTH_S = 0.2e-3
_BEFORE_S, _AFTER_S = 1e-3, 4e-3
_NEAR_S = 3e-3
_LEVEL_S = 2e-3
_HALF_PEAK_S = 0.25e-3


@dataclass(frozen=True)
class Place:
    """Samples of a sweep where a person says that an event is; onset and end count if they are stated."""

    start: int
    peak: int
    stop: int
    stated: bool = False


class Measuring:
    """Measures events of one channel near each other.

    Parameters
    ----------
    traces : sequence of Trace
        The sweeps of the channel.
    polarity : Polarity
    """

    def __init__(self, traces: Sequence[Trace], *, polarity: Polarity) -> None:
        self._traces = {trace.sweep: trace for trace in traces}
        self._polarity = polarity
        self._noise: dict[tuple[int, int], ChannelNoise | None] = {}

    def noise_at(self, sweep: int, sample: int) -> tuple[Segment, ChannelNoise | None]:
        """Return the stretch around a sample and its noise; None where the noise cannot be measured."""
        trace = self._traces[sweep]
        step = round(_AROUND_S * trace.sampling_rate_hz)
        number = sample // step
        segment = Segment(
            trace=trace, start=max((number - 1) * step, 0), stop=min((number + 2) * step, trace.n_samples)
        )
        if (sweep, number) not in self._noise:
            try:
                self._noise[sweep, number] = survey([segment], polarity=self._polarity)
            except DetectionError:
                self._noise[sweep, number] = None
        return segment, self._noise[sweep, number]

    def values(self, sweep: int, start: int, stop: int) -> FloatArray:
        """Return samples of a sweep without hum where there is some, in the unit of the trace."""
        segment, noise = self.noise_at(sweep, (start + stop) // 2)
        if noise is None or noise.hum is None or start < segment.start or stop > segment.stop:
            return self._traces[sweep].values(start, stop)
        return noise.values(segment, start - segment.start, stop - segment.start)

    def snap(self, sweep: int, sample: int) -> Place:
        """Return the place of the peak nearest to a sample.

        Raises
        ------
        UsageError
            If the sample is not in the sweep.
        """
        trace = self._traces[sweep]
        if not 0 <= sample < trace.n_samples:
            raise UsageError(f"expected a place within sweep {sweep}, found one outside; choose another.")
        near = round(_SNAP_S * trace.sampling_rate_hz)
        peak = self._highest(trace, max(sample - near, 0), min(sample + near + 1, trace.n_samples))
        before, after = (round(one * trace.sampling_rate_hz) for one in (_BEFORE_S, _AFTER_S))
        return Place(max(peak - before, 0), peak, min(peak + after, trace.n_samples))

    def halves(self, row: Row, at: int | None) -> list[Place]:
        """Return the two places into which an event is split.

        Parameters
        ----------
        row : Row
        at : int or None
            Sample from which on it is the second one; by default the deepest dip after the peak.

        Raises
        ------
        UsageError
            If the event is too short.
        """
        trace = self._traces[row["sweep"]]
        start, stop = row["start_index"], row["stop_index"]
        if at is None or not start + 1 < at < stop - 1:
            at = self._dip(trace, row)
        if not start + 1 < at < stop - 1:
            raise UsageError(
                "expected an event of four samples or more to split, found a shorter one; add another event "
                "instead."
            )
        return [
            Place(first, self._highest(trace, first, last), last, stated=True)
            for first, last in ((start, at), (at, stop))
        ]

    def _dip(self, trace: Trace, row: Row) -> int:
        start, stop = row["start_index"], row["stop_index"]
        smooth = self._smooth(trace, start, stop)
        rises = np.maximum.accumulate(smooth[::-1])[::-1] - smooth
        rises[: max((stop - start) // 8, 2)] = 0.0
        return int(start + (np.argmax(rises) if rises.max() > 0.0 else (stop - start) // 2))

    def _smooth(self, trace: Trace, start: int, stop: int) -> FloatArray:
        values = self._polarity.sign * trace.values(start, stop)
        return np.asarray(gaussian_filter1d(values, _SMOOTH_S * trace.sampling_rate_hz, mode="nearest"))

    def _highest(self, trace: Trace, start: int, stop: int) -> int:
        return start + int(np.argmax(self._smooth(trace, start, stop)))

    def measure(self, sweep: int, places: Sequence[Place], *, others: Sequence[Row]) -> list[Row]:
        """Return the rows of events at some places.

        Parameters
        ----------
        sweep : int
        places : sequence of Place
            In order.
        others : sequence of Row
            Events of the channel that are there besides; what is near is measured with them.

        Returns
        -------
        list of Row
            One for each place. Where no peak of its own is found, onset, peak and end are those of the place,
            amplitude and baseline means of samples, and the kinetics NaN.
        """
        trace = self._traces[sweep]
        segment, noise = self.noise_at(sweep, places[0].peak)
        measured = None if noise is None else self._measured(segment, noise, places, others)
        rows = []
        for place in places:
            row = None if measured is None else _nearest(measured, place, rate_hz=trace.sampling_rate_hz)
            if row is None:
                row = self._bare(trace, place)
            elif place.stated:
                row = _with_times(row, place, trace)
            rows.append({**row, "kind": "mepp", "quality": row["quality"] or "ok"})
        return rows

    def measure_between(self, sweep: int, start: int, stop: int, *, others: Sequence[Row]) -> Row:
        """Return the row of an event whose onset and end a person states, as :meth:`measure` does."""
        peak = self._highest(self._traces[sweep], start, stop)
        return self.measure(sweep, [Place(start, peak, stop, stated=True)], others=others)[0]

    def completed(self, row: Row) -> Row:
        """Return a row with peak, amplitude and baseline, where the table of another program lacks them."""
        missing = [name for name in ("amplitude", "baseline", "area") if not np.isfinite(row[name])]
        if not missing and np.isfinite(row["peak_s"]):
            return row
        trace, peak = self._traces[row["sweep"]], row["peak_index"]
        if not np.isfinite(row["peak_s"]):
            peak = self._highest(trace, row["start_index"], max(row["stop_index"], row["start_index"] + 1))
        bare = self._bare(trace, Place(row["start_index"], peak, row["stop_index"]))
        return {**row, **{name: bare[name] for name in (*missing, "peak_index", "peak_s")}}

    def curve(self, row: Row, start: int, stop: int, *, others: Sequence[Row]) -> FloatArray | None:
        """Return the fitted shapes with their level; None where nothing can be fitted.

        Parameters
        ----------
        row : Row
        start, stop : int
            Samples of its sweep.
        others : sequence of Row
            Events of the channel that are there besides.
        """
        segment, noise = self.noise_at(row["sweep"], row["peak_index"])
        if noise is None:
            return None
        place = Place(row["start_index"], row["peak_index"], row["stop_index"])
        fitted = _fit(segment, noise, _candidates(segment, [place], others))
        curves = fitted.curves(segment, start - segment.start, stop - segment.start)
        left = noise.values(segment, start - segment.start, stop - segment.start) - curves
        return np.asarray(curves + np.median(left))

    def _measured(
        self, segment: Segment, noise: ChannelNoise, places: Sequence[Place], others: Sequence[Row]
    ) -> Mepps:
        return _fit(segment, noise, _candidates(segment, places, others)).mepps()

    def _bare(self, trace: Trace, place: Place) -> Row:
        """Return the row of a place where nothing can be fitted, measured by means of samples."""
        rate_hz, half = trace.sampling_rate_hz, max(round(_HALF_PEAK_S * trace.sampling_rate_hz), 1)
        before = trace.values(max(place.start - round(_LEVEL_S * rate_hz), 0), max(place.start, 1))
        level = float(np.median(before))
        peak = trace.values(max(place.peak - half, 0), min(place.peak + half + 1, trace.n_samples))
        area = float((trace.values(place.start, place.stop) - level).sum()) / rate_hz
        table = Mepps(
            channel=trace.channel,
            unit=trace.unit,
            sweep=np.array([trace.sweep]),
            start_index=np.array([place.start]),
            stop_index=np.array([place.stop]),
            peak_index=np.array([place.peak]),
            start_s=np.array([np.nan]),
            stop_s=np.array([np.nan]),
            amplitude=np.array([float(peak.mean()) - level]),
            baseline=np.array([level]),
            area=np.array([area]),
            quality=np.array(["no fit"]),
            missing_kinetics=np.array(["no fit"]),
        )
        return _with_times(rows_of(table)[0], place, trace)


def _fit(segment: Segment, noise: ChannelNoise, candidates: Candidates) -> MeasuredEvents:
    read = partial(noise.values, segment)
    located = locate([segment], [candidates], polarity=noise.polarity, readers=[read])
    left = measure_noise_left([segment], noise=noise.knowing(located.fit(roughly=True).curves))
    return located.fit(None if left is None else left.autocovariance)


def _candidates(segment: Segment, places: Sequence[Place], others: Sequence[Row]) -> Candidates:
    """Return places and what is near them as candidates of a segment."""
    middle = places[0].peak
    beside = sorted(
        (
            Place(row["start_index"], row["peak_index"], row["stop_index"])
            for row in others
            if row["sweep"] == segment.trace.sweep and segment.start <= row["peak_index"] < segment.stop
        ),
        key=lambda one: abs(one.peak - middle),
    )[:_MOST_NEIGHBORS]
    peaks = {place.peak for place in places}
    joined = sorted([*places, *(one for one in beside if one.peak not in peaks)], key=lambda one: one.peak)
    start, peak, stop = (
        np.array([getattr(one, name) for one in joined], dtype=np.int64) - segment.start
        for name in ("start", "peak", "stop")
    )
    # The one that is measured wins where a neighbor is found to have the same peak.
    probability = np.array([1.0 if one in places else 0.5 for one in joined])
    return Candidates(
        start=np.clip(start, 0, segment.n_samples - 1),
        peak=peak,
        stop=np.clip(stop, peak + 1, segment.n_samples),
        probability=probability,
    )


def _nearest(measured: Mepps, place: Place, *, rate_hz: float) -> Row | None:
    pairs = match_times(
        [place.peak / rate_hz], measured.peak_index / rate_hz, tolerance_s=_NEAR_S
    ).pairs.tolist()
    if not pairs:
        return None
    (row,) = rows_of(measured.select(np.array([pairs[0][1]])))
    return {**row, "probability": np.nan}


def _with_times(row: Row, place: Place, trace: Trace) -> Row:
    """Return a row with the onset, peak and end of a place."""
    peak = row["peak_index"] if place.start < row["peak_index"] < place.stop else place.peak
    samples = {"start": place.start, "peak": peak, "stop": place.stop}
    times = {f"{name}_s": trace.start_s + sample / trace.sampling_rate_hz for name, sample in samples.items()}
    return {**row, **{f"{name}_index": sample for name, sample in samples.items()}, **times}
