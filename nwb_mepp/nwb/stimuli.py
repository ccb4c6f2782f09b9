"""What a file says of stimuli: the levels that a protocol commanded, and when something happened."""

from __future__ import annotations

from typing import Any

import numpy as np

from nwb_mepp.core.columns import Column
from nwb_mepp.core.command import stretches_off_holding
from nwb_mepp.nwb.file_interface import NwbContents

__all__ = [
    "COMMAND_COLUMNS",
    "COMMAND_MARK",
    "COMMAND_TABLE",
    "EPOCHS_PREFIX",
    "command_steps",
    "event_times",
    "is_command",
]

# What the comments of a series begin with that is a command.
COMMAND_MARK = "command="
# Keeps the tables of the source apart from those of MEPPs and from names with a meaning in NWB.
EPOCHS_PREFIX = "epochs_"
COMMAND_TABLE = "protocol_epochs"
COMMAND_COLUMNS: tuple[Column[Any], ...] = (
    Column("start_time", "s", "Start from the session start."),
    Column("stop_time", "s", "End from the session start."),
    Column("command", "", "Name of the output of the amplifier in the source.", dtype="text"),
    Column("epoch", "", "Letter of the epoch in the protocol.", dtype="text"),
    Column(
        "type",
        "",
        "step, ramp, or a train (pulse train, triangle train, cosine train, biphasic train).",
        dtype="text",
    ),
    Column("level", "{u}", "Level that is held, reached or peaked at."),
    Column("holding_level", "{u}", "Level between sweeps."),
    Column("unit", "", "Unit of the command: V or A.", dtype="text"),
    Column(
        "digital_outputs",
        "",
        "State of the digital outputs, the first character is output 0: 1 on, 0 off, * a train of pulses.",
        dtype="text",
    ),
)


def is_command(series: object) -> bool:
    """Return whether a series is a command that this package wrote."""
    return str(getattr(series, "comments", None) or "").startswith(COMMAND_MARK)


def command_steps(file: NwbContents) -> tuple[tuple[float, float], ...]:
    """Return when another level was commanded than the one held, from the table of epochs in a file.

    Parameters
    ----------
    file : NwbContents

    Returns
    -------
    tuple of (start_s, stop_s)
        From the session start; empty if this package did not write the file from a protocol.
    """
    table = (file.intervals or {}).get(COMMAND_TABLE)
    names = [column.name for column in COMMAND_COLUMNS]
    if table is None or not set(names) <= set(table.colnames):
        return ()
    columns = {name: table[name][:] for name in names}
    groups: dict[tuple[str, float], list[tuple[float, float, float, str]]] = {}
    for row in range(len(table)):
        key = (str(columns["command"][row]), float(columns["holding_level"][row]))
        start_s, stop_s, level = (float(columns[name][row]) for name in ("start_time", "stop_time", "level"))
        groups.setdefault(key, []).append((start_s, stop_s, level, str(columns["type"][row])))
    found = {
        stretch
        for (_, holding), epochs in groups.items()
        for stretch in stretches_off_holding(epochs, holding=holding)
    }
    return tuple(sorted(found))


def event_times(file: NwbContents) -> tuple[float, ...]:
    """Return when something happened that may have been a stimulus: events, epochs and trials of a file."""
    columns = [(table, "timestamp") for table in file.events.values()]
    columns += [(table, "start_time") for table in (file.trials, file.epochs) if table is not None]
    intervals = () if file.intervals is None else tuple(file.intervals.items())
    columns += [(one, "start_time") for name, one in intervals if name.startswith(EPOCHS_PREFIX)]
    times_s = [np.asarray(table[name][:], dtype=np.float64) for table, name in columns]
    joined = np.concatenate([np.empty(0), *times_s])
    return tuple(np.unique(joined[np.isfinite(joined)]).tolist())
