"""Sample sources that leave the samples in the file."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import neo
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.readers import read_recording
from nwb_mepp.readers.neo.lazy import read_lazily
from nwb_mepp.readers.output_suppression import suppress_output
from nwb_mepp.readers.sample_sources import MappedSource, NeoSource, SliceSource


@settings(max_examples=40)
@given(
    n_samples=st.integers(1, 200),
    n_channels=st.integers(1, 4),
    first_byte=st.integers(0, 5000),
    dtype=st.sampled_from(["<i2", ">i2", "<i4", "<f4", "<u2"]),
    data=st.data(),
)
def test_any_slice_of_any_column_can_be_read(
    n_samples: int,
    n_channels: int,
    first_byte: int,
    dtype: str,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    table = np.random.default_rng(0).integers(0, 30_000, (n_samples, n_channels)).astype(dtype)
    path = tmp_path_factory.mktemp("source") / "data"
    path.write_bytes(bytes(first_byte) + table.tobytes())
    column = data.draw(st.integers(0, n_channels - 1))
    start = data.draw(st.integers(0, n_samples))
    stop = data.draw(st.integers(start, n_samples))
    source = MappedSource(path, dtype=dtype, shape=table.shape, first_byte=first_byte, column=column)
    assert len(source) == n_samples
    assert source.dtype.isnative
    np.testing.assert_array_equal(source.read(start, stop), table[start:stop, column])


def test_a_file_too_short_for_its_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(99))
    with pytest.raises(
        ReadError, match="is truncated: expected at least 100 bytes according to its header, found 99"
    ):
        MappedSource(path, dtype="<i2", shape=(25, 2), first_byte=0, column=0)


def test_memory_map_and_neo_give_the_same_samples(shared_data: Path) -> None:
    path = shared_data / "formats" / "File_winwcp_1.wcp"
    reader = neo.io.WinWcpIO(str(path))
    mapped = read_lazily(reader, path).traces
    del reader._stream_buffer_slice  # as if a later version of Neo had renamed it
    asked = read_lazily(neo.io.WinWcpIO(str(path)), path).traces
    assert {type(trace.source) for trace in mapped} == {MappedSource}
    for one, other in zip(mapped, asked, strict=True):
        np.testing.assert_array_equal(one.source.read(100, 200), other.source.read(100, 200))


class TestNeoSource:
    """Reading in blocks through Neo."""

    class Reader:
        """Stand-in for a rawio reader of a file with 20 samples."""

        def __init__(self, n_available: int = 20) -> None:
            self.n_available = n_available

        def get_analogsignal_chunk(self, *, i_start: int, i_stop: int, **_: object) -> np.ndarray:
            if i_start >= 1000:
                raise IndexError("beyond the end")
            return np.arange(i_start, min(i_stop, self.n_available), dtype=">i2")[:, np.newaxis]

    def source(self, *, n_available: int = 20, n_samples: int = 20) -> NeoSource:
        return NeoSource(
            self.Reader(n_available),
            path=Path("run.smr"),
            indices=(0, 0, 0, 0),
            n_samples=n_samples,
            dtype=">i2",
        )

    def test_samples_are_returned_in_native_byte_order(self) -> None:
        source = self.source()
        assert (len(source), source.dtype) == (20, np.dtype("i2"))
        assert source.read(3, 6).dtype.byteorder in ("=", {"little": "<", "big": ">"}[sys.byteorder])
        np.testing.assert_array_equal(source.read(3, 6), [3, 4, 5])
        assert len(source.read(0, 0)) == 0

    def test_a_missing_end_is_found_at_once(self) -> None:
        with pytest.raises(
            ReadError, match=r"run\.smr is truncated: expected samples 19 to 20, found 0 of them"
        ):
            self.source(n_available=10)

    def test_an_error_in_neo_is_explained(self) -> None:
        with pytest.raises(
            ReadError, match=r"samples 1999 to 2000 cannot be read; .* IndexError: beyond the end"
        ):
            self.source(n_samples=2000)


def test_a_slice_of_a_source_counts_from_its_own_start() -> None:
    part = SliceSource(ArraySource(np.arange(100)), start=10, stop=20)
    assert (len(part), part.dtype) == (10, np.dtype(int))
    np.testing.assert_array_equal(part.read(2, 5), [12, 13, 14])
    np.testing.assert_array_equal(part.read(8, 50), [18, 19])


def test_output_of_other_packages_is_suppressed_only_in_the_block(capfd: pytest.CaptureFixture[str]) -> None:
    import logging

    logger = logging.getLogger("neo.rawio.something")
    with suppress_output() as messages:
        print("to the screen")  # noqa: T201 - what Neo does
        print("to the screen", file=sys.stderr)  # noqa: T201
        warnings.warn("deprecated", DeprecationWarning, stacklevel=1)
        logger.warning("odd header")
        logger.info("a detail")
    assert messages == ["odd header"]
    assert capfd.readouterr() == ("", "")
    print("printed again")  # noqa: T201
    assert capfd.readouterr().out == "printed again\n"


def test_a_recording_of_many_sweeps_opens_no_file_per_sweep(shared_data: Path) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("expected /proc/self/fd to count open files, which this platform does not have")
    path = shared_data / "formats" / "File_axon_7.abf"
    before = len(list(descriptors.iterdir()))
    traces = read_lazily(neo.io.AxonIO(str(path)), path).traces
    for trace in traces:
        trace.source.read(0, 10)
    assert len(list(descriptors.iterdir())) <= before + 1


def test_a_short_recording_is_read_from_the_file_once_however_often_it_is_looked_at(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = read_recording(shared_data / "formats" / "File_axon_3.abf")
    trace = recording.traces[0]
    as_it_is = MappedSource.read
    n_read = 0

    def noted(source: MappedSource, start: int, stop: int) -> object:
        nonlocal n_read
        n_read += stop - start
        return as_it_is(source, start, stop)

    monkeypatch.setattr(MappedSource, "read", noted)
    whole = trace.raw()
    for start in range(0, trace.n_samples, 1000):
        stop = min(start + 1500, trace.n_samples)
        assert trace.raw(start, stop).tolist() == whole[start:stop].tolist()
    assert n_read == trace.n_samples
