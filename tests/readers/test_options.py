"""What a user states about a file."""

from __future__ import annotations

import math
from typing import Any

import pytest

from nwb_mepp.core.errors import UsageError
from nwb_mepp.readers import ReadOptions
from nwb_mepp.readers.options import parse_channel_options


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
        ({"gain": {"Vm": 0}}, r"`gain`: expected a finite number other than 0 for channel 'Vm', found 0"),
        (
            {"gain": "Vm=ten"},
            r"`gain`: expected a number for channel 'Vm', found 'ten'; state it as `gain=X`",
        ),
        ({"gain": True}, r"`gain`: expected a number, found True"),
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
    assert ReadOptions(gain=-10.0).gain == {"": -10.0}


def test_what_was_given_is_described_and_the_rest_is_not() -> None:
    options = ReadOptions(unit={"Im": "pA", "": "mV"}, gain=10.0, sweep_interval_s=5.0)
    assert options.described() == {"unit": "mV; Im=pA", "gain": "10.0", "sweep_interval_s": "5.0"}
    assert ReadOptions().described() == {}


def test_options_of_channels_are_parted_at_the_last_equals_sign() -> None:
    assert parse_channel_options(["mV", "a=b=pA"], name="unit") == {"": "mV", "a=b": "pA"}


def test_two_values_for_one_channel_are_refused() -> None:
    with pytest.raises(UsageError, match=r"`unit`: channel 'Vm' is given two values, 'mV' and 'V'"):
        parse_channel_options(["Vm=mV", "Vm=V"], name="unit")
    with pytest.raises(UsageError, match=r"`gain`: every channel is given two values, '10' and '20'"):
        ReadOptions(gain=["10", "20"])  # type: ignore[arg-type]
    assert parse_channel_options(["mV", "mV"], name="unit") == {"": "mV"}
    with pytest.raises(UsageError, match=r"`gain`: expected text such as CHANNEL=VALUE, found 10"):
        ReadOptions(gain=[10])  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"Vm": 10, "": 2.5}, {"Vm": "10", "": "2.5"}, ["Vm=10", "2.5"]])
def test_a_gain_is_for_a_channel_or_for_all(given: Any) -> None:
    options = ReadOptions(gain=given)
    assert options.gain == {"Vm": 10, "": 2.5}
    assert ReadOptions(gain=options.gain) == options


def test_gains_are_described_by_channel() -> None:
    assert ReadOptions(gain=["Vm=10", "Im=-1"]).described() == {"gain": "Im=-1.0; Vm=10.0"}  # type: ignore[arg-type]
