"""What one detector found on one channel: the MEPPs, how they were found, and their summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.schema import CurationColumns, SummaryColumns

__all__ = [
    "REJECTED",
    "UNREVIEWED",
    "AverageWaveform",
    "ChannelResult",
    "Curation",
    "LeftOut",
    "SummaryRow",
    "counts_as_event",
    "stretches_around",
]


# What a person says of a row that is no event, and of one that nobody has decided on yet.
REJECTED, UNREVIEWED = "rejected", "unreviewed"


def counts_as_event(status: Sequence[str] | npt.NDArray[np.str_]) -> npt.NDArray[np.bool_]:
    """Return which rows of a person's table count, shape (n_rows,): neither rejected nor unreviewed.

    Examples
    --------
    >>> counts_as_event(["added", "unreviewed", "rejected"]).tolist()
    [True, False, False]
    """
    return ~np.isin(np.asarray(status, dtype=np.str_), (REJECTED, UNREVIEWED))


def stretches_around(
    start_s: npt.NDArray[np.float64], stop_s: npt.NDArray[np.float64], chosen: npt.NDArray[np.bool_]
) -> list[tuple[float, float]]:
    """Return the stretches around chosen rows, up to the nearest rows that are not chosen.

    Parameters
    ----------
    start_s, stop_s : ndarray, shape (n_rows,)
        Sorted by onset.
    chosen : ndarray of bool, shape (n_rows,)

    Examples
    --------
    >>> onset_s = np.array([1.0, 2.0, 3.0, 4.0])
    >>> stretches_around(onset_s, onset_s + 0.1, np.array([False, True, True, False]))
    [(1.1, 4.0)]
    >>> stretches_around(onset_s, onset_s + 0.1, np.array([False, False, False, True]))
    [(3.1, inf)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    stretches = []
    for first, end in edges.reshape(-1, 2).tolist():
        # An interval may reach into that of the next row, which counts as a whole.
        before = min(float(stop_s[first - 1]), float(start_s[first])) if first else -np.inf
        after = max(float(start_s[end]), float(stop_s[end - 1])) if end < len(start_s) else np.inf
        stretches.append((before, after))
    return stretches


class LeftOut(NamedTuple):
    """A stretch of a channel that is not analyzed, and why.

    Attributes
    ----------
    start_s, stop_s : float
        Seconds from the session start.
    reason : str
        A few words that can stand in a list.
    """

    start_s: float
    stop_s: float
    reason: str


class SummaryRow(SummaryColumns):
    """One row of the summary table: the statistics of one detector on one channel.

    :class:`~nwb_mepp.core.schema.SummaryColumns` defines the values.

    Parameters
    ----------
    **values : object
        By attribute. ``detector``, ``channel``, ``amplitude_unit`` and ``n_mepps`` are needed; any other
        value that is not given is NaN or empty.

    Raises
    ------
    TypeError
        If a value is missing, or belongs to none of the columns.

    Examples
    --------
    >>> row = SummaryRow(detector="template", channel="Vm", amplitude_unit="V", n_mepps=3, rate_hz=0.5)
    >>> row.rate_hz, row.noise_sd, row.settings
    (0.5, nan, '')
    """

    def __init__(self, **values: Any) -> None:
        vars(self).update(self._completed(values, absent=lambda column: column.absent))

    def as_dict(self) -> dict[str, Any]:
        """Return the values by the names of their columns, in order."""
        return {column.name: getattr(self, column.attribute) for column in self.columns()}

    def __eq__(self, other: object) -> bool:
        return self.as_dict() == other.as_dict() if isinstance(other, SummaryRow) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self.as_dict().values()))


class Curation(CurationColumns):
    """What a person decided about the rows of a table of MEPPs; all arrays have shape (n_rows,).

    :class:`~nwb_mepp.core.schema.CurationColumns` defines the arrays.

    Parameters
    ----------
    n_rows : int
    **arrays : ndarray of str, shape (n_rows,)
        By attribute; one that is not given is empty text throughout.

    Examples
    --------
    >>> decided = Curation(3, status=np.array(["accepted", "rejected", "unreviewed"]))
    >>> decided.counted.tolist(), decided.note.tolist()
    ([True, False, False], ['', '', ''])
    """

    def __init__(self, n_rows: int, **arrays: npt.NDArray[Any]) -> None:
        vars(self).update(self._completed(arrays, absent=lambda column: column.blank(n_rows)))

    @property
    def counted(self) -> npt.NDArray[np.bool_]:
        """Which rows the person takes for events: neither rejected nor still to be reviewed."""
        return counts_as_event(self.status)

    def undecided_stretches(self, mepps: Mepps) -> list[tuple[float, float]]:
        """Return where the person has not looked yet, in seconds from the session start.

        That is the time between the last row that was decided on and the next one, wherever a row that was
        not lies between; before the first or after the last of them it is endless.

        Parameters
        ----------
        mepps : Mepps
            The table itself, sorted by onset.
        """
        return stretches_around(mepps.start_s, mepps.stop_s, np.asarray(self.status == UNREVIEWED))

    def select(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Curation:
        """Return the rows chosen by a boolean mask or by indices."""
        chosen = {name: array[rows] for name, array in vars(self).items()}
        return Curation(len(chosen["status"]), **chosen)


@dataclass(frozen=True, kw_only=True, eq=False)
class AverageWaveform:
    """The average of the isolated MEPPs of one channel.

    Attributes
    ----------
    time_s : ndarray, shape (n_samples,)
        From where each passes half of its amplitude.
    values : ndarray, shape (n_samples,)
        Baseline subtracted, signed, in the unit of the trace.
    n_mepps : int
    """

    time_s: npt.NDArray[np.float64]
    values: npt.NDArray[np.float64]
    n_mepps: int


@dataclass(frozen=True, kw_only=True)
class ChannelResult:
    """What one detector found on one channel, with its summary.

    Attributes
    ----------
    detector : str
    mepps : Mepps
        Every event with its ``kind``; the summary is that of the MEPPs among them.
    summary : SummaryRow
    left_out : tuple of LeftOut
        What was left out because the recording itself shows, or its header states, that it does not count.
    unexplained : tuple of (int, float)
        Sweep and onset, in seconds from the session start, of each deflection that is clear and like a MEPP
        but that none of the MEPPs explains. They are not in a file: a result that was read has none.
    waveform : AverageWaveform or None
        The average of the isolated MEPPs, where known.
    curation : Curation or None
        What a person decided about each row, if the result is a person's; the summary is that of what
        counts. A result that was read holds only these rows.
    """

    detector: str
    mepps: Mepps
    summary: SummaryRow
    left_out: tuple[LeftOut, ...] = ()
    unexplained: tuple[tuple[int, float], ...] = ()
    waveform: AverageWaveform | None = None
    curation: Curation | None = None
