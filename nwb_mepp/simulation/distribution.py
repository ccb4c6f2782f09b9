"""The declared distribution of recordings that networks are trained on (domain randomization).

This is all that a network can have learned: what is not drawn below, it has never seen.
The ranges come from physiology (rise 0.4-1.5 ms, decay 1.5-8 ms, slower in the cold, rates of 0.1-20 per s)
and from amplifiers and what follows them: low-pass filters of every usual kind from 150 Hz to 10 kHz through
which MEPPs and noise pass together, notch filters, AC coupling, converters that are slower than the file, and
steps from those of 16 bits to more than the noise that a filter leaves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nwb_mepp.simulation.artifacts import ARTIFACTS
from nwb_mepp.simulation.recording_chain import Between, Filter, FilterKind, RecordingChain
from nwb_mepp.simulation.reference import BENCHMARK_SEEDS_FROM
from nwb_mepp.simulation.scenario import Scenario

__all__ = ["draw_scenario"]

_SAMPLING_RATES_HZ = (5_000.0, 10_000.0, 20_000.0)
_SAMPLING_WEIGHTS = (0.15, 0.7, 0.15)
_EVENT_FREE = 0.12  # of the recordings hold no MEPP at all
_BURSTING = 0.25
_QUANTIZED = 0.3  # have a noticeable converter step, up to 1.5 noise SD
_WITHOUT_HUM = 0.4
_WITHOUT_ARTIFACTS = 0.3
_SWINGING = 0.3  # have noise of varying strength
_GROWING = 0.08  # have noise that grows up to fivefold before the end
_PULSING = 0.05  # have noise that is stronger in pulses
_SWITCHING = 0.08  # have random steps between two levels

_FILTERED = 0.45  # pass a low-pass filter
# Of these, most are filtered within the usual range, the others anywhere.
_USUAL, _USUAL_HZ, _ANY_HZ = 0.7, (400.0, 3000.0), (150.0, 10_000.0)
# Kinds of low-pass filters, their weights, and the numbers of their poles.
_LOWPASS: tuple[tuple[FilterKind, float, tuple[int, ...]], ...] = (
    ("bessel", 0.5, (4, 8)),
    ("butterworth", 0.22, (2, 4, 8)),
    ("rc", 0.08, (1,)),
    ("gaussian", 0.1, (4,)),
    ("moving_average", 0.1, (4,)),
)
_ZERO_PHASE = 0.5  # of the Butterworth filters and moving averages
_NOTCHED, _COUPLED, _COUPLED_HZ = 0.06, 0.08, (0.05, 10.0)
_OVERSAMPLED = 0.1  # see their filters at two or four times the rate of the file
_SLOWLY_CONVERTED, _CONVERTER_HZ = 0.08, (1500.0, 4500.0)
# Of the filtered recordings; the others have the step of the scenario, or none.
_STEPPED, _STEP_SD = 0.5, (0.01, 1.6)


def draw_scenario(seed: int, *, duration_s: float = 20.0) -> Scenario:
    """Draw the scenario of one training recording.

    Parameters
    ----------
    seed : int
        Below ``BENCHMARK_SEEDS_FROM``.
    duration_s : float, default 20.0

    Returns
    -------
    Scenario

    Raises
    ------
    ValueError
        If the seed belongs to the benchmark.

    Examples
    --------
    >>> draw_scenario(1) == draw_scenario(1)
    True
    """
    if seed >= BENCHMARK_SEEDS_FROM:
        raise ValueError(
            f"expected a seed below {BENCHMARK_SEEDS_FROM}, found {seed}; seeds from there on are reserved "
            "for the benchmark."
        )
    rng = np.random.default_rng([seed, 99])
    amplitude_mean = _log_uniform(rng, 0.2e-3, 1.2e-3)
    noise_sd = amplitude_mean / _log_uniform(rng, 1.5, 16.0)
    decay_s = _log_uniform(rng, 1.2e-3, 8e-3)
    rise_s = min(_log_uniform(rng, 0.3e-3, 1.6e-3), 0.45 * decay_s)
    event_free = rng.random() < _EVENT_FREE
    bursting = rng.random() < _BURSTING
    pink_share = rng.uniform(0.1, 0.9)
    drawn = Scenario(
        duration_s=duration_s,
        sampling_rate_hz=float(rng.choice(_SAMPLING_RATES_HZ, p=_SAMPLING_WEIGHTS)),
        resting_level=0.0,
        rate_hz=0.0 if event_free else _log_uniform(rng, 0.2, 20.0),
        bursts_per_s=0.0 if event_free or not bursting else _log_uniform(rng, 0.05, 0.5),
        burst_interval_s=_log_uniform(rng, 0.005, 0.04),
        rate_slope=rng.uniform(-0.8, 0.8),
        amplitude_mean=amplitude_mean,
        amplitude_cv=rng.uniform(0.15, 0.6),
        amplitude_law=str(rng.choice(["lognormal", "normal"], p=[0.75, 0.25])),
        rise_s=rise_s,
        rise_cv=rng.uniform(0.05, 0.35),
        decay_s=decay_s,
        decay_cv=rng.uniform(0.1, 0.4),
        power=float(rng.choice([1.0, 2.0, 3.0], p=[0.6, 0.2, 0.2])),
        giant_fraction=rng.uniform(0.0, 0.04),
        slow_fraction=rng.uniform(0.0, 0.1),
        noise_sd=noise_sd,
        white_part=np.sqrt(1.0 - pink_share),
        pink_part=np.sqrt(pink_share),
        pink_exponent=rng.uniform(0.8, 1.6),
        lowpass_hz=None if rng.random() < 0.15 else _log_uniform(rng, 1000.0, 6000.0),
        hum_hz=float(rng.choice([50.0, 60.0])) + rng.uniform(-0.1, 0.1),
        hum_amplitudes=_draw_hum(rng, noise_sd),
        hum_phase_drift=rng.uniform(0.0, 0.3),
        drift_per_sqrt_s=noise_sd * _log_uniform(rng, 0.1, 40.0),
        artifacts=_draw_artifacts(rng, duration_s),
        step=noise_sd * _log_uniform(rng, 0.05, 1.5) if rng.random() < _QUANTIZED else 0.0,
        noise_swing=rng.uniform(0.1, 0.5) if rng.random() < _SWINGING else 0.0,
    )
    # A stream of its own, so that a recording with a chain differs from the one without in nothing else.
    rng = np.random.default_rng([seed, 97])
    return replace(drawn, **_draw_disturbances(rng, noise_sd), chain=_draw_chain(rng, drawn))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _draw_hum(rng: np.random.Generator, noise_sd: float) -> tuple[float, ...]:
    if rng.random() < _WITHOUT_HUM:
        return ()
    first = noise_sd * _log_uniform(rng, 0.05, 4.0)
    return tuple(float(first * rng.uniform(0.0, 1.0) / k) for k in range(1, int(rng.integers(2, 9))))


def _draw_artifacts(rng: np.random.Generator, duration_s: float) -> dict[str, int]:
    if rng.random() < _WITHOUT_ARTIFACTS:
        return {}
    per_kind_hz = _log_uniform(rng, 0.005, 0.15)
    return {kind: int(rng.poisson(per_kind_hz * duration_s)) for kind in ARTIFACTS}


def _draw_disturbances(rng: np.random.Generator, noise_sd: float) -> dict[str, Any]:
    growing, pulsing, switching = rng.random(3) < (_GROWING, _PULSING, _SWITCHING)
    return {
        "noise_growth": _log_uniform(rng, 1.5, 5.0) if growing else 1.0,
        "noise_growth_s": _log_uniform(rng, 1.0, 10.0),
        "noise_pulses_per_s": _log_uniform(rng, 0.05, 0.5) if pulsing else 0.0,
        "noise_pulse_factor": _log_uniform(rng, 1.5, 5.0),
        "noise_pulse_s": _log_uniform(rng, 0.05, 1.0),
        "telegraph_step": noise_sd * _log_uniform(rng, 0.5, 3.0) if switching else 0.0,
        "telegraph_per_s": _log_uniform(rng, 2.0, 50.0),
    }


def _draw_chain(rng: np.random.Generator, scenario: Scenario) -> RecordingChain | None:
    filtered, notched, coupled, oversampled, slow = rng.random(5) < (
        _FILTERED,
        _NOTCHED,
        _COUPLED,
        _OVERSAMPLED,
        _SLOWLY_CONVERTED,
    )
    oversampling = int(rng.choice([2, 4])) if oversampled else 1
    filters: list[Filter] = []
    if coupled:
        poles = int(rng.choice([1, 2]))
        filters.append(Filter(kind="ac_coupling", cutoff_hz=_log_uniform(rng, *_COUPLED_HZ), poles=poles))
    if filtered:
        # A cutoff that the rate does not allow is brought down to one that it does.
        fastest_hz = 0.45 * oversampling * scenario.sampling_rate_hz
        filters.append(_draw_lowpass(rng, fastest_hz=fastest_hz))
    if notched:
        filters.append(Filter(kind="notch", cutoff_hz=float(np.round(scenario.hum_hz))))
    if not (filters or oversampled or slow):
        return None
    between: Between = "lines" if rng.random() < 0.5 else "hold"
    return RecordingChain(
        filters=tuple(filters),
        oversampling=oversampling,
        converter_hz=_log_uniform(rng, *_CONVERTER_HZ) if slow else None,
        between=between,
        step_sd=_log_uniform(rng, *_STEP_SD) if filtered and rng.random() < _STEPPED else 0.0,
    )


def _draw_lowpass(rng: np.random.Generator, *, fastest_hz: float) -> Filter:
    kind, _, poles = _LOWPASS[int(rng.choice(len(_LOWPASS), p=[weight for _, weight, _ in _LOWPASS]))]
    cutoff_hz = _log_uniform(rng, *(_USUAL_HZ if rng.random() < _USUAL else _ANY_HZ))
    both_ways = kind in ("butterworth", "moving_average") and rng.random() < _ZERO_PHASE
    return Filter(
        kind=kind,
        cutoff_hz=min(cutoff_hz, fastest_hz),
        poles=int(rng.choice(poles)),
        zero_phase=bool(both_ways),
    )
