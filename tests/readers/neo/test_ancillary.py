"""Events, epochs and spikes from Neo's rawio interface and from its objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from builders.neo_objects import full_block, write_nix
from nwb_mepp.readers import ReadOptions, read_recording
from nwb_mepp.readers.neo.ancillary import ancillary_from_rawio, ancillary_from_segments


class Raw:
    """Stand-in for a rawio reader with one kind of events, one of epochs, two units and one sweep."""

    header = {  # noqa: RUF012 - as in Neo
        "event_channels": [{"name": "mark", "type": b"event"}, {"name": "mark", "type": b"epoch"}],
        "spike_channels": [
            {"name": "cell", "wf_sampling_rate": 0.0},
            {"name": "cell", "wf_sampling_rate": 2e4},
        ],
    }
    events = [{"site": "left", "__array_annotations__": {"code": np.array([7, 8])}}, {}]  # noqa: RUF012
    raw_annotations = {"blocks": [{"segments": [{"events": events, "spikes": []}]}]}  # noqa: RUF012

    def event_count(self, *_: int) -> int:
        return 2

    def get_event_timestamps(self, _block: int, _segment: int, index: int) -> Any:
        return np.array([100, 200]), (None, np.array([10, 20]))[index], np.array(["a", b"b"], dtype=object)

    def rescale_event_timestamp(self, ticks: Any, _dtype: str, _index: int) -> Any:
        return ticks / 1000.0

    rescale_epoch_duration = rescale_event_timestamp

    def spike_count(self, _block: int, _segment: int, index: int) -> int:
        return index

    def get_spike_timestamps(self, *_: int) -> Any:
        return np.array([4000])

    def rescale_spike_timestamp(self, ticks: Any, _dtype: str) -> Any:
        return np.asarray(ticks) / 20_000.0

    def segment_t_start(self, *_: int) -> float:
        return 0.0

    def segment_t_stop(self, *_: int) -> float:
        return 1.0


def test_the_rawio_interface_gives_times_in_seconds_labels_and_columns() -> None:
    found, notes = ancillary_from_rawio(Raw(), [(0, 0)])
    (events,), (epochs,) = found.events, found.epochs
    assert (events.name, epochs.name) == ("mark", "mark")  # in separate tables, so both can keep the name
    np.testing.assert_array_equal(events.times_s, [0.1, 0.2])
    assert events.labels == epochs.labels == ("a", "b")
    assert events.annotations == {"site": "left"}
    assert events.columns == {"code": ("7", "8")}
    np.testing.assert_array_equal(epochs.duration_s, [0.01, 0.02])
    assert [one.name for one in found.spikes] == ["cell", "cell #2"]
    assert [len(one.times_s) for one in found.spikes] == [0, 1]
    assert found.spikes[1].times_s == pytest.approx([0.2])
    assert found.spikes[1].resolution_s == pytest.approx(1 / 20_000)
    assert notes == ["Left out: the waveforms of the spikes."]


def test_the_objects_of_neo_give_the_same_kinds() -> None:
    segments = full_block().segments
    segments[0].events[0].annotate(by="M. L.")
    found, notes = ancillary_from_segments(segments)
    assert notes == []
    assert found.describe() == (
        "events (drug); epochs (artifact); spike trains (unit A); irregularly sampled signals (bath)"
    )
    assert [one.sweep for one in found.events] == [0, 1]
    np.testing.assert_allclose(found.events[1].times_s, [10.01, 10.15])
    assert found.events[0].annotations == {"by": "M. L."}
    np.testing.assert_allclose(found.epochs[0].duration_s, [0.03, 0.05])  # stated in milliseconds
    assert (found.spikes[1].start_s, found.spikes[1].stop_s) == (10.0, 10.2)


def test_the_resolution_of_spikes_is_that_of_their_sampling_or_of_their_numbers() -> None:
    def resolution(**stated: Any) -> float:
        train = neo.SpikeTrain([0.5, 200.0] * pq.s, t_stop=300 * pq.s, **stated)
        segment = neo.Segment()
        segment.spiketrains = [train]
        return ancillary_from_segments([segment])[0].spikes[0].resolution_s

    assert resolution(sampling_rate=25 * pq.kHz) == pytest.approx(40e-6)
    assert resolution() == 2.0**-45  # neighboring numbers between 128 and 256 differ by 2**(7 - 52)


def test_a_note_says_that_waveforms_of_spikes_are_left_out() -> None:
    segment = neo.Segment()
    waveforms = np.zeros((1, 1, 5)) * pq.mV
    segment.spiketrains = [neo.SpikeTrain([0.5] * pq.s, t_stop=1 * pq.s, waveforms=waveforms)]
    assert ancillary_from_segments([segment])[1] == ["Left out: the waveforms of the spikes."]


def test_an_irregular_signal_with_the_name_of_a_channel_is_renamed(tmp_path: Path) -> None:
    block = full_block(n_sweeps=1)
    block.segments[0].irregularlysampledsignals[0].name = "Im"
    recording = read_recording(write_nix(tmp_path / "run.nix", block))
    assert "Im" in recording.channels
    assert [one.name for one in recording.ancillary.irregular] == ["Im (irregular)"]


def test_an_option_may_name_an_irregular_signal(tmp_path: Path) -> None:
    path = write_nix(tmp_path / "run.nix", full_block(n_sweeps=1))
    recording = read_recording(path, options=ReadOptions(unit={"bath": "mV"}))
    assert [one.unit for one in recording.ancillary.irregular] == ["V"]


def test_annotations_of_block_segment_and_signal_are_kept(tmp_path: Path) -> None:
    block = full_block(n_sweeps=1)
    block.segments[0].annotate(drug="TTX", doses=[1, 2])
    block.segments[0].analogsignals[0].annotate(filter_hz=5000)
    recording = read_recording(write_nix(tmp_path / "run.nix", block))
    assert recording.annotations == {
        "block name": "fiber 3",
        "temperature": "22.5",
        "muscle": "diaphragm",
        "sweep 0, segment name": "sweep 0",
        "sweep 0, drug": "TTX",
        "signal Vm, filter_hz": "5000",
    }
    assert recording.notes == (
        "Annotations left out because they are not a text or a single number: sweep 0, doses.",
    )
