"""A recording in memory: traces of raw numbers with their exact scaling, read in blocks.

Every reader returns a :class:`Recording`, and every later step (writing, detection, measurement)
starts from one. Samples stay in their file or array until they are requested with :meth:`Trace.raw` or
:meth:`Trace.values`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.ancillary import AncillaryData

__all__ = ["ArraySource", "Recording", "SampleSource", "SourceFile", "Trace"]

FloatArray = npt.NDArray[np.float64]


class SampleSource(Protocol):
    """Interface through which a trace reads its stored numbers, from a file in one thread at a time."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored numbers (int16 for most amplifiers)."""

    def __len__(self) -> int:
        """Return the number of samples."""

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop``, shape (stop - start,)."""


class ArraySource:
    """Stored numbers that are already in memory.

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
        Name of the channel as in the source.
    sweep : int
        Number of the sweep, from 0. A gap-free recording has the single sweep 0.
    source : SampleSource
        The stored numbers.
    unit : str
        ``"V"`` or ``"A"`` for electrical signals, otherwise the unit stated in the source.
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
        """Number of samples divided by the sampling rate."""
        return self.n_samples / self.sampling_rate_hz

    def raw(self, start: int = 0, stop: int | None = None) -> npt.NDArray[Any]:
        """Return stored numbers ``start <= i < stop`` without scaling."""
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
        Checksum of the file, or of all files of the recording in sorted order.
    reader, reader_version : str
        The reader's registered name and the version of the package behind it.
    settings : mapping of str to str
        What the user stated instead of the file (unit, sampling rate, gain, ...), so that the output file can
        document it.
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
        As stated by the source or the user; may lack a time zone until the user provides one.
    sweep_times_stated : bool
        False if the source states no usable times for the sweeps, so that they were placed end to end.
    annotations : mapping of str to str
        Other information in the source (protocol, comment), under the names that the source uses.
    invalid_times : tuple of (start_s, stop_s)
        Stretches that the source marks as invalid, relative to the session start.
    labels : mapping of (channel, sweep) to ndarray, shape (n, 2), seconds
        Manual marks that come with the recording (start, stop), relative to the session start.
    ancillary : AncillaryData
        Events, epochs, spikes, irregularly sampled signals and commands of the source, copied to the output
        file.
    command_steps : tuple of (start_s, stop_s)
        Stretches in which the header says that the clamp commanded another level than the one held.
    stimuli_s : tuple of float
        When an NWB file says that something happened which may have been a stimulus, relative to the session
        start; for a lab file the events and epochs in ``ancillary`` say it.
    stated : mapping of str to mapping
        What the user stated about a channel instead of what an NWB file says, by channel; for the settings in
        the summary. For a lab file ``source.settings`` say it.
    notes : tuple of str
        One sentence for each thing that was left out or assumed; shown to the user once.
    """

    traces: tuple[Trace, ...]
    source: SourceFile
    session_start: datetime | None = None
    sweep_times_stated: bool = True
    annotations: Mapping[str, str] = field(default_factory=dict)
    invalid_times: tuple[tuple[float, float], ...] = ()
    labels: Mapping[tuple[str, int], FloatArray] = field(default_factory=dict)
    ancillary: AncillaryData = field(default_factory=AncillaryData)
    command_steps: tuple[tuple[float, float], ...] = ()
    stimuli_s: tuple[float, ...] = ()
    stated: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in order of first appearance."""
        return tuple(dict.fromkeys(trace.channel for trace in self.traces))

    def sweeps(self, channel: str) -> tuple[Trace, ...]:
        """Return the traces of one channel, in order of sweep."""
        return tuple(trace for trace in self.traces if trace.channel == channel)
