"""How odd a MEPP is among the others: giants, slow ones and artifacts stand out, ordinary ones do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from nwb_mepp.conditioning import survey
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.recording import ArraySource
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.detectors import (
    Autoencoder,
    AutoencoderAnomalous,
    MatchedFilter,
    SecondOpinion,
    gives_second_opinion,
)
from nwb_mepp.detectors.anomaly_score import MIN_MEPPS, anomaly_score, describe_reconstruction
from nwb_mepp.evaluation import match_times
from nwb_mepp.measurement.kinetics import measure
from nwb_mepp.simulation import EventShape, Scenario, simulate_recording

RATE_HZ = 10_000.0
NOISE_SD = 0.05e-3
BOTH = (Autoencoder, AutoencoderAnomalous)


def rows_of(rng: np.random.Generator, n_rows: int) -> np.ndarray:
    """Return descriptions that spread and go together as those of a recording do."""
    size = rng.normal(2.0, 0.4, n_rows)
    peak = 0.9 * (size - 2.0) + rng.normal(0.0, 0.15, n_rows)
    against = 0.6 * (size - 2.0) + rng.normal(0.0, 0.3, n_rows)
    return np.stack([size, peak, against], axis=1)


def score_of(rows: np.ndarray) -> np.ndarray:
    """Return the scores of MEPPs whose shapes are not known."""
    unknown = np.full((len(rows), 2), np.nan)
    return anomaly_score(rows, shape=unknown, shape_se=unknown)


def test_what_is_missed_is_averaged_around_the_peak_and_its_undershoot_is_taken_apart() -> None:
    error = np.zeros(1000)
    error[495:515] = -0.5  # 0.5 ms before the peak to 1.5 ms after it
    error[530:540] = -3.0
    ((size, at_peak, against),) = np.exp(
        describe_reconstruction([error], peaks=[500], size=[4.0], sampling_rate_hz=RATE_HZ)
    )
    # Each together with what counts as nothing: 4, 0.03 and 0.8 SD.
    assert size == pytest.approx(np.sqrt(4.0**2 + 4.0**2))
    # Smoothed over 5 samples, two of them at each end of the 20 lose 1/5 and 2/5.
    assert at_peak == pytest.approx(np.hypot(0.5 * (20 - 2 * 3 / 5) / 20, 0.03))
    assert against == pytest.approx(np.hypot(3.0, 0.8))


def test_an_undershoot_that_belongs_to_the_next_mepp_does_not_count() -> None:
    error = np.zeros(1000)
    error[530:540] = -3.0
    alone, before = (
        describe_reconstruction([error], peaks=peaks, size=np.ones(len(peaks)), sampling_rate_hz=RATE_HZ)[
            0, 2
        ]
        for peaks in ([500], [500, 540])
    )
    assert np.exp([alone, before]) == pytest.approx([np.hypot(3.0, 0.8), 0.8])


def test_mepps_at_the_very_ends_are_described_too() -> None:
    described = describe_reconstruction(
        [np.ones(300)], peaks=[0, 299], size=[1.0, 1.0], sampling_rate_hz=RATE_HZ
    )
    assert np.exp(described[:, 1]) == pytest.approx(np.hypot([1.0, 1.0], 0.03))


@pytest.mark.parametrize("respect", range(3))
def test_one_that_differs_in_a_single_respect_stands_out(respect: int) -> None:
    rows = rows_of(np.random.default_rng(3), 60)
    rows[17] = np.median(rows, axis=0)
    rows[17, respect] += 2.5
    score = score_of(rows)
    assert score.argmax() == 17
    assert score[17] > 3.0
    assert 0.7 < np.median(score) < 1.6


def test_large_ones_are_odd_by_size_but_not_for_what_their_size_explains() -> None:
    rows = rows_of(np.random.default_rng(4), 200)
    larger = np.array([[1.2, 0.9 * 1.2, 0.6 * 1.2], [1.2, -0.9 * 1.2, 0.6 * 1.2]])
    giant, unexplained = np.median(rows, axis=0) + larger
    score = score_of(np.vstack([rows, giant, unexplained]))
    assert 2.0 < score[-2] < 4.0  # three times the spread of the size
    assert score[-1] > 2.0 * score[-2]


def test_the_score_depends_neither_on_the_order_nor_on_the_scale_of_sizes() -> None:
    rows = rows_of(np.random.default_rng(5), 40)
    score = score_of(rows)
    order = np.random.default_rng(6).permutation(40)
    np.testing.assert_allclose(score_of(rows[order]), score[order], rtol=1e-9)
    np.testing.assert_allclose(score_of(rows + np.array([3.0, 0.0, 0.0])), score, rtol=1e-9)


def test_too_few_to_compare_get_no_score_and_equal_ones_are_not_odd() -> None:
    assert np.isnan(score_of(np.zeros((MIN_MEPPS - 1, 3)))).all()
    assert score_of(np.empty((0, 3))).shape == (0,)
    np.testing.assert_array_equal(score_of(np.ones((MIN_MEPPS, 3))), np.zeros(MIN_MEPPS))


def test_being_small_is_not_unusual() -> None:
    rows = rows_of(np.random.default_rng(7), 60)
    middle = np.median(rows, axis=0)
    smaller, larger = (middle + step * np.array([1.2, 0.9 * 1.2, 0.6 * 1.2]) for step in (-1, 1))
    score = score_of(np.vstack([rows, smaller, larger]))
    # What is left of either is by how much its error differs from what is usual for its size.
    assert score[-2] < 1.6
    assert score[-1] > 1.5 * score[-2]


@pytest.mark.parametrize("measure", range(2))
def test_a_shape_is_unusual_if_it_is_well_measured(measure: int) -> None:
    rng = np.random.default_rng(8)
    shape = np.exp(rng.normal(np.log(1e-3), 0.2, (50, 2)))
    shape[:3] = 1e-3
    shape[:2, measure] = 3e-3
    errors = 0.05 * shape
    errors[1] = 2.0 * shape[1]  # lost in the noise
    shape[2] = np.nan  # not measured at all
    score = anomaly_score(np.zeros((50, 3)), shape=shape, shape_se=errors)
    assert score.argmax() == 0
    assert score[0] > 3.0
    assert score[1] < 1.0
    assert score[2] == 0.0


def odd_recording() -> tuple[list[Segment], np.ndarray, np.ndarray]:
    """Return 60 s with two ordinary MEPPs a second, and what was put among them: places and kinds.

    Kind 1 are giants (four times as large), 2 slow ones (three times as slow), 3 spikes of 0.2 ms.
    """
    scenario = Scenario(rate_hz=2.0, giant_fraction=0.0, slow_fraction=0.0, noise_sd=NOISE_SD)
    simulated = simulate_recording(scenario, seed=500_970_000)
    values = simulated.values.copy()
    gaps = np.diff(simulated.truth.start_s)
    roomy = simulated.truth.start_s[:-1][gaps > 0.15]
    places_s, kinds = roomy[:24] + 0.07, np.arange(24) % 3 + 1
    usual = EventShape(rise_s=0.7e-3, decay_s=2.5e-3)
    slow = EventShape(rise_s=2.1e-3, decay_s=7.5e-3)
    time_s = np.arange(600) / RATE_HZ
    shapes = {
        1: 4.0 * usual.value(time_s),
        2: slow.value(time_s),
        3: 6.0 * ((time_s > 0) & (time_s < 0.2e-3)),
    }
    for place_s, kind in zip(places_s, kinds, strict=True):
        first = round(place_s * RATE_HZ)
        values[first : first + 600] += scenario.amplitude_mean * shapes[kind]
    trace = replace(simulated.trace(), source=ArraySource(values))
    return list(cut_segments([trace], excluded=[(30.0, 30.01)])), places_s, kinds


@pytest.fixture(scope="module")
def odd() -> tuple[list[Segment], Mepps, np.ndarray]:
    """Segments, what the matched filter found in them, and of which kind each is (0: ordinary)."""
    segments, places_s, kinds = odd_recording()
    learned = survey(segments)
    found = MatchedFilter().find(segments, noise=learned)
    mepps = Mepps.concatenate(
        measure(segment, one, polarity=Polarity.POSITIVE)
        for segment, one in zip(segments, found, strict=True)
    )
    matching = match_times(places_s, mepps.start_s, tolerance_s=0.005)
    kind = np.zeros(len(mepps), dtype=int)
    kind[matching.pairs[:, 1]] = kinds[matching.pairs[:, 0]]
    return segments, mepps, kind


@pytest.mark.parametrize("judge", BOTH)
def test_giants_slow_ones_and_spikes_score_high_among_ordinary_mepps(
    judge: type[Autoencoder], odd: tuple[list[Segment], Mepps, np.ndarray]
) -> None:
    segments, mepps, kind = odd
    score = judge().judge(segments, noise=survey(segments), mepps=mepps)
    assert np.median(score[kind == 0]) < 1.5
    assert np.mean(score[kind == 0] > 3.0) < 0.1
    for one in (1, 2, 3):
        others = score[kind == one]
        assert len(others) >= 6
        area = mannwhitneyu(others, score[kind == 0]).statistic / (len(others) * np.sum(kind == 0))
        assert area > 0.9, one


def test_the_opinion_does_not_depend_on_how_much_is_worked_on_at_a_time(
    odd: tuple[list[Segment], Mepps, np.ndarray],
) -> None:
    segments, mepps, _ = odd
    learned = survey(segments)
    whole, parts = (
        Autoencoder().judge(segments, noise=learned, mepps=mepps, block_s=block_s) for block_s in (60.0, 7.0)
    )
    np.testing.assert_allclose(parts, whole, atol=1e-4)


def test_only_the_autoencoders_give_one() -> None:
    assert isinstance(Autoencoder(), SecondOpinion)
    assert not isinstance(MatchedFilter(), SecondOpinion)
    names = ("miniunet", "autoencoder", "autoencoder_anomalous", "template")
    assert [gives_second_opinion(name) for name in names] == [False, True, True, False]
