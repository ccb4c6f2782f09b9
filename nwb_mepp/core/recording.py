"""A recording in memory: traces of raw numbers with their exact scaling, read block by block.

Every reader returns a :class:`Recording`; every later step (writing, detection, measurement)
starts from one. Samples stay where they are (in a file or an array) until :meth:`Trace.raw` or
:meth:`Trace.values` asks for some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.ancillary import Ancillary

__all__ = ["ArraySource", "Recording", "SampleSource", "SourceFile", "Trace"]

FloatArray = npt.NDArray[np.float64]


class SampleSource(Protocol):
    """Where the stored numbers of one trace come from."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored numbers, int16 for most amplifiers."""

    def __len__(self) -> int:
        """Return the number of samples."""

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop``, shape (stop - start,)."""


class ArraySource:
    """Samples that are already in memory.

    Parameters
    ----------
    samples : array_like, shape (n_samples,)
    """

    def __init__(self, samples: npt.ArrayLike) -> None:
        array = np.asarray(samples)
        if array.ndim != 1:
            raise ValueError(f"expected samples of shape (n_samples,), found shape {array.shape}.")
        self._samples = array

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored numbers."""
        return self._samples.dtype

    def __len__(self) -> int:
        return len(self._samples)

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop``."""
        return self._samples[start:stop]


@dataclass(frozen=True, kw_only=True)
class Trace:
    """One channel during one sweep, regularly sampled.

    Attributes
    ----------
    channel : str
        Name of the channel as the source states it.
    sweep : int
        Number of the sweep, from 0. A gap-free recording has the single sweep 0.
    source : SampleSource
        The stored numbers.
    unit : str
        ``"V"`` or ``"A"`` for anything electrical; another unit as the source states it otherwise.
    conversion, offset : float
        ``value = stored * conversion + offset``, in ``unit``.
    sampling_rate_hz : float
    start_s : float
        Time of the first sample relative to the session start.
    """

    channel: str
    sweep: int
    source: SampleSource
    unit: str
    conversion: float
    offset: float
    sampling_rate_hz: float
    start_s: float

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.source)

    @property
    def duration_s(self) -> float:
        """Number of samples over the sampling rate."""
        return self.n_samples / self.sampling_rate_hz

    def raw(self, start: int = 0, stop: int | None = None) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop`` as they are in the source."""
        return self.source.read(start, self.n_samples if stop is None else stop)

    def values(self, start: int = 0, stop: int | None = None) -> FloatArray:
        """Return samples ``start <= i < stop`` in ``unit``, float64.

        Examples
        --------
        >>> trace = Trace(channel="Vm", sweep=0, source=ArraySource([0, 2, 4]), unit="V",
        ...               conversion=0.5, offset=-1.0, sampling_rate_hz=10_000.0, start_s=0.0)
        >>> trace.values(1)
        array([0., 1.])
        """
        return np.asarray(self.raw(start, stop), dtype=np.float64) * self.conversion + self.offset


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """Where a recording came from and how it was read.

    Attributes
    ----------
    name : str
        File name without folder.
    sha256 : str
        Checksum of the file, or of all files of a folder or multi-file format in sorted order.
    reader, reader_version : str
        The reader's registered name and the version of the package behind it.
    settings : mapping of str to str
        What the user stated instead of the source (unit, sampling rate, gain, ...); recorded in the
        written file.
    """

    name: str
    sha256: str
    reader: str
    reader_version: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Recording:
    """Everything read from one source.

    Attributes
    ----------
    traces : tuple of Trace
        Ordered by channel, then sweep.
    source : SourceFile
    session_start : datetime or None
        As the source or the user states it; without a time zone until the user adds one.
    sweep_times_stated : bool
        False where the source gives all sweeps the same time and they were laid end to end.
    annotations : mapping of str to str
        What else the source says (protocol, comment), under the source's own names.
    invalid_times : tuple of (start_s, stop_s)
        Stretches that the source marks as unusable, relative to the session start.
    labels : mapping of (channel, sweep) to ndarray, shape (n, 2), seconds
        Hand marks that came with the recording (start, stop), relative to the session start.
    ancillary : Ancillary
        Events, epochs, spikes and irregularly sampled signals of the source; they are copied to the file.
    notes : tuple of str
        One sentence for everything that was left out or assumed; shown to the user once.
    """

    traces: tuple[Trace, ...]
    source: SourceFile
    session_start: datetime | None = None
    sweep_times_stated: bool = True
    annotations: Mapping[str, str] = field(default_factory=dict)
    invalid_times: tuple[tuple[float, float], ...] = ()
    labels: Mapping[tuple[str, int], FloatArray] = field(default_factory=dict)
    ancillary: Ancillary = field(default_factory=Ancillary)
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in order of first appearance."""
        return tuple(dict.fromkeys(trace.channel for trace in self.traces))

    def sweeps(self, channel: str) -> tuple[Trace, ...]:
        """Return the traces of one channel, in order of sweep."""
        return tuple(trace for trace in self.traces if trace.channel == channel)
