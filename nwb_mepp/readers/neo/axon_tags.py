"""The tags of an Axon file: times that the experimenter marked, usually with a comment.

Neo reads tags, but treats their times as sample numbers whatever time unit the file states, and in files of
version 1 reads them from the wrong position.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nwb_mepp.core.ancillary import PointEvents

__all__ = ["read_tags"]

_BLOCK_BYTES = 512
_TAG_BYTES = 64
_TYPES = {0: "time", 1: "comment", 2: "external", 3: "voice", 4: "new file", 5: "annotation"}

# Positions of fields in the headers. The header of ABF 2 has an entry for each section, which consists of the
# first block, the size of an entry in bytes and the number of entries.
_ABF1_FIRST_BLOCK_AND_COUNT, _ABF1_INTERVAL_US, _ABF1_TIME_UNIT_US = 44, 122, 130
_ABF2_PROTOCOL, _ABF2_ADC, _ABF2_TAGS = 76, 92, 252
_PROTOCOL_INTERVAL_US, _PROTOCOL_TIME_UNIT_US = 2, 14


def read_tags(path: Path) -> tuple[PointEvents, ...]:
    """Return the tags of an ABF file as events of the first sweep, as their times count from the file start.

    Parameters
    ----------
    path : Path
        A file that has passed :func:`nwb_mepp.readers.neo.axon.check_extent`.

    Returns
    -------
    tuple of PointEvents
        One kind of event, with the comments as labels; empty if there are no tags.
    """
    with path.open("rb") as stream:
        header = stream.read(_BLOCK_BYTES)
        is_abf2 = header.startswith(b"ABF2")
        first_block, entry_bytes, n_tags = _section_abf2(header) if is_abf2 else _tag_section_abf1(header)
        if n_tags <= 0 or entry_bytes < _TAG_BYTES:
            return ()
        unit_s = 1e-6 * (_time_unit_of_abf2(stream, header) if is_abf2 else _time_unit_of_abf1(header))
        stream.seek(first_block * _BLOCK_BYTES)
        entries = stream.read(n_tags * entry_bytes)
    tags = [struct.unpack_from("<i56sh", entries, number * entry_bytes) for number in range(n_tags)]
    return (
        PointEvents(
            name="Tag",
            sweep=0,
            times_s=np.array([time for time, _, _ in tags], dtype=np.float64) * unit_s,
            labels=tuple(comment.decode("cp1252", errors="replace").strip("\0 ") for _, comment, _ in tags),
            columns={"tag_type": tuple(_TYPES.get(kind, str(kind)) for _, _, kind in tags)},
        ),
    )


def _tag_section_abf1(header: bytes) -> tuple[int, int, int]:
    first_block, n_tags = struct.unpack_from("<ii", header, _ABF1_FIRST_BLOCK_AND_COUNT)
    return first_block, _TAG_BYTES, n_tags


def _section_abf2(header: bytes, section: int = _ABF2_TAGS) -> tuple[int, int, int]:
    first_block, entry_bytes, n_entries = struct.unpack_from("<IIq", header, section)
    return first_block, entry_bytes, n_entries


def _time_unit_of_abf1(header: bytes) -> float:
    """Return the time unit in microseconds; if the header has 0, times count the interleaved samples."""
    (unit_us,) = struct.unpack_from("<f", header, _ABF1_TIME_UNIT_US)
    (interval_us,) = struct.unpack_from("<f", header, _ABF1_INTERVAL_US)
    return float(unit_us or interval_us)


def _time_unit_of_abf2(stream: BinaryIO, header: bytes) -> float:
    """Return the same for ABF 2, whose interval is that of one channel, not of interleaved samples."""
    stream.seek(_section_abf2(header, _ABF2_PROTOCOL)[0] * _BLOCK_BYTES)
    protocol = stream.read(_BLOCK_BYTES)
    (unit_us,) = struct.unpack_from("<f", protocol, _PROTOCOL_TIME_UNIT_US)
    (interval_us,) = struct.unpack_from("<f", protocol, _PROTOCOL_INTERVAL_US)
    n_channels = max(_section_abf2(header, _ABF2_ADC)[2], 1)
    return float(unit_us or interval_us / n_channels)
