from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import h5py
import pytest
from pynwb import NWBFile

from builders.traces import recording_of
from nwb_mepp.core.recording import SourceFile
from nwb_mepp.nwb import write_nwb
from nwb_mepp.nwb.header import add_equipment, describe_source, make_file, source_table
from nwb_mepp.nwb.metadata import Device, Electrode, Metadata, Session, Subject

SOURCE = SourceFile(
    name="fiber.abf",
    sha256="ab",
    reader="axon",
    reader_version="neo 0.14.6",
    settings={"unit": "mA", "gain": "10"},
)


@pytest.fixture
def header(session_start: datetime) -> Callable[..., NWBFile]:
    def make(metadata: Metadata | None = None, fingerprint: str = "", **stated: Any) -> NWBFile:
        return make_file(
            recording_of(**stated),
            session_start=session_start,
            metadata=metadata or Metadata(),
            fingerprint=fingerprint,
        )

    return make


def test_the_identifier_is_the_same_for_the_same_and_another_for_another(
    header: Callable[..., NWBFile],
) -> None:
    first = header(fingerprint="a").identifier
    assert header(fingerprint="a").identifier == first
    assert header(fingerprint="b").identifier != first
    assert header(fingerprint="a", source=SOURCE).identifier != first


def test_without_metadata_only_the_conversion_itself_is_described(header: Callable[..., NWBFile]) -> None:
    file = header()
    assert file.session_description.startswith("Recording fiber.abf, converted with nwb-mepp ")
    assert (file.subject, file.notes, file.session_id, file.experimenter) == (None, None, None, None)
    assert dict(file.was_generated_by)["nwb-mepp"]


def test_the_session_is_written_as_stated(header: Callable[..., NWBFile]) -> None:
    session = Session(
        session_id="s", session_description="d", keywords=("k", "l"), pharmacology="TTX", notes="n"
    )
    file = header(
        Metadata(session=session), annotations={"protocol": "gap-free", "empty": ""}, notes=("Left out.",)
    )
    assert (file.session_id, file.session_description, file.pharmacology) == ("s", "d", "TTX")
    assert tuple(file.keywords) == ("k", "l")
    assert file.notes == "n\nprotocol: gap-free\nLeft out."


def test_a_day_of_birth_is_midnight_where_the_recording_was_made() -> None:
    zone = ZoneInfo("Europe/Berlin")
    file = make_file(
        recording_of(),
        session_start=datetime(2020, 7, 1, 12, tzinfo=zone),
        metadata=Metadata(subject=Subject(date_of_birth="2020-01-31")),
        fingerprint="",
    )
    assert file.subject.date_of_birth.isoformat() == "2020-01-31T00:00:00+01:00"


def test_devices_may_share_a_model(header: Callable[..., NWBFile]) -> None:
    devices = (
        Device(name="left", manufacturer="Axon", model_name="200/B"),
        Device(name="right", manufacturer="Axon", model_name="200/B"),
        Device(name="digitizer", model_number="1322A"),
        Device(name="table"),
    )
    file = header(Metadata(devices=devices))
    add_equipment(file, metadata=Metadata(devices=devices))
    assert file.devices["left"].model is file.devices["right"].model
    assert file.devices["left"].model.name == "200_B"
    assert file.devices["digitizer"].model.manufacturer == "not stated"
    assert file.devices["table"].model is None


def test_an_electrode_is_written_with_its_device(header: Callable[..., NWBFile]) -> None:
    metadata = Metadata(
        devices=(Device(name="amplifier"),),
        electrodes=(
            Electrode(name="e", device="amplifier", description="Sharp.", cell_id="c", channels=("Vm",)),
        ),
    )
    file = header(metadata)
    add_equipment(file, metadata=metadata)
    electrode = file.icephys_electrodes["e"]
    assert (electrode.device.name, electrode.description, electrode.cell_id) == ("amplifier", "Sharp.", "c")


def test_overrides_are_part_of_the_description_of_the_source() -> None:
    assert describe_source(SOURCE) == "Read from fiber.abf by reader axon (neo 0.14.6) with gain=10; unit=mA."


def test_what_hdf5_cannot_store_is_spelled_out(folder: Path, session_start: datetime) -> None:
    # A file named in an old code page, and a comment padded with zeros.
    source = replace(SOURCE, name="fiber\udcff.abf")
    recording = recording_of(source=source, annotations={"comment": "warm\x00\x00"})
    write_nwb(recording, folder / "a.nwb", session_start=session_start)
    with h5py.File(folder / "a.nwb") as file:
        assert file["general/notes"].asstr()[()] == "comment: warm"
        assert file["processing/icephys/source_files/file_name"].asstr()[0] == "fiber\\udcff.abf"


def test_the_source_table_has_one_row() -> None:
    table = source_table(SOURCE, fingerprint="f")
    assert len(table) == 1
    assert table["file_name"][0] == "fiber.abf"
    assert table["settings"][0] == "gain=10; unit=mA"
    assert table["fingerprint"][0] == "f"
