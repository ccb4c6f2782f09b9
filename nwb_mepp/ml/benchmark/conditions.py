"""Conditions of the benchmark: levels, recordings without MEPPs, and level 6 with one property varied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.signal import resample_poly

from nwb_mepp.core.polarity import Polarity
from nwb_mepp.simulation import (
    BENCHMARK_SEEDS_FROM,
    Scenario,
    Simulated,
    reference_scenario,
    simulate_recording,
)

__all__ = [
    "INVERTED",
    "NOISE_ONLY",
    "PLAIN",
    "SILENCE",
    "Condition",
    "Curve",
    "curves",
    "level_condition",
]

# Different seeds, so that no two parts have the same noise.
_SILENCE_SEEDS_FROM = BENCHMARK_SEEDS_FROM + 10**6
_CURVE_SEEDS_FROM = BENCHMARK_SEEDS_FROM + 2 * 10**6
_LEVEL = 6.0
# Recordings that are stored at other rates are all simulated at this one.
_FASTEST_HZ = 50e3

# Leaves only white and 1/f noise and MEPPs.
NOISE_ONLY: dict[str, Any] = {"artifacts": {}, "hum_amplitudes": (), "drift_per_sqrt_s": 0.0}


@dataclass(frozen=True, kw_only=True, eq=False)
class Condition:
    """Properties of recordings, of which the benchmark simulates several.

    Attributes
    ----------
    name : str
        Unique; also the name of the files with its results.
    words : str
        Description for the page.
    level : float
        Mean amplitude over the SD of the white and 1/f noise.
    changes : mapping
        Fields that differ from the reference scenario.
    stored_at_hz : float, optional
        The recording is resampled to this rate, as by a converter with an antialiasing filter.
    gain : float
        Factor by which every sample is multiplied.
    seeds_from : int
        Recording ``k`` has the seed ``seeds_from + k``.
    polarity : Polarity
        The polarity that is stated to the detectors.
    bounded : bool
        Whether oracle and ceiling are computed too.
    """

    name: str
    words: str
    level: float = _LEVEL
    changes: Mapping[str, Any] = field(default_factory=dict)
    stored_at_hz: float | None = None
    gain: float = 1.0
    seeds_from: int = _CURVE_SEEDS_FROM
    polarity: Polarity = Polarity.AUTO
    bounded: bool = False

    def scenario(self, number: int) -> Scenario:
        """Return the scenario of recording ``number``, before resampling and gain."""
        return replace(reference_scenario(level=self.level, index=number), **self.changes)

    def simulate(self, number: int) -> Simulated:
        """Simulate recording ``number``; the truth has the same gain."""
        simulated = simulate_recording(self.scenario(number), seed=self.seeds_from + number)
        if self.stored_at_hz is not None:
            simulated = _stored_at(simulated, self.stored_at_hz)
        if self.gain == 1.0:
            return simulated
        truth = replace(simulated.truth, amplitude=self.gain * simulated.truth.amplitude)
        return replace(simulated, values=self.gain * simulated.values, truth=truth)


def _stored_at(simulated: Simulated, sampling_rate_hz: float) -> Simulated:
    """Return the same recording at another sampling rate: the same MEPPs in the same noise."""
    ratio = Fraction(sampling_rate_hz / simulated.scenario.sampling_rate_hz).limit_denominator(1000)
    level = np.median(simulated.values)  # the filter assumes zeros beyond the ends
    values, clean = (
        resample_poly(trace, ratio.numerator, ratio.denominator)
        for trace in (simulated.values - level, simulated.clean)
    )
    scenario = replace(simulated.scenario, sampling_rate_hz=sampling_rate_hz)
    return replace(simulated, scenario=scenario, values=values + level, clean=clean)


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """One property of a recording, varied over its usual range.

    Attributes
    ----------
    name, words : str
        Name of the property, and its description with the unit.
    points : tuple of (float, Condition)
        Values of the property in ascending order, each with its condition.
    logarithmic : bool
        Whether the axis of the values is logarithmic.
    """

    name: str
    words: str
    points: tuple[tuple[float, Condition], ...]
    logarithmic: bool = True


def level_condition(level: float) -> Condition:
    """Return the reference recordings of one level.

    Parameters
    ----------
    level : float
        Mean amplitude over the SD of the white and 1/f noise.
    """
    return Condition(
        name=f"level-{level:g}",
        words=f"level {level:g}",
        level=level,
        seeds_from=BENCHMARK_SEEDS_FROM,
        bounded=True,
    )


# The reference of the curves: level 6 without changes.
PLAIN = Condition(name="plain", words="as it is")
# The polarity is stated, as by --polarity, so that its detection from the trace plays no part.
INVERTED = Condition(
    name="inverted", words="inverted, polarity stated", gain=-1.0, polarity=Polarity.NEGATIVE
)

_NO_MEPPS: dict[str, Any] = {"rate_hz": 0.0, "bursts_per_s": 0.0}
_STEP = reference_scenario(level=_LEVEL, index=0).noise_sd
SILENCE = tuple(
    Condition(name=name, words=words, changes={**_NO_MEPPS, **changes}, seeds_from=_SILENCE_SEEDS_FROM)
    for name, words, changes in (
        ("silence-noise", "noise alone", NOISE_ONLY),
        ("silence-all", "noise, hum, drift and artifacts", {}),
        ("silence-coarse", "the same, converter step of one noise SD", {"step": _STEP}),
    )
)


@lru_cache(maxsize=1)
def curves() -> tuple[Curve, ...]:
    """Return the curves: each varies one property over its usual range."""
    plain = reference_scenario(level=_LEVEL, index=0)
    hum = np.array(plain.hum_amplitudes)
    return (
        _curve(
            "rate",
            ("MEPPs per s", "{:g} MEPPs per s"),
            {x: {"rate_hz": x} for x in (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)},
        ),
        _curve(
            "decay",
            ("decay, ms", "decay {:g} ms"),
            {x: _decay(1e-3 * x) for x in (1.2, 1.8, 2.5, 3.5, 5.0, 8.0)},
            at=2.5,
        ),
        _curve(
            "hum",
            ("hum, times the usual", "hum {:g} times as strong"),
            {x: {"hum_amplitudes": tuple(x * hum)} for x in (0.0, 1.0, 3.0, 10.0, 30.0)},
            at=1.0,
        ),
        _curve(
            "drift",
            ("drift, times the usual", "drift {:g} times as strong"),
            {x: {"drift_per_sqrt_s": x * plain.drift_per_sqrt_s} for x in (0.0, 1.0, 2.0, 5.0, 10.0)},
            at=1.0,
        ),
        _curve(
            "step",
            ("converter step, noise SD", "converter step of {:g} noise SD"),
            {x: {"step": x * plain.noise_sd} for x in (0.0, 0.25, 0.5, 1.0, 1.5)},
            at=0.0,
            logarithmic=False,
        ),
        _curve(
            "sampling",
            ("sampling rate, kHz", "recorded at {:g} kHz"),
            {x: {"sampling_rate_hz": _FASTEST_HZ} for x in (2.5, 5.0, 10.0, 20.0, 50.0)},
        ),
        _curve("gain", ("gain", "multiplied by {:g}"), {x: {} for x in (1e-3, 0.03, 1.0, 30.0, 1e3)}, at=1.0),
    )


def _decay(decay_s: float) -> dict[str, float]:
    """Return rise and decay; the rise is a fixed fraction of the decay within the range of rises."""
    return {"decay_s": decay_s, "rise_s": min(max(0.28 * decay_s, 0.4e-3), 1.5e-3)}


def _curve(
    name: str,
    words: tuple[str, str],
    changes: Mapping[float, Mapping[str, Any]],
    *,
    at: float | None = None,
    logarithmic: bool = True,
) -> Curve:
    """Make a curve; at ``at`` it has the plain condition, which is simulated only once for all curves."""

    def condition(value: float) -> Condition:
        if value == at:
            return PLAIN
        return Condition(
            name=f"{name}-{value:g}",
            words=words[1].format(value),
            changes=changes[value],
            stored_at_hz=1e3 * value if name == "sampling" else None,
            gain=value if name == "gain" else 1.0,
        )

    points = tuple((value, condition(value)) for value in changes)
    return Curve(name=name, words=words[0], points=points, logarithmic=logarithmic)
