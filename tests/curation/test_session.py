"""A review of a file: decided, interrupted, taken up, saved, and read by others."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO

from builders.command_line import Call
from builders.known_mepps import ONSETS_S
from builders.nwb_files import changed, objects
from nwb_mepp._utils.file_lock import WAIT_S
from nwb_mepp.core.errors import OutputError, UsageError
from nwb_mepp.curation.saving import result_of
from nwb_mepp.curation.session import Session
from nwb_mepp.curation.views import average, state
from nwb_mepp.nwb import Finding, add_extension, is_failure, read_events, read_results, validate_nwb
from nwb_mepp.nwb.schema_validation import schema_errors
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, detect_file

FREE_S = 1.5  # no MEPP is near


@pytest.fixture
def path(annotated: Path, tmp_path: Path) -> Path:
    """A file with the MEPPs of a detector, to be changed."""
    return Path(shutil.copy(annotated, tmp_path / "run07.nwb"))


@pytest.fixture
def session(path: Path) -> Iterator[Session]:
    with Session(path) as session:
        yield session


def decided(session: Session) -> None:
    """Accept, reject, add, move, split, leave out, and write a note."""
    who, history = session.decider, session.history
    session.decide(who.accept(history.now, ["1"]))
    session.decide(who.reject(history.now, ["2"]))
    session.add(FREE_S)
    row = history.now.row("3")
    session.move("3", onset_x=session.clock.x(0, row["start_index"] - 5))
    session.decide(who.set_note(history.now, ["4"], "on a slope"))
    session.decide(who.exclude(history.now, 3.0, 3.3))


def test_a_review_begins_with_what_the_detector_found(session: Session) -> None:
    rows = session.history.now.rows
    assert [row["status"] for row in rows.values()] == ["unreviewed"] * len(ONSETS_S)
    assert [row["start_s"] for row in rows.values()] == pytest.approx(ONSETS_S, abs=1e-3)
    assert {row["source"] for row in rows.values()} == {"matched_filter"}
    assert (session.table, session.target) == ("mepps_matched_filter", "mepps_curated")


def test_what_was_decided_stands_in_the_file_and_nothing_else_has_changed(path: Path) -> None:
    before = objects(path)
    with Session(path, reviewer="") as session:
        decided(session)
        said = session.save()
    assert said == "Saved 3 events as mepps_curated in run07.nwb; 4 to do, which do not count."
    assert changed(before, objects(path)) - {"processing/icephys/source_files"} <= {
        "intervals/mepps_curated",
        "intervals/invalid_times",
        "intervals",
        "processing/icephys/mepp_detections",
        "processing/icephys/mepp_waveform_curated",
        "processing/icephys",
    }
    with NWBHDF5IO(path, "r") as io:
        file = io.read()
        table = file.intervals["mepps_curated"].to_dataframe()
        assert table["status"].tolist() == [
            "accepted", "rejected", "moved", "added", "unreviewed", "unreviewed", "unreviewed", "rejected",
            "unreviewed",
        ]  # fmt: skip
        assert table["source"].tolist() == ["matched_filter"] * 3 + ["hand"] + ["matched_filter"] * 5
        assert table["note"].tolist()[4] == "on a slope"
        assert all((table["reviewed_at"] == "") == (table["status"] == "unreviewed"))
        assert table["start_time"].iloc[2] == pytest.approx(ONSETS_S[2] - 5e-4, abs=2e-4)
        invalid = file.invalid_times.to_dataframe()
        assert invalid[["start_time", "stop_time", "reason"]].values.tolist() == [
            [3.0, 3.3, "left out in review"]
        ]
    (curated,) = read_results(path, table="curated")
    assert (curated.detector, curated.summary.n_mepps) == ("curated", 3)
    assert curated.summary.reviewed == pytest.approx(5 / 9)
    # Beyond the last of the first four rows, only what is left out has been looked at.
    assert curated.summary.analyzed_s == pytest.approx(table["stop_time"].iloc[3], abs=1e-4)
    assert curated.summary.rate_hz == pytest.approx(3 / table["stop_time"].iloc[3], rel=1e-3)


def test_nothing_counts_before_it_is_decided_on(path: Path) -> None:
    with Session(path) as session:
        assert session.save() == "Saved 0 events as mepps_curated in run07.nwb; 8 to do, which do not count."
    (curated,) = read_results(path, table="mepps_curated")
    assert (curated.summary.n_mepps, curated.summary.reviewed, curated.summary.analyzed_s) == (0, 0.0, 0.0)
    assert np.isnan(curated.summary.rate_hz)
    assert read_events(path, table="curated", accepted_only=True) == []
    (table,) = read_events(path, table="curated")
    assert len(table.mepps) == len(ONSETS_S)


def test_the_measures_of_an_added_event_are_those_of_the_trace(path: Path, session: Session) -> None:
    (table,) = read_events(path, table="mepps_matched_filter")
    session.decide(session.decider.reject(session.history.now, ["5"]))
    (name,) = session.add(ONSETS_S[4] + 2e-3)
    row = session.history.now.rows[name]
    assert row["start_s"] == pytest.approx(ONSETS_S[4], abs=5e-4)
    assert row["amplitude"] == pytest.approx(table.mepps.amplitude[4], rel=0.05)
    assert row["decay_tau_s"] == pytest.approx(3e-3, rel=0.3)


def test_an_event_is_split_where_it_is_said_and_merged_again(session: Session) -> None:
    row = session.history.now.row("4")
    at = session.clock.x(0, (row["peak_index"] + row["stop_index"]) // 2)
    touched = session.split("4", at_x=at)
    first, second = sorted(touched - {"4"}, key=int)
    rows = session.history.now.rows
    assert rows[first]["start_index"] == row["start_index"]
    assert rows[first]["stop_index"] == rows[second]["start_index"] == round(at * 10_000)
    assert rows[second]["stop_index"] == row["stop_index"]
    (merged,) = session.merge([first, second]) - {first, second}
    assert [session.history.now.rows[merged][f"{one}_index"] for one in ("start", "stop")] == [
        row["start_index"],
        row["stop_index"],
    ]
    with pytest.raises(UsageError, match=r"expected two events or more of one sweep to merge"):
        session.merge([merged])


def test_what_cannot_be_is_refused_and_changes_nothing(session: Session) -> None:
    row = session.history.now.row("1")
    with pytest.raises(UsageError, match=r"expected a place without an event"):
        session.add(session.clock.x(0, row["peak_index"]))
    with pytest.raises(
        UsageError, match=r"expected a place between 0 and 4 s of the recording, found 4\.5 s"
    ):
        session.add(4.5)
    with pytest.raises(UsageError, match=r"expected the onset before the end"):
        session.move("1", onset_x=session.clock.x(0, row["stop_index"] + 10))
    assert session.history.n_changes == 0
    assert session.undo() == session.redo() == set()


def test_a_new_detection_keeps_the_decisions_by_their_times(path: Path) -> None:
    with Session(path) as session:
        decided(session)
    detect_file(path, settings=DetectionSettings(detectors=("matched_filter",), min_amplitude_sd=3.0))
    with h5py.File(path) as file:
        assert "mepps_curated" not in file["intervals"]
    with h5py.File(path, "r+") as file:
        file["intervals/mepps_matched_filter/amplitude"][0] *= 1.5
    with Session(path) as session:
        (note,) = session.notes
        assert "5 decisions were taken over by their times" in note
        status = [
            row["status"] for row in sorted(session.history.now.rows.values(), key=lambda r: r["peak_s"])
        ]
        assert status[:4] == ["accepted", "rejected", "moved", "added"]
        assert session.history.now.excluded == ((3.0, 3.3),)
        first = min(session.history.now.rows.values(), key=lambda row: row["peak_s"])
        assert first["amplitude"] > 1.2e-3
    assert path.with_name("run07.nwb.review.jsonl.before").exists()


def test_a_second_review_and_a_detection_are_refused_with_the_reason(
    path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert session.history.n_changes == 0
    monkeypatch.setattr("nwb_mepp._utils.file_lock.WAIT_S", 0.1)
    assert WAIT_S > 1.0
    found: list[str] = []

    def other(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except OutputError as error:
            found.append(str(error))

    for work in (lambda: Session(path), lambda: detect_file(path)):
        thread = threading.Thread(target=other, args=(work,))
        thread.start()
        thread.join()
    assert len(found) == 2
    assert all("is reviewing it; wait until it has ended" in one for one in found)


def test_a_file_that_another_program_changed_is_not_written_over(path: Path, session: Session) -> None:
    session.decide(session.decider.accept(session.history.now, ["1"]))
    other = path.with_name("other.nwb")
    shutil.copy(path, other)
    with h5py.File(other, "r+") as file:
        file.attrs["remark"] = "by another program"
    other.replace(path)
    with pytest.raises(OutputError, match=r"another program has changed it since; nothing was written"):
        session.save()
    assert session.history.n_changes == 1
    with h5py.File(path) as file:
        assert file.attrs["remark"] == "by another program"
    session.close()
    with Session(path) as again:
        assert again.history.now.rows["1"]["status"] == "accepted"
        again.save()
    with h5py.File(path) as file:
        assert file.attrs["remark"] == "by another program"
        assert "mepps_curated" in file["intervals"]


def test_a_new_detection_keeps_what_was_saved_and_says_so(path: Path, call: Call) -> None:
    with Session(path) as session:
        decided(session)
        session.save()
    before = objects(path)
    called = call("detect", path, "--detector", "matched_filter", "--min-amplitude-sd", 3)
    assert called.code == 0, called.err
    assert (
        "Voltage: mepps_curated is kept as it was reviewed; the next 'nwb-mepp review' takes its"
        in called.err
    )
    assert not any("curated" in one or "invalid_times" in one for one in changed(before, objects(path)))


def test_a_full_disk_leaves_file_and_journal_as_they_were(
    path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.decide(session.decider.accept(session.history.now, ["1"]))
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("nwb_mepp.nwb.replacement.shutil.copyfile", full)
        with pytest.raises(OutputError, match=r"No space left on device"):
            session.save()
    assert path.read_bytes() == before
    assert [one.name for one in path.parent.iterdir() if "curated" in one.name or "tmp" in one.name] == []
    assert not session.saved
    session.decide(session.decider.accept(session.history.now, ["2"]))

    def refused(*_: object, **__: object) -> None:
        raise OutputError("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(session.journal, "note", refused)
        said = session.save()
    assert said.startswith(
        "Saved 2 events as mepps_curated in run07.nwb; 6 to do, which do not count. That could"
    )
    assert "No space left on device" in said
    session.close()
    with Session(path) as again:
        assert [row["status"] for row in again.history.now.rows.values()][:3] == ["accepted"] * 2 + [
            "unreviewed"
        ]


def test_in_a_read_only_folder_the_journal_is_elsewhere(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    allowed = os.access
    monkeypatch.setattr(
        "nwb_mepp.curation.journal.os.access", lambda one, mode: one != path.parent and allowed(one, mode)
    )
    with Session(path) as session:
        session.decide(session.decider.accept(session.history.now, ["1"]))
        assert "The file is read-only here: the journal is" in session.notes[0]
    assert not list(path.parent.glob("*.jsonl"))
    assert len(list((tmp_path / "state").rglob("*.jsonl"))) == 1


def test_a_read_only_file_is_reviewed_with_the_journal_elsewhere(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path.chmod(0o444)
    with Session(path) as session:
        session.decide(session.decider.accept(session.history.now, ["1"]))
        (note,) = session.notes
        assert "The file is read-only here: the journal is" in note
        assert str(tmp_path / "state") in note
        with pytest.raises(OutputError, match="read-only"):
            session.save()
    with Session(path) as session:
        assert session.history.now.rows["1"]["status"] == "accepted"


def test_what_was_stated_about_a_channel_holds_for_the_review_too(path: Path) -> None:
    stated = ReadOptions(gain={"": 2.0})
    detect_file(path, settings=DetectionSettings(detectors=("matched_filter",)), read_options=stated)
    with Session(path) as session:
        assert session.history.now.rows["1"]["amplitude"] == pytest.approx(0.5e-3, rel=0.15)
        session.decide(session.decider.reject(session.history.now, ["1"]))
        session.add(ONSETS_S[0] + 2e-3)
        session.save()
    (table,) = read_events(path, table="curated", accepted_only=True)
    assert len(table.mepps) == 1
    assert table.mepps.amplitude[0] == pytest.approx(0.5e-3, rel=0.15)


def test_a_table_that_is_not_there_is_refused_with_those_that_are(path: Path) -> None:
    with pytest.raises(UsageError, match=r"\(mepps_matched_filter\), found 'miniunet'; name one of these"):
        Session(path, table="miniunet")
    assert not list(path.parent.glob("*.jsonl"))


def test_the_result_is_valid_with_and_without_the_extension(path: Path) -> None:
    def failures() -> list[Finding]:
        # The lab file says nothing of a subject.
        return [one for one in validate_nwb(path) if is_failure(one) and "Subject" not in one.message]

    with Session(path) as session:
        decided(session)
        session.save()
    assert failures() == []
    assert "mepps_curated" in add_extension(path).tables
    assert failures() == []
    with Session(path) as session:
        session.save(extension=True)  # over a typed table
    with h5py.File(path) as file:
        assert file["intervals/mepps_curated"].attrs["neurodata_type"] == "MEPPTable"
    assert schema_errors(path) == []


def test_a_review_that_was_interrupted_is_taken_up_with_or_without_its_journal(path: Path) -> None:
    with Session(path) as session:
        decided(session)
        session.merge(["6", "7"])
        session.undo()
        before = {name: row["status"] for name, row in session.history.now.rows.items()}
    with Session(path) as session:
        assert {name: row["status"] for name, row in session.history.now.rows.items()} == before
        assert session.notes == ["6 decisions were taken up from run07.nwb.review.jsonl."]
        assert not session.saved
        session.redo()
        session.save()
        assert session.history.now.excluded == ((3.0, 3.3),)
        saved = sorted((row["peak_s"], row["status"]) for row in session.history.now.rows.values())
    with Session(path) as session:
        assert session.saved
        assert session.history.can_undo
        session.journal.place.unlink()
    with Session(path) as session:
        assert sorted((row["peak_s"], row["status"]) for row in session.history.now.rows.values()) == saved
        assert session.history.now.excluded == ((3.0, 3.3),)
        session.decide(session.decider.include(session.history.now, 3.1))
        session.save()
    with h5py.File(path) as file:
        assert "invalid_times" not in file["intervals"]


def test_the_table_of_another_program_is_completed_from_the_trace(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        table = file["intervals/mepps_matched_filter"]
        for name in ("amplitude", "baseline", "area", "peak_time"):
            table[name][:] = np.nan
    with Session(path) as session:
        rows = session.history.now.rows.values()
        assert [row["amplitude"] for row in rows] == pytest.approx([1e-3] * len(ONSETS_S), rel=0.2)
        assert [row["baseline"] for row in rows] == pytest.approx([-70e-3] * len(ONSETS_S), abs=1e-4)
        peaks = np.array([row["peak_s"] for row in rows])
        assert np.all((peaks > ONSETS_S) & (peaks < np.array(ONSETS_S) + 3e-3))
        assert json.dumps(average(session), allow_nan=False)
        assert json.dumps(state(session, blind=False), allow_nan=False)


def test_a_file_without_mepps_is_reviewed_from_nothing(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["intervals"]
        del file["processing/icephys/mepp_detections"]
        del file["processing/icephys/mepp_waveform_matched_filter"]
    with Session(path) as session:
        assert session.history.now.rows == {}
        (name,) = session.add(ONSETS_S[0] + 2e-3)
        assert session.history.now.rows[name]["amplitude"] == pytest.approx(1e-3, rel=0.15)
        summary = result_of(session.reviewed, session.history.now, stated_s=()).summary
    assert (summary.n_mepps, summary.reviewed) == (1, 1.0)
    assert summary.noise_sd == pytest.approx(0.05e-3, rel=0.2)


def test_intervals_of_events_that_count_do_not_overlap_in_the_table(session: Session) -> None:
    row = session.history.now.row("4")
    session.move("4", end_x=session.clock.x(0, row["stop_index"] + 4200))
    mepps = result_of(session.reviewed, session.history.now, stated_s=()).mepps
    assert np.all(mepps.stop_s[:-1] <= mepps.start_s[1:])
    assert mepps.overlapped[3]
