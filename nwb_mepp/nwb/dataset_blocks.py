"""Samples of HDF5 datasets in blocks that are kept for a while.

HDF5 unpacks a whole chunk for each sample of it that is read, and keeps chunks of up to 1 MB only. Other
programs write chunks of 10 MB and more, of which an analysis reads thousands of short stretches.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

__all__ = ["DatasetBlocks"]

_MAX_BYTES = 1 << 25
_LEAST_SAMPLES = 1 << 16


class DatasetBlocks:
    """Reads datasets in whole blocks, and keeps those that were needed last.

    A block is as long as a chunk, or as several where chunks are short.

    Parameters
    ----------
    max_bytes : int, default 32 MiB
        What all blocks together may take. The last one is kept in any case: it was in memory when its chunk
        was unpacked.
    """

    def __init__(self, *, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._kept: OrderedDict[tuple[Any, int | None, int], npt.NDArray[Any]] = OrderedDict()
        # Threads may read from one file; HDF5 takes turns, too.
        self._lock = threading.Lock()

    def read(self, dataset: h5py.Dataset, column: int | None, start: int, stop: int) -> npt.NDArray[Any]:
        """Return rows ``start <= i < stop`` of a dataset, or of one of its columns.

        Parameters
        ----------
        dataset : h5py.Dataset
            Of one or two dimensions.
        column : int or None
            None for a dataset of one dimension.
        start, stop : int
            Within the dataset.

        Returns
        -------
        ndarray, shape (stop - start,)

        Raises
        ------
        OSError
            If HDF5 cannot read it.
        """
        if stop <= start:
            return np.empty(0, dtype=dataset.dtype)
        length = _block_length(dataset)
        parts = []
        with self._lock:
            for index in range(start // length, -(-stop // length)):
                first = index * length
                block = self._block(dataset, column, index, length)
                parts.append(block[max(start - first, 0) : stop - first])
        # Joined, numbers would be in native byte order.
        return parts[0].copy() if len(parts) == 1 else np.concatenate(parts).astype(dataset.dtype, copy=False)

    def _block(self, dataset: h5py.Dataset, column: int | None, index: int, length: int) -> npt.NDArray[Any]:
        key = (dataset.id, column, index)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        rows = slice(index * length, min((index + 1) * length, dataset.shape[0]))
        block = np.asarray(dataset[rows if column is None else (rows, column)])
        self._kept[key] = block
        self._n_bytes += block.nbytes
        while self._n_bytes > self._max_bytes and len(self._kept) > 1:
            self._n_bytes -= self._kept.popitem(last=False)[1].nbytes
        return block


def _block_length(dataset: h5py.Dataset) -> int:
    chunk = dataset.chunks[0] if dataset.chunks else 1
    return int(-(-_LEAST_SAMPLES // chunk) * chunk)
