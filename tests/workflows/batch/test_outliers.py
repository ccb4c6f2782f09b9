"""Files that stand out from the others of a batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from nwb_mepp.workflows import FileOutcome
from nwb_mepp.workflows.batch import find_outliers
from nwb_mepp.workflows.channel_looks import ChannelLook


def outcome(
    number: int, *, unit: str = "V", rate_hz: float = 10_000.0, median: float, sd: float
) -> FileOutcome:
    path = Path(f"{number}.abf")
    look = ChannelLook(channel="Vm", unit=unit, sampling_rate_hz=rate_hz, median=median, noise_sd=sd)
    return FileOutcome(path=path, output=path, status="written", looks=(look,))


USUAL = [outcome(number, median=-0.07 - 0.005 * number, sd=1e-4 * (1 + number)) for number in range(4)]


def test_files_that_agree_do_not_stand_out() -> None:
    assert find_outliers(USUAL) == []
    assert find_outliers([]) == []


@pytest.mark.parametrize(
    ("odd", "what"),
    [
        ({"median": -0.72, "sd": 2e-3}, "baseline is -720 mV, 9 times that of most files"),
        ({"median": -7e-5, "sd": 1e-7}, "baseline is -0.07 mV"),
        ({"median": 0.07, "sd": 1e-4}, "baseline is 70 mV, of the other sign in most files"),
        ({"median": -5e-11, "sd": 3e-12, "unit": "A"}, "its unit is A, most files have V"),
        (
            {"median": -0.07, "sd": 1e-4, "rate_hz": 20_000.0},
            "rate is 20000 Hz, most files have 10000",
        ),
    ],
)
def test_what_differs_is_named(odd: dict[str, object], what: str) -> None:
    ((path, sentence),) = find_outliers([*USUAL, outcome(9, **odd)])  # type: ignore[arg-type]  # by name
    assert path == Path("9.abf")
    assert what in sentence


def test_currents_are_compared_by_their_noise() -> None:
    usual = [outcome(number, unit="A", median=0.0, sd=3e-12 + number * 1e-12) for number in range(3)]
    ((path, sentence),) = find_outliers([*usual, outcome(9, unit="A", median=1e-12, sd=50e-12)])
    assert (path.name, "noise is 50 pA" in sentence) == ("9.abf", True)


def test_of_two_kinds_as_frequent_the_larger_numbers_stand_out() -> None:
    large = [outcome(number, median=-0.7, sd=1e-3) for number in (10, 11, 12, 13)]
    assert [path.name for path, _ in find_outliers([*USUAL, *large])] == [
        "10.abf",
        "11.abf",
        "12.abf",
        "13.abf",
    ]


def test_two_files_have_no_majority() -> None:
    assert find_outliers([USUAL[0], outcome(9, median=-0.7, sd=1e-3)]) == []
