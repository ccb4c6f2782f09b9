"""Write the examples of this folder: one simulated recording in three formats of the lab, and its truth.

    python data/make.py            # into this folder
    python data/make.py FOLDER     # elsewhere

The recording is digitized first and all files are written from the same whole numbers, with as many
decimals as the numbers have. One step of the converter is 2**-15 V at the fiber (what a 16-bit, +-10 V
converter gives behind an amplifier of gain x10), so decimal text and binary file hold exactly the same
voltages.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.simulation import (
    Scenario,
    Simulated,
    Truth,
    simulate_recording,
    write_abf,
    write_labeled_text,
    write_truth_table,
)

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


def digitized(simulated: Simulated) -> Codes:
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


def write_labchart(codes: Codes, path: Path) -> None:
    """Write text as LabChart exports it: cp1251, tabs, decimal commas, volts behind the amplifier."""
    # A header in another alphabet is what such files come with.
    lines = ["Время, s\tКанал 1, V"]  # noqa: RUF001
    for i, code in enumerate(codes):
        time_s = f"{i / SCENARIO.sampling_rate_hz:.4f}"
        lines.append(f"{time_s}\t{exact_decimal(AMPLIFIER_GAIN * int(code))}".replace(".", ","))
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode("cp1251"))


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
    codes = digitized(simulated)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    rate_hz = SCENARIO.sampling_rate_hz
    write_abf(codes * STEP_V, folder / "simulated.abf", sampling_rate_hz=rate_hz, unit="V")
    write_labchart(codes, folder / "simulated_labchart.txt")
    # The mean is rounded to whole steps, which keeps the decimals exact.
    deviations = (codes - round(float(codes.mean()))) * STEP_V
    labeled = folder / "simulated_labeled.csv"
    write_labeled_text(deviations, simulated.truth, labeled, sampling_rate_hz=rate_hz)
    write_truth_table(simulated.truth, folder / "truth" / "mepps.csv")
    write_event_table(simulated.truth, folder / "truth" / "mepps_events.txt")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
