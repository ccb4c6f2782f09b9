"""What a user states about a file."""

from __future__ import annotations

import math
from typing import Any

import pytest

from nwb_mepp.core.errors import UsageError
from nwb_mepp.readers import ReadOptions
from nwb_mepp.readers.options import parse_unit_options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": {"": "foo"}}, r"`unit`: expected a unit such as V, mV, uV, A, nA, pA, found 'foo'"),
        ({"unit": {"Vm": ""}}, r"`unit`: expected a unit such as .* of channel 'Vm', found ''"),
        (
            {"sampling_rate_hz": 0.0},
            r"`sampling_rate_hz`: expected a finite number of Hz above 0, found 0\.0",
        ),
        ({"sampling_rate_hz": -1.0}, r"`sampling_rate_hz`: expected .* found -1\.0"),
        ({"sampling_rate_hz": math.inf}, r"`sampling_rate_hz`: expected .* found inf"),
        (
            {"sweep_interval_s": math.nan},
            r"`sweep_interval_s`: expected a finite number of s above 0, found nan",
        ),
        ({"gain": 0.0}, r"`gain`: expected a finite number other than 0, found 0\.0"),
        ({"gain": math.inf}, r"`gain`: expected a finite number other than 0, found inf"),
        ({"n_channels": 0, "reader": "rawbinarysignal"}, r"`n_channels`: expected 1 or more, found 0"),
        (
            {"dtype": "spam", "reader": "rawbinarysignal"},
            r"`dtype`: expected a type of numbers .* found 'spam'",
        ),
        ({"dtype": "O", "reader": "rawbinarysignal"}, r"`dtype`: expected a type of numbers .* found 'O'"),
        ({"dtype": "int16"}, r"`dtype` describe a raw binary file; add `reader='rawbinarysignal'`"),
        (
            {"dtype": "int16", "n_channels": 2, "reader": "axon"},
            r"`dtype` and `n_channels` describe a raw binary",
        ),
    ],
)
def test_what_no_file_could_have_is_refused_at_once(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ReadOptions(**options)


def test_a_negative_gain_inverts() -> None:
    assert ReadOptions(gain=-10.0).gain == -10.0


def test_what_was_given_is_described_and_the_rest_is_not() -> None:
    options = ReadOptions(unit={"Im": "pA", "": "mV"}, gain=10.0, sweep_interval_s=5.0)
    assert options.described() == {"unit": "mV; Im=pA", "gain": "10.0", "sweep_interval_s": "5.0"}
    assert ReadOptions().described() == {}


def test_unit_options_are_parted_at_the_last_equals_sign() -> None:
    assert parse_unit_options(["mV", "a=b=pA"]) == {"": "mV", "a=b": "pA"}


def test_two_units_for_one_channel_are_refused() -> None:
    with pytest.raises(UsageError, match=r"channel 'Vm' is given two units, 'mV' and 'V'"):
        parse_unit_options(["Vm=mV", "Vm=V"])
    with pytest.raises(UsageError, match=r"every channel is given two units, 'mV' and 'V'"):
        parse_unit_options(["mV", "V"])
    assert parse_unit_options(["mV", "mV"]) == {"": "mV"}
