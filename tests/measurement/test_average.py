"""The average of MEPPs made by SciPy has their shape."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from builders.lab_noise import RATE_HZ, lab_trace, sigmoid_mepp
from builders.traces import segment_of
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.measurement.average import average_waveform, describe_average
from nwb_mepp.measurement.kinetics import measure

DECAY_S = 3e-3


@pytest.mark.parametrize("polarity", [Polarity.POSITIVE, Polarity.NEGATIVE])
def test_the_average_has_the_shape_and_the_size_of_the_mepps(polarity: Polarity) -> None:
    rng = np.random.default_rng(1)
    onsets_s = 0.1 + 0.12 * np.arange(150) + rng.uniform(0.0, 0.02, 150)
    # Ten that another one follows are not isolated.
    crowded_s = np.sort(np.concatenate([onsets_s, onsets_s[:10] + 6e-3]))
    lab = lab_trace(crowded_s, level=6.0, decay_s=DECAY_S, seed=3, duration_s=18.5, decay_cv=0.0)
    segment = segment_of(-70e-3 + polarity.sign * (lab.values + 70e-3))
    peak = np.round((crowded_s + 0.9e-3) * RATE_HZ).astype(np.int64)
    found: Any = SimpleNamespace(
        start=peak - 9, peak=peak, stop=peak + 30, probability=np.full(len(peak), 0.9)
    )
    noise = lab_trace(np.empty(0), level=1.0, decay_s=DECAY_S, seed=99, duration_s=18.5).values
    power = np.abs(np.fft.rfft(noise - noise.mean())) ** 2 / len(noise)
    mepps = measure(segment, found, polarity=polarity, autocovariance=np.fft.irfft(power)[:1000])
    waveform = average_waveform(mepps, [segment], polarity=polarity, readers=[segment.values])
    assert waveform is not None
    assert 120 <= waveform.n_mepps <= 142
    kinetics = describe_average(waveform, rate_hz=RATE_HZ, polarity=polarity)
    assert kinetics.amplitude == pytest.approx(polarity.sign * lab.amplitudes.mean(), rel=0.06)
    assert kinetics.decay_tau_s == pytest.approx(DECAY_S, rel=0.08)
    time_s = np.arange(0.0, 0.05, 1e-6)
    true = sigmoid_mepp(time_s, rise_s=0.25e-3, decay_s=DECAY_S)
    top = int(np.argmax(true))
    low, high = np.interp([0.1, 0.9], true[:top], time_s[:top])
    # Noise moves the points of alignment by a tenth of a millisecond, which smears the rise.
    assert kinetics.rise_10_90_s == pytest.approx(high - low, rel=0.2)
    assert kinetics.half_width_s == pytest.approx(np.sum(true > 0.5) * 1e-6, rel=0.08)
    # Time 0 is where half of the amplitude is passed.
    at_zero = np.interp(0.0, waveform.time_s, waveform.values)
    assert at_zero == pytest.approx(0.5 * kinetics.amplitude, rel=0.2)


def test_fewer_than_three_isolated_mepps_have_no_average() -> None:
    lab = lab_trace(np.array([0.1, 0.3]), level=10.0, decay_s=DECAY_S, seed=3, duration_s=0.6)
    segment = segment_of(lab.values)
    peak = np.array([1009, 3009])
    found: Any = SimpleNamespace(start=peak - 9, peak=peak, stop=peak + 30, probability=np.full(2, 0.9))
    mepps = measure(segment, found, polarity=Polarity.POSITIVE)
    waveform = average_waveform(mepps, [segment], polarity=Polarity.POSITIVE, readers=[segment.values])
    assert waveform is None
    nothing = describe_average(waveform, rate_hz=RATE_HZ, polarity=Polarity.POSITIVE)
    assert np.isnan(nothing.decay_tau_s)
