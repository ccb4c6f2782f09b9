"""Simulated recordings in formats of the laboratory: Axon files, labeled text, and the truth as a table."""

from __future__ import annotations

import struct
from importlib.util import find_spec
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp.core.errors import MissingDependencyError
from nwb_mepp.simulation.recordings import Truth

__all__ = ["TRUTH_COLUMNS", "check_abf_writer", "write_abf", "write_labeled_text", "write_truth_table"]

# Columns of the table, and the attributes of Truth that they hold.
TRUTH_COLUMNS = {
    "start_time": "start_s",
    "stop_time": "stop_s",
    "peak_time": "peak_s",
    "amplitude": "amplitude",
    "rise_10_90": "rise_10_90_s",
    "decay_tau": "decay_tau_s",
}


def check_abf_writer() -> None:
    """Check that the package that writes Axon files is installed.

    Raises
    ------
    MissingDependencyError
        If it is not.
    """
    if find_spec("pyabf") is None:
        raise MissingDependencyError(
            "writing ABF files needs the package pyabf, which is not installed; install it with "
            "pip install 'nwb-mepp[formats]'."
        )


def write_abf(
    values: npt.ArrayLike,
    path: str | PathLike[str],
    *,
    sampling_rate_hz: float,
    unit: str = "mV",
    channel: str = "Vm",
) -> None:
    """Write a gap-free ABF 1 file with one channel of 16-bit integers.

    The resolution is 2**-15 of the power of ten above the largest value.

    Parameters
    ----------
    values : array_like, shape (n_samples,)
        In ``unit``.
    path : path-like
    sampling_rate_hz : float
    unit : str, default "mV"
        At most eight characters.
    channel : str, default "Vm"
        Cut off after the ten characters that the format holds.

    Raises
    ------
    MissingDependencyError
        If pyabf is not installed.
    OutputError
        If the file cannot be written.
    """
    check_abf_writer()
    from pyabf.abfWriter import writeABF1

    samples = np.asarray(values, dtype=np.float64)
    with complete_or_absent(Path(path)) as temporary:
        writeABF1(samples[np.newaxis], str(temporary), sampling_rate_hz, units=unit)
        content = temporary.read_bytes()
        n_short, n_full = 4 * 512, 12 * 512
        header = bytearray(content[:n_short])
        struct.pack_into("<h", header, 8, 3)  # nOperationMode: gap-free
        struct.pack_into("<i", header, 40, n_full // 512)  # lDataSectionPtr
        struct.pack_into("<16h", header, 410, 0, *[-1] * 15)  # nADCSamplingSeq: channel 0 alone
        name = channel.encode("ascii", errors="replace").ljust(10)[:10]
        struct.pack_into("<10s", header, 442, name)  # sADCChannelName
        # pyabf writes the first third of the header only. Programs that look for the rest, the telegraphed
        # gain among it, would take samples for header fields; zeros there state that nothing was telegraphed.
        body = content[n_short : n_short + 2 * len(samples)]
        temporary.write_bytes(bytes(header) + bytes(n_full - n_short) + body)


def write_labeled_text(
    values: npt.ArrayLike,
    truth: Truth,
    path: str | PathLike[str],
    *,
    sampling_rate_hz: float,
    quantity: str = "Voltage",
) -> None:
    """Write labeled text, ``Time_ms,Voltage,labels``: 1 from the onset of a MEPP to its end, 0 elsewhere.

    Numbers have as many digits as are needed to read back the same number. Of two MEPPs that touch, the last
    sample of the first is 0, so that they stay two.

    Parameters
    ----------
    values : array_like, shape (n_samples,)
    truth : Truth
    path : path-like
    sampling_rate_hz : float
    quantity : str, default "Voltage"
        Title of the column of the samples.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    samples = np.asarray(values, dtype=np.float64)
    times_s = np.arange(len(samples)) / sampling_rate_hz
    labels = np.zeros(len(samples), dtype=np.int64)
    starts, stops = np.searchsorted(times_s, truth.start_s), np.searchsorted(times_s, truth.stop_s)
    for start, stop in zip(starts, stops, strict=True):
        if start > 1 and labels[start - 2 : start].all():
            labels[start - 1] = 0
        labels[start:stop] = 1
    with (
        complete_or_absent(Path(path)) as temporary,
        temporary.open("w", encoding="utf-8", newline="\n") as stream,
    ):
        stream.write(f"Time_ms,{quantity},labels\n")
        for i, (value, label) in enumerate(zip(samples, labels, strict=True)):
            # A picosecond is far below any sampling interval.
            time_ms = np.format_float_positional(1000 * i / sampling_rate_hz, precision=9, trim="0")
            stream.write(f"{time_ms},{np.format_float_positional(value, trim='0')},{label}\n")


def write_truth_table(truth: Truth, path: str | PathLike[str], *, unit: str = "V") -> None:
    """Write the simulated MEPPs as CSV: seconds from the first sample, volts or amperes.

    Parameters
    ----------
    truth : Truth
    path : path-like
    unit : {"V", "A"}
        Unit of the amplitudes, which have nine decimals in volts and eighteen in amperes.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    decimals = dict.fromkeys(TRUTH_COLUMNS, 9) | {"amplitude": 9 if unit == "V" else 18}
    rows = zip(*(getattr(truth, field) for field in TRUTH_COLUMNS.values()), strict=True)
    lines = [",".join(TRUTH_COLUMNS)]
    lines += [
        ",".join(f"{number:.{places}f}" for number, places in zip(row, decimals.values(), strict=True))
        for row in rows
    ]
    with complete_or_absent(Path(path)) as temporary:
        temporary.write_bytes("".join(f"{line}\n" for line in lines).encode())
