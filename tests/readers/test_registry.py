"""The registry of readers, and the choice of a reader for a file."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import neo
import pytest

from builders.lab_files import write_neuralynx
from nwb_mepp._utils.plugins import plugins
from nwb_mepp.core.errors import MissingDependencyError, ReadError, UsageError
from nwb_mepp.readers import ReadOptions, interface, read_recording, reader_table, registry
from nwb_mepp.readers.registry import choose_reader, get_reader
from nwb_mepp.readers.text.labchart import LABCHART


def test_names_are_those_of_neo_in_lower_case() -> None:
    names = {entry.name for entry in reader_table()}
    assert {"axon", "winedr", "winwcp", "spike2", "axograph", "igor", "labchart", "labeled-text"} <= names


def test_every_reader_of_neo_is_offered_or_left_out_for_a_reason() -> None:
    from nwb_mepp.readers.neo.catalog import _AUTOMATIC, _EXCLUDED, neo_entries

    of_neo = {neo_class.__name__.removesuffix("IO").lower() for neo_class in neo.io.iolist}
    offered = {entry.name for entry in neo_entries()}
    assert offered == of_neo - set(_EXCLUDED)
    assert set(_EXCLUDED) | set(_AUTOMATIC) <= of_neo


def test_neither_pickles_nor_nwb_files_are_read_with_neo() -> None:
    assert not {"pickle", "nwb", "asciisignal"} & {entry.name for entry in reader_table()}


@pytest.mark.parametrize("suffix", [".pkl", ".pickle", ".PKL"])
def test_a_pickle_is_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{suffix}"
    path.write_bytes(b"cos\nsystem\n(S'echo'\ntR.")
    with pytest.raises(ReadError, match="is a pickle file, and opening one can run arbitrary code"):
        read_recording(path)


def test_for_an_nwb_file_the_error_points_to_detect(tmp_path: Path) -> None:
    path = tmp_path / "run.nwb"
    path.write_bytes(b"x")
    with pytest.raises(ReadError, match=r"run\.nwb is already an NWB file .*; nwb-mepp detect"):
        read_recording(path)


def test_the_error_for_an_unknown_reader_lists_all_readers(tmp_path: Path) -> None:
    path = tmp_path / "run.abf"
    path.write_bytes(b"x")
    with pytest.raises(UsageError, match=r"`reader`: expected one of alphaomega, .*axon.*; found 'axion'"):
        read_recording(path, options=ReadOptions(reader="axion"))


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    for name, found in (("run.foo", r"with the suffix \.foo"), ("run", "without a suffix")):
        path = tmp_path / name
        path.write_bytes(b"x")
        with pytest.raises(ReadError, match=f"there is no reader for files {found}"):
            read_recording(path)


@pytest.mark.parametrize("suffix", [".dat", ".raw", ".bin", ".h5"])
def test_an_ambiguous_suffix_is_not_guessed(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"run{suffix}"
    path.write_bytes(bytes(64))
    with pytest.raises(
        ReadError, match=r"its suffix does not identify its format; choose a reader with `reader`"
    ):
        read_recording(path)


def test_a_file_of_a_recording_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "CSC1.ncs"
    path.write_bytes(b"x")
    with pytest.raises(
        ReadError, match="part of a recording that is a folder; pass the folder and `reader` neuralynx"
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


def test_the_error_for_a_missing_package_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interface, "find_spec", lambda _: None)
    path = tmp_path / "run.ibw"
    path.write_bytes(b"x")
    with pytest.raises(
        MissingDependencyError, match=r"'igor' needs the package igor2, .*nwb-mepp\[formats\]"
    ):
        read_recording(path)
    with pytest.raises(MissingDependencyError, match="install sonpy"):
        get_reader("ced").check_dependencies()


def test_a_missing_package_that_neo_needs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "igor2.binarywave", None)
    path = tmp_path / "run.ibw"
    path.write_bytes(b"x")
    with pytest.raises(MissingDependencyError, match=r"run\.ibw: the reader 'igor' needs the package igor2"):
        read_recording(path)


class TestPlugins:
    """Readers from other packages."""

    @pytest.fixture
    def install(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        def install(plugin: object) -> None:
            class Point(EntryPoint):
                def load(self) -> object:
                    return plugin

            point = Point(name="x", value="lab:READER", group="nwb_mepp.readers")
            built_in = plugins(point.group)
            monkeypatch.setattr(registry, "plugins", lambda _: [*built_in, point])
            reader_table.cache_clear()

        yield install
        monkeypatch.undo()
        reader_table.cache_clear()

    def test_a_plugin_is_chosen_like_any_other_reader(self, install: Any, tmp_path: Path) -> None:
        install(replace(LABCHART, name="lab", suffixes=(".lab",), claims=None))
        path = tmp_path / "run.lab"
        path.write_text("t (s)\tVm (V)\n0.0\t1\n0.1\t2\n0.2\t3\n")
        assert choose_reader(path).name == "lab"
        assert read_recording(path).source.reader == "lab"

    def test_a_function_may_return_several_readers(self, install: Any) -> None:
        install(lambda: [replace(LABCHART, name=name, suffixes=(".lab",)) for name in ("lab1", "lab2")])
        assert {"lab1", "lab2", "axon"} <= {entry.name for entry in reader_table()}

    def test_an_object_that_is_not_a_reader_is_refused(self, install: Any) -> None:
        install("not a reader")
        with pytest.raises(
            UsageError, match=r"lab:READER in the group nwb_mepp\.readers is neither a ReaderEntry"
        ):
            reader_table()

    def test_a_second_reader_with_the_same_name_is_refused(self, install: Any) -> None:
        install(replace(LABCHART, name="axon"))
        with pytest.raises(UsageError, match="lab:READER registers a second reader called 'axon'"):
            reader_table()

    def test_if_two_readers_match_a_file_the_user_must_choose(self, install: Any, tmp_path: Path) -> None:
        install(replace(LABCHART, name="lab"))
        path = tmp_path / "run.txt"
        path.write_text("t (s)\tVm (V)\n0.0\t1\n0.1\t2\n0.2\t3\n")
        with pytest.raises(ReadError, match=r"more than one reader matches .* `reader` \(lab, labchart\)"):
            read_recording(path)


class TestContent:
    """The content of a file takes precedence over its name."""

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

    def test_if_suffix_and_content_disagree_the_user_must_choose(
        self, shared_data: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "run.ibw"
        path.write_bytes((shared_data / "formats" / "File_axon_5.abf").read_bytes())
        with pytest.raises(ReadError, match=r"more than one reader matches .* `reader` \(igor, axon\)"):
            choose_reader(path)
        assert choose_reader(path, name="axon").name == "axon"

    def test_a_suffix_that_its_own_reader_rejects_gives_way_to_the_content(
        self, shared_data: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "run.nex"
        path.write_bytes((shared_data / "formats" / "File_axon_5.abf").read_bytes())
        assert choose_reader(path).name == "axon"

    @pytest.mark.parametrize(
        "suffix", [".abf", ".smr", ".nex", ".trc", ".edf", ".nix", ".mat", ".wcp", ".vhdr"]
    )
    def test_a_suffix_alone_is_not_trusted(self, suffix: str, tmp_path: Path) -> None:
        path = tmp_path / f"run{suffix}"
        path.write_bytes(b"something else entirely")
        with pytest.raises(
            ReadError, match=r"has the suffix of a file for the reader .*, but not the content"
        ):
            choose_reader(path)

    def test_if_two_readers_match_a_folder_the_user_must_choose(self, tmp_path: Path) -> None:
        folder = write_neuralynx(tmp_path / "day1")
        (folder / "100_CH1.continuous").write_bytes(b"header.format = 'Open Ephys Data Format'")
        with pytest.raises(
            ReadError, match=r"more than one reader matches the folder; .* `reader` \(neuralynx, openephys\)"
        ):
            choose_reader(folder)


def test_importing_the_readers_does_not_load_neo() -> None:
    program = "import sys, nwb_mepp.readers; sys.exit('neo' in sys.modules or 'quantities' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


class TestRawBinary:
    """Files without a header."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "run.raw"
        path.write_bytes(bytes(400))
        return path

    def test_the_user_must_state_everything(self, path: Path) -> None:
        with pytest.raises(UsageError, match=r"missing: `dtype`, `n_channels`, `sampling_rate_hz`, `unit`\."):
            read_recording(path, options=ReadOptions(reader="rawbinarysignal"))
        options = ReadOptions(reader="rawbinarysignal", dtype="int16", n_channels=1, sampling_rate_hz=1e4)
        with pytest.raises(UsageError, match=r"missing: `unit`\."):
            read_recording(path, options=options)

    def test_a_size_that_does_not_match_is_refused(self, path: Path) -> None:
        options = ReadOptions(
            reader="rawbinarysignal", dtype="int32", n_channels=3, sampling_rate_hz=1e4, unit={"": "V"}
        )
        with pytest.raises(ReadError, match=r"expected a multiple of 12 bytes .*, found 400 bytes"):
            read_recording(path, options=options)
