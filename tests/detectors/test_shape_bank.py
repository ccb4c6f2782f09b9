"""How shapes fit candidates: heights in noise SD, what is left, and which shape is typical."""

from __future__ import annotations

import numpy as np
import pytest

from builders.detectors import RATE_HZ, noise
from builders.traces import NOISE_SD, whitened_of
from nwb_mepp.conditioning import WhitenedTrace
from nwb_mepp.detectors import ShapeBank
from nwb_mepp.detectors.shape_bank import SHAPES_S, typical_shape, whitened_level
from nwb_mepp.simulation import EventShape

ONSETS_S = (1.0, 3.0, 5.0)
SLOW_S = (1.7e-3, 5.9e-3)


@pytest.fixture(scope="module")
def slow_events() -> WhitenedTrace:
    """Return white noise with three slow events of eight noise SD."""
    samples = noise(8.0, seed=1)
    time_s = np.arange(len(samples)) / RATE_HZ
    shape = EventShape(rise_s=SLOW_S[0], decay_s=SLOW_S[1])
    for onset_s in ONSETS_S:
        samples += 8.0 * NOISE_SD * shape.value(time_s - onset_s)
    (white,) = whitened_of(samples, rate_hz=RATE_HZ)
    return white


def places() -> np.ndarray:
    quiet_s = np.array([0.5, 2.0, 4.0, 6.5])
    return np.sort(np.round(RATE_HZ * np.concatenate([ONSETS_S, quiet_s])).astype(np.int64))


def test_an_event_stands_out_most_under_a_shape_like_its_own(slow_events: WhitenedTrace) -> None:
    bank = ShapeBank(slow_events.event_taps, sampling_rate_hz=RATE_HZ)
    fits = bank.fit(slow_events, places())
    events = np.isin(places(), np.round(RATE_HZ * np.array(ONSETS_S)))
    # In white noise an event stands out by its amplitude times the square root of the sum of its squares.
    time_s = np.arange(0.0, 0.06, 1.0 / RATE_HZ)
    energy = np.sum(EventShape(rise_s=SLOW_S[0], decay_s=SLOW_S[1]).value(time_s) ** 2)
    highest = fits.heights.max(axis=1)
    assert highest[events] == pytest.approx(8.0 * np.sqrt(energy), rel=0.15)
    assert np.all(np.abs(highest[~events]) < 5.0)
    for best in fits.heights[events].argmax(axis=1):
        assert 3e-3 < SHAPES_S[best][1] < 12e-3
    # What the best shape leaves is noise; where nothing was, too.
    assert fits.misfit == pytest.approx(np.ones(len(fits.misfit)), abs=0.5)


def test_a_shape_unlike_any_leaves_much(slow_events: WhitenedTrace) -> None:
    bank = ShapeBank(slow_events.event_taps, sampling_rate_hz=RATE_HZ)
    samples = np.zeros(10_000)
    samples[5_000:5_100:2], samples[5_001:5_100:2] = 8.0, -8.0
    fits = bank.fit_samples(samples, np.array([5_000]))
    assert fits.misfit[0] > 20.0


def test_samples_and_tiles_give_the_same(slow_events: WhitenedTrace) -> None:
    bank = ShapeBank(slow_events.event_taps, sampling_rate_hz=RATE_HZ)
    by_tile = bank.fit(slow_events, places())
    by_samples = bank.fit_samples(slow_events.read_tile(0), places())
    np.testing.assert_allclose(by_tile.heights, by_samples.heights, atol=1e-4)
    for one in ("misfit", "step", "drift"):
        np.testing.assert_allclose(getattr(by_tile, one), getattr(by_samples, one), atol=1e-4)


def test_a_lasting_change_of_the_level_stands_out_as_such(slow_events: WhitenedTrace) -> None:
    samples = noise(8.0, seed=1)
    samples[15_000:] += 6.0 * NOISE_SD
    samples[25_000:] += 6.0 * NOISE_SD * np.clip(np.arange(15_000) / 50.0, 0.0, 1.0)
    (white,) = whitened_of(samples, rate_hz=RATE_HZ)
    fits = ShapeBank(white.taps, sampling_rate_hz=RATE_HZ).fit(white, np.array([15_000, 25_000]))
    highest = fits.heights.max(axis=1)
    assert np.all(np.maximum(fits.step, fits.drift) > highest)
    assert fits.step[0] > fits.drift[0]
    assert fits.drift[1] > fits.step[1]
    # MEPPs do not.
    events = ShapeBank(slow_events.taps, sampling_rate_hz=RATE_HZ).fit(
        slow_events, np.round(RATE_HZ * np.array(ONSETS_S)).astype(np.int64)
    )
    assert np.all(np.maximum(events.step, events.drift) < 0.9 * events.heights.max(axis=1))


def test_a_whitened_level_is_the_running_sum_of_the_filter() -> None:
    taps = np.array([-1.0, 2.0, -1.0])
    # Up by 1 at once: -1, 1, 0; within 2 samples: half of it, and half of it one sample later.
    sudden = whitened_level(taps, rise_s=0.0, sampling_rate_hz=RATE_HZ)
    np.testing.assert_allclose(sudden, np.array([-1.0, 1.0, 0.0, 0.0]) / np.sqrt(2.0))
    within_2 = whitened_level(taps, rise_s=0.4e-3, sampling_rate_hz=RATE_HZ)
    np.testing.assert_allclose(within_2, np.array([-0.5, 0.0, 0.5, 0.0, 0.0]) / np.sqrt(0.5), atol=1e-12)


def test_no_candidates_fit_nothing(slow_events: WhitenedTrace) -> None:
    bank = ShapeBank(slow_events.event_taps, sampling_rate_hz=RATE_HZ)
    for fits in (
        bank.fit(slow_events, np.empty(0, dtype=np.int64)),
        bank.fit_samples(np.zeros(100), np.empty(0, dtype=np.int64)),
    ):
        assert fits.heights.shape == (0, len(SHAPES_S))
        assert fits.misfit.shape == (0,)


def test_the_typical_shape_is_what_fits_the_surest_best() -> None:
    heights = np.full((3, len(SHAPES_S)), 4.0)
    fast, slow = SHAPES_S.index((0.4e-3, 1.4e-3)), SHAPES_S.index((1.2e-3, 5.9e-3))
    heights[:2, fast], heights[2, slow] = 7.0, 9.0
    assert typical_shape(heights, np.array([1.0, 1.0, 0.1])) == fast
    assert typical_shape(heights, np.array([0.1, 0.1, 1.0])) == slow
