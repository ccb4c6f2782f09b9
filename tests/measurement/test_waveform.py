"""The shape of one MEPP: its curve, its crossings, its fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.measurement.waveform import Shape, ShapePrior, fit_shape, level_times

TIME_S = np.arange(400) / 20e3


def test_a_curve_is_zero_before_its_onset_and_reaches_its_amplitude_at_its_peak() -> None:
    shape = Shape(onset_s=2e-3, tau_rise_s=1e-3, tau_decay_s=1e-3, amplitude=3.0)
    assert shape.curve(np.array([0.0, 2e-3])).tolist() == [0.0, 0.0]
    # Equal time constants: the peak comes after ln 2 of them.
    assert shape.peak_s == pytest.approx(2e-3 + np.log(2) * 1e-3)
    assert shape.curve(np.array([shape.peak_s]))[0] == pytest.approx(3.0)


def test_levels_of_equal_time_constants_have_a_closed_form() -> None:
    taus = np.array([1e-3, 2e-3])
    expected = -taus * np.log((1 + np.sqrt(0.1)) / 2)
    np.testing.assert_allclose(level_times(taus, taus, level=0.9, falling=False), expected, rtol=1e-9)
    expected = -taus * np.log((1 - np.sqrt(0.5)) / 2)
    np.testing.assert_allclose(level_times(taus, taus, level=0.5, falling=True), expected, rtol=1e-9)


def test_unknown_time_constants_have_no_crossings() -> None:
    unknown = np.array([np.nan])
    assert np.isnan(level_times(unknown, unknown, level=0.5, falling=True)[0])


@given(
    onset_s=st.floats(1e-3, 4e-3),
    rise_s=st.floats(0.1e-3, 2e-3),
    decay_s=st.floats(0.8e-3, 4e-3),
    amplitude=st.floats(1e-12, 1e3),
)
@settings(max_examples=60, deadline=None)
def test_a_noise_free_curve_of_any_size_is_found_again(
    onset_s: float, rise_s: float, decay_s: float, amplitude: float
) -> None:
    truth = Shape(onset_s=onset_s, tau_rise_s=rise_s, tau_decay_s=decay_s, amplitude=amplitude)
    start = Shape(onset_s=truth.peak_s - 1e-3, tau_rise_s=0.5e-3, tau_decay_s=3e-3, amplitude=1.0)
    found = fit_shape(TIME_S, truth.curve(TIME_S), start=start, noise_sd=0.0)
    assert found.usable
    np.testing.assert_allclose(found.curve(TIME_S), truth.curve(TIME_S), atol=0.02 * amplitude)


def test_the_larger_the_noise_the_nearer_to_the_usual_decay() -> None:
    truth = Shape(onset_s=2e-3, tau_rise_s=0.5e-3, tau_decay_s=2e-3, amplitude=1.0)
    usual = ShapePrior(tau_rise_s=0.5e-3, tau_decay_s=6e-3)
    decays = [
        fit_shape(TIME_S, truth.curve(TIME_S), start=truth, noise_sd=sd, prior=usual).tau_decay_s
        for sd in (0.0, 0.3, 3.0)
    ]
    assert decays[0] == pytest.approx(2e-3, rel=1e-3)
    assert decays[0] < decays[1] < decays[2] < 6.1e-3


@pytest.mark.parametrize(
    "values",
    [np.zeros(400), -np.ones(400), np.linspace(0, 1, 400), np.zeros(3)],
    ids=["nothing", "a level below", "a ramp", "too few samples"],
)
def test_what_is_no_deflection_is_not_usable(values: np.ndarray) -> None:
    start = Shape(onset_s=1e-3, tau_rise_s=0.5e-3, tau_decay_s=3e-3, amplitude=1.0)
    assert not fit_shape(TIME_S[: len(values)], values, start=start, noise_sd=0.1).usable
