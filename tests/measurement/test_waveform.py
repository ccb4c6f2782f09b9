"""The shape of one MEPP: its curve, its crossings and widths."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from nwb_mepp.measurement.waveform import level_times, log_slopes, time_to_peak, unit_curve, widths

RISE_S, DECAY_S = 0.4e-3, 3e-3


def raw(t: float, power: int) -> float:
    return float((1 - np.exp(-t / RISE_S)) ** power * np.exp(-t / DECAY_S))


@pytest.mark.parametrize("power", [1, 2, 3])
def test_peak_and_widths_are_those_that_a_search_finds(power: int) -> None:
    peak_s = minimize_scalar(lambda t: -raw(t, power), bounds=(0, 5e-3), options={"xatol": 1e-9}).x
    assert time_to_peak(RISE_S, DECAY_S, power=power) == pytest.approx(peak_s, rel=1e-4)

    def crossing(level: float, low: float, high: float) -> float:
        return brentq(lambda t: raw(t, power) - level * raw(peak_s, power), low, high, xtol=1e-12)

    rise_s, half_s = widths(np.array([RISE_S]), np.array([DECAY_S]), power=power)
    assert rise_s[0] == pytest.approx(crossing(0.9, 0, peak_s) - crossing(0.1, 0, peak_s), rel=1e-6)
    assert half_s[0] == pytest.approx(crossing(0.5, peak_s, 0.1) - crossing(0.5, 0, peak_s), rel=1e-6)


def test_a_curve_is_zero_before_its_onset_and_1_at_its_peak() -> None:
    # Equal time constants: the peak comes after ln 2 of them.
    curve = unit_curve(np.array([-1e-3, 0.0, np.log(2) * 1e-3]), 1e-3, 1e-3, power=1)
    assert curve.tolist() == pytest.approx([0.0, 0.0, 1.0])


def test_levels_of_equal_time_constants_have_a_closed_form() -> None:
    taus = np.array([1e-3, 2e-3])
    expected = -taus * np.log((1 + np.sqrt(0.1)) / 2)
    np.testing.assert_allclose(level_times(taus, taus, level=0.9, falling=False), expected, rtol=1e-9)
    expected = -taus * np.log((1 - np.sqrt(0.5)) / 2)
    np.testing.assert_allclose(level_times(taus, taus, level=0.5, falling=True), expected, rtol=1e-9)


def test_unknown_time_constants_have_no_crossings() -> None:
    unknown = np.array([np.nan])
    assert np.isnan(level_times(unknown, unknown, level=0.5, falling=True)[0])


def test_widths_grow_as_their_slopes_say() -> None:
    rise_s, decay_s = np.array([RISE_S]), np.array([DECAY_S])
    of_rise, of_half_width = log_slopes(rise_s, decay_s, power=2)
    before, after = widths(rise_s, decay_s, power=2), widths(1.02 * rise_s, 1.01 * decay_s, power=2)
    for slope, old, new in zip((of_rise, of_half_width), before, after, strict=True):
        expected = slope[0] @ np.log([1.02, 1.01])
        assert np.log(new / old)[0] == pytest.approx(expected, rel=0.01)
