"""A recording of several files can be opened by any of them, by their common name, or by its folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from builders.lab_files import write_intan, write_neuralynx, write_tdt
from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.readers import ReadOptions, find_recordings, read_recording
from nwb_mepp.readers.multi_file import primary_path
from nwb_mepp.readers.registry import get_reader

BRAINVISION = "File_brainvision_binary_multiplexed_3"


@pytest.fixture
def formats(shared_data: Path, tmp_path: Path) -> Path:
    """Copy the files of BrainVision and Elan, which have side files."""
    for path in (shared_data / "formats").iterdir():
        if path.name.startswith((BRAINVISION, "testNeoElanIO")):
            shutil.copyfile(path, tmp_path / path.name)
    return tmp_path


@pytest.mark.parametrize("part", [".vhdr", ".dat", ".vmrk", ""])
def test_a_brainvision_recording_is_opened_by_its_header(part: str, formats: Path) -> None:
    path, header = formats / f"{BRAINVISION}{part}", formats / f"{BRAINVISION}.vhdr"
    assert primary_path(path) == header
    assert find_recordings([path]) == [header]
    recording = read_recording(path)
    assert recording.source.name == header.name
    assert len(recording.channels) == 62


def test_data_with_another_stem_belong_to_the_header_that_refers_to_them(formats: Path) -> None:
    header = formats / f"{BRAINVISION}.vhdr"
    header.rename(formats / "renamed.vhdr")
    assert primary_path(formats / f"{BRAINVISION}.dat") == formats / "renamed.vhdr"


def test_data_of_two_headers_are_refused(formats: Path) -> None:
    shutil.copyfile(formats / f"{BRAINVISION}.vhdr", formats / "copy.vhdr")
    with pytest.raises(
        ReadError, match=r"_3\.dat: expected a name that refers to one recording, found .*, copy\.vhdr; pass"
    ):
        read_recording(formats / f"{BRAINVISION}.dat")


def test_a_header_that_is_not_text_refers_to_nothing(formats: Path) -> None:
    (formats / "broken.vhdr").write_bytes(bytes(range(256)))
    assert primary_path(formats / f"{BRAINVISION}.dat") == formats / f"{BRAINVISION}.vhdr"


@pytest.mark.parametrize("part", ["testNeoElanIO.eeg", "testNeoElanIO.eeg.ent", "testNeoElanIO.eeg.pos"])
def test_an_elan_recording_is_opened_by_its_data_file(part: str, formats: Path) -> None:
    assert read_recording(formats / part).source.name == "testNeoElanIO.eeg"


def test_the_common_name_of_elan_files_opens_the_recording(formats: Path) -> None:
    assert primary_path(formats / "testNeoElanIO") == formats / "testNeoElanIO.eeg"


def test_all_files_of_a_recording_together_give_one_recording(formats: Path) -> None:
    assert len(find_recordings(sorted(formats.iterdir()))) == 2
    assert len(find_recordings([formats / "*"])) == 2


def test_a_common_name_of_two_recordings_is_refused(formats: Path) -> None:
    (formats / f"{BRAINVISION}.abf").write_bytes(b"ABF2")
    with pytest.raises(ReadError, match=r"refers to one recording, found .*\.abf, .*\.vhdr; pass one"):
        find_recordings([formats / BRAINVISION])


def test_a_name_that_refers_to_no_recording_is_unchanged(tmp_path: Path) -> None:
    (tmp_path / "run.png").touch()
    assert primary_path(tmp_path / "run") == tmp_path / "run"
    with pytest.raises(ReadError, match="found no such file or folder"):
        find_recordings([tmp_path / "run"])
    assert primary_path(tmp_path / "none" / "run") == tmp_path / "none" / "run"


def test_a_neuralynx_folder_is_recognized_as_a_recording(tmp_path: Path) -> None:
    folder = write_neuralynx(tmp_path / "day1")
    assert find_recordings([tmp_path]) == [folder]
    assert find_recordings([folder / "CSC1.ncs", folder / "CSC2.ncs"]) == [folder]
    for path in (folder, folder / "CSC2.ncs"):
        recording = read_recording(path)
        assert (recording.source.name, recording.channels) == ("day1", ("CSC1", "CSC2"))


def test_another_recording_in_such_a_folder_is_found_too(tmp_path: Path, shared_data: Path) -> None:
    folder = write_neuralynx(tmp_path / "day1")
    shutil.copyfile(shared_data / "formats" / "File_axon_7.abf", folder / "run.abf")
    assert find_recordings([tmp_path]) == [folder, folder / "run.abf"]


def test_an_intan_folder_is_opened_by_its_header(tmp_path: Path) -> None:
    folder = write_intan(tmp_path / "day1")
    for path in (folder, folder / "amplifier.dat", folder / "info.rhd"):
        recording = read_recording(path)
        assert (recording.source.name, recording.channels) == ("info.rhd", ("Vm", "Vref"))
    assert recording.notes == ("Left out because they have no unit: 'trigger'; state a unit to keep one.",)
    assert find_recordings([tmp_path]) == [folder / "info.rhd"]


def test_the_data_of_a_folder_are_part_of_its_checksum(tmp_path: Path) -> None:
    folder = write_intan(tmp_path / "day1")
    before = read_recording(folder).source.sha256
    data = folder / "amplifier.dat"
    data.write_bytes(data.read_bytes()[:-4] + b"\1\2\3\4")
    assert read_recording(folder).source.sha256 != before


@pytest.mark.parametrize("part", ["b1.tsq", "b1.tev", "b1.Tbk", "b1", ""])
def test_a_tdt_block_is_opened_by_its_index(part: str, tmp_path: Path) -> None:
    write_tdt(tmp_path, name="b1")
    assert read_recording(tmp_path / part).source.name == "b1.tsq"


def test_a_folder_with_two_recordings_is_refused_or_searched(tmp_path: Path) -> None:
    both = [write_tdt(tmp_path, name=name, seed=seed) for seed, name in enumerate(("b1", "b2"))]
    with pytest.raises(ReadError, match=r"refers to one recording, found b1\.tsq, b2\.tsq; pass one"):
        read_recording(tmp_path)
    assert find_recordings([tmp_path]) == both
    first, second = (read_recording(path).traces[0].raw() for path in both)
    assert (first != second).any()


def test_a_chosen_reader_opens_exactly_the_given_file(formats: Path) -> None:
    data = formats / f"{BRAINVISION}.dat"
    options = ReadOptions(
        reader="rawbinarysignal", dtype="int16", n_channels=62, sampling_rate_hz=1024.0, unit={"": "uV"}
    )
    assert find_recordings([data], reader="rawbinarysignal") == [data]
    assert read_recording(data, options=options).source.name == data.name


def test_a_chosen_reader_finds_its_main_file_given_another(formats: Path, tmp_path: Path) -> None:
    reader = get_reader("brainvision")
    assert primary_path(formats / f"{BRAINVISION}.vmrk", reader=reader).suffix == ".vhdr"
    folder = write_neuralynx(tmp_path / "day1")
    assert primary_path(folder / "CSC1.ncs", reader=get_reader("neuralynx")) == folder
    assert primary_path(folder, reader=get_reader("neuralynx")) == folder
    assert primary_path(folder / "CSC1.ncs", reader=reader) == folder / "CSC1.ncs"


def test_an_unknown_reader_is_reported_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`reader`: expected one of"):
        read_recording(tmp_path, options=ReadOptions(reader="nonesuch"))


def test_a_folder_without_read_permission_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "run.dat").touch()
    monkeypatch.setattr(Path, "iterdir", refuse)
    for path in (tmp_path, tmp_path / "run.dat", tmp_path / "run"):
        with pytest.raises(ReadError, match="cannot be read: Permission denied"):
            primary_path(path)
    with pytest.raises(ReadError, match="expected recordings in the folder, found none"):
        find_recordings([tmp_path])
