"""What one detector found on one channel: the MEPPs, how they were found, and their summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.schema import CurationColumns, SummaryColumns

__all__ = ["AverageWaveform", "ChannelResult", "Curation", "LeftOut", "SummaryRow"]


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
    >>> decided = Curation(2, status=np.array(["accepted", "rejected"]))
    >>> decided.kept.tolist(), decided.note.tolist()
    ([True, False], ['', ''])
    """

    def __init__(self, n_rows: int, **arrays: npt.NDArray[Any]) -> None:
        vars(self).update(self._completed(arrays, absent=lambda column: column.blank(n_rows)))

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Which rows nobody rejected."""
        return np.asarray(self.status != "rejected")

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
        What a person decided about each row, if the result is a person's; the summary is that of what was
        not rejected. A result that was read holds only these rows.
    """

    detector: str
    mepps: Mepps
    summary: SummaryRow
    left_out: tuple[LeftOut, ...] = ()
    unexplained: tuple[tuple[int, float], ...] = ()
    waveform: AverageWaveform | None = None
    curation: Curation | None = None
