"""What a person decided is taken everywhere: neither what was rejected nor what is to do counts."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from builders.command_line import Call
from builders.known_mepps import ONSETS_S
from builders.reviews import SAID, reviewed_file
from nwb_mepp.core.errors import ReadError
from nwb_mepp.nwb import reviewers_of
from nwb_mepp.workflows.evaluate import evaluate_file
from nwb_mepp.workflows.ground_truth import own_truth, read_truth, undecided_in
from nwb_mepp.workflows.recording_files import open_recording

COUNTED = [0, 2, 4, 5, 6]
MEPPS = [0, 2, 4, 6]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of two channels that a person reviewed; not to be changed."""
    return reviewed_file(tmp_path_factory.mktemp("reviewed") / "run07.nwb")


@pytest.mark.parametrize(
    ("table", "channels"),
    [("curated", ["Vm", "Im"]), ("mepps_curated", ["Vm", "Im"]), ("curated_Im", ["Im"])],
)
def test_events_are_those_that_count_on_every_channel(
    path: Path, call: Call, table: str, channels: list[str]
) -> None:
    called = call("events", path, "--table", table)
    assert called.code == 0, called.err
    rows = list(csv.DictReader(io.StringIO(called.out)))
    expected = [(channel, ONSETS_S[number]) for channel in channels for number in COUNTED]
    assert [(row["channel"], float(row["start_time"])) for row in rows] == expected


def test_the_summary_is_that_of_one_table(path: Path, call: Call) -> None:
    called = call("summary", path, "--table", "curated", "--format", "json")
    rows = json.loads(called.out)
    assert [(row["detector"], row["channel"], row["n_mepps"]) for row in rows] == [
        ("curated", "Vm", 4),
        ("curated", "Im", 4),
    ]
    refused = call("summary", path, "--table", "curated_anna")
    assert refused.code == 1
    assert "expected a row of table 'curated_anna' in the summary of" in refused.err
    assert "mepps_curated_Im; name one that is there with --table" in refused.err


def test_pictures_are_drawn_of_what_counts(path: Path, call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    called = call("summary", path, "--table", "curated_Vm", "--pictures", folder)
    assert called.code == 0, called.err
    assert [one.name for one in folder.iterdir()] == ["run07.Vm.curated.png"]
    (folder / "run07.Im.curated.png").write_bytes(b"of another program")
    refused = call("summary", path, "--table", "curated_Im", "--pictures", folder)
    assert refused.code == 1
    assert "expected" in refused.err
    assert "to be free or written by nwb-mepp" in refused.err


def test_what_is_to_do_counts_neither_for_nor_against(path: Path) -> None:
    scores = evaluate_file(path, table="miniunet", truth="curated", channel="Vm")
    # Of the eight that were found, one was rejected, one is an evoked response, and two are to do.
    assert scores.counts.tolist() == [4, 0, 2]
    other = evaluate_file(path, table="curated", truth="miniunet", channel="Vm")
    assert other.counts.tolist() == [4, 2, 0]


def test_the_truth_of_a_channel_is_that_of_its_own_table(path: Path) -> None:
    with open_recording(path) as recording:
        table = own_truth(path, recording=recording, channel="Im")
        assert table == "mepps_curated_Im"
        marks = read_truth(path, table, recording=recording, channel="Im")
    np.testing.assert_allclose(marks.start_s, np.array(ONSETS_S)[MEPPS])
    stretches = undecided_in(path, table, channel="Im")
    expected = [(ONSETS_S[2] + 3.7e-3, ONSETS_S[4]), (ONSETS_S[6] + 3.7e-3, np.inf)]
    np.testing.assert_allclose(stretches, expected, rtol=0, atol=1e-9)
    assert SAID[3] == SAID[7] == "unreviewed"
    assert undecided_in(path, "mepps_miniunet_Im", channel="Im") == []


def test_of_several_people_one_must_be_named(tmp_path: Path) -> None:
    path = reviewed_file(tmp_path / "two.nwb", reviewers=("anna", "ben"))
    assert reviewers_of(path, channel="Vm") == {
        "curated_anna": "mepps_curated_anna_Vm",
        "curated_ben": "mepps_curated_ben_Vm",
    }
    with open_recording(path) as recording:
        with pytest.raises(
            ReadError, match=r"several people: mepps_curated_anna_Vm, mepps_curated_ben_Vm; name"
        ):
            own_truth(path, recording=recording, channel="Vm")
        marks = read_truth(path, "curated_ben", recording=recording, channel="Vm")
    assert len(marks.start_s) == len(MEPPS)
    alone = reviewed_file(tmp_path / "one.nwb", reviewers=("anna",))
    with open_recording(alone) as recording:
        assert own_truth(alone, recording=recording, channel="Vm") == "mepps_curated_anna_Vm"
