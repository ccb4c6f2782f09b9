"""The contents of a file before they are interpreted: what every reader returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.ancillary import AncillaryData
from nwb_mepp.core.recording import SampleSource

__all__ = ["FileContents", "IntArray", "RawTrace"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class RawTrace:
    """One channel during one sweep, as stored in the file.

    Attributes
    ----------
    channel : str
        Name of the channel, unique within the file.
    sweep : int
        Number of the sweep, from 0.
    source : SampleSource
        The stored numbers.
    unit_label : str
        Unit as spelled in the file; empty if the file states none.
    gain, offset : float
        ``value = stored * gain + offset`` in the unit of the label.
    sampling_rate_hz : float or None
        None if the file states no rate.
    start_s : float
        Time of the first sample relative to the session start, according to the file.
    """

    channel: str
    sweep: int
    source: SampleSource
    unit_label: str
    gain: float = 1.0
    offset: float = 0.0
    sampling_rate_hz: float | None
    start_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class FileContents:
    """The contents of a file, as a reader returns them.

    Attributes
    ----------
    reader_version : str
        Version of the package behind the reader.
    format : str
        Human-readable name of the format ("Axon ABF 2.6").
    traces : tuple of RawTrace
        In the order in which the file stores them.
    files : tuple of Path
        All files of the recording; its checksum is computed from them.
    session_start : datetime or None
    annotations : mapping of str to str
        Other information in the file, under the names that the file uses.
    labels : mapping of (channel, sweep) to ndarray of int64, shape (n, 2)
        Manual marks as sample numbers: start, and stop (exclusive).
    ancillary : AncillaryData
        Events, epochs, spikes, irregular signals and commands. Like ``start_s`` of the traces, their times
        refer to the clock of the file; units are spelled as in the file and may be empty.
    nominal_sweep_interval_s : float or None
        The interval from sweep to sweep that the protocol asks for, where the file states that besides the
        times of its sweeps.
    notes : tuple of str
        One sentence for each thing that was left out or assumed.
    """

    reader_version: str
    format: str
    traces: tuple[RawTrace, ...]
    files: tuple[Path, ...]
    session_start: datetime | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[tuple[str, int], IntArray] = field(default_factory=dict)
    ancillary: AncillaryData = field(default_factory=AncillaryData)
    nominal_sweep_interval_s: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in order of first appearance."""
        return tuple(dict.fromkeys(trace.channel for trace in self.traces))
