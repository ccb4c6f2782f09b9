"""Numbers as they appear on a slide."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.plots.display_units import choose_unit, duration, number


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.5e-3, "V", "mV"),
        (-70e-3, "V", "mV"),
        (0.7, "V", "mV"),
        (60e-6, "V", "µV"),
        (5.0, "V", "V"),
        (-19e-12, "A", "pA"),
        (1.5e-9, "A", "pA"),
        (8e-9, "A", "nA"),
        (0.0, "V", "mV"),
        (float("nan"), "A", "pA"),
        (1e-20, "A", "fA"),
        (3.0, "degC", "degC"),
    ],
)
def test_the_unit_is_the_usual_one_where_it_reads_well(value, unit, expected):
    found = choose_unit(value, unit=unit)
    assert found.name == expected


def test_a_value_times_the_factor_is_in_the_unit():
    assert choose_unit([0.5e-3], unit="V").factor * 0.5e-3 == pytest.approx(0.5)
    assert choose_unit([20e-12], unit="A").factor * 20e-12 == pytest.approx(20.0)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.9996, "1.00"),
        (12.345, "12.3"),
        (99950.0, "100000"),
        (0.0012345, "0.00123"),
        (0.0, "0"),
        (np.inf, "n/a"),
    ],
)
def test_numbers_have_three_significant_digits_without_powers_of_ten(value, words):
    assert number(value) == words


def test_a_negative_number_has_a_proper_minus_sign():
    assert number(-3.0, digits=2) == "\N{MINUS SIGN}3.0"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59.25, "59.25 s"), (9_999.4, "9999 s"), (9_999.5, "2.778 h"), (86_400.0, "24 h"), (0.0, "0 s")],
)
def test_durations_of_hours_are_given_in_hours(seconds: float, text: str) -> None:
    assert duration(seconds) == text
