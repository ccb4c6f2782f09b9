from __future__ import annotations

import pytest

from nwb_mepp.core.errors import MetadataError
from nwb_mepp.nwb.metadata import Device, Electrode, Metadata, Session, Subject

AMPLIFIER = Device(name="amplifier")


def electrode(name: str = "electrode", *channels: str, device: str = "amplifier") -> Electrode:
    return Electrode(name=name, device=device, description="Sharp.", channels=channels)


def test_empty_metadata_states_nothing() -> None:
    assert Session().stated == {}
    assert Subject().stated == {}


@pytest.mark.parametrize("age", ["P90D", "P12W", "P3M", "P2Y", "P1Y2M", "PT36H", "P1.5M", "P8W/P10W", "P2Y/"])
def test_an_age_is_an_iso_duration_or_a_range(age: str) -> None:
    assert Subject(age=age).age == age


@pytest.mark.parametrize(
    ("age", "advice"),
    [
        ("3 months", "P3M"),
        ("90 days", "P90D"),
        ("12wk", "P12W"),
        ("2-year", "P2Y"),
        ("1.5 yrs", r"P1\.5Y"),
        ("adult", "P, a number and D, W, M or Y"),
        ("P", "P, a number"),
        ("/P2Y", "P, a number"),
        ("P2Y/old", "P, a number"),
    ],
)
def test_an_age_in_words_is_answered_with_what_to_write(age: str, advice: str) -> None:
    with pytest.raises(
        MetadataError, match=rf"subject\.age: expected an ISO 8601 duration .* found '{age}'; write {advice}"
    ):
        Subject(age=age)


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("sex", "male", r"expected M \(male\), F \(female\)"),
        ("species", "mouse", "expected a Latin binomial such as 'Mus musculus'"),
        ("species", "mus musculus", "expected a Latin binomial"),
        ("weight", "25", "expected a number and a unit"),
        ("date_of_birth", "1.2.2019", "expected a date like 2020-01-31"),
        ("subject_id", "12/3", "expected an identifier without slashes"),
    ],
)
def test_a_subject_that_archives_would_refuse_is_refused(key: str, value: str, complaint: str) -> None:
    with pytest.raises(MetadataError, match=rf"subject\.{key}: {complaint}.*found '{value}'"):
        Subject(**{key: value})


@pytest.mark.parametrize("species", ["Mus musculus", "http://purl.obolibrary.org/obo/NCBITaxon_10090"])
def test_a_species_is_a_binomial_or_a_link(species: str) -> None:
    assert Subject(species=species).species == species


@pytest.mark.parametrize("name", ["a/b", "a:b", ".."])
def test_a_device_name_must_fit_into_the_file(name: str) -> None:
    with pytest.raises(MetadataError, match=r"device\.name: expected a name without '/'"):
        Device(name=name)


def test_text_that_hdf5_cannot_store_is_refused() -> None:
    with pytest.raises(
        MetadataError, match=r"session\.session_id: expected text that can be stored, found '.x00"
    ):
        Session(session_id="\0\1")
    with pytest.raises(MetadataError, match=r"session\.keywords: expected text that can be stored"):
        Session(keywords=("neuromuscular", "junction\ud800"))


def test_an_electrode_must_name_a_device_that_is_there() -> None:
    with pytest.raises(
        MetadataError,
        match=r"expected electrode 'electrode' to name one of the devices \['amplifier'\], found 'rig'",
    ):
        Metadata(devices=(AMPLIFIER,), electrodes=(electrode(device="rig"),))


@pytest.mark.parametrize("kind", ["device", "electrode"])
def test_two_of_a_kind_need_two_names(kind: str) -> None:
    twice = {
        "device": {"devices": (AMPLIFIER, AMPLIFIER)},
        "electrode": {"devices": (AMPLIFIER,), "electrodes": (electrode("e"), electrode("e"))},
    }
    with pytest.raises(MetadataError, match=f"expected a unique name for each {kind}, found"):
        Metadata(**twice[kind])


def test_a_subject_identifier_can_be_added_to_what_a_laboratory_shares() -> None:
    shared = Metadata(subject=Subject(species="Rana temporaria"))
    assert shared.with_subject_id("frog-1").subject == Subject(species="Rana temporaria", subject_id="frog-1")


def test_another_subject_identifier_is_refused_unless_overridden() -> None:
    stated = Metadata(subject=Subject(subject_id="mouse-12", sex="F"))
    assert stated.with_subject_id("mouse-12") == stated
    with pytest.raises(MetadataError, match="found 'mouse-12' in the metadata and 'mouse-13' from `subject`"):
        stated.with_subject_id("mouse-13")
    assert stated.with_subject_id("mouse-13", override=True).subject.subject_id == "mouse-13"


def test_a_single_electrode_recorded_every_channel() -> None:
    only = electrode()
    assert Metadata(devices=(AMPLIFIER,), electrodes=(only,)).electrode_of("Vm") is only


def test_of_several_electrodes_the_one_that_lists_the_channel_is_meant() -> None:
    first, second = electrode("first", "V1"), electrode("second", "V2", "V3")
    metadata = Metadata(devices=(AMPLIFIER,), electrodes=(first, second))
    assert metadata.electrode_of("V3") is second


@pytest.mark.parametrize("channels", [((), ()), (("Vm",), ("Vm",)), (("other",), ())])
def test_an_electrode_that_is_not_clear_is_asked_for(channels: tuple[tuple[str, ...], ...]) -> None:
    electrodes = tuple(electrode(f"e{number}", *names) for number, names in enumerate(channels))
    metadata = Metadata(devices=(AMPLIFIER,), electrodes=electrodes)
    with pytest.raises(
        MetadataError, match="expected channel 'Vm' in the 'channels' of exactly one electrode"
    ):
        metadata.electrode_of("Vm")


def test_without_electrode_the_keys_to_fill_in_are_named() -> None:
    with pytest.raises(
        MetadataError, match=r"fill in devices \(name\) and electrodes \(name, device, description\)"
    ):
        Metadata().electrode_of("Vm")
