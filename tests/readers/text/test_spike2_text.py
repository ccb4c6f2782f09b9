"""The text that Spike2 exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import Recording
from nwb_mepp.readers import ReadOptions, find_recordings, read_recording

HEAD = [
    '"INFORMATION"',
    '"demo.smr"',
    '""',
    '"SUMMARY"',
    '"1"\t"Waveform"\t"Vm"\t" mV"\t256\t255.75\t1\t0',
    "",
]


def channel(number: int, title: str, unit: str, *sections: list[str], rate: str = "256") -> list[str]:
    above = [f'"CHANNEL"\t"{number}"', '"Waveform"', '"No comment"', f'"{title}"', "", f'"{unit}"\t{rate}']
    return [*above, *(line for section in sections for line in section), ""]


def section(start: str, values: range, interval: str = "0.00391") -> list[str]:
    return [f'"START"\t{start}\t{interval}', *(f"{value}.5" for value in values)]


def read(path: Path, *lines: str, **options: object) -> Recording:
    path.write_text("\r\n".join([*HEAD, *lines]) + "\r\n", newline="")
    return read_recording(path, options=ReadOptions(**options))  # type: ignore[arg-type]


EVENTS = ['"CHANNEL"\t"31"', '"Marker"', '"No comment"', '"Keyboard"', "1.25\t65"]


def test_channels_have_unit_rate_and_sections(tmp_path: Path) -> None:
    vm = channel(1, "Vm", " mV", section("0.00000", range(20)), section("5.00000", range(30)))
    im = channel(2, "Im", "pA", section("0.00000", range(20)), section("5.00000", range(30)))
    recording = read(tmp_path / "a.txt", *vm, *im, *EVENTS)
    assert [
        (t.channel, t.sweep, t.unit, t.start_s, t.n_samples, t.sampling_rate_hz) for t in recording.traces
    ] == [
        ("Vm", 0, "V", 0.0, 20, 256.0),
        ("Vm", 1, "V", 5.0, 30, 256.0),
        ("Im", 0, "A", 0.0, 20, 256.0),
        ("Im", 1, "A", 5.0, 30, 256.0),
    ]
    np.testing.assert_allclose(recording.traces[0].values() * 1e3, np.arange(20) + 0.5)
    assert recording.notes == ("Left out: Keyboard, which are no waveforms.",)
    assert recording.source.reader == "spike2-text"
    assert find_recordings([tmp_path]) == [tmp_path / "a.txt"]


def test_decimal_commas_and_a_rate_of_the_interval_are_read(tmp_path: Path) -> None:
    lines = [
        line.replace(".", ",") for line in channel(1, "Vm", "mV", section("0.0", range(9), "0.0001"), rate="")
    ]
    (trace,) = read(tmp_path / "a.txt", *lines).traces
    assert trace.sampling_rate_hz == 1e4
    np.testing.assert_allclose(trace.raw(), np.arange(9) + 0.5)


def test_an_endless_cell_and_numbers_that_could_be_two_are_refused(tmp_path: Path) -> None:
    for line in ("x" * 131_073, "12,345"):
        with pytest.raises(ReadError, match="expected cells and numbers that can mean one thing"):
            read(tmp_path / "a.txt", *channel(1, "a", "mV", ['"START"\t0\t1', line]))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (EVENTS, "found no waveform; export one channel a file"),
        (
            [*channel(1, "a", "mV", section("0", range(3))), *channel(2, "b", "mV", section("1", range(3)))],
            "found channels with gaps at different times",
        ),
        (
            channel(1, "a", "mV", section("0", range(3)), ["1.5\t2"]),
            "line 17: expected a sample, or START .*'1.5 2'",
        ),
        (channel(1, "a", "mV", ["1.5"]), "line 13: expected a sample, or START"),
        (
            channel(1, "a", "mV", section("0", range(3)), rate="1000"),
            "expected an interval of 0.001 s, .* 0.00391 s",
        ),
    ],
)
def test_what_is_damaged_is_refused(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read(tmp_path / "a.txt", *lines)
