"""A table for ``--sessions`` to fill in, with what the files say already."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from nwb_mepp.core.safe_text import csv_cell
from nwb_mepp.readers import FileInfo, find_recordings, inspect
from nwb_mepp.workflows.batch.session_table import FILE, STATED_COLUMNS

__all__ = ["session_template"]

_TO_FILL_IN = ("subject", "session_start", "timezone", "channel", "unit", "gain", "clamp", "exclude", "group")


def session_template(
    paths: Iterable[str | os.PathLike[str]], stream: IO[str], *, worded: Callable[[str], str] = str
) -> None:
    """Write a table with a row for each recording.

    Parameters
    ----------
    paths : iterable of path-like
        Files, folders and patterns.
    stream : text stream
    worded : callable (problem) -> str
        Puts a problem into the words of who called.

    Raises
    ------
    ReadError
        If a path means no recording.
    """
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([FILE, *_TO_FILL_IN, *STATED_COLUMNS])
    for path in find_recordings([Path(one) for one in paths]):
        stated = _stated(inspect(path), worded=worded)
        writer.writerow([csv_cell(text) for text in (path.as_posix(), *("" for _ in _TO_FILL_IN), *stated)])


def _stated(info: FileInfo, *, worded: Callable[[str], str]) -> tuple[str, ...]:
    rates = dict.fromkeys(f"{one.sampling_rate_hz:g}" for one in info.channels if one.sampling_rate_hz)
    units = dict.fromkeys(one.unit_label for one in info.channels)
    return (
        info.session_start.isoformat() if info.session_start else "",
        "; ".join(one.name for one in info.channels),
        "; ".join(units),
        "; ".join(rates),
        worded(" ".join(info.problems)),
    )
