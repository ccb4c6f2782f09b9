"""The header of an Axon file, read so that only what it contains counts.

Neo reads every field of ABF 1 at its place, also where the header ends before it. Programs older than
pCLAMP 9, and those that imitate them, write 2048 bytes; the gain of a telegraph is then read from the
samples.
"""

from __future__ import annotations

import io
import struct
from functools import partial
from pathlib import Path
from typing import Any

from nwb_mepp.core.errors import ReadError
from nwb_mepp.readers.neo.replaced_functions import with_functions

__all__ = ["check_interruption", "neo_class_for", "nominal_interval_s"]

_BLOCK_BYTES, _HEADER_BYTES = 512, 6144
_SIGNATURE_ABF1 = b"ABF "
_FIRST_BLOCKS = (40, 44, 92)  # of samples, tags and synchronization array, in ABF 1
_N_TAGS_AT, _EPISODE_INTERVAL_AT = 48, 178
_VARIABLE_LENGTH_MODES = (1, 2)


def neo_class_for(neo_class: Any, *, salvage: bool) -> Any:
    """Return Neo's class for Axon files with a header of the length that each file has.

    Parameters
    ----------
    neo_class : type
        ``neo.io.AxonIO``.
    salvage : bool
        Take the samples that follow a header according to which there are none.
    """
    return with_functions(neo_class, parse_axon_soup=partial(_parse, salvage=salvage))


def check_interruption(path: Path, *, salvage: bool) -> None:
    """Check that a header without samples is not that of a recording that was interrupted.

    Parameters
    ----------
    path : Path
    salvage : bool
        Whether the samples are taken all the same.

    Raises
    ------
    ReadError
        If samples follow a header that counts none, and they are not to be taken, or cannot be parted.
    """
    info = _parse(str(path), salvage=True)
    n_samples = info.get("n_salvaged", 0)
    if not n_samples:
        return
    if not salvage:
        raise ReadError(
            f"{path.name}: expected samples, found a header that counts none although {n_samples} follow it; "
            "the recording was interrupted before its end was written. Pass `salvage=True` to take them."
        )
    if _mode(info) in _VARIABLE_LENGTH_MODES:
        raise ReadError(
            f"{path.name}: expected sweeps of one length, found a recording with sweeps of variable length "
            "that was interrupted before their lengths were written; it cannot be salvaged."
        )


def _parse(filename: str, *, salvage: bool) -> dict[str, Any]:
    """Return the header as Neo names its fields; ``n_salvaged`` counts samples that the header does not."""
    from neo.rawio import axonrawio

    path = Path(filename)
    with path.open("rb") as stream:
        header = stream.read(_HEADER_BYTES)
    if header.startswith(_SIGNATURE_ABF1):
        padded = io.BytesIO(_own_part(header))
        info = axonrawio._parse_abf_v1(axonrawio.StructFile(padded), axonrawio.headerDescriptionV1)
    else:
        info = axonrawio.parse_axon_soup(filename)
    if salvage:
        _salvage(info, n_bytes=path.stat().st_size)
    return dict(info)


def _own_part(header: bytes) -> bytes:
    """Return the header of ABF 1 with zeros for what lies beyond its end."""
    if len(header) < _BLOCK_BYTES:
        return header
    firsts = (struct.unpack_from("<i", header, at)[0] for at in _FIRST_BLOCKS)
    length = min([first * _BLOCK_BYTES for first in firsts if first > 0] + [_HEADER_BYTES])
    own = bytearray(header[:length].ljust(_HEADER_BYTES, b"\0"))
    # Tags are read in axon_tags.py; Neo looks for them at a wrong place.
    struct.pack_into("<i", own, _N_TAGS_AT, 0)
    return bytes(own)


def _salvage(info: dict[str, Any], *, n_bytes: int) -> None:
    bytes_each = 4 if info["nDataFormat"] == 1 else 2
    if _is_abf2(info):
        section = info["sections"]["DataSection"]
        first, count = section["uBlockIndex"], section["llNumEntries"]
        n_channels = info["sections"]["ADCSection"]["llNumEntries"]
    else:
        first, count, n_channels = info["lDataSectionPtr"], info["lActualAcqLength"], info["nADCNumChannels"]
    if count != 0 or first <= 0 or n_channels <= 0:
        return
    available = max(n_bytes - first * _BLOCK_BYTES, 0) // bytes_each
    n_samples = available // n_channels * n_channels
    if _is_abf2(info):
        info["sections"]["DataSection"]["llNumEntries"] = n_samples
    else:
        info["lActualAcqLength"] = n_samples
    info["n_salvaged"] = n_samples


def _is_abf2(info: dict[str, Any]) -> bool:
    return bool(info["fFileVersionNumber"] >= 2)


def _mode(info: dict[str, Any]) -> int:
    return int((info["protocol"] if _is_abf2(info) else info)["nOperationMode"])


def nominal_interval_s(path: Path, info: dict[str, Any]) -> float | None:
    """Return the interval from sweep to sweep that the protocol asks for, or None.

    Parameters
    ----------
    path : Path
    info : dict
        The header as Neo names its fields.
    """
    if _is_abf2(info):
        interval_s = float(info["protocol"]["fEpisodeStartToStart"])
    else:
        with path.open("rb") as stream:
            (interval_s,) = struct.unpack_from("<f", stream.read(_BLOCK_BYTES), _EPISODE_INTERVAL_AT)
    return float(interval_s) if 0 < interval_s < 1e6 else None
