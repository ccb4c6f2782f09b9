"""Deconvolution: dividing by the shape of a MEPP leaves impulses where MEPPs begin."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import find_peaks

from builders.detectors import RATE_HZ, SHAPE, f1_on_reference, false_per_minute, noise, with_events
from builders.traces import segments_of, whitened_of
from nwb_mepp.conditioning import survey
from nwb_mepp.detectors import Deconvolution
from nwb_mepp.detectors.deconvolution import design_deconvolution


def taps(*, highest_hz: float = 200.0) -> np.ndarray:
    return design_deconvolution(
        SHAPE, sampling_rate_hz=RATE_HZ, lowest_hz=10.0, highest_hz=highest_hz, half_length_s=0.2
    )


@pytest.mark.parametrize("highest_hz", [200.0, 800.0])
def test_a_train_without_noise_becomes_impulses_at_the_onsets_in_proportion(highest_hz: float) -> None:
    onsets, heights = [3_000, 3_040, 4_000, 4_060, 6_500], [1.0, 2.0, 0.5, 0.5, 4.0]
    train = np.zeros(10_000)
    for onset, height in zip(onsets, heights, strict=True):
        train[onset : onset + len(SHAPE)] += height * SHAPE
    output = np.convolve(train, taps(highest_hz=highest_hz), mode="same")
    peaks, _ = find_peaks(output, prominence=0.05 * output.max())
    assert peaks.tolist() == onsets
    # The lower edge of the band leaves a shallow trough around each impulse, where its neighbors stand.
    np.testing.assert_allclose(output[onsets] / output[6_500], np.array(heights) / 4.0, atol=0.15)


def test_an_impulse_is_a_gaussian_of_the_band_whatever_the_template() -> None:
    train = np.zeros(6_000)
    train[3_000 : 3_000 + len(SHAPE)] = SHAPE
    output = np.convolve(train, taps(), mode="same")
    # Half of the amplitude at 200 Hz: SD 200 / sqrt(2 ln 2) Hz, in time 1 / (2 pi 170 Hz) = 0.937 ms.
    # The lower edge takes away its own Gaussian, a twentieth as high and 20 times as broad.
    time_s = np.arange(-10, 11) / RATE_HZ
    sd_s = np.sqrt(2.0 * np.log(2.0)) / (2.0 * np.pi * 200.0)
    expected = np.exp(-0.5 * (time_s / sd_s) ** 2) - 0.05 * np.exp(-0.5 * (time_s / (20.0 * sd_s)) ** 2)
    np.testing.assert_allclose(output[2_990:3_011] / output[3_000], expected / expected[10], atol=0.02)


def test_the_level_of_the_trace_does_not_pass() -> None:
    assert taps().sum() == pytest.approx(0.0, abs=1e-12)


def test_score_of_noise_has_mean_0_and_sd_1() -> None:
    (score,) = Deconvolution().scores(whitened_of(noise(40.0), rate_hz=RATE_HZ))
    assert score.shape == (200_000,)
    assert score.mean() == pytest.approx(0.0, abs=0.02)
    assert score.std() == pytest.approx(1.0, abs=0.03)


def test_events_do_not_change_the_scale_of_the_noise() -> None:
    quiet = Deconvolution().scores(whitened_of(noise(), rate_hz=RATE_HZ))[0][:3_000]
    places = list(range(5_000, 99_000, 2_000))
    busy = Deconvolution().scores(whitened_of(with_events(places, [30.0] * len(places)), rate_hz=RATE_HZ))[0][
        :3_000
    ]
    assert busy.std() == pytest.approx(quiet.std(), rel=0.1)


@pytest.mark.parametrize("block_s", [1.0, 5.0])
def test_score_does_not_depend_on_the_size_of_the_tiles(block_s: float) -> None:
    samples = with_events([4_000, 8_190, 30_000], [10.0, 10.0, 10.0])
    (expected,) = Deconvolution().scores(whitened_of(samples, rate_hz=RATE_HZ))
    tiled = whitened_of(samples, block_s=block_s, rate_hz=RATE_HZ)
    assert tiled[0].n_tiles > 1
    np.testing.assert_allclose(Deconvolution().scores(tiled)[0], expected, rtol=0, atol=1e-8)


def test_events_that_overlap_are_told_apart_and_cut_at_the_next_onset() -> None:
    segments = segments_of(with_events([50_000, 50_020], [40.0, 40.0]), rate_hz=RATE_HZ)
    (found,) = Deconvolution().find(segments, noise=survey(segments, polarity="positive"), threshold=6.0)
    assert found.start == pytest.approx([50_000, 50_020], abs=1)
    assert found.stop[0] <= found.start[1]
    assert np.isnan(found.probability).all()


def test_f1_on_reference_recordings_at_level_10_is_at_least_08() -> None:
    assert f1_on_reference(Deconvolution(), level=10.0) >= 0.8


def test_noise_alone_gives_few_candidates() -> None:
    # Rice: noise of some 200 Hz crosses 4 SD upwards 200 exp(-8) times a second, four times a minute.
    assert false_per_minute(Deconvolution()) <= 6.0
