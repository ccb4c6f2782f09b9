"""Fits to curves made by SciPy: what was put in comes out, within the errors that are stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders.lab_noise import RATE_HZ, colored_noise, sigmoid_mepp
from nwb_mepp.measurement.noise_weights import Bins, NoiseWeights
from nwb_mepp.measurement.shape_fit import Prior, Shapes, Windows, fit_shapes

BINS = Bins.around_peak(RATE_HZ)
FloatArray = np.ndarray


def windows_of(traces: FloatArray) -> Windows:
    """Return windows that begin about 7 ms before the peak and end 20 ms after it."""
    n_events = len(traces)
    return Windows(
        values=np.array([BINS.average(trace) for trace in traces]),
        first=np.full(n_events, np.searchsorted(BINS.edges, -70)),
        last=np.full(n_events, np.searchsorted(BINS.edges, 200)),
        level=np.full(n_events, np.nan),
        level_sd=np.full(n_events, np.inf),
        largest=np.full(n_events, np.inf),
    )


def guess(n_events: int, *, power: int = 3) -> Shapes:
    blank = Shapes.blank(n_events, power=power)
    values = {"onset_s": -1e-3, "tau_rise_s": 0.5e-3, "tau_decay_s": 5e-3}
    return replace(blank, **{name: np.full(n_events, value) for name, value in values.items()})


def noisy(n_events: int, *, level: float, decay_s: float) -> tuple[FloatArray, NoiseWeights]:
    """Return events in colored noise of SD 1, and weights from that noise."""
    n_samples = int(BINS.edges[-1] - BINS.edges[0])
    noise = colored_noise(n_events * n_samples, np.random.default_rng(4))
    power = np.abs(np.fft.rfft(noise)) ** 2 / len(noise)
    since_s = np.arange(BINS.edges[0], BINS.edges[-1]) / RATE_HZ + 0.8e-3
    event = level * sigmoid_mepp(since_s, rise_s=0.25e-3, decay_s=decay_s)
    return noise.reshape(n_events, -1) + event, NoiseWeights(BINS, np.fft.irfft(power)[:1000])


def test_a_curve_without_noise_is_found_again() -> None:
    since_s = np.arange(BINS.edges[0], BINS.edges[-1]) / RATE_HZ + 0.8e-3
    trace = -70.0 + 2.0 * sigmoid_mepp(since_s, rise_s=0.25e-3, decay_s=3e-3)
    found = fit_shapes(windows_of(trace[None]), NoiseWeights(BINS, np.array([1e-6])), start=guess(1))
    assert found.usable[0]
    measures = [found.onset_s, found.tau_rise_s, found.tau_decay_s, found.amplitude, found.level]
    assert np.ravel(measures).tolist() == pytest.approx([-0.8e-3, 0.25e-3, 3e-3, 2.0, -70.0], rel=2e-3)


@pytest.mark.parametrize(("level", "decay_s"), [(6.0, 3e-3), (10.0, 8e-3)])
def test_estimates_scatter_around_the_truth_as_their_standard_errors_say(
    level: float, decay_s: float
) -> None:
    traces, weights = noisy(300, level=level, decay_s=decay_s)
    found = fit_shapes(windows_of(traces), weights, start=guess(len(traces)))
    log_se = np.sqrt(found.covariance[:, 1, 1])
    clear = found.usable & (log_se < 0.8)
    assert clear.mean() > 0.97
    z = (np.log(found.tau_decay_s / decay_s) / log_se)[clear]
    assert z.std() == pytest.approx(1.0, abs=0.15)
    # Three standard errors of a mean of 300.
    assert abs(z.mean()) < 0.2


def test_a_prior_pulls_as_far_as_noise_leaves_the_decay_open() -> None:
    usual = Prior(log_mean=(np.log(0.25e-3), np.log(6e-3)), log_sd=(0.3, 0.3))
    medians = []
    for level in (3.0, 10.0, 100.0):
        traces, weights = noisy(60, level=level, decay_s=2e-3)
        found = fit_shapes(windows_of(traces), weights, start=guess(60), prior=usual)
        medians.append(np.median(found.tau_decay_s))
    assert 6.1e-3 > medians[0] > medians[1] > medians[2]
    assert medians[2] == pytest.approx(2e-3, rel=0.03)


def test_events_that_are_not_asked_for_stay_as_they_start() -> None:
    traces, weights = noisy(6, level=10.0, decay_s=3e-3)
    asked = np.array([True, False, True, True, False, True])
    start = guess(6)
    every = fit_shapes(windows_of(traces), weights, start=start)
    some = fit_shapes(windows_of(traces), weights, start=start, among=asked)
    np.testing.assert_allclose(some.tau_decay_s[asked], every.tau_decay_s[asked], rtol=1e-9)
    np.testing.assert_array_equal(some.tau_decay_s[~asked], start.tau_decay_s[~asked])
    assert np.isnan(some.amplitude[~asked]).all()
    # What they start with is left as it was.
    assert np.isnan(start.amplitude).all()


def test_what_points_down_or_is_flat_is_no_deflection() -> None:
    n_samples = int(BINS.edges[-1] - BINS.edges[0])
    since_s = np.arange(BINS.edges[0], BINS.edges[-1]) / RATE_HZ + 0.8e-3
    down = -sigmoid_mepp(since_s, rise_s=0.25e-3, decay_s=3e-3)
    traces = np.stack([np.zeros(n_samples), down])
    found = fit_shapes(windows_of(traces), NoiseWeights(BINS, np.array([1e-4])), start=guess(2))
    assert not found.usable[0]
    assert found.amplitude[1] < 0.05


@pytest.mark.parametrize(("shown", "is_told"), [(0.15, False), (0.7, True), (1.0, True)])
def test_of_a_rise_that_is_hardly_shown_no_height_is_guessed(shown: float, is_told: bool) -> None:
    since_s = np.arange(BINS.edges[0], BINS.edges[-1]) / RATE_HZ + 0.8e-3
    trace = -70.0 + 2.0 * sigmoid_mepp(since_s, rise_s=0.4e-3, decay_s=3e-3)
    windows = windows_of(trace[None])
    # The last bin is the one before this part of the rise is reached, or the last of all.
    reached = np.flatnonzero(BINS.average(trace) >= -70.0 + shown * 2.0)
    end = reached[0] if shown < 1.0 else windows.last[0]
    cut = replace(windows, last=np.array([end]))
    usual = Prior(log_mean=(np.log(0.4e-3), np.log(3e-3)), log_sd=(0.1, 0.1))
    found = fit_shapes(cut, NoiseWeights(BINS, np.array([1e-6])), start=guess(1), prior=usual)
    assert found.usable[0] == is_told
    assert np.isfinite(found.level[0]) == is_told
    if is_told:
        assert found.amplitude[0] == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize(("largest", "is_told"), [(1.9, False), (2.1, True)])
def test_what_is_larger_than_an_event_can_be_is_none(largest: float, is_told: bool) -> None:
    since_s = np.arange(BINS.edges[0], BINS.edges[-1]) / RATE_HZ + 0.8e-3
    trace = -70.0 + 2.0 * sigmoid_mepp(since_s, rise_s=0.25e-3, decay_s=3e-3)
    windows = replace(windows_of(trace[None]), largest=np.array([largest]))
    found = fit_shapes(windows, NoiseWeights(BINS, np.array([1e-6])), start=guess(1))
    assert found.usable[0] == is_told


def test_the_error_of_a_height_is_unknown_where_a_window_has_fewer_bins_than_is_fitted() -> None:
    traces, weights = noisy(40, level=10.0, decay_s=3e-3)
    whole = windows_of(traces)
    peak = int(np.searchsorted(BINS.edges, 0))
    short = replace(whole, first=np.full(40, peak - 2), last=np.full(40, peak + 2))
    known, unknown = (
        fit_shapes(windows, weights, start=guess(40), height_se=True).height_se for windows in (whole, short)
    )
    # The noise has an SD of 1, of which the mean of a few samples that belong together keeps the most.
    assert ((known > 0.3) & (known < 2.0)).all()
    assert np.isnan(unknown).all()
