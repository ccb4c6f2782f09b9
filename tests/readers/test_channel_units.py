"""Units as laboratories write them."""

from __future__ import annotations

import pytest
import quantities
from hypothesis import given
from hypothesis import strategies as st

from nwb_mepp.readers.units import Unit, parse_time_unit, parse_unit


@pytest.mark.parametrize(
    ("label", "name", "scale"),
    [
        ("V", "V", 1.0),
        ("mV", "V", 1e-3),
        ("uV", "V", 1e-6),
        ("\u00b5V", "V", 1e-6),
        ("\u03bcV", "V", 1e-6),
        ("microV", "V", 1e-6),
        ("MICROV", "V", 1e-6),
        ("Volts", "V", 1.0),
        ("millivolts", "V", 1e-3),
        ("mv", "V", 1e-3),
        (" mV\u00a0", "V", 1e-3),
        ("nA", "A", 1e-9),
        ("pA", "A", 1e-12),
        ("fA", "A", 1e-15),
        ("picoamperes", "A", 1e-12),
        ("Amp", "A", 1.0),
        ("мВ", "V", 1e-3),
        ("мкВ", "V", 1e-6),
        ("пА", "A", 1e-12),
    ],
)
def test_electrical_units_become_volts_or_amperes(label: str, name: str, scale: float) -> None:
    assert parse_unit(label) == Unit(name, scale)


@pytest.mark.parametrize("label", ["kV", "mV", "uV", "mA", "uA", "nA", "pA", "volt", "millivolt", "ampere"])
def test_scales_are_those_of_quantities(label: str) -> None:
    expected = quantities.Quantity(1.0, label).simplified
    found = parse_unit(label)
    assert found is not None
    reference = quantities.Quantity(1.0, found.name).simplified
    assert found.scale == pytest.approx(float(expected / reference), rel=1e-15)


@pytest.mark.parametrize("label", ["degC", "mmHg", "Hz", "mm/s", "N"])
def test_other_known_units_stay_as_they_are(label: str) -> None:
    assert parse_unit(label) == Unit(label, 1.0)


def test_degrees_may_be_written_with_their_sign() -> None:
    assert parse_unit("°C") == Unit("degC", 1.0)


@pytest.mark.parametrize(
    "label",
    [
        "",
        " ",
        "foo",
        "u",
        "a.u.",
        "none",
        "sans",
        "dimensionless",
        "NA",
        "pa",
        "mv/",
        "__import__('os')",
        "1e9**9",
        "s*9**9**9**9",
    ],
)
def test_what_is_not_a_unit_is_not_guessed(label: str) -> None:
    assert parse_unit(label) is None


@given(st.text(max_size=12))
def test_no_label_raises(label: str) -> None:
    parse_unit(label)


@pytest.mark.parametrize(
    ("label", "per_second"),
    [
        ("s", 1.0),
        ("Sec.", 1.0),
        ("ms", 1e3),
        ("msec", 1e3),
        ("µs", 1e6),
        ("min", 1 / 60),
        ("с", 1.0),  # noqa: RUF001 - Cyrillic is meant
        ("мин", 1 / 60),
    ],
)
def test_units_of_time(label: str, per_second: float) -> None:
    assert parse_time_unit(label) == per_second


def test_what_is_not_a_unit_of_time_is_not_guessed() -> None:
    assert parse_time_unit("V") is None
