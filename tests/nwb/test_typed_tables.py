from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import ndx_mepp
import numpy as np
import pytest
from ndx_mepp import MEPPDetector, MEPPQuantity, MEPPSummary, MEPPTable
from ndx_mepp.testing.mock import mock_MEPPDetector
from pynwb import NWBHDF5IO, get_type_map

from builders.nwb_files import objects
from builders.tables import mepps_on, result_of
from builders.traces import int16_trace, recording_of
from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.core.schema import SummaryColumns
from nwb_mepp.nwb import read_results, typed_tables, write_nwb
from nwb_mepp.nwb.typed_tables import DETECTOR_NAMES, add_types, forget_types, remove_types

Results = Callable[..., list[ChannelResult]]


def spec_of(type_name: str) -> Any:
    return get_type_map().namespace_catalog.get_spec("ndx-mepp", type_name)


def test_the_installed_extension_states_units_and_types_of_the_columns() -> None:
    def column(type_name: str, name: str) -> tuple[str, str, object, str]:
        one = next(one for one in spec_of(type_name).datasets if one.name == name)
        unit = one.get_attribute("unit")
        return one.data_type_inc, one.dtype, one.quantity, unit.doc if unit else ""

    assert column("MEPPTable", "area") == ("MEPPQuantity", "float64", 1, "Unit: (V or A) s.")
    assert column("MEPPTable", "overlapped") == ("VectorData", "bool", 1, "")
    assert column("MEPPTable", "status") == ("VectorData", "text", "?", "")
    assert column("MEPPSummary", "baseline_drift") == (
        "MEPPQuantity",
        "float64",
        1,
        "Unit: amplitude_unit/s.",
    )
    assert column("MEPPSummary", "n_mepps") == ("VectorData", "int64", 1, "")


def test_a_detector_states_what_its_summary_row_states() -> None:
    meanings = {column.name: column.description for column in SummaryColumns.columns()}
    spec = spec_of("MEPPDetector")
    own = {one.name: one.doc for one in spec.attributes if not spec.is_inherited_spec(one)}
    assert own == {name: meanings[name] for name in DETECTOR_NAMES}


@pytest.fixture(scope="module")
def results() -> Results:
    """Two detectors on a channel in volts, one of which found nothing, and one on a channel in amperes."""

    def make() -> list[ChannelResult]:
        voltage = mepps_on([int16_trace("Vm")], [(0, 10), (0, 500), (0, 900)])
        current = mepps_on([int16_trace("Im", unit="A")], [(0, 40)])
        return [
            result_of(voltage, "miniunet", weights_sha256="a" * 64, package_version="0.1.0"),
            result_of(Mepps.empty("Vm", "V"), "template", threshold=4.0, polarity="negative"),
            result_of(current, "miniunet"),
        ]

    return make


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory, results: Results, session_start: Any
) -> dict[bool, bytes]:
    """A file of plain tables, and one of those of the extension."""
    files = {}
    for extension in (False, True):
        path = tmp_path_factory.mktemp("written") / "a.nwb"
        write_nwb(
            recording_of(int16_trace("Vm"), int16_trace("Im", unit="A")),
            path,
            session_start=session_start,
            results=results(),
            fingerprint="f",
            extension=extension,
        )
        files[extension] = path.read_bytes()
    return files


@pytest.fixture
def write(folder: Path, written: dict[bool, bytes]) -> Callable[..., Path]:
    def make(name: str = "a.nwb", *, extension: bool = False) -> Path:
        (folder / name).write_bytes(written[extension])
        return folder / name

    return make


def test_typed_tables_are_objects_of_the_extension(write: Callable[..., Path]) -> None:
    with NWBHDF5IO(write(extension=True), "r") as io:
        file = io.read()
        table, other = file.intervals["mepps_miniunet_Vm"], file.intervals["mepps_miniunet_Im"]
        assert type(table) is MEPPTable
        units = {name: table[name].unit for name in table.colnames if isinstance(table[name], MEPPQuantity)}
        seconds = dict.fromkeys(("peak_time", "rise_10_90", "half_width", "decay_tau"), "s")
        assert units.items() >= {"amplitude": "V", "baseline": "V", "area": "V s", **seconds}.items()
        assert not units.keys() & {"start_time", "stop_time", "probability", "overlapped", "anomaly"}
        assert (other["amplitude"].unit, other["area"].unit) == ("A", "A s")
        icephys = file.processing["icephys"]
        assert type(icephys["mepp_detections"]) is MEPPSummary
        assert icephys["mepp_detections"]["baseline_drift"].unit == "amplitude_unit/s"
        assert type(table.detector) is MEPPDetector
        assert table.detector is icephys["mepp_detector_miniunet_Vm"]
        assert (table.detector.weights_sha256, table.detector.threshold) == ("a" * 64, 0.5)
        assert table.detector.settings == "block_s=60.0; exclude=1:2"
        # One that found nothing has no table, and is stated all the same.
        assert "mepps_template_Vm" not in file.intervals
        assert icephys["mepp_detector_template_Vm"].polarity == "negative"
        assert icephys["mepp_detector_template_Vm"].package_version is None


def test_both_kinds_hold_the_same_and_read_alike(write: Callable[..., Path]) -> None:
    plain, typed = write("plain.nwb"), write("typed.nwb", extension=True)
    assert repr(read_results(plain)) != "[]"
    for one, other in zip(read_results(plain), read_results(typed), strict=True):
        assert repr(one.summary) == repr(other.summary)
        for name in Mepps.array_names():
            np.testing.assert_array_equal(getattr(one.mepps, name), getattr(other.mepps, name))


def test_a_typed_table_is_what_pynwb_writes_of_the_class(write: Callable[..., Path], folder: Path) -> None:
    path = write(extension=True)
    with NWBHDF5IO(path, "r") as source, NWBHDF5IO(folder / "exported.nwb", "w") as target:
        target.export(source, source.read())

    def kinds(place: Path) -> dict[str, Any]:
        """Attributes of everything that is of the extension, and the links."""
        return {
            name: (sorted(found[0].items()), found[1] if len(found) == 2 else None)
            for name, found in objects(place).items()
            if name.startswith(("intervals/mepps", "processing/icephys/mepp_"))
        }

    assert kinds(path) == kinds(folder / "exported.nwb")


def test_plain_tables_come_back_as_they_were(write: Callable[..., Path]) -> None:
    path = write()
    before = objects(path)
    assert add_types(path).tables == ("mepps_miniunet_Im", "mepps_miniunet_Vm", "mepp_detections")
    typed = objects(path)
    assert typed["intervals/mepps_miniunet_Vm"][1] == {
        "detector": "/processing/icephys/mepp_detector_miniunet_Vm"
    }
    # What was there is there, with the same numbers, in the same layout.
    assert all(typed[name][1:] == found[1:] for name, found in before.items() if len(found) == 4)
    assert set(remove_types(path).tables) == {"mepps_miniunet_Im", "mepps_miniunet_Vm", "mepp_detections"}
    assert objects(path) == before


def test_changing_the_kind_twice_changes_nothing_more(write: Callable[..., Path]) -> None:
    path = write(extension=True)
    before = objects(path)
    assert add_types(path).tables == ()
    assert objects(path) == before
    remove_types(path)
    before = objects(path)
    assert remove_types(path).tables == ()
    assert objects(path) == before


def test_a_plain_file_knows_nothing_of_the_extension_although_it_was_imported(
    write: Callable[..., Path],
) -> None:
    assert ndx_mepp.NAMESPACE in get_type_map().namespace_catalog.namespaces
    assert [name for name, found in objects(write()).items() if "ndx-mepp" in f"{name} {found}"] == []


def test_forgetting_is_for_files_that_know(write: Callable[..., Path]) -> None:
    path = write()
    with NWBHDF5IO(path, "r+") as io:
        io.write(io.read())
    with h5py.File(path, "r+") as handle:
        assert "ndx-mepp" in handle["specifications"]
        forget_types(handle)
        forget_types(handle)
        assert "ndx-mepp" not in handle["specifications"]


def change_column(path: Path, name: str, change: Callable[[h5py.Group], None]) -> None:
    with h5py.File(path, "r+") as handle:
        change(handle[f"intervals/{name}"])


def drop_anomaly(table: h5py.Group) -> None:
    del table["anomaly"]
    table.attrs["colnames"] = [name for name in table.attrs["colnames"] if name != "anomaly"]


def shorten_area(table: h5py.Group) -> None:
    attributes = dict(table["area"].attrs)
    short = table["area"][:].astype(np.float32)
    del table["area"]
    table["area"] = short
    table["area"].attrs.update(attributes)


def silence_amplitude(table: h5py.Group) -> None:
    table["amplitude"].attrs["description"] = "Size, in millivolts."


def count_in_percent(table: h5py.Group) -> None:
    table["probability"].attrs["description"] = "That it is one. Unit: percent."


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            count_in_percent,
            "the description of its column 'probability', which has no unit, states one",
        ),
        (drop_anomaly, "it has no column 'anomaly'"),
        (shorten_area, "its column 'area' holds float32, not float64"),
        (
            silence_amplitude,
            "the description of its column 'amplitude' does not end in 'Unit: V.' or 'Unit: A.'",
        ),
    ],
)
def test_what_the_extension_does_not_allow_stays_plain(
    write: Callable[..., Path], change: Callable[[h5py.Group], None], reason: str
) -> None:
    path = write()
    change_column(path, "mepps_miniunet_Vm", change)
    done = add_types(path)
    assert done.tables == ("mepps_miniunet_Im", "mepp_detections")
    assert done.notes == (f"Table 'mepps_miniunet_Vm' stays plain: {reason}.",)
    assert objects(path)["intervals/mepps_miniunet_Vm"][0]["neurodata_type"] == "'TimeIntervals'"


def test_a_type_of_another_extension_stays_what_it_is(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write()
    with h5py.File(path, "r+") as handle:
        handle["intervals/mepps_miniunet_Vm"].attrs["neurodata_type"] = "Sparks"
    # pynwb does not read a type that nobody specifies.
    monkeypatch.setattr(typed_tables, "read_rows", lambda _: {})
    done = add_types(path)
    assert done.notes == (
        "Table 'mepps_miniunet_Vm' stays plain: it is a Sparks, not a plain TimeIntervals.",
    )


def test_a_unit_that_only_the_attribute_states_moves_into_the_description(
    write: Callable[..., Path],
) -> None:
    path = write(extension=True)
    change_column(path, "mepps_miniunet_Vm", silence_amplitude)
    remove_types(path)
    with h5py.File(path) as handle:
        column = handle["intervals/mepps_miniunet_Vm/amplitude"]
        assert column.attrs["description"] == "Size, in millivolts. Unit: V."
        assert "unit" not in column.attrs


def test_a_detector_that_the_summary_does_not_repeat_is_not_dropped(write: Callable[..., Path]) -> None:
    path = write(extension=True)
    with NWBHDF5IO(path, "r+") as io:
        file = io.read()
        mock_MEPPDetector(name="by another program", threshold=math.pi, nwbfile=file)
        io.write(file)
    wanted = "no row of .*mepp_detections says the same as .*/by another program, which would be lost"
    with pytest.raises(OutputError, match=wanted):
        remove_types(path)
