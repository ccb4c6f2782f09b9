"""Stored numbers that stay in their file until a stretch of them is wanted."""

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
    """One column of a table of numbers inside a file.

    Nothing is held open between two reads: a recording of a thousand sweeps needs no thousand file
    handles, any thread may read, and the file can be moved afterwards on every platform.

    Parameters
    ----------
    path : Path
    dtype : dtype
        As stored; what is read comes in the byte order of the machine.
    shape : (int, int)
        Samples and channels; the samples of all channels alternate.
    first_byte : int
        Where the table begins.
    column : int
        Number of the channel.

    Raises
    ------
    ReadError
        If the file is too short to hold the table.
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
                f"{path.name} is truncated: its header promises data up to byte {needed}, the file ends at "
                f"byte {n_bytes}; copy the file again from where it was recorded."
            )

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored numbers, in the byte order of the machine."""
        return self._stored.newbyteorder("=")

    def __len__(self) -> int:
        return self._shape[0]

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop``."""
        if stop <= start:
            return np.empty(0, dtype=self.dtype)
        table = np.memmap(
            self._path, dtype=self._stored, mode="r", offset=self._first_byte, shape=self._shape
        )
        return np.array(table[start:stop, self._column], dtype=self.dtype)


class NeoSource:
    """One channel of one segment, read through Neo's raw interface block by block.

    Parameters
    ----------
    reader : neo.rawio.baserawio.BaseRawIO
        Kept open.
    path : Path
        For error messages.
    place : (int, int, int, int)
        Block, segment, stream and channel within the stream.
    n_samples : int
    dtype : dtype
        As Neo states it.

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
        place: tuple[int, int, int, int],
        n_samples: int,
        dtype: npt.DTypeLike,
    ) -> None:
        self._reader = reader
        self._path = path
        self._place = place
        self._n_samples = n_samples
        self._dtype = np.dtype(dtype).newbyteorder("=")
        if n_samples:  # Not every reader of Neo finds out by itself that the end of a file is missing.
            self.read(n_samples - 1, n_samples)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored numbers, in the byte order of the machine."""
        return self._dtype

    def __len__(self) -> int:
        return self._n_samples

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return the stored numbers ``start <= i < stop``.

        Raises
        ------
        ReadError
            If Neo fails, as it may in the middle of a damaged file.
        """
        if stop <= start:  # Neo takes a stop of 0 for "to the end".
            return np.empty(0, dtype=self._dtype)
        block, segment, stream, channel = self._place
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
        except Exception as error:  # Neo lets through whatever its parsers stumble over
            raise ReadError(
                f"{self._path.name}: samples {start} to {stop} cannot be read; the file may be truncated or "
                f"damaged. Neo said: {type(error).__name__}: {error}"
            ) from error
        if len(chunk) != stop - start:
            raise ReadError(
                f"{self._path.name} is truncated: expected samples {start} to {stop}, found {len(chunk)} of "
                "them; copy the file again from where it was recorded."
            )
        return np.array(chunk[:, 0], dtype=self._dtype)


class SliceSource:
    """A stretch of another source.

    Parameters
    ----------
    source : SampleSource
    start, stop : int
        The stretch is ``start <= i < stop``.
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
        """Return the stored numbers ``start <= i < stop``, counted from the start of the stretch."""
        return self._source.read(self._start + start, self._start + min(stop, len(self)))
