"""A mock of every type: valid objects with made-up content, each argument replaceable.

With ``nwbfile`` the object is added to that file where it belongs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pynwb import NWBFile
from pynwb.testing.mock.utils import name_generator

from ndx_mepp.namespace import dtypes
from ndx_mepp.types import MEPPDetector, MEPPQuantity, MEPPSummary, MEPPTable

__all__ = ["mock_MEPPDetector", "mock_MEPPQuantity", "mock_MEPPSummary", "mock_MEPPTable"]

_MADE_UP: dict[str, Any] = {"float64": 1.0, "int64": 1, "bool": False, "text": "mock"}
# Texts that only certain words make sense for.
_WORDS = {"amplitude_unit": "V", "polarity": "positive"}


def _made_up(type_name: str) -> dict[str, Any]:
    """Return a value for each column, or attribute, that the specification states."""
    return {name: _WORDS.get(name, _MADE_UP[dtype]) for name, dtype in dtypes(type_name).items()}


def mock_MEPPQuantity(  # noqa: N802 - pynwb names its mocks so
    *,
    name: str | None = None,
    description: str = "Made-up numbers.",
    data: Sequence[float] = (0.001, 0.002),
    unit: str = "V",
) -> MEPPQuantity:
    """Return a column of numbers with a unit."""
    return MEPPQuantity(
        name=name or name_generator("MEPPQuantity"), description=description, data=list(data), unit=unit
    )


def mock_MEPPDetector(  # noqa: N802
    *,
    name: str | None = None,
    nwbfile: NWBFile | None = None,
    **stated: Any,
) -> MEPPDetector:
    """Return a detector; in a file it lies in ``/processing/icephys``. Any attribute can be stated."""
    made = MEPPDetector(name=name or name_generator("MEPPDetector"), **(_made_up("MEPPDetector") | stated))
    _add_to_icephys(nwbfile, made)
    return made


def mock_MEPPTable(  # noqa: N802
    *,
    name: str | None = None,
    description: str = "Made-up MEPPs.",
    detector: MEPPDetector | None = None,
    amplitude_unit: str = "V",
    start_times: Sequence[float] = (0.1, 0.3),
    nwbfile: NWBFile | None = None,
) -> MEPPTable:
    """Return a table with a MEPP of 5 ms at each start (s); in a file it lies in ``/intervals``."""
    table = MEPPTable(
        name=name or name_generator("MEPPTable"),
        description=description,
        detector=detector,
        amplitude_unit=amplitude_unit,
    )
    for start_time in start_times:
        times = {"stop_time": start_time + 5e-3, "peak_time": start_time + 1e-3}
        table.add_interval(start_time=start_time, **(_made_up("MEPPTable") | times))
    if nwbfile is not None:
        nwbfile.add_time_intervals(table)
    return table


def mock_MEPPSummary(  # noqa: N802
    *,
    name: str | None = None,
    description: str = "Made-up statistics.",
    n_rows: int = 1,
    nwbfile: NWBFile | None = None,
) -> MEPPSummary:
    """Return a summary of ``n_rows`` detectors; in a file it lies in ``/processing/icephys``."""
    table = MEPPSummary(name=name or name_generator("MEPPSummary"), description=description)
    for _ in range(n_rows):
        table.add_row(**_made_up("MEPPSummary"))
    _add_to_icephys(nwbfile, table)
    return table


def _add_to_icephys(nwbfile: NWBFile | None, made: MEPPDetector | MEPPSummary) -> None:
    if nwbfile is None:
        return
    if "icephys" not in nwbfile.processing:
        nwbfile.create_processing_module(name="icephys", description="Intracellular electrophysiology.")
    nwbfile.processing["icephys"].add(made)
