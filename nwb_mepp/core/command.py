"""What the protocol of a recording commanded: epochs of the clamp, and the waveform that they make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

__all__ = ["STEP", "Command", "CommandEpoch", "stretches_off_holding"]

FloatArray = npt.NDArray[np.float64]

STEP = "step"


@dataclass(frozen=True, kw_only=True)
class CommandEpoch:
    """An epoch of a protocol during one sweep.

    Attributes
    ----------
    name : str
        As in the protocol, such as ``"A"``.
    kind : str
        ``"step"``, ``"ramp"``, ``"pulse train"``, ``"triangle train"``, ``"cosine train"`` or
        ``"biphasic train"``; anything else is not known.
    start, stop : int
        Samples from the start of the sweep.
    level : float
        Which is held, reached or peaked at, in the unit of the command.
    period, width : int
        Of the pulses of a train, samples.
    outputs : str
        One character for each digital output, the first is output 0: ``1`` on, ``0`` off, ``*`` a train of
        pulses.
    """

    name: str
    kind: str
    start: int
    stop: int
    level: float
    period: int = 0
    width: int = 0
    outputs: str = ""

    def shape(self, samples: npt.NDArray[np.int64], *, before: float) -> FloatArray:
        """Return the command at samples counted from the start of the epoch.

        Parameters
        ----------
        samples : ndarray of int, shape (n,)
        before : float
            Level of the epoch before.

        Returns
        -------
        ndarray, shape (n,)
            NaN if the kind of the epoch is not known.
        """
        length, delta = self.stop - self.start, self.level - before
        if self.kind == STEP:
            return np.full(len(samples), self.level)
        if self.kind == "ramp":
            return before + delta * samples / max(length - 1, 1)
        period = max(self.period, 1)
        n_pulses = length // period if self.period > 0 else 0
        within, on = samples % period, samples < n_pulses * period
        if self.kind == "pulse train":
            return np.where(on & (within < self.width), self.level, before)
        if self.kind == "triangle train":
            rising = within / max(self.width - 1, 1)
            falling = 1.0 - (within - self.width) / max(period - self.width - 1, 1)
            return np.where(on, before + delta * np.where(within < self.width, rising, falling), before)
        if self.kind == "cosine train":
            phase = 2.0 * np.pi * n_pulses * samples / max(length - 1, 1)
            return np.asarray(before + 0.5 * delta * (1.0 - np.cos(phase)))
        if self.kind == "biphasic train":
            half = np.where(within < self.width // 2, delta, -delta)
            return np.where(on & (within < self.width), before + half, before)
        return np.full(len(samples), np.nan)


@dataclass(frozen=True, kw_only=True)
class Command:
    """The waveform that was sent to one output of the amplifier during one sweep.

    Attributes
    ----------
    name : str
        Of the output, such as ``"Cmd 0"``.
    sweep : int
    unit : str
        ``"V"`` or ``"A"``, otherwise the unit stated in the source.
    conversion : float
        ``value = stored * conversion``, in ``unit``; levels are as stored.
    sampling_rate_hz : float
    start_s : float
        Of the sweep, from the session start.
    n_samples : int
    epochs : tuple of CommandEpoch
        In order; each begins where the one before ends.
    holding : float
        Level between sweeps.
    before, after : float
        Levels before the first epoch and after the last.
    """

    name: str
    sweep: int
    unit: str
    conversion: float = 1.0
    sampling_rate_hz: float
    start_s: float
    n_samples: int
    epochs: tuple[CommandEpoch, ...] = ()
    holding: float
    before: float
    after: float

    def shifted(self, shift_s: float) -> Command:
        """Return a copy with all times shifted."""
        return replace(self, start_s=self.start_s + shift_s)

    def read(self, start: int, stop: int) -> FloatArray:
        """Return the stored numbers ``start <= i < stop``.

        Examples
        --------
        >>> step = CommandEpoch(name="A", kind="step", start=1, stop=3, level=-80.0)
        >>> command = Command(name="Cmd 0", sweep=0, unit="V", conversion=1e-3, sampling_rate_hz=10.0,
        ...                   start_s=0.0, n_samples=5, epochs=(step,), holding=-70.0, before=-70.0,
        ...                   after=-70.0)
        >>> command.read(0, 5).tolist()
        [-70.0, -80.0, -80.0, -70.0, -70.0]
        """
        found = np.full(stop - start, self.after)
        found[: max(self._first - start, 0)] = self.before
        before = self.before
        for epoch in self.epochs:
            first, last = max(epoch.start, start), min(epoch.stop, stop)
            if first < last:
                shape = epoch.shape(np.arange(first - epoch.start, last - epoch.start), before=before)
                found[first - start : last - start] = shape
            before = epoch.level
        return found

    @property
    def dtype(self) -> np.dtype[np.float64]:
        """Type of the stored numbers."""
        return np.dtype(np.float64)

    def __len__(self) -> int:
        return self.n_samples

    @property
    def _first(self) -> int:
        return self.epochs[0].start if self.epochs else self.n_samples

    def time_s(self, sample: int) -> float:
        """Return when a sample comes, from the session start."""
        return self.start_s + min(sample, self.n_samples) / self.sampling_rate_hz

    def stretches_s(self) -> Iterator[tuple[float, float]]:
        """Yield when another level was commanded than the one held, from the session start."""
        rows = ((one.start, one.stop, one.level, one.kind) for one in self.epochs)
        for start, stop in stretches_off_holding(rows, holding=self.holding):
            if start < self.n_samples:
                yield self.time_s(int(start)), self.time_s(int(stop))


def stretches_off_holding(
    epochs: Iterable[tuple[float, float, float, str]], *, holding: float
) -> Iterator[tuple[float, float]]:
    """Yield stretches at one level other than the holding level; what is no step counts as changing.

    Parameters
    ----------
    epochs : iterable of (start, stop, level, kind)
        In order of time.
    holding : float
    """
    open_: tuple[float, float, float] | None = None
    for start, stop, level, kind in epochs:
        if stop <= start or (kind == STEP and level == holding):
            continue
        if open_ is not None and open_[1:] == (start, level):
            open_ = (open_[0], stop, level)
            continue
        if open_ is not None:
            yield open_[:2]
        open_ = (start, stop, level)
    if open_ is not None:
        yield open_[:2]
