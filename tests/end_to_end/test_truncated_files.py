"""A file that was cut off gives a clear error or a plausible shorter recording, and never anything else."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from builders.lab_files import write_intan, write_neuralynx, write_tdt
from builders.neo_objects import full_block, write_matlab, write_nix

START = ("--session-start", "2026-01-15T10:00:00Z", "--override")
RAW_BINARY = (
    "--reader",
    "rawbinarysignal",
    "--dtype",
    "int16",
    "--n-channels",
    "2",
    "--sampling-rate",
    "10000",
)

# The file that is cut, the one that is converted, and the options.
CASES = {
    "18702001-step.atf": ("", ()),
    "B95_Ch0_IDRest_107.ibw": ("", ()),
    "B95_Ch0_IDRest_107.pxp": ("", ()),
    "File_RAW_1_10kHz_2channels.raw": ("", (*RAW_BINARY, "--unit", "mV")),
    "File_WinEDR_1.EDR": ("", ()),
    "File_axon_3.abf": ("", ()),
    "File_axon_5.abf": ("", ()),
    "File_axon_7.abf": ("", ()),
    "File_brainvision_binary_multiplexed_3.dat": ("File_brainvision_binary_multiplexed_3.vhdr", ()),
    "File_brainvision_binary_multiplexed_3.vhdr": ("", ()),
    "File_brainvision_binary_multiplexed_3.vmrk": ("File_brainvision_binary_multiplexed_3.vhdr", ()),
    "File_micromed_1.TRC": ("", ()),
    "File_neuroexplorer_1.nex": ("", ()),
    "File_spike2_1.smr": ("", ()),
    "File_winwcp_1.wcp": ("", ()),
    "testNeoElanIO.eeg": ("", ()),
    "testNeoElanIO.eeg.ent": ("testNeoElanIO.eeg", ()),
    "testNeoElanIO.eeg.pos": ("testNeoElanIO.eeg", ()),
}
GENERATED = {
    "run.nix": lambda folder: write_nix(folder / "run.nix", full_block()),
    "run.mat": lambda folder: write_matlab(folder / "run.mat", full_block()),
    "b1.tev": lambda folder: write_tdt(folder, name="b1"),
    "b1.tsq": lambda folder: write_tdt(folder, name="b1"),
    "day/CSC1.ncs": lambda folder: write_neuralynx(folder / "day"),
    "day/amplifier.dat": lambda folder: write_intan(folder / "day"),
    "day/info.rhd": lambda folder: write_intan(folder / "day"),
}
# Within the header, in the middle, and of the last few bytes.
CUTS = (0.003, 0.5, 0.9999)


def test_every_file_at_hand_is_cut(shared_data: Path) -> None:
    assert set(CASES) == {path.name for path in (shared_data / "formats").iterdir()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the uncut files become."""
    return tmp_path_factory.mktemp("whole")


@pytest.mark.parametrize("name", CASES)
def test_a_cut_file_is_refused_or_gives_a_shorter_recording(
    name: str, call: Any, shared_data: Path, whole: Path, tmp_path: Path
) -> None:
    converted, options = CASES[name]
    converted = converted or name
    for path in (shared_data / "formats").iterdir():
        if path.stem.partition(".")[0] == Path(name).stem.partition(".")[0]:
            shutil.copyfile(path, tmp_path / path.name)
    check_cuts(tmp_path / name, tmp_path / converted, options, call=call, whole=whole / converted)


@pytest.mark.parametrize("name", GENERATED)
def test_a_cut_generated_file_is_refused_or_gives_a_shorter_recording(
    name: str, call: Any, whole: Path, tmp_path: Path
) -> None:
    GENERATED[name](tmp_path)
    path = tmp_path / name
    check_cuts(path, path, (), call=call, whole=whole / "generated" / name.replace("/", "_"))


def check_cuts(path: Path, converted: Path, options: tuple[str, ...], *, call: Any, whole: Path) -> None:
    content = path.read_bytes()
    if not whole.exists():  # of one recording, several files are cut
        called = call("convert", converted, "-o", whole, *START, *options)
        assert called.code == 0, called.err
    (entire,) = whole.glob("*.nwb")
    for cut in CUTS:
        path.write_bytes(content[: int(len(content) * cut)])
        before = checksums(path.parent)
        output = path.parent / "out"
        called = call("convert", converted, "-o", output, *START, *options)
        assert "Traceback" not in called.err
        assert "bug in nwb-mepp" not in called.err, called.err
        assert called.out == ""
        if called.code:
            assert called.code == 1
            assert called.err.startswith("nwb-mepp: ")
            assert called.err.count("\n") == 1
            assert not [file for file in output.rglob("*") if file.is_file()]
        else:
            (file,) = output.rglob("*.nwb")
            check_prefix(file, entire, name=f"{path.name} cut to {cut:.4f}")
            shutil.rmtree(output)
        assert checksums(path.parent) == before


def checksums(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def check_prefix(cut: Path, entire: Path, *, name: str) -> None:
    """Compare each series with the beginning of the same one of the whole file."""
    with h5py.File(cut) as short, h5py.File(entire) as long:
        names = set(short["acquisition"])
        # With a single sweep left, its number is no part of the name.
        known = {one: one if one in long["acquisition"] else f"{one}_sweep_000" for one in names}
        assert set(known.values()) <= set(long["acquisition"]), name
        for one, other in known.items():
            found, expected = short["acquisition"][one], long["acquisition"][other]
            n_samples = len(found["data"])
            assert 0 < n_samples <= len(expected["data"]), name
            np.testing.assert_array_equal(found["data"][:], expected["data"][:n_samples], err_msg=name)
            assert dict(found["data"].attrs) == dict(expected["data"].attrs), name
            if "starting_time" in found:
                assert found["starting_time"][()] == expected["starting_time"][()], name
                assert found["starting_time"].attrs["rate"] == expected["starting_time"].attrs["rate"], name
