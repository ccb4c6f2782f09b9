"""Samples of a file in blocks that are kept for a while.

An analysis looks at each sample about twenty times, in thousands of short stretches. Readers open the file
for each of them, and HDF5 unpacks a whole chunk for each sample of it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.recording import SampleSource

__all__ = ["BLOCK", "KeptBlocks"]

#: Usual number of samples in a block.
BLOCK = 1 << 16
_MAX_BYTES = 1 << 25
# Of a signal that does not fit as a whole, nothing would be left of the last pass where the next one begins.
# So only as many blocks are kept as stretches that overlap need.
_N_OF_LARGE = 4


class KeptBlocks:
    """The blocks of all signals of a recording that were needed last.

    Parameters
    ----------
    max_bytes : int, default 32 MiB
        What all blocks together may take. The last one is kept in any case, as it was in memory to be read.

    Examples
    --------
    >>> from nwb_mepp.core.recording import ArraySource
    >>> kept = KeptBlocks().of(ArraySource([1, 2, 3]))
    >>> kept.read(1, 3).tolist()
    [2, 3]
    """

    def __init__(self, *, max_bytes: int = _MAX_BYTES) -> None:
        self.max_bytes = max_bytes
        #: What the blocks take now.
        self.n_bytes = 0
        self._kept: OrderedDict[tuple[_KeptSource, int], npt.NDArray[Any]] = OrderedDict()
        # Threads may read from one file.
        self._lock = threading.Lock()

    def of(self, source: SampleSource, *, block: int = BLOCK) -> SampleSource:
        """Return a signal whose samples are read from the file in whole blocks.

        Parameters
        ----------
        source : SampleSource
        block : int, default 65536
            Number of samples; of a file that is read in chunks, a multiple of the length of a chunk.
        """
        return _KeptSource(self, source, block)

    def _read(self, source: _KeptSource, start: int, stop: int) -> npt.NDArray[Any]:
        parts = []
        with self._lock:
            for index in range(start // source.block, -(-stop // source.block)):
                first = index * source.block
                parts.append(self._block(source, index)[max(start - first, 0) : stop - first])
        # Joined, numbers would be in native byte order.
        return parts[0].copy() if len(parts) == 1 else np.concatenate(parts).astype(source.dtype, copy=False)

    def _block(self, source: _KeptSource, index: int) -> npt.NDArray[Any]:
        key = (source, index)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        self._kept[key] = block = source.read_block(index)
        self.n_bytes += block.nbytes
        if source.is_large:
            own = [one for one in self._kept if one[0] is source]
            for one in own[:-_N_OF_LARGE]:
                self.n_bytes -= self._kept.pop(one).nbytes
        while self.n_bytes > self.max_bytes and len(self._kept) > 1:
            self.n_bytes -= self._kept.popitem(last=False)[1].nbytes
        return block


class _KeptSource:
    """A signal that is read through the blocks of its recording."""

    def __init__(self, blocks: KeptBlocks, source: SampleSource, block: int) -> None:
        self._blocks = blocks
        self._source = source
        self.block = block
        self.is_large = len(source) * source.dtype.itemsize > blocks.max_bytes

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored numbers."""
        return self._source.dtype

    def __len__(self) -> int:
        return len(self._source)

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop``."""
        if stop <= start:
            return np.empty(0, dtype=self.dtype)
        return self._blocks._read(self, start, stop)

    def read_block(self, index: int) -> npt.NDArray[Any]:
        """Return a block from the file."""
        return self._source.read(index * self.block, min((index + 1) * self.block, len(self)))
