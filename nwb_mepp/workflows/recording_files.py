"""Open a recording: a lab file or an NWB file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from nwb_mepp._utils.file_attributes import is_zarr
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.recording import Recording
from nwb_mepp.nwb import Statements, open_nwb
from nwb_mepp.readers import ReadOptions, read_recording

__all__ = ["is_nwb", "open_recording", "statements_of"]

# What can be stated about an NWB file; the other options of a reader are for lab files.
_FOR_NWB = ("unit", "gain", "sampling_rate_hz")


def is_nwb(path: str | PathLike[str]) -> bool:
    """Return whether a file is NWB by its suffix, in upper or lower case; or a Zarr store, which may be."""
    return Path(path).suffix.lower() == ".nwb" or is_zarr(Path(path))


@contextmanager
def open_recording(
    path: str | PathLike[str], *, options: ReadOptions | None = None, channels: Sequence[str] = ()
) -> Iterator[Recording]:
    """Open a lab file or an NWB file for the length of a ``with`` block.

    Parameters
    ----------
    path : path-like
    options : ReadOptions, optional
        What the file does not say, or says wrong.
    channels : sequence of str
        Channels of an NWB file that are needed even if they lie outside ``/acquisition``.

    Yields
    ------
    Recording

    Raises
    ------
    UsageError
        If an option for lab files is given for an NWB file.
    MeppError
        If the file cannot be read.
    """
    wanted = options or ReadOptions()
    if not is_nwb(path):
        yield read_recording(Path(path), options=wanted)
        return
    statements = statements_of(wanted, path=path) if wanted.stated() else None
    with open_nwb(path, channels=channels, statements=statements) as recording:
        yield recording


def statements_of(options: ReadOptions, *, path: str | PathLike[str]) -> Statements:
    """Return what is stated about an NWB file.

    Parameters
    ----------
    options : ReadOptions
    path : path-like
        For the message.

    Raises
    ------
    UsageError
        If an option is given that says how to read a lab file.
    """
    if others := [f"`{name}`" for name in options.stated() if name not in _FOR_NWB]:
        raise UsageError(
            f"{path} is an NWB file; leave out {' and '.join(others)}, which says how to read a lab file."
        )
    rate_hz = options.sampling_rate_hz
    return Statements(
        unit=options.unit,
        gain=options.gain,
        sampling_rate_hz={} if rate_hz is None else {"": rate_hz},
    )
