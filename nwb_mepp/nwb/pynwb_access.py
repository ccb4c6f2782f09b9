"""Access to NWB files through pynwb, with clear errors."""

from __future__ import annotations

import warnings

import h5py
import pynwb
from pynwb import NWBHDF5IO, NWBFile

from nwb_mepp._utils.bounded_memory import bounded_memory
from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb.schema_validation import newer_schema

__all__ = ["parse_file"]


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
