"""What defines a simulated recording."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nwb_mepp.core.polarity import Polarity
from nwb_mepp.simulation.recording_chain import RecordingChain

__all__ = ["Scenario"]


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
        SD of the logarithm of the strength of the white and 1/f noise, which fluctuates over about a second.
    amplitude_law : str
        ``"lognormal"`` or ``"normal"`` (cut off below a tenth of the mean).
    giant_fraction, slow_fraction : float
        Giant MEPPs are 2.5 to 5 times as large; slow ones, as from a distant site, are half as large and
        two to three times as slow.
    drift_per_sqrt_s : float
        SD of the random walk of the resting level after one second.
    artifacts : mapping of str to int
        Number of artifacts of each kind.
    full_scale : float or None
        The converter clips at this deviation from the resting level.
    noise_growth, noise_growth_s : float
        The white and 1/f noise grows exponentially by this factor over this time before the end.
    noise_pulses_per_s, noise_pulse_factor, noise_pulse_s : float
        It is stronger by this factor in pulses of this length at random times.
    telegraph_step, telegraph_per_s : float
        Size and mean number per second of steps to a second level and back (a loose contact, a channel).
    chain : RecordingChain or None
        What MEPPs and all else pass together on their way into the file; None for nothing but the converter.
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
    noise_growth: float = 1.0
    noise_growth_s: float = 4.0
    noise_pulses_per_s: float = 0.0
    noise_pulse_factor: float = 3.0
    noise_pulse_s: float = 0.3
    telegraph_step: float = 0.0
    telegraph_per_s: float = 20.0
    chain: RecordingChain | None = None
