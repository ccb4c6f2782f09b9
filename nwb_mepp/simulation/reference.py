"""The reference recordings of the benchmark and the levels at which they are simulated."""

from __future__ import annotations

import numpy as np

from nwb_mepp.simulation.scenario import Scenario

__all__ = ["BENCHMARK_SEEDS_FROM", "LEVELS", "reference_scenario"]

LEVELS = (2.0, 3.0, 4.0, 6.0, 10.0)

# Seeds from here on belong to the benchmark; training refuses them (see `distribution`).
BENCHMARK_SEEDS_FROM = 1_000_000_000

_RATES_HZ = (0.5, 1.0, 3.0)


def reference_scenario(*, level: float, index: int) -> Scenario:
    """Return the scenario of one reference recording: 60 s at 10 kHz, mean amplitude 0.5 mV.

    Parameters
    ----------
    level : float
        Mean amplitude over the SD of the white and 1/f noise.
    index : int
        Number of the recording within its level: rates of 0.5, 1 and 3 per s alternate, every
        fourth recording also has bursts, and 2 to 7 artifacts are drawn for each.

    Returns
    -------
    Scenario

    Examples
    --------
    >>> scenario = reference_scenario(level=10.0, index=3)
    >>> scenario.rate_hz, scenario.noise_sd * 10.0 == scenario.amplitude_mean, scenario.bursts_per_s > 0
    (0.5, True, True)
    """
    rng = np.random.default_rng([int(BENCHMARK_SEEDS_FROM), index])
    kinds = ("spike", "step", "slow_bump", "negative_decay")
    drawn = rng.choice(kinds, size=int(rng.integers(2, 8)))
    amplitude_mean = 0.5e-3
    return Scenario(
        rate_hz=_RATES_HZ[index % 3],
        bursts_per_s=0.05 if index % 4 == 3 else 0.0,
        amplitude_mean=amplitude_mean,
        noise_sd=amplitude_mean / level,
        hum_amplitudes=(0.03e-3, 0.015e-3, 0.01e-3),
        hum_phase_drift=0.1,
        drift_per_sqrt_s=3e-3 / np.sqrt(60.0),
        artifacts={kind: int(np.sum(drawn == kind)) for kind in kinds},
    )
