"""A clamp mode that is stated is checked before anything is written."""

from __future__ import annotations

import pytest

from builders.traces import int16_trace, recording_of
from nwb_mepp.core.errors import MetadataError
from nwb_mepp.nwb.clamp import CLAMP_UNITS, check_clamp, common_electrode
from nwb_mepp.nwb.metadata import Metadata


def test_an_unknown_clamp_mode_is_refused(full_metadata: Metadata) -> None:
    with pytest.raises(MetadataError, match=r"`clamp`: expected one of .*, izero, found 'sharp'"):
        check_clamp(recording_of(), clamp="sharp", metadata=full_metadata)


def test_a_clamp_mode_that_fits_no_channel_is_refused(full_metadata: Metadata) -> None:
    with pytest.raises(
        MetadataError, match="expected a channel in A because `clamp='voltage'` is stated, found Vm in V"
    ):
        check_clamp(recording_of(), clamp="voltage", metadata=full_metadata)


def test_a_clamp_mode_needs_an_electrode() -> None:
    with pytest.raises(MetadataError, match="expected a device and an electrode because `clamp` is given"):
        check_clamp(recording_of(), clamp="current", metadata=Metadata())


def test_without_clamp_mode_no_electrode_is_needed() -> None:
    check_clamp(recording_of(), clamp=None, metadata=Metadata())


def test_the_electrode_is_that_of_the_clamped_channels_if_all_have_the_same(full_metadata: Metadata) -> None:
    recording = recording_of(int16_trace(), int16_trace(channel="Im", unit="A"))
    assert common_electrode(recording, clamp="izero", metadata=full_metadata) == "electrode"
    assert common_electrode(recording, clamp=None, metadata=full_metadata) is None


def test_currents_are_clamped_in_voltage_clamp_alone() -> None:
    assert [mode for mode, unit in CLAMP_UNITS.items() if unit == "A"] == ["voltage"]
