"""What a call of the command line gives, and what the builders' lab file leaves for it to state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# What every run of a text file without date and unit has to state.
STATED = ("--unit", "V", "--session-start", "2026-01-15T10:00:00Z", "--detector", "matched_filter")

# What `events` prints first: a promise to the programs that read it.
EVENT_COLUMNS = (
    "file,channel,sweep,series,start_time,stop_time,peak_time,amplitude,amplitude_unit,rise_10_90,half_width,"
    "decay_tau,area,baseline,probability,overlapped,detector"
)


@dataclass(frozen=True)
class Called:
    """What a call of the command line gave."""

    code: int
    out: str
    err: str


Call = Callable[..., Called]
