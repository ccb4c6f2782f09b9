from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from builders.traces import trace_of
from nwb_mepp.core.errors import OutputError
from nwb_mepp.nwb import sample_stream
from nwb_mepp.nwb.sample_stream import compressed_samples


class Counting:
    """Counts up, and notes how much is asked for at a time."""

    def __init__(self, n_samples: int, dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        self.lengths: list[int] = []
        self._n_samples = n_samples

    def __len__(self) -> int:
        return self._n_samples

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        self.lengths.append(stop - start)
        return np.arange(start, stop).astype(self.dtype)


@pytest.mark.parametrize("n_samples", [1, 99, 100, 101, 1_000])
def test_samples_come_in_order_and_in_blocks(n_samples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_stream, "CHUNK_SAMPLES", 10)
    monkeypatch.setattr(sample_stream, "BLOCK_SAMPLES", 100)
    source = Counting(n_samples, "<i2")
    blocks = [chunk.data for chunk in compressed_samples(trace_of(source)).data]
    assert np.concatenate(blocks).tolist() == list(range(n_samples))
    assert max(source.lengths) <= 100


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<i4", "u1", "<f4", ">f8"])
def test_the_type_of_the_numbers_is_kept(dtype: str) -> None:
    samples = compressed_samples(trace_of(Counting(3, dtype)))
    assert samples.data.dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize(("samples", "found"), [([], "no samples"), ([True, False], "numbers of type bool")])
def test_what_is_not_a_signal_is_refused(samples: list[bool], found: str) -> None:
    with pytest.raises(
        OutputError,
        match=f"expected integer or floating-point samples in channel 'Vm', sweep 0, found {found}",
    ):
        compressed_samples(trace_of(np.array(samples)))
