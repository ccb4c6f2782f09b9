"""Metadata of a recording that a user states: one class for each section, one field for each key.

The fields are the only definition of the metadata file; its template, checks and reader
(:mod:`nwb_mepp.nwb.metadata_file`) are derived from them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

from nwb_mepp.core.errors import MetadataError
from nwb_mepp.nwb import metadata_checks as checks

__all__ = ["Device", "Electrode", "Metadata", "Section", "Session", "Subject"]

Check = Callable[[str], str | None]


def _text(help_text: str, example: str, *, check: Check | None = None, required: bool = False) -> Any:
    """Declare a key with one text."""
    key = {"help": help_text, "example": example, "check": check, "required": required}
    return field(metadata=key) if required else field(default=None, metadata=key)


def _texts(help_text: str, example: str) -> Any:
    """Declare a key with a list of texts."""
    return field(
        default=(), metadata={"help": help_text, "example": example, "check": None, "required": False}
    )


@dataclass(frozen=True)
class Section:
    """Base class of the sections; checks the value of every field.

    Raises
    ------
    MetadataError
        If a value does not have the form that its key requires.
    """

    def __post_init__(self) -> None:
        for key in fields(self):
            value = getattr(self, key.name)
            check = key.metadata["check"]
            texts = value if isinstance(value, tuple) else (value,)
            stated = [checks.check_text(one) for one in texts if isinstance(one, str)]
            complaint = next(filter(None, stated), None)
            if complaint is None and check and value is not None:
                complaint = check(value)
            if complaint:
                raise MetadataError(f"{type(self).__name__.lower()}.{key.name}: {complaint}.")

    @property
    def stated(self) -> dict[str, Any]:
        """The keys that have a value."""
        return {
            key.name: value for key in fields(self) if (value := getattr(self, key.name)) not in (None, ())
        }


@dataclass(frozen=True, kw_only=True)
class Session(Section):
    """The session and the experiment it belongs to."""

    session_id: str | None = _text(
        "Short identifier of the session, unique for the subject.",
        "2020-01-31-fiber-3",
        check=checks.check_identifier,
    )
    session_description: str | None = _text(
        "What was recorded.", "Spontaneous activity of one muscle fiber in normal Ringer."
    )
    experiment_description: str | None = _text(
        "What the experiment is about.", "MEPPs before and after a toxin."
    )
    experimenter: tuple[str, ...] = _texts("Who recorded, as 'Last name, First name'.", '"Last, First"')
    institution: str | None = _text("Institution.", "University of Example")
    lab: str | None = _text("Laboratory.", "Synapse group")
    keywords: tuple[str, ...] = _texts("Search terms for the recording.", "neuromuscular junction")
    related_publications: tuple[str, ...] = _texts("Publications, as DOI.", '"doi:10.1113/JP288183"')
    protocol: str | None = _text(
        "Identifier of the protocol, for example of the animal license.", "A-17/2019"
    )
    pharmacology: str | None = _text(
        "Drugs, with time and concentration.", "Tetrodotoxin 1 uM from the start"
    )
    surgery: str | None = _text("Dissection.", "Diaphragm with phrenic nerve, 15 min in cold Ringer")
    slices: str | None = _text("Preparation of slices.", "300 um, 32 degC for 30 min")
    stimulus_notes: str | None = _text("Stimulation, if any.", "none")
    data_collection: str | None = _text("How the data were acquired.", "Low-pass 2 kHz, sampled at 10 kHz")
    notes: str | None = _text("Anything else.", "Bath at 22 degC")


@dataclass(frozen=True, kw_only=True)
class Subject(Section):
    """The animal. Archives require subject_id, species, sex, and age or date_of_birth."""

    subject_id: str | None = _text("Identifier of the subject.", "mouse-12", check=checks.check_identifier)
    species: str | None = _text(
        "Latin binomial or NCBI taxonomy link.", "Mus musculus", check=checks.check_species
    )
    sex: str | None = _text("M (male), F (female), O (other) or U (unknown).", "F", check=checks.check_sex)
    age: str | None = _text("ISO 8601 duration; a range has a slash.", "P90D", check=checks.check_age)
    date_of_birth: str | None = _text("Instead of the age.", "2019-11-02", check=checks.check_date)
    strain: str | None = _text("Strain.", "C57BL/6J")
    genotype: str | None = _text("Genotype.", "wild type")
    weight: str | None = _text("Number and unit.", "0.025 kg", check=checks.check_weight)
    description: str | None = _text("Anything else.", "Housed in groups of four")


@dataclass(frozen=True, kw_only=True)
class Device(Section):
    """A piece of equipment."""

    name: str = _text("Name of the device.", "amplifier", check=checks.check_name, required=True)
    description: str | None = _text("What it is.", "Intracellular amplifier with x10 head stage")
    manufacturer: str | None = _text("Who made it.", "Axon Instruments")
    model_name: str | None = _text("Model.", "Axoclamp-2B")
    model_number: str | None = _text("Number of the model.", "2B")
    serial_number: str | None = _text("Serial number.", "1234")


@dataclass(frozen=True, kw_only=True)
class Electrode(Section):
    """An intracellular electrode."""

    name: str = _text("Name of the electrode.", "electrode", check=checks.check_name, required=True)
    device: str = _text(
        "Name of the device, listed above, that it is connected to.", "amplifier", required=True
    )
    description: str = _text("What it is.", "Sharp glass electrode, 3 M KCl", required=True)
    channels: tuple[str, ...] = _texts("Channels recorded with it; not needed for a single electrode.", "Vm")
    cell_id: str | None = _text("Identifier of the cell; nwbinspector asks for it.", "2020-01-31-fiber-3")
    location: str | None = _text("Muscle and place.", "Diaphragm, end-plate zone")
    slice: str | None = _text("Slice.", "none")
    resistance: str | None = _text("Resistance with unit.", "20 MOhm")
    seal: str | None = _text("Seal with unit.", "5 GOhm")
    filtering: str | None = _text("Filter.", "low-pass 2 kHz, 4-pole Bessel")
    initial_access_resistance: str | None = _text("Access resistance with unit.", "8 MOhm")


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Everything that the user states; absent values are not written.

    Raises
    ------
    MetadataError
        If two devices or electrodes share a name, or an electrode names an unknown device.
    """

    session: Session = field(default_factory=Session)
    subject: Subject = field(default_factory=Subject)
    devices: tuple[Device, ...] = ()
    electrodes: tuple[Electrode, ...] = ()

    def __post_init__(self) -> None:
        devices = [device.name for device in self.devices]
        for kind, names in (("device", devices), ("electrode", [one.name for one in self.electrodes])):
            repeated = sorted({name for name in names if names.count(name) > 1})
            if repeated:
                raise MetadataError(f"expected a unique name for each {kind}, found {repeated[0]!r} twice.")
        for electrode in self.electrodes:
            if electrode.device not in devices:
                raise MetadataError(
                    f"expected electrode {electrode.name!r} to name one of the devices {devices}, "
                    f"found {electrode.device!r}; add the device or correct the name."
                )

    def with_subject_id(self, subject_id: str, *, override: bool = False) -> Metadata:
        """Return the metadata with another subject identifier (``--subject``).

        Raises
        ------
        MetadataError
            If a different identifier is stated already: age, sex and the like would then belong to
            another animal. ``override`` permits it.

        Examples
        --------
        >>> Metadata().with_subject_id("mouse-12").subject.subject_id
        'mouse-12'
        """
        stated = self.subject.subject_id
        if stated not in (None, subject_id) and not override:
            raise MetadataError(
                f"expected one subject, found {stated!r} in the metadata and {subject_id!r} from `subject`; "
                "drop one of them or give `override=True`."
            )
        return dataclasses.replace(self, subject=dataclasses.replace(self.subject, subject_id=subject_id))

    def with_session_id(self, session_id: str) -> Metadata:
        """Return the metadata with another session identifier, which replaces that of the file.

        Raises
        ------
        MetadataError
            If it is not an identifier.

        Examples
        --------
        >>> Metadata().with_session_id("fiber-3").session.session_id
        'fiber-3'
        """
        return dataclasses.replace(self, session=dataclasses.replace(self.session, session_id=session_id))

    def electrode_of(self, channel: str) -> Electrode:
        """Return the electrode that recorded a channel.

        Raises
        ------
        MetadataError
            If none is stated, or if it is ambiguous.
        """
        if not self.electrodes:
            raise MetadataError(
                "expected a device and an electrode because `clamp` is given, found none in the metadata; "
                "fill in devices (name) and electrodes (name, device, description) of the `metadata` file "
                "('nwb-mepp metadata template' prints one)."
            )
        if len(self.electrodes) == 1 and not self.electrodes[0].channels:
            return self.electrodes[0]
        named = [electrode for electrode in self.electrodes if channel in electrode.channels]
        if len(named) != 1:
            raise MetadataError(
                f"expected channel {channel!r} in the 'channels' of exactly one electrode of the metadata, "
                f"found it in {len(named)} of {len(self.electrodes)}; list it under the one that recorded it."
            )
        return named[0]
