"""What a call of the command line gives, and what the builders' lab file leaves for it to state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nwb_mepp.workflows.batch import event_columns

# What every run of a text file without date and unit has to state.
STATED = ("--unit", "V", "--session-start", "2026-01-15T10:00:00Z", "--detector", "matched_filter")

# What `events` prints first.
EVENT_COLUMNS = ",".join(column.name for column in event_columns())


@dataclass(frozen=True)
class Called:
    """What a call of the command line gave."""

    code: int
    out: str
    err: str


Call = Callable[..., Called]
