"""Units as laboratories write them, and the names they get."""

from __future__ import annotations

from decimal import Decimal

import pytest
import quantities
from hypothesis import given
from hypothesis import strategies as st

from nwb_mepp.core.units import (
    DISPLAY_UNITS,
    DisplayUnit,
    Unit,
    lab_unit,
    nwb_unit_name,
    parse_electrical_unit,
    parse_time_unit,
    parse_unit,
)

# Symbol and word of each decimal prefix, and its power of ten.
POWERS = {
    ("", ""): 0,
    ("k", "kilo"): 3,
    ("m", "milli"): -3,
    ("u", "micro"): -6,
    ("\u00b5", "micro"): -6,
    ("\u03bc", "micro"): -6,
    ("n", "nano"): -9,
    ("p", "pico"): -12,
    ("f", "femto"): -15,
}
CASES = st.sampled_from([str.lower, str.upper, str.title, str])


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
        ("microv", "V", 1e-6),
        ("v", "V", 1.0),
        ("\u03bcv", "V", 1e-6),
        ("AMP", "A", 1.0),
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
    assert parse_electrical_unit(label) == Unit(name, scale)
    assert parse_unit(label) == Unit(name, scale)


@given(
    prefix=st.sampled_from(list(POWERS)),
    base=st.sampled_from([("V", "volt"), ("A", "ampere"), ("A", "amp")]),
    plural=st.sampled_from(["", "s"]),
    case=CASES,
    blank=st.sampled_from(["", " ", "\u00a0"]),
)
def test_a_prefix_is_worth_its_power_of_ten_exactly(prefix, base, plural, case, blank) -> None:
    expected = Unit(base[0], float(Decimal(10) ** POWERS[prefix]))
    assert parse_electrical_unit(f"{blank}{prefix[0]}{blank}{base[0]}") == expected
    assert parse_electrical_unit(case(f"{prefix[1]}{blank}{base[1]}{plural}")) == expected


@given(symbol=st.sampled_from(["k", "m", "u", "n", "p", "f"]), base=st.sampled_from("VA"))
def test_a_symbol_whose_case_could_mean_another_prefix_is_not_guessed(symbol: str, base: str) -> None:
    assert parse_unit(f"{symbol.upper()}{base}") is None


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
    assert parse_electrical_unit(label) is None


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
        "ma",
        "kv",
        "mv/",
        "__import__('os')",
        "1e9**9",
        "s*9**9**9**9",
    ],
)
def test_what_is_no_unit_is_not_guessed(label: str) -> None:
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


def test_what_is_no_unit_of_time_is_not_guessed() -> None:
    assert parse_time_unit("V") is None


@pytest.mark.parametrize(
    ("unit", "name"), [("V", "volts"), ("A", "amperes"), ("", "unknown"), ("degC", "degC")]
)
def test_nwb_spells_units_out(unit: str, name: str) -> None:
    assert nwb_unit_name(unit) == name
    assert unit not in ("V", "A") or parse_unit(name) == Unit(unit, 1.0)


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("V", DisplayUnit("mV", 1e-3, 1e3)),
        ("A", DisplayUnit("pA", 1e-12, 1e12)),
        ("degC", DisplayUnit("degC", 1.0, 1.0)),
    ],
)
def test_a_laboratory_has_millivolts_and_picoamperes(unit: str, expected: DisplayUnit) -> None:
    assert lab_unit(unit) == expected


def test_what_is_shown_in_a_unit_is_read_back_as_the_same() -> None:
    for name, shown in DISPLAY_UNITS.items():
        read = parse_unit(name)
        assert read is not None
        assert (shown.name, shown.scale) == (name, read.scale)
        assert Decimal(repr(shown.scale)) * Decimal(repr(shown.factor)) == 1
