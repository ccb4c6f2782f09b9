"""Simulated recordings whose MEPPs are known exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.recording import ArraySource, Trace
from nwb_mepp.simulation.artifacts import add_artifact
from nwb_mepp.simulation.events import EventShape, event_times
from nwb_mepp.simulation.noise import (
    colored_noise,
    growing_strength,
    mains_hum,
    pulsing_strength,
    quantize,
    random_telegraph,
    random_walk,
    slow_fluctuations,
    white_noise,
)
from nwb_mepp.simulation.recorded_shapes import record_shapes
from nwb_mepp.simulation.recording_chain import RecordingChain
from nwb_mepp.simulation.scenario import Scenario

__all__ = ["Simulated", "Truth", "add_mepps", "simulate_recording"]

FloatArray = npt.NDArray[np.float64]

# Random streams of a seed beside those of MEPPs (0), noise (1) and artifacts (2).
_DISTURBANCE_STREAM, _TELEGRAPH_STREAM = 4, 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """The simulated MEPPs; arrays of shape (n_mepps,), sorted by onset.

    ``stop_s`` is where the MEPP by itself has fallen to 1/e of its peak, or the onset of the next one.

    Behind the filters of a chain all this is said of the filtered MEPP, which is measured alone and without
    noise: height, time of the peak, 10-90 % rise and end are its own. The onset moves as far as the foot of
    its rise (where a line through 10 and 90 % meets the baseline), and the decay constant is longer by as
    much as its fall from 50 to 20 % is. What comes after the filters is left out: slow converters and their
    steps change single samples, not what there was to record.
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
        """Return the trace in the form that detectors take."""
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
        The same seed gives the same recording. MEPPs, noise and artifacts are drawn from separate
        random streams, so that changing one leaves the others unchanged.

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
    chain = scenario.chain or RecordingChain()
    before = replace(scenario, sampling_rate_hz=scenario.sampling_rate_hz * chain.oversampling)
    n_samples = round(scenario.duration_s * scenario.sampling_rate_hz) * chain.oversampling
    clean, truth = _events(before, n_samples, event_rng)
    noise = _noise(before, n_samples, noise_rng)
    # A stream of their own, as they came later than the others.
    noise *= _strength(before, n_samples, np.random.default_rng([seed, _DISTURBANCE_STREAM]))
    values = scenario.polarity.sign * clean + _background(before, noise, noise_rng)
    if scenario.telegraph_step:
        values += scenario.telegraph_step * random_telegraph(
            n_samples,
            sampling_rate_hz=before.sampling_rate_hz,
            switches_per_s=scenario.telegraph_per_s,
            rng=np.random.default_rng([seed, _TELEGRAPH_STREAM]),
        )
    _add_artifacts(values, before, artifact_rng)
    step = scenario.step
    if chain.step_sd:
        step = chain.step_sd * float(np.std(chain.filtered(noise, sampling_rate_hz=before.sampling_rate_hz)))
    values = chain.sampled(
        chain.filtered(values, sampling_rate_hz=before.sampling_rate_hz),
        file_hz=scenario.sampling_rate_hz,
        digitize=partial(quantize, step=step, full_scale=scenario.full_scale),
    )
    clean = chain.sampled(
        chain.filtered(clean, sampling_rate_hz=before.sampling_rate_hz), file_hz=scenario.sampling_rate_hz
    )
    if scenario.resting_level:
        # The level is rounded too, as a converter gives whole steps.
        level = scenario.resting_level
        values = values + (round(level / step) * step if step > 0.0 else level)
    return Simulated(scenario=scenario, seed=seed, values=values, truth=truth, clean=clean)


def add_mepps(noise: FloatArray, *, scenario: Scenario, seed: int) -> Simulated:
    """Add MEPPs to a stretch of recorded noise.

    Parameters
    ----------
    noise : ndarray, shape (n_samples,)
        In the unit of the scenario's amplitudes.
    scenario : Scenario
        Only what it says of MEPPs is used: the stretch has noise, hum, drift, artifacts and filters of its
        own.
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
    >>> from nwb_mepp.core.polarity import Polarity
    >>> scenario = Scenario(duration_s=1.0, rate_hz=5.0, polarity=Polarity.NEGATIVE)
    >>> simulated = add_mepps(np.zeros(10_000), scenario=scenario, seed=1)
    >>> bool(np.all(simulated.values == -simulated.clean)), bool(np.all(simulated.truth.amplitude < 0))
    (True, True)
    """
    n_samples = round(scenario.duration_s * scenario.sampling_rate_hz)
    if noise.shape != (n_samples,):
        raise ValueError(f"expected noise of shape ({n_samples},), found {noise.shape}.")
    unfiltered = replace(scenario, chain=None)
    clean, truth = _events(unfiltered, n_samples, np.random.default_rng([seed, 0]))
    values = noise + scenario.polarity.sign * clean
    return Simulated(scenario=scenario, seed=seed, values=values, truth=truth, clean=clean)


def _noise(scenario: Scenario, n_samples: int, rng: np.random.Generator) -> FloatArray:
    """Return the white and the 1/f noise."""
    rate_hz = scenario.sampling_rate_hz
    white = white_noise(n_samples, sampling_rate_hz=rate_hz, lowpass_hz=scenario.lowpass_hz, rng=rng)
    pink = colored_noise(n_samples, sampling_rate_hz=rate_hz, exponent=scenario.pink_exponent, rng=rng)
    total = np.hypot(scenario.white_part, scenario.pink_part)
    noise = scenario.noise_sd * (scenario.white_part * white + scenario.pink_part * pink) / total
    if scenario.noise_swing:
        swing = scenario.noise_swing * slow_fluctuations(n_samples, sampling_rate_hz=rate_hz, rng=rng)
        noise *= np.exp(swing - scenario.noise_swing**2)  # this keeps the mean square
    return np.asarray(noise)


def _strength(scenario: Scenario, n_samples: int, rng: np.random.Generator) -> FloatArray | float:
    """Return by how much the noise is stronger where it grows or pulses."""
    strength: FloatArray | float = 1.0
    if scenario.noise_growth != 1.0:
        strength = growing_strength(
            n_samples,
            sampling_rate_hz=scenario.sampling_rate_hz,
            factor=scenario.noise_growth,
            over_s=scenario.noise_growth_s,
        )
    if scenario.noise_pulses_per_s:
        strength = strength * pulsing_strength(
            n_samples,
            sampling_rate_hz=scenario.sampling_rate_hz,
            pulses_per_s=scenario.noise_pulses_per_s,
            factor=scenario.noise_pulse_factor,
            pulse_s=scenario.noise_pulse_s,
            rng=rng,
        )
    return strength


def _background(scenario: Scenario, noise: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the noise with hum and drift."""
    n_samples, rate_hz = len(noise), scenario.sampling_rate_hz
    background = noise.copy()
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
    return background


def _add_artifacts(values: FloatArray, scenario: Scenario, rng: np.random.Generator) -> None:
    for kind, count in scenario.artifacts.items():
        for _ in range(count):
            add_artifact(
                values,
                kind=kind,
                size=scenario.polarity.sign * scenario.amplitude_mean,
                sampling_rate_hz=scenario.sampling_rate_hz,
                rng=rng,
            )


def _events(scenario: Scenario, n_samples: int, rng: np.random.Generator) -> tuple[FloatArray, Truth]:
    """Draw the MEPPs and return their sum, pointing upward, and the truth."""
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

    shapes = [
        EventShape(rise_s=float(rise_s), decay_s=float(decay_s), power=scenario.power)
        for rise_s, decay_s in zip(rises_s, decays_s, strict=True)
    ]
    clean = _sum_of(shapes, onsets_s, amplitudes, scenario=scenario, n_samples=n_samples)
    return clean, _truth(shapes, onsets_s, amplitudes, scenario=scenario)


def _sum_of(
    shapes: Sequence[EventShape],
    onsets_s: FloatArray,
    amplitudes: FloatArray,
    *,
    scenario: Scenario,
    n_samples: int,
) -> FloatArray:
    clean, rate_hz = np.zeros(n_samples), scenario.sampling_rate_hz
    for shape, onset_s, amplitude in zip(shapes, onsets_s, amplitudes, strict=True):
        first = int(np.ceil(onset_s * rate_hz))
        last = min(int((onset_s + shape.duration_s) * rate_hz) + 1, n_samples)
        clean[first:last] += amplitude * shape.value(np.arange(first, last) / rate_hz - onset_s)
    return clean


def _truth(
    shapes: Sequence[EventShape], onsets_s: FloatArray, amplitudes: FloatArray, *, scenario: Scenario
) -> Truth:
    rises_s, decays_s, peaks_s, ends_s = (
        np.array([getattr(shape, name) for shape in shapes])
        for name in ("rise_s", "decay_s", "peak_s", "end_s")
    )
    starts_s = onsets_s
    if scenario.chain is not None and scenario.chain.filters and shapes:
        seen = record_shapes(
            shapes, onsets_s, chain=scenario.chain, sampling_rate_hz=scenario.sampling_rate_hz
        )
        # An onset may move beyond an end of the recording, and those of different shapes differently.
        moved_s = np.clip(onsets_s + seen.start_s, 0.0, scenario.duration_s)
        starts_s = np.maximum.accumulate(moved_s)
        rises_s, decays_s = seen.rise_10_90_s, decays_s * seen.slowing
        peaks_s, ends_s, amplitudes = seen.peak_s, seen.end_s, amplitudes * seen.height
    next_s = np.append(starts_s[1:], scenario.duration_s)
    return Truth(
        start_s=starts_s,
        peak_s=onsets_s + peaks_s,
        stop_s=np.minimum(onsets_s + ends_s, next_s),
        amplitude=scenario.polarity.sign * amplitudes,
        rise_10_90_s=rises_s,
        decay_tau_s=decays_s,
    )


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
