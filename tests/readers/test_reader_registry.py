"""Which readers there are, and which is chosen."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import neo
import pytest

from nwb_mepp.core.errors import MissingDependencyError, ReadError, UsageError
from nwb_mepp.readers import ReadOptions, interface, read_recording, reader_table, registry
from nwb_mepp.readers.registry import choose_reader, reader_named
from nwb_mepp.readers.text.labchart import LABCHART
from tests.lab_folders import write_neuralynx


def test_names_are_those_of_neo_in_small_letters() -> None:
    names = {entry.name for entry in reader_table()}
    assert {"axon", "winedr", "winwcp", "spike2", "axograph", "igor", "labchart", "labeled-text"} <= names


def test_every_reader_of_neo_is_offered_or_left_out_for_a_reason() -> None:
    from nwb_mepp.readers.neo.catalog import _AUTOMATIC, _EXCLUDED

    of_neo = {neo_class.__name__.removesuffix("IO").lower() for neo_class in neo.io.iolist}
    offered = {entry.name for entry in reader_table()} - {"atf", "labchart", "labeled-text"}
    assert offered == of_neo - set(_EXCLUDED)
    assert set(_EXCLUDED) | set(_AUTOMATIC) <= of_neo


def test_neither_pickles_nor_nwb_are_read_through_neo() -> None:
    assert not {"pickle", "nwb", "asciisignal"} & {entry.name for entry in reader_table()}


@pytest.mark.parametrize("suffix", [".pkl", ".pickle", ".PKL"])
def test_a_pickle_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{suffix}"
    path.write_bytes(b"cos\nsystem\n(S'echo'\ntR.")
    with pytest.raises(ReadError, match="is a pickle, and opening a pickle can run any program"):
        read_recording(path)


def test_an_nwb_file_is_sent_to_detect(tmp_path: Path) -> None:
    path = tmp_path / "run.nwb"
    path.write_bytes(b"x")
    with pytest.raises(ReadError, match=r"run\.nwb is an NWB file already; nwb-mepp detect"):
        read_recording(path)


def test_an_unknown_reader_lists_those_that_are_known(tmp_path: Path) -> None:
    path = tmp_path / "run.abf"
    path.write_bytes(b"x")
    with pytest.raises(UsageError, match=r"`reader`: expected one of alphaomega, .*axon.*; found 'axion'"):
        read_recording(path, options=ReadOptions(reader="axion"))


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    for name, found in (("run.foo", r"files \.foo"), ("run", "files without a suffix")):
        path = tmp_path / name
        path.write_bytes(b"x")
        with pytest.raises(ReadError, match=f"no reader is known for {found}"):
            read_recording(path)


@pytest.mark.parametrize("suffix", [".dat", ".raw", ".bin", ".h5"])
def test_a_suffix_of_many_programs_is_not_guessed(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{suffix}"
    path.write_bytes(bytes(64))
    with pytest.raises(
        ReadError, match=r"its suffix does not tell what it is; choose a reader with `reader`"
    ):
        read_recording(path)


def test_a_part_of_a_recording_that_is_a_folder_asks_for_the_folder(tmp_path: Path) -> None:
    path = tmp_path / "CSC1.ncs"
    path.write_bytes(b"x")
    with pytest.raises(
        ReadError,
        match=r"part of a recording that is a folder; give the folder and choose `reader` \(neuralynx",
    ):
        read_recording(path)


def test_a_folder_needs_a_reader_of_folders(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"is a folder; expected a file, or `reader='NAME'` .*neuralynx"):
        read_recording(tmp_path)
    with pytest.raises(ReadError, match="the reader 'axon' expects a file, found a folder"):
        read_recording(tmp_path, options=ReadOptions(reader="axon"))
    path = tmp_path / "run.abf"
    path.write_bytes(b"x")
    with pytest.raises(ReadError, match="the reader 'neuralynx' expects a folder, found a file"):
        read_recording(path, options=ReadOptions(reader="neuralynx"))


def test_a_missing_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="expected a recording, found no such file or folder"):
        read_recording(tmp_path / "run.abf")
    (tmp_path / "empty.abf").touch()
    with pytest.raises(ReadError, match=r"empty\.abf: expected a recording, found an empty file \(0 bytes\)"):
        read_recording(tmp_path / "empty.abf")


def test_a_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "find_spec", lambda _: None)
    path = tmp_path / "run.ibw"
    path.write_bytes(b"x")
    with pytest.raises(
        MissingDependencyError, match=r"'igor' needs the package igor2, .*nwb-mepp\[formats\]"
    ):
        read_recording(path)
    with pytest.raises(MissingDependencyError, match="install sonpy"):
        reader_named("ced").check_dependencies()


def test_a_package_that_is_missing_inside_neo_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "igor2.binarywave", None)
    path = tmp_path / "run.ibw"
    path.write_bytes(b"x")
    with pytest.raises(MissingDependencyError, match=r"run\.ibw: the reader 'igor' needs the package igor2"):
        read_recording(path)


class TestPlugins:
    """Readers that other packages bring."""

    @pytest.fixture
    def install(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        def install(plugin: object) -> None:
            class Point(EntryPoint):
                def load(self) -> object:
                    return plugin

            point = Point(name="x", value="lab:READER", group="nwb_mepp.readers")
            monkeypatch.setattr(
                registry, "entry_points", lambda group: [point] if group == point.group else []
            )
            reader_table.cache_clear()

        yield install
        monkeypatch.undo()
        reader_table.cache_clear()

    def test_one_is_chosen_like_any_other(self, install: Any, tmp_path: Path) -> None:
        install(replace(LABCHART, name="lab", suffixes=(".lab",), claims=None))
        path = tmp_path / "run.lab"
        path.write_text("t (s)\tVm (V)\n0.0\t1\n0.1\t2\n0.2\t3\n")
        assert choose_reader(path).name == "lab"
        assert read_recording(path).source.reader == "lab"

    def test_what_is_no_reader_is_refused(self, install: Any) -> None:
        install("not a reader")
        with pytest.raises(UsageError, match=r"lab:READER in the group nwb_mepp\.readers is not a Reader"):
            reader_table()

    def test_a_second_reader_of_one_name_is_refused(self, install: Any) -> None:
        install(replace(LABCHART, name="axon"))
        with pytest.raises(UsageError, match="lab:READER brings a second reader called 'axon'"):
            reader_table()

    def test_two_that_fit_one_file_ask_the_user(self, install: Any, tmp_path: Path) -> None:
        install(replace(LABCHART, name="lab"))
        path = tmp_path / "run.txt"
        path.write_text("t (s)\tVm (V)\n0.0\t1\n0.1\t2\n0.2\t3\n")
        with pytest.raises(ReadError, match=r"more than one reader fits .* `reader` \(lab, labchart\)"):
            read_recording(path)


class TestContent:
    """What a file holds counts for more than what it is called."""

    def test_a_file_with_a_signature_is_recognized_under_any_name(
        self, shared_data: Path, tmp_path: Path
    ) -> None:
        for name, reader in (
            ("File_axon_5.abf", "axon"),
            ("File_spike2_1.smr", "spike2"),
            ("File_micromed_1.TRC", "micromed"),
            ("File_neuroexplorer_1.nex", "neuroexplorer"),
            ("18702001-step.atf", "atf"),
        ):
            path = tmp_path / f"{name}.bak"
            path.write_bytes((shared_data / "formats" / name).read_bytes())
            assert choose_reader(path).name == reader

    def test_a_name_that_contradicts_the_content_is_asked_about(
        self, shared_data: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "run.ibw"
        path.write_bytes((shared_data / "formats" / "File_axon_5.abf").read_bytes())
        with pytest.raises(ReadError, match=r"more than one reader fits .* `reader` \(igor, axon\)"):
            choose_reader(path)
        assert choose_reader(path, name="axon").name == "axon"

    def test_a_name_that_its_own_format_denies_gives_way_to_the_content(
        self, shared_data: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "run.nex"
        path.write_bytes((shared_data / "formats" / "File_axon_5.abf").read_bytes())
        assert choose_reader(path).name == "axon"

    @pytest.mark.parametrize(
        "suffix", [".abf", ".smr", ".nex", ".trc", ".edf", ".nix", ".mat", ".wcp", ".vhdr"]
    )
    def test_a_name_alone_is_not_believed(self, suffix: str, tmp_path: Path) -> None:
        path = tmp_path / f"run{suffix}"
        path.write_bytes(b"something else entirely")
        with pytest.raises(ReadError, match=r"is named as a file for the reader .*, but its content is not"):
            choose_reader(path)

    def test_a_folder_that_fits_two_readers_is_asked_about(self, tmp_path: Path) -> None:
        folder = write_neuralynx(tmp_path / "day1")
        (folder / "100_CH1.continuous").write_bytes(b"header.format = 'Open Ephys Data Format'")
        with pytest.raises(ReadError, match=r"fits more than one reader.* `reader` \(neuralynx, openephys\)"):
            choose_reader(folder)


def test_importing_the_readers_does_not_load_neo() -> None:
    program = "import sys, nwb_mepp.readers; sys.exit('neo' in sys.modules or 'quantities' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


class TestRawBinary:
    """Files in which nothing is stated."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "run.raw"
        path.write_bytes(bytes(400))
        return path

    def test_everything_has_to_be_stated(self, path: Path) -> None:
        with pytest.raises(UsageError, match=r"missing: `dtype`, `n_channels`, `sampling_rate_hz`, `unit`\."):
            read_recording(path, options=ReadOptions(reader="rawbinarysignal"))
        options = ReadOptions(reader="rawbinarysignal", dtype="int16", n_channels=1, sampling_rate_hz=1e4)
        with pytest.raises(UsageError, match=r"missing: `unit`\."):
            read_recording(path, options=options)

    def test_a_size_that_does_not_fit_is_refused(self, path: Path) -> None:
        options = ReadOptions(
            reader="rawbinarysignal", dtype="int32", n_channels=3, sampling_rate_hz=1e4, unit={"": "V"}
        )
        with pytest.raises(ReadError, match=r"expected a multiple of 12 bytes .*, found 400 bytes"):
            read_recording(path, options=options)
