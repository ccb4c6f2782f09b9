"""Whole recordings whose MEPPs are known to the sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.recording import ArraySource, Trace
from nwb_mepp.simulation.artifacts import add_artifact
from nwb_mepp.simulation.events import EventShape, event_times
from nwb_mepp.simulation.noise import (
    colored_noise,
    mains_hum,
    quantize,
    random_walk,
    slow_wander,
    white_noise,
)

__all__ = ["Scenario", "Simulated", "Truth", "add_mepps", "simulate_recording"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """Everything that defines a simulated recording, apart from the seed.

    Amplitudes are in the unit of the trace (volts for potentials). ``noise_sd`` is the SD of the white
    and the 1/f part together, before hum, drift and artifacts.

    Attributes
    ----------
    white_part, pink_part : float
        Relative amplitudes of the white and the 1/f noise; only their ratio counts.
    noise_swing : float
        SD of the logarithm of the strength of the white and 1/f noise as it wanders, over a second or so.
    amplitude_law : str
        ``"lognormal"`` or ``"normal"`` (cut off below a tenth of the mean).
    giant_fraction, slow_fraction : float
        Giant MEPPs are 2.5 to 5 times as large; slow ones come from a distance: half as large,
        two to three times as slow.
    drift_per_sqrt_s : float
        SD of the random walk of the resting level after one second.
    artifacts : mapping of str to int
        How many of each kind.
    full_scale : float or None
        The converter clips at this deviation from the resting level.
    """

    duration_s: float = 60.0
    sampling_rate_hz: float = 10_000.0
    resting_level: float = -0.075
    polarity: Polarity = Polarity.POSITIVE
    rate_hz: float = 1.0
    bursts_per_s: float = 0.0
    burst_interval_s: float = 0.012
    rate_slope: float = 0.0
    amplitude_mean: float = 0.5e-3
    amplitude_cv: float = 0.35
    amplitude_law: str = "lognormal"
    rise_s: float = 0.7e-3
    rise_cv: float = 0.25
    decay_s: float = 2.5e-3
    decay_cv: float = 0.3
    power: float = 1.0
    giant_fraction: float = 0.02
    slow_fraction: float = 0.05
    noise_sd: float = 0.05e-3
    noise_swing: float = 0.0
    white_part: float = 0.75
    pink_part: float = 0.66
    pink_exponent: float = 1.0
    lowpass_hz: float | None = 3000.0
    hum_hz: float = 50.0
    hum_amplitudes: tuple[float, ...] = ()
    hum_phase_drift: float = 0.0
    drift_per_sqrt_s: float = 0.0
    artifacts: Mapping[str, int] = field(default_factory=dict)
    step: float = 0.0
    full_scale: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """The MEPPs that were put in; arrays of shape (n_mepps,), sorted by onset.

    ``stop_s`` is where the MEPP by itself has fallen to 1/e of its peak, or the onset of the next one.
    """

    start_s: FloatArray
    peak_s: FloatArray
    stop_s: FloatArray
    amplitude: FloatArray
    rise_10_90_s: FloatArray
    decay_tau_s: FloatArray

    def __len__(self) -> int:
        return len(self.start_s)


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulated:
    """A simulated trace and its truth; times count from the first sample."""

    scenario: Scenario
    seed: int
    values: FloatArray
    truth: Truth
    clean: FloatArray

    def trace(self, *, channel: str = "Vm", unit: str = "V") -> Trace:
        """Return the trace as detectors take it."""
        return Trace(
            channel=channel,
            sweep=0,
            source=ArraySource(self.values),
            unit=unit,
            conversion=1.0,
            offset=0.0,
            sampling_rate_hz=self.scenario.sampling_rate_hz,
            start_s=0.0,
        )


def simulate_recording(scenario: Scenario, *, seed: int) -> Simulated:
    """Simulate one recording.

    Parameters
    ----------
    scenario : Scenario
    seed : int
        The same seed gives the same recording. MEPPs, noise and artifacts are drawn from streams of
        their own, so that changing one leaves the others as they were.

    Returns
    -------
    Simulated

    Examples
    --------
    >>> simulated = simulate_recording(Scenario(duration_s=2.0, rate_hz=5.0), seed=1)
    >>> simulated.values.shape, bool(np.all(np.diff(simulated.truth.start_s) > 0))
    ((20000,), True)
    """
    event_rng, noise_rng, artifact_rng = (np.random.default_rng([seed, stream]) for stream in range(3))
    n_samples = round(scenario.duration_s * scenario.sampling_rate_hz)
    clean, truth = _events(scenario, n_samples, event_rng)
    values = scenario.polarity.sign * clean + _background(scenario, n_samples, noise_rng)
    for kind, count in scenario.artifacts.items():
        for _ in range(count):
            add_artifact(
                values,
                kind=kind,
                size=scenario.polarity.sign * scenario.amplitude_mean,
                sampling_rate_hz=scenario.sampling_rate_hz,
                rng=artifact_rng,
            )
    values = quantize(values, step=scenario.step, full_scale=scenario.full_scale)
    if scenario.resting_level:
        # The level is rounded too: what a converter gives are whole steps.
        level = scenario.resting_level
        values = values + (round(level / scenario.step) * scenario.step if scenario.step > 0.0 else level)
    return Simulated(scenario=scenario, seed=seed, values=values, truth=truth, clean=clean)


def add_mepps(noise: FloatArray, *, scenario: Scenario, seed: int) -> Simulated:
    """Put MEPPs into a stretch that was recorded without any.

    Parameters
    ----------
    noise : ndarray, shape (n_samples,)
        In the unit of the scenario's amplitudes.
    scenario : Scenario
        Says what the MEPPs are like; of noise, hum, drift and artifacts the stretch has its own.
    seed : int
        The same scenario and seed give the same MEPPs as :func:`simulate_recording`.

    Returns
    -------
    Simulated

    Raises
    ------
    ValueError
        If the stretch is not as long as the scenario.

    Examples
    --------
    >>> scenario = Scenario(duration_s=1.0, rate_hz=5.0, polarity=Polarity.NEGATIVE)
    >>> simulated = add_mepps(np.zeros(10_000), scenario=scenario, seed=1)
    >>> bool(np.all(simulated.values == -simulated.clean)), bool(np.all(simulated.truth.amplitude < 0))
    (True, True)
    """
    n_samples = round(scenario.duration_s * scenario.sampling_rate_hz)
    if noise.shape != (n_samples,):
        raise ValueError(f"expected noise of shape ({n_samples},), found {noise.shape}.")
    clean, truth = _events(scenario, n_samples, np.random.default_rng([seed, 0]))
    values = noise + scenario.polarity.sign * clean
    return Simulated(scenario=scenario, seed=seed, values=values, truth=truth, clean=clean)


def _background(scenario: Scenario, n_samples: int, rng: np.random.Generator) -> FloatArray:
    rate_hz = scenario.sampling_rate_hz
    white = white_noise(n_samples, sampling_rate_hz=rate_hz, lowpass_hz=scenario.lowpass_hz, rng=rng)
    pink = colored_noise(n_samples, sampling_rate_hz=rate_hz, exponent=scenario.pink_exponent, rng=rng)
    total = np.hypot(scenario.white_part, scenario.pink_part)
    background = scenario.noise_sd * (scenario.white_part * white + scenario.pink_part * pink) / total
    if scenario.noise_swing:
        swing = scenario.noise_swing * slow_wander(n_samples, sampling_rate_hz=rate_hz, rng=rng)
        background *= np.exp(swing - scenario.noise_swing**2)  # the mean square stays what it is
    if any(scenario.hum_amplitudes):
        background += mains_hum(
            n_samples,
            sampling_rate_hz=rate_hz,
            frequency_hz=scenario.hum_hz,
            amplitudes=scenario.hum_amplitudes,
            phase_drift_rad_per_sqrt_s=scenario.hum_phase_drift,
            rng=rng,
        )
    if scenario.drift_per_sqrt_s:
        background += scenario.drift_per_sqrt_s * random_walk(n_samples, sampling_rate_hz=rate_hz, rng=rng)
    return np.asarray(background)


def _events(scenario: Scenario, n_samples: int, rng: np.random.Generator) -> tuple[FloatArray, Truth]:
    """Draw the MEPPs; returns their sum (upright) and the truth."""
    onsets_s = event_times(
        duration_s=scenario.duration_s,
        rate_hz=scenario.rate_hz,
        bursts_per_s=scenario.bursts_per_s,
        burst_interval_s=scenario.burst_interval_s,
        rate_slope=scenario.rate_slope,
        rng=rng,
    )
    n_mepps = len(onsets_s)
    amplitudes = _draw_amplitudes(scenario, n_mepps, rng)
    rises_s = scenario.rise_s * _lognormal(scenario.rise_cv, n_mepps, rng)
    decays_s = scenario.decay_s * _lognormal(scenario.decay_cv, n_mepps, rng)
    kind = rng.random(n_mepps)
    giant = kind < scenario.giant_fraction
    slow = (kind >= scenario.giant_fraction) & (kind < scenario.giant_fraction + scenario.slow_fraction)
    amplitudes[giant] *= rng.uniform(2.5, 5.0, giant.sum())
    amplitudes[slow] *= 0.5
    stretch = rng.uniform(2.0, 3.0, slow.sum())
    rises_s[slow] *= stretch
    decays_s[slow] *= stretch

    clean = np.zeros(n_samples)
    rate_hz = scenario.sampling_rate_hz
    peaks_s, ends_s = np.empty(n_mepps), np.empty(n_mepps)
    for i, (onset_s, amplitude) in enumerate(zip(onsets_s, amplitudes, strict=True)):
        shape = EventShape(rise_s=float(rises_s[i]), decay_s=float(decays_s[i]), power=scenario.power)
        rises_s[i] = shape.rise_s
        peaks_s[i], ends_s[i] = onset_s + shape.peak_s, onset_s + shape.end_s
        first = int(np.ceil(onset_s * rate_hz))
        last = min(int((onset_s + shape.duration_s) * rate_hz) + 1, n_samples)
        clean[first:last] += amplitude * shape.value(np.arange(first, last) / rate_hz - onset_s)
    next_s = np.append(onsets_s[1:], scenario.duration_s)
    truth = Truth(
        start_s=onsets_s,
        peak_s=peaks_s,
        stop_s=np.minimum(ends_s, next_s),
        amplitude=scenario.polarity.sign * amplitudes,
        rise_10_90_s=rises_s,
        decay_tau_s=decays_s,
    )
    return clean, truth


def _draw_amplitudes(scenario: Scenario, n_mepps: int, rng: np.random.Generator) -> FloatArray:
    if scenario.amplitude_law == "lognormal":
        return scenario.amplitude_mean * _lognormal(scenario.amplitude_cv, n_mepps, rng)
    if scenario.amplitude_law == "normal":
        drawn = 1.0 + scenario.amplitude_cv * rng.standard_normal(n_mepps)
        return scenario.amplitude_mean * np.maximum(drawn, 0.1)
    raise ValueError(f"expected amplitude_law 'lognormal' or 'normal', found {scenario.amplitude_law!r}.")


def _lognormal(cv: float, n_values: int, rng: np.random.Generator) -> FloatArray:
    """Draw log-normal numbers of mean 1 and the given coefficient of variation."""
    sigma = np.sqrt(np.log1p(cv**2))
    return np.asarray(np.exp(sigma * rng.standard_normal(n_values) - 0.5 * sigma**2))
