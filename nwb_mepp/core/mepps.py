"""Miniature end-plate potentials as a table: one row per MEPP, one definition of each column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MEASURES", "Measure", "Mepps"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Measure:
    """One measured column of the MEPP table.

    Attributes
    ----------
    field : str
        Attribute of :class:`Mepps`.
    column : str
        Name of the column in NWB, CSV and JSON (a contract: other programs read it).
    unit : str
        SI unit; ``"{u}"`` stands for the trace's own unit (V or A), ``""`` for no unit.
    description : str
        One sentence, without the unit.
    """

    field: str
    column: str
    unit: str
    description: str


MEASURES: tuple[Measure, ...] = (
    Measure("peak_s", "peak_time", "s", "Time of the peak from the session start."),
    Measure(
        "amplitude",
        "amplitude",
        "{u}",
        "Peak minus baseline, signed; the peak is the mean of +-0.25 ms around the smoothed extremum.",
    ),
    Measure("rise_10_90_s", "rise_10_90", "s", "Time from 10 % to 90 % of the amplitude while rising."),
    Measure("half_width_s", "half_width", "s", "Time spent beyond half of the amplitude."),
    Measure(
        "decay_tau_s",
        "decay_tau",
        "s",
        "Decay time constant of the fitted rise and decay; NaN where the next MEPP cuts it short.",
    ),
    Measure("area", "area", "{u} s", "Integral of trace minus baseline over the interval, signed."),
    Measure("baseline", "baseline", "{u}", "Level just before the onset, tails of earlier MEPPs included."),
    Measure(
        "probability",
        "probability",
        "",
        "Probability that this is a MEPP; NaN where the detector claims none.",
    ),
    Measure("overlapped", "overlapped", "", "True where the next MEPP begins before the decay to 1/e."),
    Measure(
        "anomaly",
        "anomaly",
        "",
        "How odd this MEPP is to an autoencoder, in robust SD from the other MEPPs of the channel: mostly "
        "about 1, giant, slow or artifact-like above 3; NaN where none was asked or MEPPs are fewer than 5.",
    ),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Mepps:
    """The MEPPs of one channel, sorted by onset; all arrays have shape (n_mepps,).

    Times are seconds from the session start; ``start_index``, ``stop_index`` and ``peak_index``
    count samples from the first sample of the sweep, ``stop_index`` exclusive.

    Attributes
    ----------
    channel : str
    unit : str
        ``"V"`` or ``"A"``: the unit of ``amplitude`` and ``baseline``; of ``area`` times second.
    """

    channel: str
    unit: str
    sweep: IntArray
    start_index: IntArray
    stop_index: IntArray
    peak_index: IntArray
    start_s: FloatArray
    stop_s: FloatArray
    peak_s: FloatArray
    amplitude: FloatArray
    rise_10_90_s: FloatArray
    half_width_s: FloatArray
    decay_tau_s: FloatArray
    area: FloatArray
    baseline: FloatArray
    probability: FloatArray
    overlapped: BoolArray
    anomaly: FloatArray

    def __post_init__(self) -> None:
        n_mepps = len(self.sweep)
        for name in self.array_names():
            array = getattr(self, name)
            if array.shape != (n_mepps,):
                raise ValueError(f"expected {name} of shape ({n_mepps},), found {array.shape}.")

    def __len__(self) -> int:
        return len(self.sweep)

    @classmethod
    def array_names(cls) -> tuple[str, ...]:
        """Names of the per-MEPP arrays, in order."""
        return tuple(f.name for f in fields(cls) if f.name not in {"channel", "unit"})

    @classmethod
    def empty(cls, channel: str, unit: str) -> Mepps:
        """Return a table without rows.

        Examples
        --------
        >>> len(Mepps.empty("Vm", "V"))
        0
        """
        dtypes = {"sweep": np.int64, "overlapped": np.bool_}
        arrays: dict[str, npt.NDArray[Any]] = {
            name: np.empty(0, np.int64 if name.endswith("_index") else dtypes.get(name, np.float64))
            for name in cls.array_names()
        }
        return cls(channel=channel, unit=unit, **arrays)

    def select(self, rows: npt.NDArray[np.bool_] | IntArray) -> Mepps:
        """Return the rows chosen by a boolean mask or by indices."""
        arrays = {name: getattr(self, name)[rows] for name in self.array_names()}
        return Mepps(channel=self.channel, unit=self.unit, **arrays)

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
        return cls(
            channel=tables[0].channel,
            unit=tables[0].unit,
            **{name: array[order] for name, array in arrays.items()},
        )
