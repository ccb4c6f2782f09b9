"""Miniature end-plate potentials as a table with one row per MEPP."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.schema import EventColumns

__all__ = ["ARTIFACT", "EVOKED", "MEPP", "SPIKE", "Mepps"]

# What an event can be (column ``kind``).
MEPP, EVOKED, SPIKE, ARTIFACT = "mepp", "evoked", "spike", "artifact"


class Mepps(EventColumns):
    """The MEPPs of one channel, sorted by onset; all arrays have shape (n_mepps,).

    :class:`~nwb_mepp.core.schema.EventColumns` defines the arrays. Times are seconds from the session
    start; ``start_index``, ``stop_index`` and ``peak_index`` count samples from the first sample of the
    sweep, ``stop_index`` exclusive.

    Parameters
    ----------
    channel : str
    unit : str
        ``"V"`` or ``"A"``: the unit of ``amplitude`` and ``baseline``; of ``area`` times second.
    **arrays : ndarray, shape (n_mepps,)
        By attribute. Sweep, sample numbers, start and stop are needed; any other array that is not given
        is NaN, False or empty text throughout.

    Raises
    ------
    TypeError
        If an array is missing, or is none of the columns.
    ValueError
        If the arrays differ in length.

    Examples
    --------
    >>> one = Mepps(
    ...     channel="Vm",
    ...     unit="V",
    ...     sweep=np.array([0]),
    ...     start_index=np.array([100]),
    ...     peak_index=np.array([110]),
    ...     stop_index=np.array([150]),
    ...     start_s=np.array([0.01]),
    ...     stop_s=np.array([0.015]),
    ... )
    >>> len(one), one.stop_s, one.anomaly
    (1, array([0.015]), array([nan]))
    """

    channel: str
    unit: str

    def __init__(self, *, channel: str, unit: str, **arrays: npt.NDArray[Any]) -> None:
        n_mepps = len(arrays.get("sweep", ()))
        completed = self._completed(arrays, absent=lambda column: column.blank(n_mepps))
        for name, array in completed.items():
            if array.shape != (n_mepps,):
                raise ValueError(f"expected {name} of shape ({n_mepps},), found {array.shape}.")
        vars(self).update(channel=channel, unit=unit, **completed)

    def __len__(self) -> int:
        return len(self.sweep)

    @classmethod
    def array_names(cls) -> tuple[str, ...]:
        """Return the names of the arrays, in order."""
        return tuple(column.attribute for column in cls.columns())

    @classmethod
    def empty(cls, channel: str, unit: str) -> Mepps:
        """Return a table without rows.

        Examples
        --------
        >>> len(Mepps.empty("Vm", "V"))
        0
        """
        arrays = {column.attribute: column.blank(0) for column in cls.columns()}
        return cls(channel=channel, unit=unit, **arrays)

    def of_kind(self, kind: str) -> Mepps:
        """Return the rows of one kind: ``mepp``, ``evoked``, ``spike`` or ``artifact``.

        Rows that do not say their kind are MEPPs: they were written before tables had this column.

        Examples
        --------
        >>> table = Mepps.empty("Vm", "V")
        >>> len(table.of_kind("evoked"))
        0
        """
        return self.select(np.isin(self.kind, ("", kind) if kind == "mepp" else (kind,)))

    def select(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Mepps:
        """Return the rows chosen by a boolean mask or by indices."""
        return self.replace(**{name: getattr(self, name)[rows] for name in self.array_names()})

    @classmethod
    def concatenate(cls, parts: Iterable[Mepps]) -> Mepps:
        """Join tables of one channel (its sweeps) and sort by onset."""
        tables = list(parts)
        if not tables:
            raise ValueError("expected at least one table to concatenate, found none.")
        if len({(table.channel, table.unit) for table in tables}) != 1:
            raise ValueError("expected tables of one channel and unit.")
        arrays = {
            name: np.concatenate([getattr(table, name) for table in tables]) for name in cls.array_names()
        }
        order = np.argsort(arrays["start_s"], kind="stable")
        return tables[0].replace(**{name: array[order] for name, array in arrays.items()})
