"""Candidates near hills in, peaks out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from nwb_mepp.core.segments import fold_indices
from nwb_mepp.measurement.peaks import PolarizedTrace, locate_peaks


def upward(values: npt.ArrayLike, *, sign: int = 1) -> PolarizedTrace:
    array = np.asarray(values, dtype=np.float64)

    def read(start: int, stop: int) -> npt.NDArray[np.float64]:
        return array[fold_indices(np.arange(start, stop), n_samples=len(array))]

    return PolarizedTrace(read, sign, 10e3, len(array))


def hills(*tops: tuple[int, float]) -> npt.NDArray[np.float64]:
    """Hills of 0.6 ms standard deviation at 10 kHz."""
    index = np.arange(400)
    return np.sum([height * np.exp(-0.5 * ((index - at) / 6) ** 2) for at, height in tops], axis=0)


def at(peaks: list[int], probability: list[float] | None = None) -> Any:
    peak = np.array(peaks, dtype=np.int64)
    return SimpleNamespace(
        start=peak - 10, peak=peak, stop=peak + 20, probability=np.array(probability or [0.9] * len(peaks))
    )


@pytest.mark.parametrize("guess", [191, 200, 209])
def test_a_guess_within_1_ms_finds_the_top(guess: int) -> None:
    assert locate_peaks(upward(hills((200, 1.0))), at([guess]))[1].tolist() == [200]


def test_inside_its_interval_a_guess_may_be_farther_off() -> None:
    assert locate_peaks(upward(hills((200, 1.0))), at([185]))[1].tolist() == [200]


def test_downward_tops_are_found_with_negative_polarity() -> None:
    assert locate_peaks(upward(-hills((200, 1.0)), sign=-1), at([203]))[1].tolist() == [200]


def test_a_higher_neighbor_does_not_draw_a_candidate_over_the_valley() -> None:
    rows, peaks = locate_peaks(upward(hills((200, 1.0), (222, 4.0))), at([198, 224]))
    assert rows.tolist() == [0, 1]
    # The tail of the larger lifts the top of the smaller a little towards it.
    assert peaks.tolist() == pytest.approx([200, 222], abs=1)


def test_two_candidates_on_one_hill_become_the_more_probable() -> None:
    rows, peaks = locate_peaks(upward(hills((200, 1.0))), at([195, 204], [0.3, 0.8]))
    assert rows.tolist() == [1]
    assert peaks.tolist() == [200]


def test_peaks_nearer_than_their_averaging_windows_become_the_more_probable() -> None:
    # At 10 kHz the windows hold 2 samples on either side; white noise has tops on every few samples.
    values = np.random.default_rng(0).standard_normal(400)
    _, peaks = locate_peaks(upward(values), at(list(range(100, 300))))
    assert np.all(np.diff(peaks) > 4)


def test_guesses_beyond_the_ends_are_brought_inside() -> None:
    values = np.linspace(0.0, 1.0, 50)
    assert locate_peaks(upward(values), at([60]))[1].tolist() == [49]


def test_no_candidate_no_peak() -> None:
    rows, peaks = locate_peaks(upward(hills((200, 1.0))), at([]))
    assert rows.shape == peaks.shape == (0,)
