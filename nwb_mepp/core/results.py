"""What one detector found on one channel: the MEPPs, how they were found, and their summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.schema import SummaryColumns

__all__ = ["ChannelResult", "LeftOut", "SummaryRow"]


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
    summary : SummaryRow
    unexplained : tuple of (int, float)
        Sweep and onset, in seconds from the session start, of each deflection that is clear and like a MEPP
        but that none of the MEPPs explains. They are not in a file: a result that was read has none.
    """

    detector: str
    mepps: Mepps
    summary: SummaryRow
    left_out: tuple[LeftOut, ...] = ()
    unexplained: tuple[tuple[int, float], ...] = ()
