"""The truth of a simulated trace as a table of MEPPs."""

from __future__ import annotations

import numpy as np

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.recording import Trace
from nwb_mepp.simulation.recordings import Truth

__all__ = ["true_mepps"]


def true_mepps(truth: Truth, trace: Trace) -> Mepps:
    """Return the simulated MEPPs of a trace, one row each.

    Times are exact, not rounded to samples. What the truth does not include (half-width, area, baseline,
    anomaly) is absent; the probability is 1.

    Parameters
    ----------
    truth : Truth
        Times count from the first sample of the trace.
    trace : Trace

    Returns
    -------
    Mepps

    Examples
    --------
    >>> from nwb_mepp.simulation import Scenario, simulate_recording
    >>> simulated = simulate_recording(Scenario(duration_s=2.0, rate_hz=5.0), seed=1)
    >>> mepps = true_mepps(simulated.truth, simulated.trace())
    >>> bool(np.all(mepps.start_s == simulated.truth.start_s)), bool(np.all(mepps.probability == 1.0))
    (True, True)
    """
    rate_hz, last = trace.sampling_rate_hz, trace.n_samples - 1
    # Rounding first: 0.3 s at 10 kHz is 2999.999... samples, yet sample 3000 is meant.
    start, stop = (
        np.ceil(np.round(times_s * rate_hz, 6)).astype(np.int64) for times_s in (truth.start_s, truth.stop_s)
    )
    start = np.minimum(start, last)
    return Mepps(
        channel=trace.channel,
        unit=trace.unit,
        sweep=np.full(len(truth), trace.sweep, dtype=np.int64),
        start_index=start,
        # A MEPP that the next one follows within a sample still has one sample.
        stop_index=np.clip(stop, start + 1, last + 1),
        peak_index=np.minimum(np.rint(truth.peak_s * rate_hz).astype(np.int64), last),
        start_s=trace.start_s + truth.start_s,
        stop_s=trace.start_s + truth.stop_s,
        peak_s=trace.start_s + truth.peak_s,
        amplitude=truth.amplitude,
        rise_10_90_s=truth.rise_10_90_s,
        decay_tau_s=truth.decay_tau_s,
        probability=np.ones(len(truth)),
        overlapped=np.append(truth.stop_s[:-1] >= truth.start_s[1:], [False] * min(len(truth), 1)).astype(
            np.bool_
        ),
    )
