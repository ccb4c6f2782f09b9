"""Blocks of datasets: what is read is what HDF5 gives, and a chunk is unpacked once a pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nwb_mepp.nwb import dataset_blocks
from nwb_mepp.nwb.dataset_blocks import DatasetBlocks

N_SAMPLES = 1000
LAYOUTS: dict[str, dict[str, Any]] = {
    "contiguous": {},
    "short chunks": {"chunks": (7,), "compression": "gzip"},
    "long chunks": {"chunks": (400,), "compression": "gzip"},
    "big-endian": {"chunks": (64,), "dtype": ">i2"},
    "float": {"chunks": (400,), "dtype": "f4"},
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[h5py.File]:
    numbers = np.random.default_rng(1).integers(-1000, 1000, N_SAMPLES).astype("i2")
    with h5py.File(tmp_path_factory.mktemp("blocks") / "a.h5", "w") as handle:
        for name, layout in LAYOUTS.items():
            handle.create_dataset(name, data=numbers.astype(layout.get("dtype", "i2")), **layout)
        handle.create_dataset("columns", data=numbers.reshape(-1, 4), chunks=(50, 2), compression="gzip")
        yield handle


@pytest.fixture(autouse=True, scope="module")
def short_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dataset_blocks, "_LEAST_SAMPLES", 100)
        yield


@pytest.mark.parametrize("name", LAYOUTS)
@given(
    stretches=st.lists(st.tuples(st.integers(0, N_SAMPLES), st.integers(0, 450)), max_size=8),
    max_bytes=st.sampled_from([0, 500, 1 << 20]),
)
def test_it_is_what_hdf5_gives_in_value_and_type(
    name: str, stretches: list[tuple[int, int]], max_bytes: int, file: h5py.File
) -> None:
    blocks, dataset = DatasetBlocks(max_bytes=max_bytes), file[name]
    for start, length in stretches:
        stop = min(start + length, N_SAMPLES)
        found = blocks.read(dataset, None, start, stop)
        assert found.dtype == dataset.dtype
        assert found.tolist() == dataset[start:stop].tolist()


def test_columns_are_apart(file: h5py.File) -> None:
    blocks, dataset = DatasetBlocks(), file["columns"]
    for column in (0, 3, 0):
        assert blocks.read(dataset, column, 40, 160).tolist() == dataset[40:160, column].tolist()


def test_what_was_returned_may_be_changed(file: h5py.File) -> None:
    blocks, dataset = DatasetBlocks(), file["contiguous"]
    blocks.read(dataset, None, 0, 10)[:] = 0
    assert blocks.read(dataset, None, 0, 10).tolist() == dataset[0:10].tolist()


class Counting:
    """A dataset that counts how often its rows are read."""

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self.id, self.chunks, self.shape, self.dtype = (
            dataset.id,
            dataset.chunks,
            dataset.shape,
            dataset.dtype,
        )
        self.read: list[slice] = []

    def __getitem__(self, rows: slice) -> Any:
        self.read.append(rows)
        return self._dataset[rows]


def test_a_chunk_is_unpacked_once_a_pass_however_short_the_stretches(file: h5py.File) -> None:
    dataset: Any = Counting(file["long chunks"])
    # 400 samples have 800 bytes, so that one of the three chunks is kept.
    blocks = DatasetBlocks(max_bytes=1000)
    for _ in range(2):
        for start in range(0, N_SAMPLES, 5):
            blocks.read(dataset, None, start, start + 5)
    assert dataset.read == 2 * [slice(0, 400), slice(400, 800), slice(800, 1000)]


def test_all_stay_where_they_fit(file: h5py.File) -> None:
    dataset: Any = Counting(file["short chunks"])
    blocks = DatasetBlocks()
    for _ in range(2):
        for start in range(0, N_SAMPLES, 10):
            blocks.read(dataset, None, start, start + 10)
    # Fifteen chunks of seven samples are the first multiple beyond a hundred.
    assert [rows.stop - rows.start for rows in dataset.read] == [*9 * [105], 55]


def test_a_block_larger_than_the_limit_is_kept_until_the_next(file: h5py.File) -> None:
    dataset: Any = Counting(file["long chunks"])
    blocks = DatasetBlocks(max_bytes=1)
    for start in (0, 100, 399, 398):
        blocks.read(dataset, None, start, start + 2)
    assert dataset.read == [slice(0, 400), slice(400, 800), slice(0, 400)]
