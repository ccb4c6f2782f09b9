"""Event tables of Mini Analysis: marks that people made, as times."""

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
    """The events of a table, sorted by onset; arrays of shape (n_events,), seconds from the first sample.

    Attributes
    ----------
    peak_s, start_s, stop_s : ndarray
        The onset lies ``Rise`` before the peak, the end ``Decay`` after it or at the next onset; NaN where
        the table lacks the column.
    """

    peak_s: FloatArray
    start_s: FloatArray
    stop_s: FloatArray


def read_mini_analysis(path: Path) -> EventTimes | None:
    """Read an event table of Mini Analysis, None if the file is none.

    Parameters
    ----------
    path : Path
        Separated by tabs, in any encoding of the laboratory, with decimal points or commas; a number may
        carry its unit.

    Returns
    -------
    EventTimes or None

    Raises
    ------
    ReadError
        If the file is no text, or a cell is no number.
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
    # Where an event rides on the decay of another, the table lets both last; here the first ends there.
    stop_s[:-1] = np.fmin(stop_s[:-1], np.where(np.isnan(start_s[1:]), np.inf, start_s[1:]))
    return EventTimes(peak_s=peak_s, start_s=start_s, stop_s=stop_s)


def _number(cell: str, path: Path, line: int, title: str) -> float:
    """Return the number that a cell begins with; the unit behind it is in the title too."""
    match = _NUMBER.match(_SPACES.sub("", cell).replace(",", "."))
    if match is None:
        raise ReadError(
            f"{path.name}, line {line}: expected a number under {title!r}, found {cell.strip()!r}; correct "
            "the line."
        )
    return float(match[0])
