"""Event tables of Mini Analysis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import read_mini_analysis

DATA = Path(__file__).resolve().parents[3] / "data"


def write(path: Path, *lines: str, encoding: str = "cp1251") -> Path:
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    return path


def test_onset_and_end_are_calculated_from_the_peak(tmp_path: Path) -> None:
    path = write(
        tmp_path / "run07.txt",
        "2\tTime (ms)\tAmplitude\tRise (ms)\tDecay (ms)\tArea",
        "1\t1\u00a0184,5\t106,8\u0412\u00a0\t1,5\t3,5\t12,0",
        "2\t2000,25 ms\t55,1\t2,25\t1e1\t9",
    )
    events = read_mini_analysis(path)
    assert events is not None
    np.testing.assert_allclose(events.peak_s, [1.1845, 2.00025])
    np.testing.assert_allclose(events.start_s, [1.183, 1.998])
    np.testing.assert_allclose(events.stop_s, [1.188, 2.01025])


def test_an_event_that_rides_on_another_ends_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.txt",
        "3\tTime (ms)\tRise (ms)\tDecay (ms)",
        "1\t108.0\t2\t4",  # not in order of time
        "2\t105.0\t1\t7",
        "3\t300.0\t1\t7",
    )
    events = read_mini_analysis(path)
    assert events is not None
    np.testing.assert_allclose(events.start_s, [0.104, 0.106, 0.299])
    np.testing.assert_allclose(events.stop_s, [0.106, 0.112, 0.307])


def test_without_rise_and_decay_only_the_peaks_are_known(tmp_path: Path) -> None:
    events = read_mini_analysis(write(tmp_path / "a.txt", "1\tTime (ms)\tAmplitude", "1\t12,5\t0,4"))
    assert events is not None
    np.testing.assert_allclose(events.peak_s, [0.0125])
    assert np.isnan(events.start_s).all()
    assert np.isnan(events.stop_s).all()


def test_the_table_of_the_example_recording_agrees_with_its_ground_truth() -> None:
    events = read_mini_analysis(DATA / "truth" / "mepps_events.txt")
    truth = np.genfromtxt(DATA / "truth" / "mepps.csv", delimiter=",", names=True)
    assert events is not None
    np.testing.assert_allclose(events.peak_s, truth["peak_time"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(events.start_s, truth["start_time"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(events.stop_s, truth["stop_time"], rtol=0, atol=1e-6)


def test_a_table_in_another_format_gives_none(tmp_path: Path) -> None:
    assert read_mini_analysis(write(tmp_path / "a.csv", "peak_time,amplitude", "1,2")) is None


def test_a_cell_that_is_not_a_number_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "1\tTime (ms)\tRise (ms)", "1\t12,5\t1", "2\tsoon\t1")
    with pytest.raises(ReadError, match=r"a.txt, line 3: expected a number under 'time .ms.', found 'soon'"):
        read_mini_analysis(path)
    with pytest.raises(ReadError, match=r"line 2: expected a number under 'rise .ms.', found ''"):
        read_mini_analysis(write(tmp_path / "b.txt", "1\tTime (ms)\tRise (ms)", "1\t12,5"))
