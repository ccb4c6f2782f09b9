"""Access to NWB files through pynwb, with clear errors."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

import h5py
import pynwb
from pynwb import NWBHDF5IO, NWBFile

from nwb_mepp._utils.bounded_memory import bounded_memory
from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb.hdf5_access import open_hdf5
from nwb_mepp.nwb.schema_validation import newer_schema

__all__ = ["parse_file", "read_file"]


@contextmanager
def read_file(path: str | PathLike[str]) -> Iterator[NWBFile]:
    """Open a file with pynwb for the length of a ``with`` block.

    Raises
    ------
    ReadError
        If it cannot be opened (:func:`nwb_mepp.nwb.hdf5_access.open_hdf5`) or pynwb cannot read it.
    """
    with open_hdf5(path) as handle:
        yield parse_file(handle, mode="r")[1]


def parse_file(handle: h5py.File, *, mode: str) -> tuple[NWBHDF5IO, NWBFile]:
    """Read an open file with pynwb.

    Raises
    ------
    ReadError
        If pynwb cannot read it, or it follows a newer schema than pynwb knows.
    """
    with bounded_memory(handle.filename):
        newer = newer_schema(handle)
    if newer:
        raise ReadError(
            f"expected a file of NWB schema {newer.known} or older, the newest that the installed pynwb "
            f"{pynwb.__version__} knows, found {handle.filename} written with {newer.found}; update pynwb."
        )
    with bounded_memory(handle.filename), warnings.catch_warnings():
        # pynwb warns about older or unusual files. The user cannot act on that here; 'nwb-mepp validate'
        # reports what matters.
        warnings.simplefilter("ignore")
        try:
            io = NWBHDF5IO(file=handle, mode=mode)
            return io, io.read()
        except Exception as error:  # a damaged file makes pynwb and hdmf raise anything
            raise ReadError(
                f"expected a valid NWB file, found that pynwb cannot read {handle.filename} "
                f"({_innermost(error)}); check it with 'nwb-mepp validate'."
            ) from error


def _innermost(error: BaseException) -> str:
    while error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split()) or type(error).__name__
