"""Files that no reader takes but that can be named for what they are, with the way that leads further."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ForeignFormat", "foreign_format"]

_HEAD_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class ForeignFormat:
    """A format without a reader, or a file that is of no use without another.

    Attributes
    ----------
    name : str
        What the file is, with its article.
    advice : str
        What to do with it.
    magic : tuple of bytes
        What its content begins with; empty if the suffix says what it is.
    suffixes : tuple of str
        In lower case, with the dot; empty if the content says what it is.
    is_part : bool
        Of a recording of several files.
    """

    name: str
    advice: str
    magic: tuple[bytes, ...] = ()
    suffixes: tuple[str, ...] = ()
    is_part: bool = False

    @property
    def sentence(self) -> str:
        """What the file is and what to do, to be put behind its name."""
        link = ";" if self.is_part else ", for which there is no reader:"
        return f"is {self.name}{link} {self.advice}."

    def matches(self, suffix: str, head: bytes) -> bool:
        """Return whether a file is of this format.

        Parameters
        ----------
        suffix : str
        head : bytes
            The first bytes of its content.
        """
        return (not self.suffixes or suffix in self.suffixes) and (
            not self.magic or head.startswith(self.magic)
        )


_FORMATS = (
    ForeignFormat(
        name="a HEKA bundle (DAT1 or DAT2, of Patchmaster or Pulse)",
        advice="export the series from Patchmaster as ASCII, Igor or MATLAB",
        magic=(b"DAT1", b"DAT2", b"DATA"),
    ),
    ForeignFormat(
        name="a HEKA side file",
        advice="export the series from Patchmaster as ASCII, Igor or MATLAB",
        suffixes=(".pgf", ".pul", ".onl", ".amp", ".sol", ".mth"),
        magic=(b"Tree", b"eerT"),
    ),
    ForeignFormat(
        name="a LabChart document",
        advice="open it in LabChart or the free LabChart Reader and export it as text (File > Export)",
        suffixes=(".adicht", ".adidat", ".adiset"),
    ),
    ForeignFormat(
        name="a LabChart binary file",
        advice="open it in LabChart and export it as text (File > Export)",
        magic=(b"CFWB",),
    ),
    ForeignFormat(
        name="a Spike2 file of 64 bits",
        advice="export it from Spike2 as .smr of 32 bits, as text or as MATLAB file, or install sonpy where "
        "it exists for your Python",
        suffixes=(".smrx",),
    ),
    ForeignFormat(
        name="a Plexon PL2 file",
        advice="convert it to .plx or .nex with Plexon's tools",
        suffixes=(".pl2",),
    ),
    ForeignFormat(
        name="a file of KlustaSuite",
        advice="Neo reads it with NumPy older than 2.3 only; use the file of the amplifier",
        suffixes=(".kwik", ".kwd", ".kwx"),
    ),
    ForeignFormat(name="a BDF file", advice="convert it to EDF", magic=(b"\xffBIOSEMI",)),
    ForeignFormat(
        name="a CED file of CFS (Signal)", advice="export it from Signal as text", magic=(b"CEDFILE",)
    ),
    ForeignFormat(
        name="a Multi Channel Systems file",
        advice="convert it to .raw with MC_DataTool",
        suffixes=(".mcd",),
    ),
    ForeignFormat(name="an MSRD file", advice="export it as HDF5", suffixes=(".msrd", ".msrs")),
    ForeignFormat(
        name="a spreadsheet",
        advice="save the sheet as CSV",
        suffixes=(".xlsx", ".xls", ".ods", ".xlsm"),
    ),
    ForeignFormat(name="a Zip archive", advice="unpack it first", magic=(b"PK\x03\x04",)),
    ForeignFormat(
        name="a compressed file",
        advice="unpack it first",
        magic=(b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf\x27\x1c", b"Rar!"),
    ),
    ForeignFormat(
        name="a Git LFS pointer",
        advice="fetch the file itself with 'git lfs pull'",
        magic=(b"version https://git-lfs",),
    ),
    ForeignFormat(
        name="a web page, as is saved when a download fails",
        advice="download the file again",
        magic=(b"<!DOCTYPE html", b"<!doctype html", b"<html"),
    ),
)

# Files of a recording of several files, by what has to lie beside them.
_PARTS: dict[str, tuple[str, tuple[str, ...]]] = {
    ".vmrk": ("BrainVision", (".vhdr",)),
    ".ent": ("Elan", (".eeg",)),
    ".tev": ("TDT", (".tsq",)),
    ".tbk": ("TDT", (".tsq",)),
    ".tdx": ("TDT", (".tsq",)),
    ".sev": ("TDT", (".tsq",)),
    ".nev": ("Blackrock or Neuralynx", (".ns1 to .ns6, or .ncs",)),
    ".meta": ("SpikeGLX", (".bin",)),
    ".oebin": ("Open Ephys", ("continuous/.../continuous.dat",)),
    ".openephys": ("Open Ephys", (".continuous",)),
    ".eeg": ("BrainVision, Elan or NeuroScope", (".vhdr, .eeg.ent or .xml",)),
    ".lfp": ("NeuroScope", (".xml",)),
    ".xdat": ("NeuroNexus", (".xdat.json",)),
}


def foreign_format(path: Path) -> ForeignFormat | None:
    """Return what a file is that no reader takes, or None if that is not known.

    Parameters
    ----------
    path : Path

    Examples
    --------
    >>> foreign_format(Path("day1.adicht")).advice
    'open it in LabChart or the free LabChart Reader and export it as text (File > Export)'
    """
    suffix = path.suffix.lower()
    head = b""
    if path.is_file():
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    for one in _FORMATS:
        if one.matches(suffix, head):
            return one
    if suffix in _PARTS:
        program, missing = _PARTS[suffix]
        return ForeignFormat(
            name=f"a part of a {program} recording",
            advice=f"put {missing[0]} of the recording beside it, which is not there",
            is_part=True,
        )
    if suffix == ".xml" and b"<parameters" in head:
        return ForeignFormat(
            name="the parameters of a NeuroScope recording",
            advice="pass its .dat, .eeg or .lfp, which has to have the same name",
            is_part=True,
        )
    return None
