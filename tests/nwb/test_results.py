from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of
from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.nwb import read_events, read_results, write_nwb

ONSETS = [(0, 30), (0, 700), (2, 0), (2, 1_900)]


@pytest.fixture(scope="module")
def results() -> list[ChannelResult]:
    first = [int16_trace("I/V", sweep=sweep) for sweep in range(3)]
    second = [int16_trace("Im", sweep=sweep, unit="A") for sweep in range(3)]
    return [
        result_of(mepps_on(first, ONSETS), "miniunet"),
        result_of(mepps_on(second, ONSETS[1:3]), "miniunet"),
        result_of(Mepps.empty("Im", "A"), "autoencoder"),
    ]


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory, session_start: datetime, results: list[ChannelResult]
) -> Iterator[Path]:
    traces = [int16_trace("I/V", sweep=sweep) for sweep in range(3)]
    traces += [int16_trace("Im", sweep=sweep, unit="A") for sweep in range(3)]
    path = tmp_path_factory.mktemp("events") / "a.nwb"
    write_nwb(recording_of(*traces), path, session_start=session_start, results=results)
    before = path.read_bytes()
    yield path
    assert path.read_bytes() == before, "reading changed the file"


@pytest.fixture
def changeable(written: Path, folder: Path) -> Path:
    path = folder / "b.nwb"
    path.write_bytes(written.read_bytes())
    return path


def test_results_come_back_as_they_were(written: Path, results: list[ChannelResult]) -> None:
    back = read_results(written)
    assert [one.detector for one in back] == ["miniunet", "miniunet", "autoencoder"]
    for one, expected in zip(back, results, strict=True):
        assert repr(one.summary) == repr(expected.summary)
        assert (one.mepps.channel, one.mepps.unit) == (expected.mepps.channel, expected.mepps.unit)
        for name in Mepps.array_names():
            found, wanted = getattr(one.mepps, name), getattr(expected.mepps, name)
            assert found.dtype == wanted.dtype, name
            np.testing.assert_array_equal(found, wanted, err_msg=name)


def test_events_are_listed_with_the_series_they_lie_in(written: Path) -> None:
    tables = read_events(written)
    assert [(table.name, table.detector, table.mepps.channel) for table in tables] == [
        ("mepps_miniunet_I_V", "miniunet", "I/V"),
        ("mepps_miniunet_Im", "miniunet", "Im"),
    ]
    assert tables[0].series == ("I_V_sweep_000", "I_V_sweep_000", "I_V_sweep_002", "I_V_sweep_002")


def test_one_table_can_be_asked_for(written: Path) -> None:
    (table,) = read_events(written, table="mepps_miniunet_Im")
    assert (table.detector, len(table.mepps)) == ("miniunet", 2)


def test_a_detector_that_found_nothing_has_no_events(written: Path) -> None:
    assert read_events(written, table="mepps_autoencoder_Im") == []


def test_an_unknown_table_is_answered_with_those_that_are_there(written: Path) -> None:
    with pytest.raises(
        ReadError, match=r"expected table 'x' in .*, found mepps_miniunet_I_V, mepps_miniunet_Im;"
    ):
        read_events(written, table="x")


def test_a_file_without_results_has_none(folder: Path, session_start: datetime) -> None:
    write_nwb(recording_of(), folder / "a.nwb", session_start=session_start)
    assert read_results(folder / "a.nwb") == []
    assert read_events(folder / "a.nwb") == []
    with pytest.raises(ReadError, match=r"expected table 'x' in .*, found no table of MEPPs"):
        read_events(folder / "a.nwb", table="x")


def test_a_table_of_a_person_can_be_listed(changeable: Path) -> None:
    with h5py.File(changeable, "r+") as file:
        file.move("intervals/mepps_miniunet_Im", "intervals/mepps_curated")
    (table,) = read_events(changeable, table="mepps_curated")
    assert (table.detector, table.mepps.channel, len(table.mepps)) == ("", "Im", 2)


def test_a_table_that_is_gone_is_noticed(changeable: Path) -> None:
    with h5py.File(changeable, "r+") as file:
        del file["intervals/mepps_miniunet_Im"]
    with pytest.raises(
        ReadError,
        match=rf"^{re.escape(str(changeable))}: expected 2 MEPPs in table 'mepps_miniunet_Im' as the summary "
        "says, found 0",
    ):
        read_results(changeable)


def test_a_table_of_another_channel_is_noticed(changeable: Path) -> None:
    with h5py.File(changeable, "r+") as file:
        file.move("intervals/mepps_miniunet_I_V", "intervals/x")
        file.move("intervals/mepps_miniunet_Im", "intervals/mepps_miniunet_I_V")
    with pytest.raises(
        ReadError, match=r"expected table 'mepps_miniunet_I_V' to lie on channel 'I/V', found \['Im'\]"
    ):
        read_results(changeable)


def test_a_channel_that_is_gone_is_noticed(changeable: Path) -> None:
    with h5py.File(changeable, "r+") as file:
        for sweep in range(3):
            file[f"acquisition/Im_sweep_00{sweep}"].attrs["comments"] = "no comments"
            file.move(f"acquisition/Im_sweep_00{sweep}", f"acquisition/renamed_{sweep}")
    with pytest.raises(ReadError, match=r"expected channel 'Im' of the summary in .*found \['I/V'"):
        read_results(changeable)


BACK_COMPAT = Path(__file__).resolve().parents[2] / "extensions" / "ndx-mepp" / "back_compat"


@pytest.mark.parametrize("path", sorted(BACK_COMPAT.glob("*.nwb")), ids=lambda path: path.name)
def test_a_file_of_an_earlier_version_of_the_extension_stays_readable(path: Path) -> None:
    # What that version found in the first 2 s of data/simulated.abf.
    start_s, amplitude = {
        "0.2.0.nwb": (
            [0.1835, 0.4484, 1.4625],
            [0.0008272446153846091, 0.00067820461538462, 0.0006873507692307379],
        ),
        "0.3.0.nwb": (
            [0.1833, 0.4482, 1.4623],
            [0.00081655040169211, 0.000709991380806814, 0.0006198415739941889],
        ),
    }[path.name]
    miniunet, template = read_results(path)
    assert miniunet.mepps.start_s.tolist() == start_s
    assert miniunet.mepps.amplitude.tolist() == amplitude
    assert (miniunet.summary.analyzed_s, miniunet.summary.threshold) == (2.0, 0.35)
    assert (template.detector, len(template.mepps)) == ("template", 0)
