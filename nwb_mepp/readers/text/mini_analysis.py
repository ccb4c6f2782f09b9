"""Event tables of Mini Analysis: the times of events that a person marked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.text.encodings import read_head

__all__ = ["EventTimes", "read_mini_analysis"]

FloatArray = npt.NDArray[np.float64]

_TIME, _RISE, _DECAY = "time (ms)", "rise (ms)", "decay (ms)"
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_SPACES = re.compile(r"[\s\u00a0\u202f]+")


@dataclass(frozen=True, kw_only=True, eq=False)
class EventTimes:
    """The events of a table, sorted by onset.

    Attributes
    ----------
    peak_s, start_s, stop_s : ndarray, shape (n_events,), seconds from the first sample
        The onset is ``Rise`` before the peak, the end is ``Decay`` after it or at the next onset; NaN if the
        table has no such column.
    """

    peak_s: FloatArray
    start_s: FloatArray
    stop_s: FloatArray


def read_mini_analysis(path: Path) -> EventTimes | None:
    """Read an event table of Mini Analysis; None if the file is not one.

    Parameters
    ----------
    path : Path
        Columns separated by tabs, in any encoding that is detected, with decimal points or commas; numbers
        may be followed by their unit.

    Returns
    -------
    EventTimes or None

    Raises
    ------
    ReadError
        If the file is not text, or a cell is not a number.
    """
    encoding, head = read_head(path)
    titles = [title.strip().strip('"').lower() for title in head.split("\n", 1)[0].split("\t")]
    if _TIME not in titles:
        return None
    lines = path.read_text(encoding=encoding, errors="replace").splitlines()[1:]
    rows = [(number, line.split("\t")) for number, line in enumerate(lines, start=2) if line.strip()]

    def column(title: str) -> FloatArray:
        if title not in titles:
            return np.full(len(rows), np.nan)
        at = titles.index(title)
        return np.array(
            [_number(cells[at] if at < len(cells) else "", path, line, title) for line, cells in rows]
        )

    peak_s = 1e-3 * column(_TIME)
    start_s, stop_s = peak_s - 1e-3 * column(_RISE), peak_s + 1e-3 * column(_DECAY)
    order = np.argsort(peak_s if np.isnan(start_s).any() else start_s, kind="stable")
    peak_s, start_s, stop_s = peak_s[order], start_s[order], stop_s[order]
    # In the table, an event may extend into the next one that rides on its decay; here it ends there.
    stop_s[:-1] = np.fmin(stop_s[:-1], np.where(np.isnan(start_s[1:]), np.inf, start_s[1:]))
    return EventTimes(peak_s=peak_s, start_s=start_s, stop_s=stop_s)


def _number(cell: str, path: Path, line: int, title: str) -> float:
    """Return the number at the beginning of a cell; the unit that follows it is in the title too."""
    match = _NUMBER.match(_SPACES.sub("", cell).replace(",", "."))
    if match is None:
        raise ReadError(
            f"{path.name}, line {line}: expected a number under {title!r}, found {cell.strip()!r}; correct "
            "the line."
        )
    return float(match[0])
