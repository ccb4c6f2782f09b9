"""Writing samples to the file block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hdmf.data_utils import GenericDataChunkIterator
from pynwb import H5DataIO

from nwb_mepp.core.errors import OutputError
from nwb_mepp.core.recording import Trace

__all__ = [
    "BLOCK_SAMPLES",
    "CHUNK_SAMPLES",
    "COMPRESSION",
    "check_samples",
    "compressed_samples",
    "stored_dtype",
]

# Measured in docs/storage.md: chunks a tenth as long make files 1 % larger; with chunks ten times as long,
# showing 10 s takes four times as long.
CHUNK_SAMPLES = 100_000
# How much is in memory at a time; a whole number of chunks.
BLOCK_SAMPLES = 20 * CHUNK_SAMPLES
# Measured there too: files are 18 % smaller to 2 % larger than at level 1; level 6 gains little and can take
# three times as long.
GZIP_LEVEL = 4
COMPRESSION = {"compression": "gzip", "compression_opts": GZIP_LEVEL, "shuffle": True}


class _TraceBlocks(GenericDataChunkIterator):  # type: ignore[misc] # hdmf ships no types
    """Reads the stored numbers of a trace block by block."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        n_samples = trace.n_samples
        super().__init__(
            chunk_shape=(min(CHUNK_SAMPLES, n_samples),), buffer_shape=(min(BLOCK_SAMPLES, n_samples),)
        )

    def _get_data(self, selection: tuple[slice]) -> npt.NDArray[Any]:
        return np.asarray(self._trace.raw(selection[0].start, selection[0].stop))

    def _get_maxshape(self) -> tuple[int]:
        return (self._trace.n_samples,)

    def _get_dtype(self) -> np.dtype[Any]:
        return stored_dtype(self._trace)


def stored_dtype(trace: Trace) -> np.dtype[Any]:
    """Return the type of the numbers in the file, in the byte order of this machine."""
    return trace.source.dtype.newbyteorder("=")


def check_samples(trace: Trace) -> None:
    """Check that a trace has samples that a file can hold.

    Raises
    ------
    OutputError
        If there are no samples, or they are not integers or floating-point numbers.
    """
    if trace.n_samples == 0 or trace.source.dtype.kind not in "iuf":
        found = "no samples" if trace.n_samples == 0 else f"numbers of type {trace.source.dtype}"
        raise OutputError(
            f"expected integer or floating-point samples in channel {trace.channel!r}, sweep {trace.sweep}, "
            f"found {found}; leave the channel or sweep out."
        )


def compressed_samples(trace: Trace) -> H5DataIO:
    """Return the stored numbers of a trace as compressed chunks, read only while they are written.

    Raises
    ------
    OutputError
        As :func:`check_samples`.
    """
    check_samples(trace)
    return H5DataIO(_TraceBlocks(trace), **COMPRESSION)
