"""The readers based on Neo: their names, and how their files are recognized."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nwb_mepp.readers.interface import ReaderEntry
from nwb_mepp.readers.neo import neuralynx, open_ephys_binary, spikeglx
from nwb_mepp.readers.options import RAW_BINARY_READER
from nwb_mepp.readers.signatures import (
    contains_files,
    contains_hdf5_members,
    contains_matlab_variable,
    has_sibling,
    starts_with,
)

__all__ = ["neo_entries"]

# Neo readers that are not offered, each with the reason.
_EXCLUDED = {
    "asciiimage": "no signals",
    "asciisignal": "turns decimal commas into NaN without an error; this package has its own readers of text",
    "asciispiketrain": "no signals",
    "blk": "no signals",
    "brainwaref32": "no signals",
    "brainwaresrc": "no signals",
    "example": "invents its data",
    "klustakwik": "no signals",
    "kwik": "works with NumPy older than 2.3 only",
    "nest": "a table from a simulation that states neither the content nor the unit of its columns",
    "neurosharectypes": "needs a library of the manufacturer",
    "nwb": "this package reads NWB itself; Neo's reader drops offsets and tables",
    "phy": "no signals",
    "pickle": "opening a pickle file can run arbitrary code",
    "plexon2": "downloads a library and runs it",
    "stimfit": "its library is not available; other readers cover its formats",
    "tiff": "no signals",
}

_REQUIRED = {
    "ced": "sonpy",
    "edf": "pyedflib",
    "igor": "igor2",
    "mearec": "MEArec",
    "med": "dhn_med_py",
    "nix": "nixio",
}


@dataclass(frozen=True)
class _FileMatch:
    """How the files or folders of a format are recognized, so that the reader need not be named."""

    suffixes: tuple[str, ...]
    claims: Callable[[Path], bool] | None = None
    is_signature: bool = False
    reads_file: bool = False
    recording_of: Callable[[Path], Path | None] | None = None


def _by_signature(*suffixes: str, magic: tuple[bytes, ...], offset: int = 0) -> _FileMatch:
    """Return the match for a format whose files have a signature, whatever their suffix."""
    return _FileMatch(suffixes, starts_with(*magic, offset=offset), is_signature=True)


_HDF5 = starts_with(b"\x89HDF\r\n\x1a\n")
# Neo's own lists of suffixes overlap (.dat is in eight of them) and include those of side files. A suffix is
# listed here only if it, or the test of the content, identifies the format. Other formats need --reader.
_AUTOMATIC = {
    "alphaomega": _FileMatch((".mpx", ".lsx"), contains_files(".mpx")),
    "axograph": _by_signature(".axgd", ".axgx", magic=(b"AxGr", b"axgx")),
    "axon": _by_signature(".abf", magic=(b"ABF ", b"ABF2")),
    "axona": _FileMatch((".set",)),
    "bci2000": _FileMatch((".dat",), starts_with(b"BCI2000V", b"HeaderLen=")),
    "biocam": _FileMatch((".brw",), _HDF5),
    "blackrock": _by_signature(
        *(f".ns{rate}" for rate in range(1, 7)), magic=(b"NEURALSG", b"NEURALCD", b"BRSMPGRP")
    ),
    "brainvision": _by_signature(
        ".vhdr",
        magic=(
            b"Brain Vision Data Exchange Header",
            b"BrainVision Data Exchange Header",
            b"Brain Vision V-Amp",
        ),
    ),
    "brainwaredam": _FileMatch((".dam",)),
    "ced": _FileMatch((".smrx",)),
    "edf": _FileMatch((".edf",), starts_with(b"0       ")),
    "elan": _FileMatch((".eeg",), has_sibling(appended=".ent")),
    "elphy": _by_signature(".dat", magic=(b"\x0cDAC2/GS/2000", b"\x0cDAC2 objects")),
    "igor": _FileMatch((".ibw", ".pxp")),
    "intan": _by_signature(".rhd", ".rhs", magic=(b"\x02\x27\x91\xc6", b"\xac\x27\x91\xd6")),
    "maxwell": _FileMatch((".h5",), contains_hdf5_members("version", ("wells", "sig"))),
    "micromed": _by_signature(".trc", magic=(b"* MICROMED",)),
    "neomatlab": _FileMatch((".mat",), contains_matlab_variable("block")),
    "neuralynx": _FileMatch(
        (".ncs", ".nse", ".ntt", ".nev"),
        neuralynx.claims,
        reads_file=True,
        recording_of=neuralynx.recording_of,
    ),
    "neuroexplorer": _by_signature(".nex", magic=(b"NEX1",)),
    "neuroscope": _FileMatch((".eeg", ".lfp", ".dat"), has_sibling(replaced=".xml")),
    "nix": _FileMatch((".nix",), _HDF5),
    "openephys": _FileMatch((".continuous",), contains_files(".continuous", magic=b"header.format")),
    "openephysbinary": _FileMatch(
        (".oebin", ".dat", ".npy"), open_ephys_binary.claims, recording_of=open_ephys_binary.recording_of
    ),
    "plexon": _by_signature(".plx", magic=(b"PLEX",)),
    "rawmcs": _by_signature(".raw", magic=(b"MC_DataTool",)),
    "spike2": _by_signature(".smr", magic=(b"(C) CED 87",), offset=2),
    "spikegadgets": _FileMatch((".rec",)),
    "spikeglx": _FileMatch(
        (".meta", ".bin"), spikeglx.claims, reads_file=True, recording_of=spikeglx.recording_of
    ),
    "tdt": _FileMatch((".tsq",)),
    "winedr": _FileMatch((".edr",), starts_with(b"VER=")),
    "winwcp": _FileMatch((".wcp",), starts_with(b"VER=")),
}

# Neo opens TDT folders; here a block is opened by its index file, as a folder may contain several blocks.
_OPENED_BY_FILE = frozenset({"tdt"})
# Neo says of it that it opens files.
_OPENED_BY_FOLDER = frozenset({"alphaomega"})


def neo_entries() -> Iterator[ReaderEntry]:
    """Yield an entry for each Neo reader, named after its class: ``AxonIO`` becomes ``axon``."""
    from nwb_mepp.readers.neo.reader import neo_classes, read_neo

    for name, neo_class in neo_classes().items():
        if name in _EXCLUDED:
            continue
        files = _AUTOMATIC.get(name)
        yield ReaderEntry(
            name=name,
            description=_describe(name, neo_class.__name__),
            suffixes=files.suffixes if files else tuple(f".{s.lower()}" for s in neo_class.extensions if s),
            read=partial(read_neo, name),
            claims=files.claims if files else None,
            is_signature=files is not None and files.is_signature,
            explicit=files is None,
            reads_file_of_folder=files is not None and files.reads_file,
            recording_of=files.recording_of if files else None,
            reads_folder=name in _OPENED_BY_FOLDER
            or (neo_class.mode == "dir" and name not in _OPENED_BY_FILE),
            lazy=hasattr(neo_class, "get_analogsignal_chunk"),
            requires=tuple(package for reader, package in _REQUIRED.items() if reader == name),
        )


def _describe(name: str, class_name: str) -> str:
    if name == RAW_BINARY_READER:
        return f"raw binary, without a header (Neo's {class_name})"
    return f"{class_name.removesuffix('IO')} (Neo's {class_name})"
