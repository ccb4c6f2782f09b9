"""What Neo holds besides signals comes back through :func:`nwb_mepp.read` as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest

import nwb_mepp
from builders.neo_objects import full_block, write_nix
from nwb_mepp.api.ancillary_objects import add_ancillary
from nwb_mepp.core.ancillary import AncillaryData, SpikeTimes


def seconds(times: Any) -> Any:
    return times.rescale("s").magnitude


def test_a_block_with_one_of_everything_is_read_back_as_it_was(tmp_path: Path) -> None:
    written = full_block()
    read = nwb_mepp.read(write_nix(tmp_path / "run.nix", written))
    assert len(read.segments) == 2
    for found, expected in zip(read.segments, written.segments, strict=True):
        for kind in ("events", "epochs", "spiketrains", "irregularlysampledsignals"):
            (one,), (other,) = getattr(found, kind), getattr(expected, kind)
            assert one.name == other.name
            np.testing.assert_allclose(seconds(one.times), seconds(other.times))
        assert list(found.events[0].labels) == list(expected.events[0].labels)
        assert list(found.epochs[0].labels) == list(expected.epochs[0].labels)
        np.testing.assert_allclose(seconds(found.epochs[0].durations), [0.03, 0.05])
        (bath,), (stated,) = found.irregularlysampledsignals, expected.irregularlysampledsignals
        assert bath.units == stated.units
        np.testing.assert_array_equal(bath.magnitude, stated.magnitude)
        assert float(found.spiketrains[0].t_stop) == pytest.approx(float(expected.spiketrains[0].t_stop))


def test_a_spike_outside_the_stretch_that_the_source_states_is_kept() -> None:
    spikes = SpikeTimes(
        name="a", sweep=0, times_s=np.array([0.5, 2.0]), start_s=1.0, stop_s=1.5, resolution_s=1e-4
    )
    segment = neo.Segment()
    add_ancillary(segment, AncillaryData(spikes=(spikes,)), sweep=0)
    (train,) = segment.spiketrains
    np.testing.assert_array_equal(seconds(train.times), [0.5, 2.0])
    assert (float(train.t_start), float(train.t_stop)) == (0.5, 2.0)
