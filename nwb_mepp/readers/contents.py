"""What a file says, before anything of it is interpreted: the contract between a reader and the rest."""

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
    """One channel during one sweep, as the file states it.

    Attributes
    ----------
    channel : str
        Unique within the file.
    sweep : int
        From 0.
    source : SampleSource
        The stored numbers.
    unit_label : str
        Unit in the file's own spelling, empty if it states none.
    gain, offset : float
        ``value = stored * gain + offset`` in the unit of the label.
    sampling_rate_hz : float or None
        None if the file states none.
    start_s : float
        Time of the first sample relative to the session start, by the file's own clock.
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
    """What a reader returns.

    Attributes
    ----------
    reader_version : str
        Version of the package behind the reader.
    format : str
        What the file is, for people ("Axon ABF 2.6").
    traces : tuple of RawTrace
        In the order of the file.
    parts : tuple of Path
        All files that the recording consists of; their bytes give its checksum.
    session_start : datetime or None
    annotations : mapping of str to str
        What else the file says, under its own names.
    labels : mapping of (channel, sweep) to ndarray of int64, shape (n, 2)
        Hand marks as sample numbers, the second exclusive.
    ancillary : AncillaryData
        By the file's own clock, like ``start_s`` of the traces; irregular signals in the unit of the
        file's label, which may be empty.
    notes : tuple of str
        One sentence for each thing that was left out or assumed.
    """

    reader_version: str
    format: str
    traces: tuple[RawTrace, ...]
    parts: tuple[Path, ...]
    session_start: datetime | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[tuple[str, int], IntArray] = field(default_factory=dict)
    ancillary: AncillaryData = field(default_factory=AncillaryData)
    notes: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in order of first appearance."""
        return tuple(dict.fromkeys(trace.channel for trace in self.traces))
