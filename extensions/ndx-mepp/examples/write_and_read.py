"""Write the MEPPs that a detector of your own has found, and read them back.

python extensions/ndx-mepp/examples/write_and_read.py [FILE.nwb]
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from ndx_mepp import MEPPDetector, MEPPTable
from pynwb import NWBHDF5IO, NWBFile, TimeSeries

RATE_HZ = 10_000.0

# What your detector has measured, in SI units, one entry for each MEPP. What it cannot tell is NaN.
MEASURED = {
    "start_time": [0.0500, 0.2100, 0.3300],
    "stop_time": [0.0550, 0.2152, 0.3348],
    "peak_time": [0.0510, 0.2111, 0.3309],
    "amplitude": [0.82e-3, 0.61e-3, 0.74e-3],
    "rise_10_90": [0.6e-3, 0.7e-3, 0.6e-3],
    "half_width": [2.6e-3, 2.8e-3, 2.5e-3],
    "decay_tau": [3.1e-3, 3.4e-3, 3.0e-3],
    "area": [2.9e-6, 2.3e-6, 2.6e-6],
    "baseline": [-0.0701, -0.0702, -0.0700],
    "probability": [0.99, 0.87, 0.96],
    "overlapped": [False, False, False],
    "anomaly": [np.nan, np.nan, np.nan],
}


def write(path: Path) -> None:
    """Write a file with a recording, a detector and the MEPPs that it found."""
    file = NWBFile(
        session_description="One fiber at rest.",
        identifier="fiber-1",
        session_start_time=datetime(2026, 1, 15, 10, tzinfo=UTC),
    )
    noise = np.random.default_rng(1).normal(-0.07, 0.1e-3, 5_000)
    voltage = TimeSeries(name="Vm", data=noise, unit="volts", rate=RATE_HZ)
    file.add_acquisition(voltage)

    detector = MEPPDetector(
        name="mepp_detector_mine",
        detector="mine",
        detector_version="1",
        weights_sha256="",
        threshold=0.5,
        polarity="positive",
    )
    icephys = file.create_processing_module(name="icephys", description="Intracellular electrophysiology.")
    icephys.add(detector)

    table = MEPPTable(
        name="mepps_mine", description="Found by mine on Vm.", detector=detector, amplitude_unit="V"
    )
    for row in zip(*MEASURED.values(), strict=True):
        table.add_interval(timeseries=voltage, **dict(zip(MEASURED, row, strict=True)))
    file.add_time_intervals(table)

    with NWBHDF5IO(path, "w") as io:
        io.write(file)


def show(path: Path) -> None:
    """Print what a file says of its MEPPs, each number with the unit of its column."""
    with NWBHDF5IO(path, "r") as io:
        table = io.read().intervals["mepps_mine"]
        print(f"{len(table)} MEPPs, found by {table.detector.detector} above {table.detector.threshold}")
        for time, amplitude in zip(table["peak_time"][:], table["amplitude"][:], strict=True):
            print(f"{time:.4f} {table['peak_time'].unit}  {amplitude:.5f} {table['amplitude'].unit}")


def main(path: Path = Path("mepps.nwb")) -> None:
    """Write the file and print what is in it."""
    write(path)
    show(path)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
