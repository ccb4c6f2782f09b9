"""Write the examples of this folder: one simulated recording in three formats of the lab, and its truth.

    python data/make.py            # into this folder
    python data/make.py FOLDER     # elsewhere

The recording is digitised first and all files are written from the same whole numbers, with as many
decimals as the numbers have. One step of the converter is 2**-15 V at the fibre (what a 16-bit, +-10 V
converter gives behind an amplifier of gain x10), so decimal text and binary file hold exactly the same
voltages.
"""

from __future__ import annotations

import struct
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pyabf.abfWriter import writeABF1

from nwb_mepp.simulation import Scenario, Simulated, Truth, simulate_recording

SEED = 15
STEP_V = 2.0**-15
AMPLIFIER_GAIN = 10
SCENARIO = Scenario(
    duration_s=10.0,
    sampling_rate_hz=10_000.0,
    resting_level=-0.075,
    rate_hz=2.5,
    amplitude_mean=0.8e-3,
    noise_sd=0.1e-3,
    hum_hz=50.0,
    hum_amplitudes=(0.03e-3, 0.015e-3, 0.01e-3),
    hum_phase_drift=0.1,
    drift_per_sqrt_s=0.3e-3,
    step=STEP_V,
)

Codes = npt.NDArray[np.int64]


def digitised(simulated: Simulated) -> Codes:
    """Return the whole numbers that the converter gave, shape (n_samples,)."""
    return np.rint(simulated.values / STEP_V).astype(np.int64)


def exact_decimal(numerator: int) -> str:
    """Return ``numerator`` steps in volts, all decimals and no more.

    Examples
    --------
    >>> exact_decimal(-24576), exact_decimal(1)
    ('-0.75', '0.000030517578125')
    """
    # A step of 2**-15 has at most fifteen decimals, well within the 28 that a Decimal computes with.
    text = f"{Decimal(numerator) * Decimal(STEP_V):.15f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text


def write_abf(codes: Codes, path: Path) -> None:
    """Write a gap-free ABF 1 file with one channel, Vm, in volts."""
    writeABF1((codes * STEP_V)[np.newaxis], str(path), SCENARIO.sampling_rate_hz, units="V")
    content = path.read_bytes()
    n_short, n_full = 4 * 512, 12 * 512
    header = bytearray(content[:n_short])
    struct.pack_into("<h", header, 8, 3)  # nOperationMode: gap-free
    struct.pack_into("<i", header, 40, n_full // 512)  # lDataSectionPtr
    struct.pack_into("<16h", header, 410, 0, *[-1] * 15)  # nADCSamplingSeq: channel 0 alone
    struct.pack_into("<10s", header, 442, b"Vm        ")  # sADCChannelName
    # pyabf writes the first third of the header only. Programs that look for the rest, the telegraphed
    # gain among it, would take samples for header fields; zeros there state that nothing was telegraphed.
    samples = content[n_short : n_short + 2 * len(codes)]
    path.write_bytes(bytes(header) + bytes(n_full - n_short) + samples)


def write_labchart(codes: Codes, path: Path) -> None:
    """Write text as LabChart exports it: cp1251, tabs, decimal commas, volts behind the amplifier."""
    # A header in another alphabet is what such files come with.
    lines = ["Время, s\tКанал 1, V"]  # noqa: RUF001
    for i, code in enumerate(codes):
        time_s = f"{i / SCENARIO.sampling_rate_hz:.4f}"
        lines.append(f"{time_s}\t{exact_decimal(AMPLIFIER_GAIN * int(code))}".replace(".", ","))
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode("cp1251"))


def write_labelled(codes: Codes, truth: Truth, path: Path) -> None:
    """Write labelled text: milliseconds, volts at the fibre less their mean, 1 within a MEPP."""
    times_s = np.arange(len(codes)) / SCENARIO.sampling_rate_hz
    labels = np.zeros(len(codes), dtype=np.int64)
    for start_s, stop_s in zip(truth.start_s, truth.stop_s, strict=True):
        labels[(times_s >= start_s) & (times_s < stop_s)] = 1
    # The mean is rounded to whole steps, which keeps the decimals exact.
    deviations = codes - round(float(codes.mean()))
    lines = ["Time_ms,Voltage,labels"]
    for i, (deviation, label) in enumerate(zip(deviations, labels, strict=True)):
        time_ms = f"{1000 * i / SCENARIO.sampling_rate_hz:.1f}"
        lines.append(f"{time_ms},{exact_decimal(int(deviation))},{label}")
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def write_truth(truth: Truth, path: Path) -> None:
    """Write the MEPPs that were put in: seconds from the first sample, volts."""
    columns = {
        "start_time": truth.start_s,
        "stop_time": truth.stop_s,
        "peak_time": truth.peak_s,
        "amplitude": truth.amplitude,
        "rise_10_90": truth.rise_10_90_s,
        "decay_tau": truth.decay_tau_s,
    }
    rows = np.column_stack(list(columns.values()))
    lines = [",".join(columns), *(",".join(f"{number:.9f}" for number in row) for row in rows)]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


def write_event_table(truth: Truth, path: Path) -> None:
    """Write the same MEPPs as an event table of Mini Analysis: milliseconds, millivolts, decimal commas."""
    columns = {
        "Time (ms)": truth.peak_s,
        "Amplitude": truth.amplitude,
        "Rise (ms)": truth.peak_s - truth.start_s,
        "Decay (ms)": truth.stop_s - truth.peak_s,
        "10-90Rise": truth.rise_10_90_s,
    }
    rows = 1000.0 * np.column_stack(list(columns.values()))
    # The first header cell of these tables is the number of events, the first cell of a row its own.
    lines = ["\t".join([str(len(truth)), *columns])]
    for number, row in enumerate(rows, start=1):
        cells = [f"{value:.4f}".replace(".", ",") for value in row]
        lines.append("\t".join([str(number), *cells]))
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode("cp1251"))


def main(folder: Path) -> None:
    """Write all files into a folder."""
    simulated = simulate_recording(SCENARIO, seed=SEED)
    codes = digitised(simulated)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    write_abf(codes, folder / "simulated.abf")
    write_labchart(codes, folder / "simulated_labchart.txt")
    write_labelled(codes, simulated.truth, folder / "simulated_labelled.csv")
    write_truth(simulated.truth, folder / "truth" / "mepps.csv")
    write_event_table(simulated.truth, folder / "truth" / "mepps_events.txt")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
