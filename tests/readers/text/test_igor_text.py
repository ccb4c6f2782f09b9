"""Igor text: waves between commands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import Recording
from nwb_mepp.readers import ReadOptions, find_recordings, read_recording


def read(path: Path, *lines: str, end: str = "\r", **options: object) -> Recording:
    path.write_bytes((end.join(lines) + end).encode())
    return read_recording(path, options=ReadOptions(**options))  # type: ignore[arg-type]


def wave(name: str, values: object, *scale: str, flags: str = "/D") -> list[str]:
    return [f"WAVES{flags}\t{name}", "BEGIN", *(f"\t{value}" for value in values), "END", *scale]  # type: ignore[attr-defined]


SCALE = 'X SetScale/P x 0,0.0001,"s", Vm; SetScale y 0,0,"V", Vm'


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize(
    "scale",
    [
        SCALE,
        'X SetScale/P x 0,0.1,"ms", Vm; SetScale d 0,0,"V", Vm',
        'X SetScale/I x, 0, 0.0019, "s", Vm; SetScale d, 0, 0, "V", Vm',
        'X SetScale x 0,0.002,"s", Vm; SetScale d 0,0,"V", Vm',
    ],
)
def test_scales_give_the_rate_and_the_unit(tmp_path: Path, scale: str, end: str) -> None:
    recording = read(tmp_path / "a.itx", "IGOR", *wave("Vm", np.arange(20) / -1000, scale), end=end)
    (trace,) = recording.traces
    assert (trace.channel, trace.unit, trace.start_s) == ("Vm", "V", 0.0)
    assert trace.sampling_rate_hz == pytest.approx(1e4, rel=1e-12)
    np.testing.assert_array_equal(trace.values(), np.arange(20) / -1000)
    assert find_recordings([tmp_path]) == [tmp_path / "a.itx"]


def test_waves_side_by_side_and_one_after_the_other_are_channels(tmp_path: Path) -> None:
    first = wave("Vm, 'I m'", ["1\t-1", "2\tNaN", "3\t-3"], flags="/O")
    scale = 'X SetScale/P x 2,0.001,"s", Vm, \'I m\'; SetScale d 0,0,"mV", Vm; SetScale d 0,0,"pA", \'I m\''
    recording = read(tmp_path / "a.itx", "IGOR", *first, scale, *wave("fit", [1, 2]), 'X Note Vm, "x"')
    assert [(t.channel, t.unit, t.start_s) for t in recording.traces] == [("Vm", "V", 2.0), ("I m", "A", 2.0)]
    np.testing.assert_array_equal(recording.traces[1].raw(), [-1.0, np.nan, -3.0])
    assert recording.notes == ("Left out because they have no unit: 'fit'; state a unit to keep one.",)


def test_columns_of_a_matrix_and_waves_of_neuromatic_are_sweeps(tmp_path: Path) -> None:
    scale = 'X SetScale/P x 0,1e-4,"s", m; SetScale/P y 0,1,"", m; SetScale d 0,0,"V", m'
    recording = read(
        tmp_path / "a.itx", "IGOR", *wave("m", ["1 10", "2 20", "3 30"], scale, flags="/N=(3,2)")
    )
    assert [trace.raw().tolist() for trace in recording.sweeps("m")] == [[1, 2, 3], [10, 20, 30]]
    waves = [
        line
        for name in ("RecordA0", "RecordA1", "RecordB0")
        for line in wave(name, [1, 2], SCALE.replace("Vm", name))
    ]
    recording = read(tmp_path / "b.itx", "IGOR", *waves)
    assert [(trace.channel, trace.sweep) for trace in recording.traces] == [
        ("RecordA", 0),
        ("RecordA", 1),
        ("RecordB", 0),
    ]


def test_what_is_not_stated_is_asked_for(tmp_path: Path) -> None:
    lines = ("IGOR", *wave("Vm", [1, 2, 3]))
    with pytest.raises(ReadError, match="no known unit for 'Vm'"):
        read(tmp_path / "a.itx", *lines)
    with pytest.raises(ReadError, match="expected a sampling rate"):
        read(tmp_path / "a.itx", *lines, unit="mV")
    assert read(tmp_path / "a.itx", *lines, unit="mV", sampling_rate_hz=1e4).traces[0].n_samples == 3


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (wave("Vm", [1, "2,5", 3]), "line 5: expected 1 finite numbers with decimal points, found '2,5'"),
        (wave("Vm", [1, "2 3"]), "line 5: expected 1 finite numbers"),
        (wave("Vm", [1, 2])[:-1], "line 2: expected the numbers of the waves between .*, found no END"),
        (["WAVES Vm"], "found no BEGIN"),
        (wave("Vm", [1], flags="/N=(1,1,1)"), "expected waves of one or two dimensions"),
        (wave("Vm", ["a"], flags="/T"), "expected Igor text with waves of numbers, found none"),
        (
            wave("Vm", [1, 2], 'X SetScale/P x 0,dt,"s", Vm'),
            "line 7: expected numbers in the command SetScale",
        ),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(ReadError, match=message):
        read(tmp_path / "a.itx", "IGOR", *lines)


def test_the_case_of_a_user_is_read() -> None:
    path = Path(__file__).resolve().parents[4] / "shared" / "cases" / "igor_itx" / "wave.itx"
    if not path.exists():
        pytest.skip("needs ../shared")
    (trace,) = read_recording(path).traces
    assert (trace.unit, trace.sampling_rate_hz, trace.n_samples) == ("V", 1e4, 20_000)
