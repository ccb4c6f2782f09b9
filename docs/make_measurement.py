"""Measure what the numbers of a recording are worth, and write it into docs/benchmark.md.

    python docs/make_measurement.py [--recordings N] [--kinetics N] [--jobs N]

MEPPs with a rise of ``(1 - exp(-t / 0.25 ms))**3``, one of the three kinds of rise that fits choose from,
lognormal decays (CV 0.2) and gamma amplitudes (CV 0.3), in white noise filtered at 3 kHz plus 1/f noise, made
with NumPy alone; detected and measured as a user does it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import neo
import numpy as np
import numpy.typing as npt
import quantities as pq
from scipy.optimize import curve_fit

import nwb_mepp
from nwb_mepp.detectors import get_detector

PAGE = Path(__file__).with_name("benchmark.md")
HEADING = "## Numbers of a recording\n"

FloatArray = npt.NDArray[np.float64]
# Does a function on each of many cases, several at a time, and gives the results in order.
Done = Callable[[Callable[[Any], list[float]], Sequence[Any]], list[list[float]]]
RATE_HZ = 10e3
NOISE_SD_V = 0.05e-3
RISE_S = 0.25e-3

DECAYS_S = (1.5e-3, 2e-3, 3e-3, 4e-3, 6e-3, 8e-3, 12e-3)
LEVELS = (5.0, 10.0, 20.0)
RATES_HZ = (1.0, 5.0, 20.0, 50.0, 100.0)
GAPS_S = (1e-3, 1.5e-3, 2e-3)
DEFLECTION_EVERY_S = 0.1


@dataclass(frozen=True)
class Simulated:
    """A trace and its MEPPs; arrays of shape (n_mepps,)."""

    values: FloatArray
    onsets_s: FloatArray
    amplitudes: FloatArray
    decays_s: FloatArray


def noise(n_samples: int, rng: np.random.Generator) -> FloatArray:
    """Return noise of ``NOISE_SD_V`` above 10 Hz: white to 3 kHz, and 1/f noise that equals it at 100 Hz."""
    frequencies_hz = np.fft.rfftfreq(n_samples, 1.0 / RATE_HZ)
    gain = np.sqrt(1.0 + 100.0 / np.maximum(frequencies_hz, 1.0)) / np.sqrt(1.0 + (frequencies_hz / 3e3) ** 8)
    gain[frequencies_hz < 1.0] = 0.0
    spectrum = np.fft.rfft(rng.standard_normal(n_samples)) * gain
    above = np.fft.irfft(np.where(frequencies_hz > 10.0, spectrum, 0.0), n_samples)
    return np.asarray(NOISE_SD_V / above.std() * np.fft.irfft(spectrum, n_samples))


def shape(since_s: FloatArray, decay_s: float) -> FloatArray:
    """Return the shape of a MEPP of amplitude 1."""
    peak_s = RISE_S * np.log1p(3.0 * decay_s / RISE_S)
    height = (1.0 - np.exp(-peak_s / RISE_S)) ** 3 * np.exp(-peak_s / decay_s)
    since_s = np.maximum(since_s, 0.0)
    return np.asarray((1.0 - np.exp(-since_s / RISE_S)) ** 3 * np.exp(-since_s / decay_s) / height)


def simulate(
    onsets_s: FloatArray, *, duration_s: float, level: float, decay_s: float, seed: int
) -> Simulated:
    """Return a recording with MEPPs at given onsets."""
    rng = np.random.default_rng(seed)
    values = -70e-3 + noise(round(duration_s * RATE_HZ), rng)
    amplitudes = level * NOISE_SD_V * rng.gamma(0.3**-2, 0.3**2, len(onsets_s))
    log_sd = float(np.sqrt(np.log1p(0.2**2)))
    decays_s = decay_s * np.exp(log_sd * rng.standard_normal(len(onsets_s)) - 0.5 * log_sd**2)
    for onset_s, amplitude, own_s in zip(onsets_s, amplitudes, decays_s, strict=True):
        first = int(onset_s * RATE_HZ)
        last = min(first + int(12.0 * own_s * RATE_HZ) + 20, len(values))
        values[first:last] += amplitude * shape(np.arange(first, last) / RATE_HZ - onset_s, own_s)
    return Simulated(values, onsets_s, amplitudes, decays_s)


def poisson(rate_hz: float, duration_s: float, seed: int) -> FloatArray:
    """Return the onsets of a Poisson process."""
    rng = np.random.default_rng(10_000 + seed)
    return np.sort(rng.uniform(0.0, duration_s - 0.05, rng.poisson(rate_hz * (duration_s - 0.05))))


def measured(simulated: Simulated) -> tuple[dict[str, FloatArray], dict[str, Any]]:
    """Return the columns of the table and the summary, in SI units."""
    signal = neo.AnalogSignal(simulated.values, units="V", sampling_rate=RATE_HZ * pq.Hz)
    epoch = nwb_mepp.detect(signal, detectors="miniunet", polarity="positive")
    columns = {name: np.asarray(values) for name, values in epoch.array_annotations.items()}
    return columns | {"start_time": np.asarray(epoch.times)}, nwb_mepp.summarize(epoch)


def kinetics_of(case: tuple[float, int, int]) -> list[float]:
    """Return what was measured of the decays of one recording, over the true values."""
    level, number, seed = case
    decay_s, seed = DECAYS_S[number], len(DECAYS_S) * seed + number
    onsets_s = poisson(3.0, 60.0, seed)
    truth = simulate(onsets_s, duration_s=60.0, level=level, decay_s=decay_s, seed=seed)
    columns, row = measured(truth)
    at, near = nearest(columns["start_time"], onsets_s)
    log_se = columns["decay_tau_se"] / columns["decay_tau"]
    z = np.log(columns["decay_tau"][near] / truth.decays_s[at]) / log_se[near]
    return [
        row["decay_tau_mean"] / truth.decays_s.mean(),
        row["decay_tau_sd"] / truth.decays_s.std(),
        float(np.nanstd(z)),
        float(1e3 * np.median(columns["start_time"][near] - onsets_s[at])),
        row["rise_10_90_mean"] / true_rise(decay_s),
        row["amplitude_mean"] / truth.amplitudes.mean(),
        float(np.log(row["decay_tau_mean"])),
    ]


def kinetics_rows(n_recordings: int, done: Done) -> Iterator[str]:
    """Yield what was measured of decays, by level and true decay."""
    yield "| noise SD | true decay, ms | mean | SD | SD of error / SE | onset, ms | rise | amplitude |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    slopes = []
    for level in LEVELS:
        cases = [(level, number, seed) for number in range(len(DECAYS_S)) for seed in range(n_recordings)]
        found = np.array(done(kinetics_of, cases)).reshape(len(DECAYS_S), n_recordings, -1)
        for decay_s, ratios in zip(DECAYS_S, found, strict=True):
            mean, sd, z, foot_ms, rise, amplitude, _ = ratios.mean(axis=0)
            se = ratios[:, 0].std(ddof=1) / np.sqrt(n_recordings) if n_recordings > 1 else np.nan
            yield (
                f"| {level:g} | {1e3 * decay_s:g} | {mean:.3f} ± {se:.3f} | {sd:.2f} | {z:.2f} "
                f"| {foot_ms:+.2f} | {rise:.2f} | {amplitude:.3f} |"
            )
        means = found[:, :, -1].mean(axis=1)
        (slope, _), _ = curve_fit(lambda x, a, b: a * x + b, np.log(DECAYS_S), means)
        slopes.append(f"{slope:.3f} at {level:g}")
    yield ""
    yield "Mean (± standard error), SD, rise and amplitude are over the true ones. The slope of the logarithm"
    yield f"of the mean decay over that of the true one is {', '.join(slopes)} noise SD."


def true_rise(decay_s: float) -> float:
    """Return the true time from 10 % to 90 %."""
    time_s = np.linspace(0.0, RISE_S * np.log1p(3.0 * decay_s / RISE_S), 20_000)
    low_s, high_s = np.interp([0.1, 0.9], shape(time_s, decay_s), time_s)
    return float(high_s - low_s)


def nearest(found_s: FloatArray, true_s: FloatArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Return the true event nearest to each that is nearer than 2 ms, and which are."""
    distance_s = np.abs(found_s[:, None] - true_s[None, :])
    near = distance_s.min(axis=1) < 2e-3
    return np.argmin(distance_s, axis=1)[near], near


def rate_of(case: tuple[float, int]) -> list[float]:
    """Return what was measured of noise, rate and amplitude of one recording, over the true values."""
    rate_hz, seed = case
    duration_s = 60.0 if rate_hz < 10.0 else 20.0
    onsets_s = poisson(rate_hz, duration_s, seed)
    truth = simulate(onsets_s, duration_s=duration_s, level=10.0, decay_s=3e-3, seed=100 + seed)
    _, row = measured(truth)
    covers = row["rate_hz_corrected_low"] <= rate_hz <= row["rate_hz_corrected_high"]
    size = truth.amplitudes.mean()
    return [
        row["noise_sd"] / NOISE_SD_V,
        row["rate_hz"] / rate_hz,
        row["rate_hz_corrected"] / rate_hz,
        float(covers),
        row["amplitude_mean"] / size,
        row["amplitude_mean_corrected"] / size,
        float(row["poisson_p"] < 0.05),
    ]


def rate_rows(n_recordings: int, done: Done) -> Iterator[str]:
    """Yield what was measured of noise, rate and amplitude, by true rate."""
    yield (
        "| true rate, Hz | noise_sd | rate_hz | rate_hz_corrected | interval covers | amplitude_mean "
        "| amplitude_mean_corrected | poisson_p < 0.05 |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for rate_hz in RATES_HZ:
        mean = np.mean(done(rate_of, [(rate_hz, seed) for seed in range(n_recordings)]), axis=0)
        yield (
            f"| {rate_hz:g} | {mean[0]:.3f} | {mean[1]:.3f} | {mean[2]:.3f} | {mean[3]:.1%} "
            f"| {mean[4]:.3f} | {mean[5]:.3f} | {mean[6]:.1%} |"
        )
    yield ""
    yield f"All but the shares are means over the true values, of {n_recordings} recordings a rate (60 s,"
    yield "from 10 Hz on 20 s), at 10 noise SD and a decay of 3 ms. The interval is meant to cover the true"
    yield "rate in 95 % of them, and `poisson_p` to lie below 0.05 in 5 %."


def doublet_rows() -> Iterator[str]:
    """Yield how many doublets are told apart or flagged, by their distance, and single MEPPs likewise."""
    yield "| MEPPs | told apart | told apart or unresolved | of |"
    yield "| --- | --- | --- | --- |"
    n_deflections = 400
    base_s = 0.1 + DEFLECTION_EVERY_S * np.arange(n_deflections)
    single_apart, single_flagged, n_single = 0, 0, 0
    for seed, gap_s in enumerate(GAPS_S):
        rng = np.random.default_rng(50 + seed)
        onsets_s = base_s + rng.uniform(0.0, 1e-3, n_deflections)
        both_s = np.sort(np.concatenate([onsets_s, onsets_s[::4] + gap_s]))
        truth = simulate(both_s, duration_s=base_s[-1] + 0.2, level=10.0, decay_s=3e-3, seed=200 + seed)
        columns, _ = measured(truth)
        number = np.floor((columns["start_time"] - 0.08) / DEFLECTION_EVERY_S).astype(int)
        n_found = np.bincount(number, minlength=n_deflections)[:n_deflections]
        flagged = (
            np.bincount(number, weights=columns["unresolved"], minlength=n_deflections)[:n_deflections] > 0
        )
        double = np.arange(n_deflections) % 4 == 0
        apart, either = np.mean(n_found[double] > 1), np.mean((n_found > 1)[double] | flagged[double])
        yield f"| two, {1e3 * gap_s:g} ms apart | {apart:.1%} | {either:.1%} | {int(double.sum())} |"
        single_apart += int(np.sum(n_found[~double] > 1))
        single_flagged += int(np.sum((n_found > 1)[~double] | flagged[~double]))
        n_single += int(np.sum(~double))
    yield f"| one | {single_apart / n_single:.1%} | {single_flagged / n_single:.1%} | {n_single} |"


def in_processes(
    work: Callable[[Any], list[float]], cases: Sequence[Any], *, n_processes: int
) -> list[list[float]]:
    """Return what a function gives for each case, worked on by several processes of one thread each."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with multiprocessing.get_context("spawn").Pool(n_processes) as pool:
        return pool.map(work, cases, chunksize=1)


def made_by(*, n_recordings: int, n_kinetics: int) -> str:
    """Return a paragraph on what was simulated."""
    simulated = " ".join((__doc__ or "").split("[--jobs N]")[1].replace("``", "`").split())
    return (
        f"Made by `python docs/make_measurement.py --recordings {n_recordings} --kinetics {n_kinetics}` with "
        f"nwb-mepp {nwb_mepp.__version__}, `miniunet` {get_detector('miniunet').version}. {simulated}"
    )


def section(*, n_recordings: int, n_kinetics: int, done: Done) -> str:
    """Return the section, with its heading."""
    made = made_by(n_recordings=n_recordings, n_kinetics=n_kinetics)
    parts = [
        HEADING.strip(),
        "\n".join(textwrap.wrap(made, 108, break_on_hyphens=False)),
        f"### Kinetics\n\n{n_kinetics} recordings of 60 s each, 3 MEPPs per second.",
        "\n".join(kinetics_rows(n_kinetics, done)),
        "### Noise, rate and amplitude",
        "\n".join(rate_rows(n_recordings, done)),
        "### Two MEPPs in one deflection\n\nAt 10 noise SD.",
        "\n".join(doublet_rows()),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Replace the section in the page, or add it at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=int, default=200, help="recordings for each rate")
    parser.add_argument("--kinetics", type=int, default=10, help="recordings for each decay and level")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    chosen = parser.parse_args()
    before, heading, after = PAGE.read_text(encoding="utf-8").partition(HEADING)
    _, next_heading, rest = after.partition("\n## ") if heading else ("", "", "")
    new = section(
        n_recordings=chosen.recordings,
        n_kinetics=chosen.kinetics,
        done=partial(in_processes, n_processes=chosen.jobs),
    )
    page = before.rstrip() + "\n\n" + new + (next_heading + rest if rest else "")
    PAGE.write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
