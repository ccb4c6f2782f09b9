from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from builders.lab_files import TDT_RATE_HZ, samples, write_tdt
from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers import ReadOptions, read_recording
from nwb_mepp.readers.neo.tdt import _ENTRY, check, separate_file


def test_a_block_holds_what_was_written(tmp_path: Path) -> None:
    recording = read_recording(write_tdt(tmp_path, name="b1", n_chunks=3))
    assert recording.channels == ("Wave 1", "Wave 2")
    for channel, trace in enumerate(recording.traces, start=1):
        np.testing.assert_array_equal(trace.raw(), samples(channel, 3 * 256))
        assert trace.sampling_rate_hz == TDT_RATE_HZ


def test_a_file_without_all_the_data_of_the_index_is_refused(tmp_path: Path) -> None:
    path = write_tdt(tmp_path, name="b1", n_chunks=3)
    data = path.with_suffix(".tev")
    data.write_bytes(data.read_bytes()[:-1])
    # 3 chunks of 2 channels of 256 samples of 2 bytes.
    with pytest.raises(ReadError, match=r"b1\.tev is truncated: expected at least 3072 bytes .*, found 3071"):
        check(path, ReadOptions())


def write_separate(path: Path, *, store: bytes, channel: int, n_bytes: int) -> Path:
    """Write a file of one channel of a store: a header of 40 bytes and n_bytes of it in all."""
    file = path.with_name(f"{path.stem}_{store.decode()}_Ch{channel}.sev")
    file.write_bytes((bytes(8) + b"SEV\2" + store + bytes(24)).ljust(n_bytes, b"\1"))
    return file


def test_files_of_one_store_do_not_excuse_what_is_missing_of_another(tmp_path: Path) -> None:
    path = write_tdt(tmp_path, name="b1", n_chunks=3)
    data = path.with_suffix(".tev")
    data.write_bytes(data.read_bytes()[:-1])
    write_separate(path, store=b"Othr", channel=1, n_bytes=80)
    with pytest.raises(ReadError, match=r"b1\.tev is truncated: .* \(stores Wave\), found 3071"):
        read_recording(path)


def test_a_file_of_another_store_is_not_read_for_a_channel(tmp_path: Path) -> None:
    path = write_tdt(tmp_path, name="b1", n_chunks=3)
    write_separate(path, store=b"Othr", channel=1, n_bytes=80)
    recording = read_recording(path)
    np.testing.assert_array_equal(recording.traces[0].raw(), samples(1, 3 * 256))
    np.testing.assert_array_equal(recording.traces[1].raw(), samples(2, 3 * 256))


def test_a_file_of_its_own_is_named_after_its_store_or_names_none(tmp_path: Path) -> None:
    path = tmp_path / "b1.tsq"
    own = write_separate(path, store=b"Wav5", channel=1, n_bytes=80)
    assert separate_file(path, "Wav5", 1, stores=("EEG1", "Wav5")) == own
    assert separate_file(path, "EEG1", 1, stores=("EEG1", "Wav5")) is None
    assert separate_file(path, "Wav5", 2, stores=("EEG1", "Wav5")) is None
    (tmp_path / "b1_ch2.sev").write_bytes(bytes(80))
    assert separate_file(path, "Wav5", 2, stores=("Wav5",)) == tmp_path / "b1_ch2.sev"


def test_a_separate_file_that_is_too_short_is_refused(tmp_path: Path) -> None:
    path = write_tdt(tmp_path, name="b1", n_chunks=3)
    file = write_separate(path, store=b"Wave", channel=2, n_bytes=3071)
    # The second channel comes last: its chunk ends at 3 * 2 * 256 * 2 bytes.
    with pytest.raises(ReadError, match=rf"{file.name} is truncated: expected at least 3072 bytes"):
        read_recording(path)
    path.with_suffix(".tev").unlink()
    with pytest.raises(ReadError, match=r"is truncated"):
        read_recording(path)


def test_what_comes_before_the_end_can_be_salvaged(tmp_path: Path) -> None:
    path = write_tdt(tmp_path, name="b1", n_chunks=3)
    data = path.with_suffix(".tev")
    data.write_bytes(data.read_bytes()[:-1])  # within the last chunk of the second channel
    recording = read_recording(path, options=ReadOptions(salvage=True))
    for channel, trace in enumerate(recording.traces, start=1):
        np.testing.assert_array_equal(trace.raw(), samples(channel, 3 * 256)[: 2 * 256])
    assert any("Wave 512 of 768" in note for note in recording.notes)


def test_chunks_that_do_not_follow_one_another_are_sweeps(tmp_path: Path) -> None:
    path = write_tdt(tmp_path, name="b1", n_chunks=5)
    content = bytearray(path.read_bytes())
    for entry in range(2 + 2 * 3, 2 + 2 * 5):  # two chunks of both channels begin 1.5 s late
        (time_s,) = struct.unpack_from("<d", content, 40 * entry + 16)
        struct.pack_into("<d", content, 40 * entry + 16, time_s + 1.5)
    path.write_bytes(content)
    recording = read_recording(path)
    spans = [(trace.start_s, trace.n_samples) for trace in recording.sweeps("Wave 1")]
    assert spans == [(0.0, 768), (pytest.approx(768 / TDT_RATE_HZ + 1.5, abs=1e-6), 512)]
    np.testing.assert_array_equal(recording.sweeps("Wave 2")[1].raw(), samples(2, 5 * 256)[768:])
    assert any("1 gap (the longest lasts 1.5 s)" in note for note in recording.notes)


def test_the_block_says_when_it_began(tmp_path: Path) -> None:
    start = read_recording(write_tdt(tmp_path, name="b1")).session_start
    assert start == datetime.fromtimestamp(1_768_000_000, tz=UTC)


def test_stores_of_a_real_block_are_checked_one_by_one(shared_data: Path) -> None:
    folder = shared_data / "corpus" / "tdt" / "dataset_0_single_block"
    with pytest.raises(
        ReadError, match=r"at least 4628560 bytes .* \(stores EEG1, EEG2, Wav6\), found 3703232"
    ):
        read_recording(folder)
    recording = read_recording(folder, options=ReadOptions(salvage=True))
    data = np.fromfile(next(folder.glob("*.tev")), dtype="<f4")
    index = np.fromfile(next(folder.glob("*.tsq")), dtype=_ENTRY)
    assert len(recording.channels) == 256 + 96 + 100
    for trace in recording.traces[::40]:
        store, channel = trace.channel.split()
        own = index[(index["store"] == store.encode()) & (index["channel"] == int(channel))]
        chunks = [data[at // 4 : at // 4 + 256] for at in own["offset"][:8]]
        np.testing.assert_array_equal(trace.raw(), np.concatenate(chunks))


def test_an_index_without_data_needs_no_data_file(tmp_path: Path) -> None:
    path = write_tdt(tmp_path, name="b1", n_chunks=0)
    check(path, ReadOptions())
