"""The parts of the file that describe the session: subject, devices, electrodes, provenance."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time

from hdmf.common import DynamicTable, VectorData
from pynwb import NWBFile
from pynwb.device import Device, DeviceModel
from pynwb.file import Subject

from nwb_mepp.core.errors import MetadataError
from nwb_mepp.core.provenance import describe_settings
from nwb_mepp.core.recording import Recording, SourceFile
from nwb_mepp.core.version import __version__
from nwb_mepp.nwb import metadata as metadata_sections
from nwb_mepp.nwb.metadata import Metadata
from nwb_mepp.nwb.names import safe_name

__all__ = [
    "SOURCE_COLUMNS",
    "SOURCE_TABLE",
    "add_equipment",
    "describe_source",
    "make_file",
    "source_row",
    "source_table",
    "storable",
]

SOURCE_TABLE = "source_files"
SOURCE_COLUMNS = {
    "file_name": "Name of the file that was converted, without folder.",
    "sha256": "SHA-256 of that file (of its parts in sorted order).",
    "reader": "Reader that opened it.",
    "reader_version": "Version of the package behind the reader.",
    "package_version": "Version of nwb-mepp.",
    "settings": "What the user stated because the file does not say it or is wrong, as 'name=value' "
    "separated by '; '.",
    "fingerprint": "SHA-256 of input and settings, to recognize a rerun; followed by 'and detect' if MEPPs "
    "were written to the file since.",
}


def make_file(
    recording: Recording, *, session_start: datetime, metadata: Metadata, fingerprint: str
) -> NWBFile:
    """Return an NWB file in memory with session and subject but no data yet.

    The identifier is derived from source, session start and fingerprint: converting again gives the same one.
    """
    source, stated = recording.source, metadata.session.stated
    name = storable(source.name)
    stated.setdefault("session_description", f"Recording {name}, converted with nwb-mepp {__version__}.")
    notes = [stated.pop("notes", ""), *_annotations(recording), *recording.notes]
    identity = "\n".join((name, source.sha256, session_start.isoformat(), fingerprint))
    return NWBFile(
        identifier=str(uuid.uuid5(uuid.NAMESPACE_OID, identity)),
        session_start_time=session_start,
        subject=_subject(metadata, session_start),
        notes=storable("\n".join(filter(None, notes))) or None,
        was_generated_by=[["nwb-mepp", __version__]],
        **stated,
    )


def storable(text: str) -> str:
    r"""Return a text that HDF5 can store; headers are padded with zeros, file names need not be Unicode.

    Examples
    --------
    >>> storable("gap-free\x00\x00"), storable("fiber\udcff.abf")
    ('gap-free', 'fiber\\udcff.abf')
    """
    return text.replace("\x00", "").encode("utf-8", "backslashreplace").decode("utf-8")


def _annotations(recording: Recording) -> list[str]:
    """Return what else the source says, for the notes."""
    return [f"{name}: {text}" for name, text in recording.annotations.items() if text]


def _subject(metadata: Metadata, session_start: datetime) -> Subject | None:
    stated = metadata.subject.stated
    if not stated:
        return None
    if "date_of_birth" in stated:
        # NWB wants a time of day: midnight in the time zone of the recording.
        day = date.fromisoformat(stated["date_of_birth"])
        stated["date_of_birth"] = datetime.combine(day, time(), tzinfo=session_start.tzinfo)
        if stated["date_of_birth"] > session_start:
            raise MetadataError(
                f"expected a subject born before the session, found date_of_birth {day} and a session start "
                f"of {session_start.isoformat()}; correct the one that is wrong."
            )
    return Subject(**stated)


def add_equipment(file: NWBFile, *, metadata: Metadata) -> None:
    """Add the devices and electrodes that the metadata states."""
    for device in metadata.devices:
        file.add_device(
            Device(
                name=device.name,
                description=device.description,
                serial_number=device.serial_number,
                model=_model(file, device),
            )
        )
    for electrode in metadata.electrodes:
        stated = electrode.stated
        stated.pop("channels", None)
        stated["device"] = file.devices[electrode.device]
        file.create_icephys_electrode(**stated)


def _model(file: NWBFile, device: metadata_sections.Device) -> DeviceModel | None:
    """Return the model of a device if anything about it is stated; devices may share one."""
    if not (device.manufacturer or device.model_name or device.model_number):
        return None
    name = safe_name(device.model_name or f"{device.name} model")
    if name not in file.device_models:
        model = DeviceModel(
            name=name,
            description=f"Model of {device.name}.",
            manufacturer=device.manufacturer or "not stated",
            model_number=device.model_number,
        )
        file.add_device_model(model)
    return file.device_models[name]


def describe_source(source: SourceFile) -> str:
    """Return a sentence about how the samples were read, for the description of a series."""
    settings = f" with {describe_settings(source.settings)}" if source.settings else ""
    sentence = f"Read from {source.name} by reader {source.reader} ({source.reader_version}){settings}."
    return storable(sentence)


def source_row(source: SourceFile, *, fingerprint: str) -> dict[str, str]:
    """Return the row that says where a recording came from and how it was read."""
    row = {
        "file_name": source.name,
        "sha256": source.sha256,
        "reader": source.reader,
        "reader_version": source.reader_version,
        "package_version": __version__,
        "settings": describe_settings(source.settings),
        "fingerprint": fingerprint,
    }
    return {name: storable(text) for name, text in row.items()}


def source_table(source: SourceFile, *, fingerprint: str) -> DynamicTable:
    """Return the table of sources with one row."""
    row = source_row(source, fingerprint=fingerprint)
    return DynamicTable(
        name=SOURCE_TABLE,
        description="The file that was converted, and how it was read.",
        columns=[
            VectorData(name=name, description=description, data=[row[name]])
            for name, description in SOURCE_COLUMNS.items()
        ],
        colnames=list(SOURCE_COLUMNS),
    )
