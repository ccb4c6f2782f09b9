"""Sample sources that leave the samples in the file until they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.errors import ReadError
from nwb_mepp.core.recording import SampleSource
from nwb_mepp.readers.output_suppression import suppress_output

__all__ = ["MappedSource", "NeoSource", "SliceSource"]


class MappedSource:
    """One column of a table of numbers in a file, read through a memory map.

    The file is not kept open between reads: a recording of a thousand sweeps does not need a thousand file
    handles, any thread may read, and the file can be moved afterwards on every platform.

    Parameters
    ----------
    path : Path
    dtype : dtype
        As stored; samples are returned in native byte order.
    shape : (int, int)
        Numbers of samples and channels; the samples of the channels are interleaved.
    first_byte : int
        Position of the table in the file.
    column : int
        Index of the channel in the table.

    Raises
    ------
    ReadError
        If the file is too short to contain the table.
    """

    def __init__(
        self,
        path: Path,
        *,
        dtype: npt.DTypeLike,
        shape: tuple[int, int],
        first_byte: int,
        column: int,
    ) -> None:
        self._path = path
        self._stored = np.dtype(dtype)
        self._shape = shape
        self._first_byte = first_byte
        self._column = column
        n_bytes = path.stat().st_size
        needed = first_byte + shape[0] * shape[1] * self._stored.itemsize
        if needed > n_bytes:
            raise ReadError(
                f"{path.name} is truncated: expected at least {needed} bytes according to its header, "
                f"found {n_bytes}; copy the file again from where it was recorded."
            )

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored numbers, in native byte order."""
        return self._stored.newbyteorder("=")

    def __len__(self) -> int:
        return self._shape[0]

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop``."""
        if stop <= start:
            return np.empty(0, dtype=self.dtype)
        # Given a path, NumPy would resolve it for every block.
        path = str(self._path)
        table = np.memmap(path, dtype=self._stored, mode="r", offset=self._first_byte, shape=self._shape)
        return np.array(table[start:stop, self._column], dtype=self.dtype)


class NeoSource:
    """One channel of one Neo segment, read in blocks through Neo's rawio interface.

    Parameters
    ----------
    reader : neo.rawio.baserawio.BaseRawIO
        Stays open.
    path : Path
        For error messages.
    indices : (int, int, int, int)
        Indices of block, segment, stream, and channel within the stream.
    n_samples : int
    dtype : dtype
        As stated by Neo.

    Raises
    ------
    ReadError
        If the last sample cannot be read.
    """

    def __init__(
        self,
        reader: Any,
        *,
        path: Path,
        indices: tuple[int, int, int, int],
        n_samples: int,
        dtype: npt.DTypeLike,
    ) -> None:
        self._reader = reader
        self._path = path
        self._indices = indices
        self._n_samples = n_samples
        self._dtype = np.dtype(dtype).newbyteorder("=")
        if n_samples:  # Not every Neo reader notices that the end of a file is missing.
            self.read(n_samples - 1, n_samples)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored numbers, in native byte order."""
        return self._dtype

    def __len__(self) -> int:
        return self._n_samples

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop``.

        Raises
        ------
        ReadError
            If Neo fails, for example in the middle of a damaged file.
        """
        if stop <= start:  # Neo interprets a stop of 0 as "to the end".
            return np.empty(0, dtype=self._dtype)
        block, segment, stream, channel = self._indices
        try:
            with suppress_output():
                chunk = self._reader.get_analogsignal_chunk(
                    block_index=block,
                    seg_index=segment,
                    i_start=start,
                    i_stop=stop,
                    stream_index=stream,
                    channel_indexes=[channel],
                )
        except Exception as error:  # Neo does not catch the errors of its parsers
            raise ReadError(
                f"{self._path.name}: samples {start} to {stop} cannot be read; the file may be truncated or "
                f"damaged. Neo reports: {type(error).__name__}: {error}"
            ) from error
        if len(chunk) != stop - start:
            raise ReadError(
                f"{self._path.name} is truncated: expected samples {start} to {stop}, found {len(chunk)} of "
                "them; copy the file again from where it was recorded."
            )
        return np.array(chunk[:, 0], dtype=self._dtype)


class SliceSource:
    """A slice of another source.

    Parameters
    ----------
    source : SampleSource
    start, stop : int
        The slice is ``start <= i < stop``.
    """

    def __init__(self, source: SampleSource, *, start: int, stop: int) -> None:
        self._source = source
        self._start = start
        self._stop = stop

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored numbers."""
        return self._source.dtype

    def __len__(self) -> int:
        return self._stop - self._start

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop``, counted from the start of the slice."""
        return self._source.read(self._start + start, self._start + min(stop, len(self)))
