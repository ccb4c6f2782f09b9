"""The time axis of the page: the sweeps of a channel end to end, so that no pause is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.recording import Trace

__all__ = ["Clock", "Part"]


class Part(NamedTuple):
    """Samples ``start <= i < stop`` of a sweep, and where the first of them lies on the axis, in seconds."""

    sweep: int
    start: int
    stop: int
    x_s: float


class Clock:
    """Where each sample lies on the axis, and back.

    Parameters
    ----------
    traces : sequence of Trace
        The sweeps of one channel, of one sampling rate, in order.

    Attributes
    ----------
    duration_s : float
        Length of the axis, which begins at 0.
    rate_hz : float

    Examples
    --------
    >>> from nwb_mepp.core.recording import ArraySource
    >>> sweeps = [
    ...     Trace(channel="Vm", sweep=number, source=ArraySource(np.zeros(100)), unit="V", conversion=1.0,
    ...           offset=0.0, sampling_rate_hz=100.0, start_s=10.0 * number)
    ...     for number in range(2)
    ... ]
    >>> clock = Clock(sweeps)
    >>> clock.duration_s, clock.place(1.5), clock.x_of_time(10.5), clock.time_of(1.5)
    (2.0, (1, 50), 1.5, 10.5)
    """

    def __init__(self, traces: Sequence[Trace]) -> None:
        self.rate_hz = traces[0].sampling_rate_hz
        self._traces = tuple(traces)
        lengths = np.array([trace.n_samples for trace in traces])
        self._first = np.concatenate([[0], np.cumsum(lengths)])
        self.duration_s = float(self._first[-1] / self.rate_hz)

    def x(self, sweep: int, sample: int) -> float:
        """Return where a sample of a sweep lies on the axis."""
        return float((self._first[self._number_of(sweep)] + sample) / self.rate_hz)

    def place(self, x_s: float) -> tuple[int, int]:
        """Return the sweep and the sample that are nearest to a place on the axis.

        Raises
        ------
        UsageError
            If the place is not on the axis.
        """
        sample = round(x_s * self.rate_hz)
        if not 0 <= sample < self._first[-1]:
            raise UsageError(
                f"expected a place between 0 and {self.duration_s:g} s of the recording, found {x_s:g} s."
            )
        number = int(np.searchsorted(self._first, sample, side="right")) - 1
        return self._traces[number].sweep, int(sample - self._first[number])

    def time_of(self, x_s: float) -> float:
        """Return the time from the session start of a place on the axis; beyond its end, that of the end."""
        number = int(np.searchsorted(self._first[1:-1] / self.rate_hz, x_s, side="right"))
        trace = self._traces[number]
        since_s = x_s - self._first[number] / self.rate_hz
        return float(trace.start_s + min(max(since_s, 0.0), trace.duration_s))

    def x_of_time(self, time_s: float) -> float:
        """Return the place on the axis of a time from the session start; in a pause, that of its end."""
        for number, trace in enumerate(self._traces):
            if time_s < trace.start_s + trace.duration_s:
                return float(self._first[number] / self.rate_hz + max(time_s - trace.start_s, 0.0))
        return self.duration_s

    def borders(self) -> list[tuple[float, float]]:
        """Return where each sweep begins, on the axis and in seconds from the session start."""
        return [
            (float(first / self.rate_hz), trace.start_s)
            for first, trace in zip(self._first, self._traces, strict=False)
        ]

    def parts(self, start_s: float, stop_s: float) -> Iterator[Part]:
        """Yield the samples between two places on the axis, sweep by sweep."""
        first, last = (int(np.floor(start_s * self.rate_hz)), int(np.ceil(stop_s * self.rate_hz)))
        for number, trace in enumerate(self._traces):
            begin = int(self._first[number])
            start, stop = max(first - begin, 0), min(last - begin, trace.n_samples)
            if start < stop:
                yield Part(trace.sweep, start, stop, (begin + start) / self.rate_hz)

    def _number_of(self, sweep: int) -> int:
        return next(number for number, trace in enumerate(self._traces) if trace.sweep == sweep)
