"""One file in, one file out: complete, recognized when it is there, and never overwritten unasked."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.known_mepps import ONSETS_S, mepp_trace, write_text
from nwb_mepp.core.errors import MeppError, MetadataError, OutputError, UsageError
from nwb_mepp.detectors import runtime, shipped_weights
from nwb_mepp.nwb import open_nwb, read_results
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import (
    DetectionSettings,
    FileOutcome,
    WriteOptions,
    convert_file,
    detect_file,
    run_file,
)

SETTINGS = DetectionSettings(detectors=("matched_filter",))
VOLTS = ReadOptions(unit={"": "V"})
KNOWN = WriteOptions(session_start="2026-01-15T10:00:00+00:00")


@pytest.fixture(scope="module")
def lab_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text(tmp_path_factory.mktemp("lab") / "run07.txt", mepp_trace())


def run(lab_file: Path, output: Path, **changes: Any) -> FileOutcome:
    arguments: dict[str, Any] = {
        "settings": SETTINGS,
        "read_options": VOLTS,
        "write_options": KNOWN,
    } | changes
    return run_file(lab_file, output, **arguments)


def test_run_writes_nwb_and_picture_and_keeps_them_the_next_time(lab_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "run07.txt.nwb"
    told: list[str] = []
    outcome = run(lab_file, output, on_progress=told.append)
    assert outcome.status == "written"
    assert outcome.found == (("Voltage", "matched_filter", len(ONSETS_S)),)
    assert outcome.pictures == (output.with_name("run07.txt.png"),)
    assert told == [
        "reading",
        "noise of Voltage",
        "clear deflections on Voltage",
        "matched_filter on Voltage: looking",
        "matched_filter on Voltage: measuring",
        "matched_filter on Voltage: summary",
        "writing",
        "drawing",
    ]
    (result,) = read_results(output)
    assert result.mepps.start_s == pytest.approx(ONSETS_S, abs=0.3e-3)

    before = {path: path.read_bytes() for path in output.parent.iterdir()}
    again = run(lab_file, output)
    assert again.status == "kept"
    assert again.found == outcome.found
    assert again.pictures == ()
    assert {path: path.read_bytes() for path in output.parent.iterdir()} == before

    outcome.pictures[0].unlink()
    assert run(lab_file, output, picture=False).pictures == ()
    assert run(lab_file, output).pictures == outcome.pictures

    other = DetectionSettings(detectors=("matched_filter",), threshold=30.0)
    with pytest.raises(
        OutputError,
        match=r"run07\.txt\.nwb is there already, from other input or settings; .* `overwrite=True`",
    ):
        run(lab_file, output, settings=other)
    assert output.read_bytes() == before[output]
    replaced = run(lab_file, output, settings=other, overwrite=True, picture=False)
    assert replaced.status == "written"
    assert read_results(output)[0].summary.threshold == 30.0


def test_a_file_that_another_program_wrote_is_not_overwritten(lab_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "run07.txt.nwb"
    output.write_text("my notes")
    with pytest.raises(OutputError, match=r"run07\.txt\.nwb is there already and is no NWB file"):
        run(lab_file, output)
    assert output.read_text() == "my notes"


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (WriteOptions(), "expected a session start, found none in the file"),
        (
            WriteOptions(session_start="2026-01-15T10:00:00"),
            "expected a time zone, found 2026-01-15T10:00:00",
        ),
        (
            WriteOptions(session_start=KNOWN.session_start, clamp="voltage"),
            "`clamp='voltage'` is stated, found Voltage in V",
        ),
        (
            WriteOptions(session_start=KNOWN.session_start, metadata=Path("none.yaml")),
            r"none\.yaml cannot be read",
        ),
    ],
)
def test_what_is_not_known_is_asked_for_before_anything_is_computed(
    known: WriteOptions, message: str, lab_file: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    with pytest.raises(MetadataError, match=message):
        run(lab_file, tmp_path / "out" / "run07.nwb", write_options=known, on_progress=told.append)
    assert told == ["reading"]
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_leaves_nothing(
    lab_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path) -> list[str]:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("nwb_mepp.nwb.writer.schema_errors", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        run(lab_file, tmp_path / "out" / "run07.nwb")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_convert_then_detect_gives_what_run_gives(lab_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "run07.nwb"
    converted = convert_file(lab_file, output, read_options=VOLTS, write_options=KNOWN, exclude=((3.0, 4.0),))
    assert converted.status == "written"
    assert read_results(output) == []
    with open_nwb(output) as recording:
        assert recording.invalid_times == ((3.0, 4.0),)
    kept = convert_file(lab_file, output, read_options=VOLTS, write_options=KNOWN, exclude=((3.0, 4.0),))
    assert kept.status == "kept"
    with pytest.raises(OutputError, match="is there already, from other input or settings"):
        convert_file(lab_file, output, read_options=VOLTS, write_options=KNOWN)

    detect_file(output, settings=SETTINGS)
    (result,) = read_results(output)
    inside = [onset_s for onset_s in ONSETS_S if onset_s < 3.0]
    assert result.mepps.start_s == pytest.approx(inside, abs=0.3e-3)

    again = DetectionSettings(detectors=("matched_filter",), threshold=1000.0)
    detect_file(output, settings=again)
    (result,) = read_results(output)
    assert (result.summary.threshold, result.summary.n_mepps) == (1000.0, 0)


def test_detect_writes_elsewhere_on_request_and_asks_before_overwriting(
    lab_file: Path, tmp_path: Path
) -> None:
    source, other = tmp_path / "run07.nwb", tmp_path / "marked.nwb"
    convert_file(lab_file, source, read_options=VOLTS, write_options=KNOWN)
    before = source.read_bytes()
    detect_file(source, output=other, settings=SETTINGS)
    assert source.read_bytes() == before
    assert len(read_results(other)) == 1
    with pytest.raises(OutputError, match=r"marked\.nwb is there already; give `overwrite=True`"):
        detect_file(source, output=other, settings=SETTINGS)
    detect_file(source, output=other, settings=SETTINGS, overwrite=True)


def test_a_stretch_outside_the_recording_is_refused_when_converting(lab_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="`exclude`: expected a stretch within the recording"):
        convert_file(
            lab_file, tmp_path / "x.nwb", read_options=VOLTS, write_options=KNOWN, exclude=((7.0, 8.0),)
        )
    assert list(tmp_path.iterdir()) == []


def test_a_refused_detection_leaves_the_file_as_it_was(lab_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "run07.nwb"
    convert_file(lab_file, output, read_options=VOLTS, write_options=KNOWN)
    before = output.read_bytes()
    with pytest.raises(MeppError, match="has no channel 'Vx'"):
        detect_file(output, settings=DetectionSettings(detectors=("matched_filter",), channels=("Vx",)))
    assert output.read_bytes() == before
    assert list(tmp_path.iterdir()) == [output]


def test_a_file_that_detect_has_changed_is_not_taken_for_what_run_wrote(
    lab_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "run07.nwb"
    run(lab_file, output, picture=False)
    detect_file(output, settings=DetectionSettings(detectors=("matched_filter",), threshold=1000.0))
    changed = output.read_bytes()
    with pytest.raises(
        OutputError, match=r"is there already, but 'nwb-mepp detect' has changed it since; give"
    ):
        run(lab_file, output, picture=False)
    assert output.read_bytes() == changed
    assert run(lab_file, output, picture=False, overwrite=True).found[0][2] == len(ONSETS_S)
    assert run(lab_file, output, picture=False).status == "kept"


@pytest.mark.skipif(os.name != "posix", reason="elsewhere it is not known whether a process has ended")
def test_an_output_that_is_kept_has_no_lock_of_a_process_that_was_killed(
    lab_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "run07.nwb"
    run(lab_file, output, picture=False)
    program = (
        "import os, sys, pathlib; from nwb_mepp._utils.atomic_files import hold\n"
        "with hold(pathlib.Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(output)], check=False)
    assert len(list(tmp_path.iterdir())) == 2, "the output and a lock"
    assert run(lab_file, output, picture=False).status == "kept"
    assert list(tmp_path.iterdir()) == [output]


def test_a_converted_file_stays_converted_when_detect_has_put_mepps_into_it(
    lab_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "run07.nwb"
    convert_file(lab_file, output, read_options=VOLTS, write_options=KNOWN)
    detect_file(output, settings=SETTINGS)
    detect_file(output, settings=SETTINGS)
    again = convert_file(lab_file, output, read_options=VOLTS, write_options=KNOWN)
    assert again.status == "kept"
    assert len(read_results(output)[0].mepps) == len(ONSETS_S)
    with pytest.raises(OutputError, match="is there already, from other input or settings"):
        run(lab_file, output)


def test_by_default_there_are_two_tables_and_one_picture(lab_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "run07.nwb"
    outcome = run(lab_file, output, settings=DetectionSettings())
    assert [found[:2] for found in outcome.found] == [("Voltage", "miniunet"), ("Voltage", "autoencoder")]
    assert outcome.pictures == (tmp_path / "run07.png",)
    first, second = read_results(output)
    assert np.isfinite(first.mepps.anomaly).all()
    assert np.isnan(second.mepps.anomaly).all()

    # Either detector can run again by itself; the table of the other stays as it is.
    detect_file(output, settings=DetectionSettings(detectors=("autoencoder",), threshold=5.0))
    kept, replaced = read_results(output)
    np.testing.assert_array_equal(kept.mepps.anomaly, first.mepps.anomaly)
    assert repr(kept.summary) == repr(first.summary)  # NaN, too, is what it was
    assert replaced.summary.threshold == 5.0
    detect_file(output, settings=DetectionSettings(detectors=("miniunet",)))
    alone, still = read_results(output)
    assert np.isnan(alone.mepps.anomaly).all()
    assert "second_opinion" not in alone.summary.settings
    assert repr(still.summary) == repr(replaced.summary)


def test_detectors_that_stand_side_by_side_get_a_picture_each(lab_file: Path, tmp_path: Path) -> None:
    settings = DetectionSettings(detectors=("matched_filter", "threshold"))
    outcome = run(lab_file, tmp_path / "run07.nwb", settings=settings)
    assert [path.name for path in outcome.pictures] == [
        "run07.Voltage.matched_filter.png",
        "run07.Voltage.threshold.png",
    ]


@pytest.fixture(scope="module")
def by_miniunet(lab_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run with MiniUnet alone writes; not to be changed."""
    output = tmp_path_factory.mktemp("by_miniunet") / "run07.nwb"
    run(lab_file, output, settings=DetectionSettings(detectors=("miniunet",)), picture=False)
    return output


@pytest.mark.parametrize(
    "change",
    [{"false_discovery_rate": 0.1}, {"threshold": 0.9}, {"detectors": ("miniunet", "autoencoder")}],
    ids=lambda change: next(iter(change)),
)
def test_another_setting_is_another_output(
    change: dict[str, Any], lab_file: Path, by_miniunet: Path, tmp_path: Path
) -> None:
    output = Path(shutil.copy(by_miniunet, tmp_path))
    usual: dict[str, Any] = {"detectors": ("miniunet",)}
    assert run(lab_file, output, settings=DetectionSettings(**usual), picture=False).status == "kept"
    with pytest.raises(OutputError, match="is there already, from other input or settings"):
        run(lab_file, output, settings=DetectionSettings(**{**usual, **change}), picture=False)


@pytest.fixture(scope="module")
def by_autoencoder(lab_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run with the autoencoder alone writes; not to be changed."""
    output = tmp_path_factory.mktemp("by_autoencoder") / "run07.nwb"
    run(lab_file, output, settings=DetectionSettings(detectors=("autoencoder",)), picture=False)
    return output


def test_a_kept_file_loads_no_network(
    lab_file: Path, by_autoencoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = Path(shutil.copy(by_autoencoder, tmp_path))
    settings = DetectionSettings(detectors=("autoencoder",))
    monkeypatch.setattr(runtime, "LiteRTRuntime", None)  # calling it would fail
    assert run(lab_file, output, settings=settings, picture=False).status == "kept"
    with pytest.raises(TypeError, match="not callable"):
        run(lab_file, output, settings=settings, picture=False, overwrite=True)


def test_weights_count_by_their_content_not_by_their_place(
    lab_file: Path, by_autoencoder: Path, tmp_path: Path
) -> None:
    output = Path(shutil.copy(by_autoencoder, tmp_path))
    copied = Path(shutil.copytree(shipped_weights("autoencoder"), tmp_path / "lab" / "1"))
    with_copy = DetectionSettings(detectors=("autoencoder",), weights=(("autoencoder", copied),))
    assert run(lab_file, output, settings=with_copy, picture=False).status == "kept"

    # The network of the other regime, declared as this detector's.
    network = (shipped_weights("autoencoder_anomalous") / "model.tflite").read_bytes()
    config = json.loads((copied / "config.json").read_text(encoding="utf-8"))
    config["sha256"] = hashlib.sha256(network).hexdigest()
    (copied / "model.tflite").write_bytes(network)
    (copied / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(OutputError, match="is there already, from other input or settings"):
        run(lab_file, output, settings=with_copy, picture=False)
    run(lab_file, output, settings=with_copy, picture=False, overwrite=True)
    (result,) = read_results(output)
    assert result.summary.weights_sha256 == config["sha256"]
