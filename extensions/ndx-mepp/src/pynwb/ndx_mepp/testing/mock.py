"""A mock of every type: valid objects with made-up content, each argument replaceable.

With ``nwbfile`` the object is added to that file where it belongs.
"""

from __future__ import annotations

from collections.abc import Sequence

from pynwb import NWBFile
from pynwb.testing.mock.utils import name_generator

from ndx_mepp.types import MEPPDetector, MEPPQuantity, MEPPSummary, MEPPTable

__all__ = ["mock_MEPPDetector", "mock_MEPPQuantity", "mock_MEPPSummary", "mock_MEPPTable"]

# What a made-up MEPP measures, in V and s; times stand apart.
_MEASURES = {
    "amplitude": 0.8e-3,
    "rise_10_90": 0.7e-3,
    "half_width": 2.5e-3,
    "decay_tau": 3e-3,
    "area": 3e-6,
    "baseline": -0.07,
    "probability": 0.9,
    "overlapped": False,
    "anomaly": 1.0,
}

# What a made-up summary says in words; its numbers are 1, in the units of their columns.
_SUMMARY = {
    "detector": "mock",
    "channel": "Vm",
    "amplitude_unit": "V",
    "n_mepps": 2,
    "detector_version": "1",
    "weights_sha256": "",
    "polarity": "positive",
    "package_version": "0.1.0",
    "settings": "polarity_setting=auto",
}


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
    detector: str = "mock",
    detector_version: str = "1",
    weights_sha256: str = "",
    threshold: float = 0.5,
    polarity: str = "positive",
    package_version: str | None = "0.1.0",
    settings: str | None = "polarity_setting=auto",
    nwbfile: NWBFile | None = None,
) -> MEPPDetector:
    """Return a detector; in a file it lies in ``/processing/icephys``."""
    made = MEPPDetector(
        name=name or name_generator("MEPPDetector"),
        detector=detector,
        detector_version=detector_version,
        weights_sha256=weights_sha256,
        threshold=threshold,
        polarity=polarity,
        package_version=package_version,
        settings=settings,
    )
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
        table.add_interval(
            start_time=start_time, stop_time=start_time + 5e-3, peak_time=start_time + 1e-3, **_MEASURES
        )
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
    numbers = {described["name"]: 1.0 for described in MEPPSummary.__columns__}
    for _ in range(n_rows):
        table.add_row(**(numbers | _SUMMARY))
    _add_to_icephys(nwbfile, table)
    return table


def _add_to_icephys(nwbfile: NWBFile | None, made: MEPPDetector | MEPPSummary) -> None:
    if nwbfile is None:
        return
    if "icephys" not in nwbfile.processing:
        nwbfile.create_processing_module(name="icephys", description="Intracellular electrophysiology.")
    nwbfile.processing["icephys"].add(made)
