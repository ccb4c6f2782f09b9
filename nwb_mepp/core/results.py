"""What one detector found on one channel: the MEPPs, how they were found, and their summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.schema import SummaryColumns

__all__ = ["AverageWaveform", "ChannelResult", "SummaryRow"]


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
    """The MEPPs that one detector found on one channel, with their summary and their average, where known."""

    detector: str
    mepps: Mepps
    summary: SummaryRow
    waveform: AverageWaveform | None = None
