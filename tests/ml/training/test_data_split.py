"""Recordings are held out whole, never in part, and both sides hold MEPPs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nwb_mepp.core.errors import UsageError
from nwb_mepp.ml.training.data_split import split_recordings
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording


def recording(name: str, *, n_mepps: int = 5, sha256: str | None = None) -> LabeledRecording:
    return LabeledRecording(
        path=Path(name),
        sha256=sha256 or name,
        marks_sha256="",
        labels="table mepps_truth",
        duration_s=10.0,
        n_mepps=n_mepps,
        examples=(),
        taps=(),
    )


@given(n=st.integers(2, 12), share=st.floats(0.01, 0.99), seed=st.integers(0, 100))
def test_every_recording_is_on_one_side_and_neither_side_is_empty(n: int, share: float, seed: int) -> None:
    recordings = [recording(f"{number}.abf") for number in range(n)]
    training, held_out = split_recordings(recordings, share=share, seed=seed)
    assert sorted(one.path for one in training + held_out) == sorted(one.path for one in recordings)
    assert len(held_out) == min(max(round(share * n), 1), n - 1)
    assert split_recordings(recordings, share=share, seed=seed) == (training, held_out)


def test_the_seed_decides_which() -> None:
    recordings = [recording(f"{number}.abf") for number in range(8)]
    drawn = {split_recordings(recordings, share=0.2, seed=seed)[1][0].path for seed in range(20)}
    assert len(drawn) > 4


def test_recordings_of_a_folder_stay_together_if_asked_to() -> None:
    recordings = [recording(f"day{day}/{number}.abf") for day in range(4) for number in range(3)]
    for seed in range(6):
        training, held_out = split_recordings(recordings, share=0.25, seed=seed, by_folder=True)
        assert len(held_out) == 3
        assert {one.path.parent for one in training}.isdisjoint({one.path.parent for one in held_out})


def test_both_sides_hold_mepps_however_few_recordings_do() -> None:
    recordings = [recording(f"{number}.abf", n_mepps=int(number in (2, 5))) for number in range(8)]
    for seed in range(5):
        sides = split_recordings(recordings, share=0.25, seed=seed)
        assert all(sum(one.n_mepps for one in side) == 1 for side in sides)


@pytest.mark.parametrize(
    ("recordings", "by_folder", "message"),
    [
        ([recording("a.abf")], False, "at least two recordings with labels, .* found 1"),
        ([recording("d/a.abf"), recording("d/b.abf")], True, "at least two folders with labels, .* found 1"),
        (
            [recording("a.abf"), recording("b.abf", sha256="a.abf")],
            False,
            "each recording once, found a.abf and b.abf with the same content",
        ),
        (
            [recording("a.abf", n_mepps=0), recording("b.abf", n_mepps=0)],
            False,
            "expected MEPPs in the labels, found none in 2 recordings",
        ),
        (
            [recording("a.abf"), recording("b.abf", n_mepps=0)],
            False,
            "expected MEPPs in at least two recordings, to train on and to hold out",
        ),
    ],
)
def test_a_split_that_would_say_nothing_is_refused(
    recordings: list[LabeledRecording], by_folder: bool, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        split_recordings(recordings, share=0.5, seed=0, by_folder=by_folder)
