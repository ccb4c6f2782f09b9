"""The readers that Neo brings: their names, and which files they are for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nwb_mepp.readers.options import RAW_BINARY_READER
from nwb_mepp.readers.registry import ReaderEntry
from nwb_mepp.readers.sniffing import has_sibling, holds_matlab_variable, starts_with

__all__ = ["neo_entries"]

# Neo's readers that are not offered, each with the reason.
_EXCLUDED = {
    "asciiimage": "no signals",
    "asciisignal": "turns decimal commas into NaN without an error; text has readers of its own",
    "asciispiketrain": "no signals",
    "blk": "no signals",
    "brainwaref32": "no signals",
    "brainwaresrc": "no signals",
    "example": "invents its data",
    "klustakwik": "no signals",
    "neurosharectypes": "needs a library of the manufacturer",
    "nwb": "NWB is read by this package itself: Neo's reader drops offsets and tables",
    "phy": "no signals",
    "pickle": "opening a pickle can run any program hidden in it",
    "plexon2": "downloads a library and runs it",
    "stimfit": "its library is not to be had; other readers cover its formats",
    "tiff": "no signals",
}

_REQUIRED = {"ced": "sonpy", "edf": "pyedflib", "igor": "igor2", "nix": "nixio"}


@dataclass(frozen=True)
class _Files:
    """Files for which a reader is chosen without being named."""

    suffixes: tuple[str, ...]
    claims: Callable[[Path], bool] | None = None


# Neo's own lists of suffixes overlap (.dat stands in eight of them) and hold those of side files; here is
# a suffix only where it, or the content tested, says what the file is. Other formats need --reader.
_AUTOMATIC = {
    "alphaomega": _Files((".mpx", ".lsx")),
    "axograph": _Files((".axgd", ".axgx")),
    "axon": _Files((".abf",), starts_with(b"ABF ", b"ABF2")),
    "axona": _Files((".set",)),
    "bci2000": _Files((".dat",), starts_with(b"BCI2000V", b"HeaderLen=")),
    "biocam": _Files((".brw",)),
    "blackrock": _Files((".ns1", ".ns2", ".ns3", ".ns4", ".ns5", ".ns6")),
    "brainvision": _Files((".vhdr",)),
    "ced": _Files((".smrx",)),
    "edf": _Files((".edf",)),
    "elan": _Files((".eeg",), has_sibling(added=".ent")),
    "elphy": _Files((".dat",), starts_with(b"\x0cDAC2/GS/2000", b"\x0cDAC2 objects")),
    "igor": _Files((".ibw", ".pxp")),
    "intan": _Files((".rhd", ".rhs")),
    "micromed": _Files((".trc",)),
    "neomatlab": _Files((".mat",), holds_matlab_variable("block")),
    "neuroexplorer": _Files((".nex",)),
    "neuroscope": _Files((".eeg", ".lfp", ".dat"), has_sibling(replaced=".xml")),
    "nix": _Files((".nix",)),
    "plexon": _Files((".plx",)),
    "rawmcs": _Files((".raw",), starts_with(b"MC_DataTool")),
    "spike2": _Files((".smr",)),
    "spikegadgets": _Files((".rec",)),
    "winedr": _Files((".edr",)),
    "winwcp": _Files((".wcp",)),
}


def neo_entries() -> Iterator[ReaderEntry]:
    """Yield a reader for each of Neo's, named after its class: ``AxonIO`` gives ``axon``."""
    from nwb_mepp.readers.neo_reader import neo_classes, read_neo

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
            explicit=files is None,
            reads_folder=neo_class.mode == "dir",
            lazy=bool(neo_class.support_lazy),
            requires=tuple(package for reader, package in _REQUIRED.items() if reader == name),
        )


def _describe(name: str, class_name: str) -> str:
    if name == RAW_BINARY_READER:
        return f"raw binary, nothing stated in the file ({class_name} of Neo)"
    return f"{class_name.removesuffix('IO')} ({class_name} of Neo)"
