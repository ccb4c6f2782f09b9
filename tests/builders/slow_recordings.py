"""Recordings behind a slow filter and a coarse converter."""

from __future__ import annotations

import numpy as np
import scipy

from builders.traces import RATE_HZ, FloatArray
from nwb_mepp.simulation import EventShape

_CUTOFF_HZ = 150.0
SIZE_SD = 15.0
STEP_SD = 1.5


def slow_coarse_trace(*, duration_s: float = 20.0, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Simulate MEPPs and noise behind a Bessel low-pass of 4 poles at 150 Hz and a coarse converter.

    Returns
    -------
    values : ndarray, in volts
        MEPPs are 15 SD of the filtered noise high, the converter's step is 1.5 SD.
    onsets_s : ndarray
        Where the MEPPs begin behind the filter.
    """
    rng = np.random.default_rng(seed)
    onsets_s = np.cumsum(rng.uniform(0.15, 1.0, int(duration_s)))
    onsets_s = onsets_s[onsets_s < duration_s - 0.1]
    n_samples = round(duration_s * RATE_HZ)
    time_s = np.arange(n_samples) / RATE_HZ
    shape = EventShape(rise_s=0.7e-3, decay_s=2.5e-3)
    clean = np.sum([shape.value(time_s - onset_s) for onset_s in onsets_s], axis=0)
    low_pass = scipy.signal.bessel(4, _CUTOFF_HZ, fs=RATE_HZ, output="sos", norm="mag")
    noise, events = (scipy.signal.sosfilt(low_pass, one) for one in (rng.standard_normal(n_samples), clean))
    noise /= noise[1000:].std()
    values = noise + SIZE_SD * events / events.max()
    # The filter delays by 2 ms.
    return 1e-5 * STEP_SD * np.round(values / STEP_SD), onsets_s + 2e-3
