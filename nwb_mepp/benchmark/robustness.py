"""What must not matter to a detector: silence, artefacts, coarse steps, gain, sign, sampling rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.benchmark.reference import analyse_simulated, score_recording
from nwb_mepp.evaluation import f1
from nwb_mepp.simulation import (
    BENCHMARK_SEEDS_FROM,
    Scenario,
    reference_scenario,
    simulate_recording,
)

__all__ = ["FalseAlarms", "Variant", "run_event_free", "run_variants"]

# Other seeds than those of the levels, so that the two tables do not share their noise.
_EVENT_FREE_SEEDS_FROM = BENCHMARK_SEEDS_FROM + 10**6
_VARIANT_SEEDS_FROM = BENCHMARK_SEEDS_FROM + 2 * 10**6
_LEVEL = 6.0
_CLEAN: dict[str, Any] = {"artefacts": {}, "hum_amplitudes": (), "drift_per_sqrt_s": 0.0}


@dataclass(frozen=True, kw_only=True)
class FalseAlarms:
    """How often a detector finds something where nothing is.

    Attributes
    ----------
    condition, detector : str
    per_minute : float
        Mean over the recordings.
    worst_per_minute : float
        In the worst of the recordings.
    """

    condition: str
    detector: str
    per_minute: float
    worst_per_minute: float


@dataclass(frozen=True, kw_only=True)
class Variant:
    """F1 at level 6 when the same scenario is recorded in another way.

    Attributes
    ----------
    condition, detector : str
    f1 : float
    """

    condition: str
    detector: str
    f1: float


def run_event_free(
    *, detectors: Sequence[str], n_recordings: int, on_condition: Callable[[str], None] | None = None
) -> list[FalseAlarms]:
    """Count what detectors find in recordings without MEPPs.

    Parameters
    ----------
    detectors : sequence of str
    n_recordings : int
        Of 60 s each, for each condition.
    on_condition : callable, optional
        Called with the name of a condition before it is run.

    Returns
    -------
    list of FalseAlarms
        For each condition and detector.
    """
    found = []
    for condition, changes in _event_free_conditions():
        if on_condition is not None:
            on_condition(condition)
        counts: dict[str, list[int]] = {name: [] for name in detectors}
        for number in range(n_recordings):
            scenario = reference_scenario(level=_LEVEL, index=number)
            silent = replace(scenario, rate_hz=0.0, bursts_per_s=0.0, **changes)
            simulated = simulate_recording(silent, seed=_EVENT_FREE_SEEDS_FROM + number)
            for result in analyse_simulated(simulated, detectors=detectors):
                counts[result.detector].append(len(result.mepps))
        found += [
            FalseAlarms(
                condition=condition,
                detector=name,
                per_minute=float(np.mean(values)),
                worst_per_minute=float(np.max(values)),
            )
            for name, values in counts.items()
        ]
    return found


def _event_free_conditions() -> Iterator[tuple[str, dict[str, Any]]]:
    noise_sd = reference_scenario(level=_LEVEL, index=0).noise_sd
    yield "noise alone", {**_CLEAN}
    yield "noise, hum, drift and artefacts", {}
    yield "the same, converter step of one noise SD", {"step": noise_sd}


def run_variants(
    *, detectors: Sequence[str], n_recordings: int, on_condition: Callable[[str], None] | None = None
) -> list[Variant]:
    """Measure F1 at level 6 under conditions that should make no difference, and under harder ones.

    Parameters
    ----------
    detectors : sequence of str
    n_recordings : int
        Of 60 s each, for each condition.
    on_condition : callable, optional
        Called with the name of a condition before it is run.

    Returns
    -------
    list of Variant
        For each condition and detector.
    """
    variants = []
    for condition, change in _variant_conditions():
        if on_condition is not None:
            on_condition(condition)
        counts: dict[str, list[npt.NDArray[np.int64]]] = {name: [] for name in detectors}
        for number in range(n_recordings):
            scenario, gain = change(reference_scenario(level=_LEVEL, index=number))
            simulated = simulate_recording(scenario, seed=_VARIANT_SEEDS_FROM + number)
            scaled = replace(simulated, values=gain * simulated.values)
            polarity = "positive" if gain * scenario.polarity > 0 else "negative"
            for result in analyse_simulated(scaled, detectors=detectors, polarity=polarity):
                # Peaks are matched in time; the amplitudes of a scaled recording are not compared.
                counts[result.detector].append(score_recording(simulated, result.mepps).counts)
        variants += [
            Variant(condition=condition, detector=name, f1=f1(np.array(rows)))
            for name, rows in counts.items()
        ]
    return variants


def _variant_conditions() -> Iterator[tuple[str, Callable[[Scenario], tuple[Scenario, float]]]]:
    def same(gain: float, **changes: Any) -> Callable[[Scenario], tuple[Scenario, float]]:
        return lambda scenario: (replace(scenario, **changes), gain)

    yield "as it is", same(1.0)
    yield "multiplied by 0.001", same(0.001)
    yield "multiplied by 1000", same(1000.0)
    yield "inverted, polarity stated", same(-1.0)
    for rate_hz in (5_000.0, 20_000.0, 50_000.0):
        yield f"recorded at {rate_hz / 1000:g} kHz", same(1.0, sampling_rate_hz=rate_hz)
    yield "10 MEPPs per s", same(1.0, rate_hz=10.0)
    yield "20 MEPPs per s", same(1.0, rate_hz=20.0)
    yield "decay 1.5 ms", same(1.0, decay_s=1.5e-3, rise_s=0.5e-3)
    yield "decay 6 ms", same(1.0, decay_s=6e-3, rise_s=1.2e-3)
    yield "hum ten times as strong", same(1.0, hum_amplitudes=(0.3e-3, 0.15e-3, 0.1e-3))
    yield "drift five times as strong", same(1.0, drift_per_sqrt_s=15e-3 / np.sqrt(60.0))
    yield "converter step of one noise SD", _quantised


def _quantised(scenario: Scenario) -> tuple[Scenario, float]:
    return replace(scenario, step=scenario.noise_sd), 1.0
