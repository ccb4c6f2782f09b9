"""Files without a reader are named for what they are, with the way that leads further."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from nwb_mepp.core.errors import MissingDependencyError, ReadError
from nwb_mepp.readers import read_recording
from nwb_mepp.readers.foreign_formats import foreign_format


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("run.dat", b"DAT2\0\0\0\0", r"is a HEKA bundle .* no reader: export the series from Patchmaster"),
        ("run.unknown", b"DAT1\0\0\0\0", "is a HEKA bundle"),
        ("run.pgf", b"eerT\0\0\0\0", "is a HEKA side file"),
        ("run.adicht", b"anything", r"is a LabChart document, .*export it as text \(File > Export\)\."),
        ("run.adibin", b"CFWB\1\0\0\0", "is a LabChart binary file"),
        ("run.pl2", b"anything", r"is a Plexon PL2 file, .* convert it to \.plx"),
        ("run.kwik", b"\x89HDF\r\n\x1a\n", r"is a file of KlustaSuite, .* NumPy older than 2\.3"),
        ("run.bdf", b"\xffBIOSEMI", "is a BDF file, .* convert it to EDF"),
        ("run.xlsx", b"PK\x03\x04", "is a spreadsheet, .* save the sheet as CSV"),
        ("run.abf", b"PK\x03\x04", "is a Zip archive, .* unpack it first"),
        ("run.abf.gz", b"\x1f\x8b\x08", "is a compressed file, .* unpack it first"),
        ("run.abf", b"version https://git-lfs.github.com", "is a Git LFS pointer"),
        ("run.abf", b"<!DOCTYPE html><p>404", "is a web page"),
        ("run.mcd", b"MCSSTRM", "is a Multi Channel Systems file"),
        ("run.vmrk", b"Brain Vision Data", r"part of a BrainVision recording; put \.vhdr .* not there"),
        (
            "run.eeg",
            b"\0\1",
            r"BrainVision, Elan or NeuroScope .*; put \.vhdr, \.eeg\.ent or \.xml",
        ),
        ("run.lfp", b"\0\1", r"part of a NeuroScope recording; put \.xml"),
        ("run.nev", b"NEURALEV", r"part of a Blackrock or Neuralynx recording; put \.ns1 to \.ns6, or \.ncs"),
        ("run.tev", b"\0\1", r"part of a TDT recording; put \.tsq"),
        ("run.meta", b"fileName=x", r"part of a SpikeGLX recording; put \.bin"),
        ("run.xml", b"<parameters creator='ndm'>", "parameters of a NeuroScope recording; pass its"),
    ],
)
def test_the_error_says_what_it_is_and_what_to_do(
    name: str, content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ReadError, match=message) as caught:
        read_recording(path)
    assert "truncated" not in str(caught.value)


def test_a_reader_comes_first(tmp_path: Path) -> None:
    assert foreign_format(tmp_path / "run.abf") is None
    assert foreign_format(tmp_path / "run.foo") is None


def test_a_spike2_file_of_64_bits_names_the_way_without_its_package(tmp_path: Path) -> None:
    path = tmp_path / "run.smrx"
    path.write_bytes(b"S64\0")
    with pytest.raises(MissingDependencyError, match=r"needs the package sonpy, .* export it from Spike2"):
        read_recording(path)


def test_the_samples_of_brainvision_have_to_lie_beside_the_header(tmp_path: Path) -> None:
    path = tmp_path / "run.vhdr"
    path.write_text("Brain Vision Data Exchange Header Version 1.0\n[Common Infos]\nDataFile=other.eeg\n")
    with pytest.raises(ReadError, match=r"expected the samples in other\.eeg .* found none; copy it"):
        read_recording(path)
    (tmp_path / "run.eeg").touch()
    with pytest.raises(ReadError, match=r"found only run\.eeg; correct DataFile in the header"):
        read_recording(path)


def test_maxwell_is_recognized_by_its_members(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with h5py.File(path, "w") as file:
        file["version"] = [b"20190530"]
        for well, recording in (("well000", "rec0000"), ("well001", "rec0001")):
            file.create_group(f"wells/{well}/{recording}")
    with pytest.raises(ReadError, match=r"the reader 'maxwell' .* Detected multiple recording IDs"):
        read_recording(path)
    with h5py.File(path, "a") as file:
        del file["version"]
    with pytest.raises(ReadError, match="its suffix does not identify its format"):
        read_recording(path)
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ReadError, match="its suffix does not identify its format"):
        read_recording(path)


def test_the_reported_bundle_is_named(shared_cases: Path) -> None:
    with pytest.raises(ReadError, match=r"heka\.dat is a HEKA bundle .* no reader: export"):
        read_recording(shared_cases / "heka_dat" / "heka.dat")
