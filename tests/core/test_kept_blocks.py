"""Blocks that are kept: what is read is what the file holds, as seldom from it as memory allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nwb_mepp.core.kept_blocks import KeptBlocks
from nwb_mepp.core.recording import ArraySource

N_SAMPLES = 1000


class File(ArraySource):
    """Samples that notes what of it is read."""

    def __init__(self, samples: npt.ArrayLike) -> None:
        super().__init__(samples)
        self.reads: list[tuple[int, int]] = []

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        self.reads.append((start, stop))
        return super().read(start, stop)


def samples(dtype: str = "i2", seed: int = 1) -> npt.NDArray[Any]:
    return np.random.default_rng(seed).integers(-1000, 1000, N_SAMPLES).astype(dtype)


@given(
    dtype=st.sampled_from(["i2", ">i2", "f4", "f8"]),
    block=st.integers(1, 1200),
    stretches=st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, N_SAMPLES), st.integers(0, 450)), max_size=8
    ),
    max_bytes=st.sampled_from([0, 500, 1 << 20]),
)
def test_it_is_what_the_file_holds_in_value_and_type(
    dtype: str, block: int, stretches: list[tuple[int, int, int]], max_bytes: int
) -> None:
    stored = [samples(dtype, seed) for seed in (1, 2)]
    blocks = KeptBlocks(max_bytes=max_bytes)
    kept = [blocks.of(ArraySource(one), block=block) for one in stored]
    for number, start, length in stretches:
        stop = min(start + length, N_SAMPLES)
        found = kept[number].read(start, stop)
        assert found.dtype == kept[number].dtype == np.dtype(dtype)
        assert found.tolist() == stored[number][start:stop].tolist()
    assert len(kept[0]) == N_SAMPLES


def test_what_was_returned_may_be_changed() -> None:
    kept = KeptBlocks().of(ArraySource(samples()))
    kept.read(0, 10)[:] = 0
    assert kept.read(0, 10).tolist() == samples()[:10].tolist()


def test_a_signal_that_fits_is_read_once_however_often_it_is_looked_at() -> None:
    file = File(samples())
    # 1000 samples of two bytes.
    kept = KeptBlocks(max_bytes=2000).of(file, block=300)
    for _ in range(3):
        for start in range(0, N_SAMPLES, 5):
            kept.read(start, min(start + 20, N_SAMPLES))
    assert file.reads == [(0, 300), (300, 600), (600, 900), (900, 1000)]


def test_a_signal_that_does_not_fit_is_read_once_a_pass_and_takes_four_blocks() -> None:
    large, small = File(samples()), File(samples()[:100])
    blocks = KeptBlocks(max_bytes=1999)
    kept, other = blocks.of(large, block=50), blocks.of(small, block=50)
    other.read(0, 100)
    for _ in range(2):
        for start in range(0, N_SAMPLES - 200, 5):
            kept.read(start, start + 150)
    assert large.reads == 2 * [(start, start + 50) for start in range(0, 950, 50)]
    # That leaves the others where they are.
    other.read(0, 100)
    assert small.reads == [(0, 50), (50, 100)]
    assert blocks.n_bytes == 100 * 2 + 4 * 50 * 2


def test_the_signals_share_the_limit_and_the_one_that_was_needed_last_stays() -> None:
    files = [File(samples()) for _ in range(3)]
    blocks = KeptBlocks(max_bytes=4000)
    kept = [blocks.of(file, block=500) for file in files]
    for number in (0, 1, 0, 2, 0, 1):
        kept[number].read(0, N_SAMPLES)
    assert [len(file.reads) for file in files] == [2, 4, 2]
    assert blocks.n_bytes == 4000


def test_a_block_larger_than_the_limit_is_kept_until_the_next() -> None:
    file = File(samples())
    kept = KeptBlocks(max_bytes=1).of(file, block=400)
    for start in (0, 100, 399, 398):
        kept.read(start, start + 2)
    assert file.reads == [(0, 400), (400, 800), (0, 400)]


def test_what_cannot_be_read_is_not_kept() -> None:
    class Damaged(File):
        def read(self, start: int, stop: int) -> npt.NDArray[Any]:
            if not self.reads:
                self.reads.append((start, stop))
                raise OSError("once")
            return super().read(start, stop)

    kept = KeptBlocks().of(Damaged(samples()))
    with pytest.raises(OSError, match="once"):
        kept.read(0, 5)
    assert kept.read(0, 5).tolist() == samples()[:5].tolist()
