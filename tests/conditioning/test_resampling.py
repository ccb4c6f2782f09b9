"""Change of sampling rate: sines keep amplitude and phase, what cannot be represented is taken out."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.conditioning import Resampler

RATES_HZ = [2_000.0, 5_000.0, 10_000.0, 11_025.0, 12_500.0, 20_000.0, 44_100.0, 50_000.0]
TO_HZ = 5_000.0


def sine(frequency_hz: float, rate_hz: float) -> Callable[[int, int], np.ndarray]:
    return lambda first, last: np.sin(2.0 * np.pi * frequency_hz * np.arange(first, last) / rate_hz)


@pytest.mark.parametrize(
    ("rate_hz", "frequency_hz"),
    [
        (rate_hz, frequency_hz)
        for rate_hz in RATES_HZ
        for frequency_hz in (3.0, 170.0, 700.0, 990.0)
        if frequency_hz <= 0.35 * rate_hz  # above lies the transition band of the lower rate
    ],
)
def test_sines_below_1_khz_keep_amplitude_and_phase(rate_hz: float, frequency_hz: float) -> None:
    resampler = Resampler.between(rate_hz, TO_HZ)
    output = resampler.resample(sine(frequency_hz, rate_hz), start=0, stop=1000)
    times_s = np.arange(1000) * resampler.down / resampler.up / rate_hz
    np.testing.assert_allclose(output, np.sin(2.0 * np.pi * frequency_hz * times_s), atol=3e-3)


@pytest.mark.parametrize("rate_hz", [10_000.0, 11_025.0, 12_500.0, 20_000.0, 44_100.0, 50_000.0])
def test_sines_above_the_new_band_are_suppressed(rate_hz: float) -> None:
    resampler = Resampler.between(rate_hz, TO_HZ)
    for frequency_hz in np.arange(2_800.0, rate_hz / 2, 1_100.0):
        output = resampler.resample(sine(float(frequency_hz), rate_hz), start=0, stop=1000)
        assert np.abs(output).max() < 2e-3


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_constant_stays_that_constant(rate_hz: float) -> None:
    resampler = Resampler.between(rate_hz, TO_HZ)
    output = resampler.resample(lambda first, last: np.full(last - first, -0.075), start=0, stop=1000)
    np.testing.assert_allclose(output, -0.075, rtol=1e-12)


@pytest.mark.parametrize("rate_hz", [5_000.0, 10_000.0, 11_025.0, 44_100.0])
def test_result_does_not_depend_on_where_a_tile_begins(rate_hz: float) -> None:
    trace = np.random.default_rng(0).normal(size=200_000)
    resampler = Resampler.between(rate_hz, TO_HZ)

    def read(first: int, last: int) -> np.ndarray:
        return trace[first + 50_000 : last + 50_000]

    whole = resampler.resample(read, start=0, stop=4000)
    for start in range(0, 4000, 5 * resampler.grid):
        tile = resampler.resample(read, start=start, stop=start + 37)
        np.testing.assert_allclose(tile[: 4000 - start], whole[start : start + 37], atol=1e-12)


def test_a_tile_off_the_grid_is_refused() -> None:
    resampler = Resampler.between(11_025.0, TO_HZ)
    with pytest.raises(ValueError, match="expected start to be a multiple of 200, found 100"):
        resampler.resample(sine(100.0, 11_025.0), start=100, stop=300)


@settings(max_examples=100)
@given(
    rate_hz=st.sampled_from([*RATES_HZ, 24_414.0625, 9_999.7]),
    index=st.integers(0, 10**9),
)
def test_an_output_sample_maps_to_the_nearest_input_sample(rate_hz: float, index: int) -> None:
    resampler = Resampler.between(rate_hz, TO_HZ)
    mapped = int(resampler.to_input(index))
    # In integers: |mapped - index * down / up| <= 1/2.
    assert abs(2 * (mapped * resampler.up - index * resampler.down)) <= resampler.up


@settings(max_examples=100)
@given(rate_hz=st.sampled_from(RATES_HZ), n_input=st.integers(1, 10**6))
def test_output_samples_are_those_that_lie_within_the_input(rate_hz: float, n_input: int) -> None:
    resampler = Resampler.between(rate_hz, TO_HZ)
    n_output = resampler.n_output(n_input)
    assert (n_output - 1) * resampler.down < n_input * resampler.up <= n_output * resampler.down


@pytest.mark.parametrize("rate_hz", [24_414.0625, 12_207.03, 9_999.7, 33_333.3, 6_250.1])
def test_odd_rates_are_met_within_a_thousandth(rate_hz: float) -> None:
    resampler = Resampler.between(rate_hz, TO_HZ)
    assert rate_hz * resampler.up / resampler.down == pytest.approx(TO_HZ, rel=1e-3)
