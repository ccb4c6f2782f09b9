"""Simulated MEPPs with hand-derived measures in, the table out.

Most shapes here have equal time constants T for rise and decay: ``(1 - x) x`` with ``x = exp(-t / T)``, a
parabola in x with its top 1/4 at x = 1/2, so every measure has a closed form. A fraction c of the amplitude
is passed at ``x = (1 + sqrt(1 - c)) / 2`` on the way up and ``x = (1 - sqrt(1 - c)) / 2`` on the way down.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.lab_noise import lab_trace
from builders.traces import segment_of, trace_of
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.recording import Trace
from nwb_mepp.core.segments import Segment
from nwb_mepp.measurement import kinetics, train
from nwb_mepp.measurement.kinetics import locate, measure
from nwb_mepp.measurement.population import describe_population

FloatArray = npt.NDArray[np.float64]

T = 1.5e-3
REST_V = -70e-3
SIZE_V = 0.5e-3


def up(fraction: float) -> float:
    return float(-T * np.log((1 + np.sqrt(1 - fraction)) / 2))


def down(fraction: float) -> float:
    return float(-T * np.log((1 - np.sqrt(1 - fraction)) / 2))


def bump(time_s: FloatArray, onset_s: float, *, rise_s: float = T, decay_s: float = T) -> FloatArray:
    """A MEPP of amplitude 1."""
    since = np.maximum(time_s - onset_s, 0.0)
    peak_s = rise_s * np.log1p(decay_s / rise_s)
    height = (1 - np.exp(-peak_s / rise_s)) * np.exp(-peak_s / decay_s)
    return (1 - np.exp(-since / rise_s)) * np.exp(-since / decay_s) / height


def whole(trace: Trace) -> Segment:
    return Segment(trace=trace, start=0, stop=trace.n_samples)


def candidates(
    peaks: npt.ArrayLike, *, before: int = 15, after: int = 30, probability: npt.ArrayLike | None = None
) -> Any:
    peak = np.asarray(peaks, dtype=np.int64)
    return SimpleNamespace(
        start=peak - before,
        peak=peak,
        stop=peak + after,
        probability=np.full(len(peak), 0.9) if probability is None else np.asarray(probability, float),
    )


def one_mepp(
    rate_hz: float = 10e3,
    *,
    onset_s: float = 30e-3,
    duration_s: float = 0.1,
    polarity: Polarity = Polarity.POSITIVE,
) -> tuple[Trace, Mepps]:
    time_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    trace = trace_of(REST_V + polarity.sign * SIZE_V * bump(time_s, onset_s), rate_hz=rate_hz)
    near = round((onset_s + T * np.log(2) + 0.4e-3) * rate_hz)
    return trace, measure(whole(trace), candidates([near]), polarity=polarity)


@pytest.mark.parametrize("rate_hz", [5e3, 10e3, 20e3, 50e3])
def test_a_noise_free_mepp_has_the_measures_of_its_formula_at_any_rate(rate_hz: float) -> None:
    _, mepps = one_mepp(rate_hz)
    assert len(mepps) == 1
    assert mepps.start_s[0] == pytest.approx(30e-3, abs=0.5 / rate_hz + 1e-9)
    assert mepps.peak_s[0] == pytest.approx(30e-3 + T * np.log(2), abs=0.5 / rate_hz + 1e-9)
    assert 0 <= mepps.stop_s[0] - (30e-3 + down(np.exp(-1))) < 1 / rate_hz + 1e-9
    assert mepps.decay_tau_s[0] == pytest.approx(T, rel=0.01)
    assert mepps.rise_10_90_s[0] == pytest.approx(up(0.9) - up(0.1), rel=0.01)
    assert mepps.half_width_s[0] == pytest.approx(down(0.5) - up(0.5), rel=0.01)
    assert mepps.baseline[0] == pytest.approx(REST_V, abs=1e-3 * SIZE_V)
    # Around its top the curve is A (1 - t^2 / T^2); its mean over +-0.25 ms is 0.25^2 / 3 / 1.5^2 = 0.9 %
    # less, for which it is corrected.
    assert mepps.amplitude[0] == pytest.approx(SIZE_V, rel=0.001)
    assert not mepps.overlapped[0]
    assert np.isnan(mepps.anomaly[0])


def test_half_width_and_rise_of_equal_time_constants_are_known_multiples() -> None:
    # ln(0.85355 / 0.14645) = 1.7627 and ln(0.97434 / 0.65811) = 0.3924.
    _, mepps = one_mepp()
    assert mepps.half_width_s[0] / T == pytest.approx(1.7627, rel=0.005)
    assert mepps.rise_10_90_s[0] / T == pytest.approx(0.3924, rel=0.005)


def test_a_rise_much_faster_than_the_decay_leaves_ln_2_decays_of_half_width() -> None:
    rate_hz, decay_s = 50e3, 3e-3
    time_s = np.arange(5000) / rate_hz
    trace = trace_of(SIZE_V * bump(time_s, 30e-3, rise_s=1e-6, decay_s=decay_s), rate_hz=rate_hz)
    mepps = measure(whole(trace), candidates([1510]), polarity=Polarity.POSITIVE)
    assert mepps.half_width_s[0] == pytest.approx(decay_s * np.log(2), rel=0.02)
    assert mepps.decay_tau_s[0] == pytest.approx(decay_s, rel=0.01)


def test_the_amplitude_follows_the_samples_around_the_peak() -> None:
    trace, mepps = one_mepp(10e3)
    peak = mepps.peak_index[0]
    raised = trace.values(0, trace.n_samples)
    raised[peak - 2 : peak + 3] += 0.1 * SIZE_V
    higher = measure(
        whole(trace_of(raised)),
        candidates([peak]),
        polarity=Polarity.POSITIVE,
        autocovariance=np.array([SIZE_V**2]),  # of much noise: five samples hardly move the fit
    )
    assert higher.amplitude[0] - mepps.amplitude[0] == pytest.approx(0.1 * SIZE_V, rel=0.2)


def test_area_is_the_integral_from_onset_to_one_over_e() -> None:
    _, mepps = one_mepp(50e3)
    x = np.exp(-down(np.exp(-1)) / T)
    integral = 4 * T * ((1 - x) - (1 - x**2) / 2)
    assert mepps.area[0] == pytest.approx(SIZE_V * integral, rel=0.01)


def test_a_downward_mepp_is_the_mirror_image() -> None:
    _, positive = one_mepp()
    _, negative = one_mepp(polarity=Polarity.NEGATIVE)
    for name in ("start_index", "peak_index", "stop_index"):
        assert getattr(negative, name) == getattr(positive, name)
    for name in ("amplitude", "area"):
        np.testing.assert_allclose(getattr(negative, name), -getattr(positive, name), rtol=1e-6)
    for name in ("rise_10_90_s", "half_width_s", "decay_tau_s"):
        np.testing.assert_allclose(getattr(negative, name), getattr(positive, name), rtol=1e-6)
    assert negative.baseline[0] == pytest.approx(REST_V, abs=1e-3 * SIZE_V)


def test_indices_count_from_the_sweep_and_times_from_the_session_start() -> None:
    time_s = np.arange(2000) / 10e3
    trace = trace_of(SIZE_V * bump(time_s, 120e-3), start_s=7.0, sweep=3)
    mepps = measure(
        Segment(trace=trace, start=1000, stop=2000), candidates([212]), polarity=Polarity.POSITIVE
    )
    assert mepps.start_index.tolist() == [1200]
    assert mepps.start_s[0] == pytest.approx(7.12)
    assert mepps.peak_s[0] == pytest.approx(7.0 + mepps.peak_index[0] / 10e3)
    assert mepps.stop_s[0] == pytest.approx(7.0 + mepps.stop_index[0] / 10e3)
    assert mepps.sweep.tolist() == [3]
    assert (mepps.channel, mepps.unit) == ("Vm", "V")


def test_a_mepp_on_the_decay_of_another_is_measured_from_the_extrapolated_decay() -> None:
    time_s = np.arange(1000) / 10e3
    values = SIZE_V * (bump(time_s, 30e-3, rise_s=0.4e-3, decay_s=3e-3))
    second = SIZE_V * bump(time_s, 33.5e-3, rise_s=0.4e-3, decay_s=3e-3)
    mepps = measure(segment_of(values + second), candidates([309, 344]), polarity=Polarity.POSITIVE)
    assert mepps.overlapped.tolist() == [True, False]
    assert mepps.stop_index[0] == mepps.start_index[1] == 335
    np.testing.assert_allclose(mepps.amplitude, SIZE_V, rtol=0.02)
    np.testing.assert_allclose(mepps.baseline, [0.0, values[mepps.peak_index[1]]], atol=0.02 * SIZE_V)
    assert np.isnan(mepps.decay_tau_s[0])  # The next one begins before 1/e ...
    assert mepps.missing_kinetics.tolist() == ["overlapped", ""]
    assert mepps.half_width_s[0] > 0  # ... but after the half.
    assert mepps.decay_tau_s[1] == pytest.approx(3e-3, rel=0.02)


def test_without_the_half_there_is_no_half_width() -> None:
    time_s = np.arange(1000) / 10e3
    shape = {"rise_s": 0.4e-3, "decay_s": 5e-3}
    values = SIZE_V * (bump(time_s, 30e-3, **shape) + bump(time_s, 33e-3, **shape))
    mepps = measure(segment_of(values), candidates([310, 340]), polarity=Polarity.POSITIVE)
    assert np.isnan(mepps.half_width_s).tolist() == [True, False]


def test_a_mepp_cut_by_the_end_of_the_segment_stops_there_without_a_decay() -> None:
    time_s = np.arange(1000) / 10e3
    trace = trace_of(SIZE_V * bump(time_s, 30e-3))
    mepps = measure(Segment(trace=trace, start=0, stop=322), candidates([311]), polarity=Polarity.POSITIVE)
    assert mepps.stop_index.tolist() == [322]
    assert np.isnan(mepps.decay_tau_s[0])
    assert np.isnan(mepps.half_width_s[0])
    assert mepps.missing_kinetics.tolist() == ["at border"]
    assert not mepps.overlapped[0]


def test_a_mepp_at_the_very_beginning_of_a_segment_is_measured_from_its_lowest_level() -> None:
    time_s = np.arange(1000) / 10e3
    trace = trace_of(REST_V + SIZE_V * bump(time_s, 0.3e-3, rise_s=0.4e-3, decay_s=3e-3))
    mepps = measure(whole(trace), candidates([13]), polarity=Polarity.POSITIVE)
    assert mepps.start_index[0] >= 0
    assert mepps.amplitude[0] == pytest.approx(SIZE_V, rel=0.1)


@pytest.mark.parametrize(("probability", "kept"), [([0.6, 0.9], 0.9), ([0.9, 0.6], 0.9)])
def test_two_candidates_with_one_peak_become_the_more_probable(probability: list[float], kept: float) -> None:
    trace, _ = one_mepp()
    found = candidates([305, 316], probability=probability)
    mepps = measure(whole(trace), found, polarity=Polarity.POSITIVE)
    assert mepps.probability.tolist() == [kept]
    assert mepps.peak_index.tolist() == [310]


def test_a_candidate_low_on_the_flank_of_the_earlier_of_two_mepps_keeps_its_own_peak() -> None:
    time_s = np.arange(1000) / 10e3
    shape = {"rise_s": 0.4e-3, "decay_s": 3e-3}
    values = SIZE_V * (bump(time_s, 30e-3, **shape) + 2 * bump(time_s, 33e-3, **shape))
    # At sample 302 the first lies lower than in the valley before the second.
    mepps = measure(segment_of(values), candidates([302, 340], before=5), polarity=Polarity.POSITIVE)
    assert len(mepps) == 2
    assert abs(mepps.peak_index[0] - 309) <= 1


def test_where_nothing_can_be_fitted_the_candidate_keeps_its_interval_and_has_no_kinetics() -> None:
    time_s = np.arange(1000) / 10e3
    trace = trace_of(-SIZE_V * bump(time_s, 30e-3))  # It points the other way.
    mepps = measure(whole(trace), candidates([310], before=5, after=20), polarity=Polarity.POSITIVE)
    assert len(mepps) == 1
    assert mepps.start_index[0] <= mepps.peak_index[0] < mepps.stop_index[0]
    for name in ("rise_10_90_s", "half_width_s", "decay_tau_s"):
        assert np.isnan(getattr(mepps, name)[0])
    assert mepps.missing_kinetics.tolist() == ["no fit"]


def test_no_candidate_gives_an_empty_table() -> None:
    trace, _ = one_mepp()
    mepps = measure(whole(trace), candidates([]), polarity=Polarity.POSITIVE)
    assert len(mepps) == 0
    assert (mepps.channel, mepps.unit) == ("Vm", "V")


def test_a_polarity_that_is_still_to_be_decided_is_refused() -> None:
    trace, _ = one_mepp()
    with pytest.raises(ValueError, match="expected a positive or negative polarity, found auto"):
        measure(whole(trace), candidates([310]), polarity=Polarity.AUTO)


def test_samples_are_taken_from_read_and_only_near_the_candidates() -> None:
    trace, expected = one_mepp(duration_s=2.0)
    segment = whole(trace)
    read: list[tuple[int, int]] = []

    def doubled(start: int, stop: int) -> FloatArray:
        read.append((start, stop))
        return 2 * segment.values(start, stop)

    mepps = measure(segment, candidates([314]), polarity=Polarity.POSITIVE, read=doubled)
    np.testing.assert_allclose(mepps.amplitude, 2 * expected.amplitude, rtol=1e-6)
    # 20 ms before and 60 ms after the peak, and what the smoothing needs.
    assert min(start for start, _ in read) >= 310 - 200 - 10
    assert max(stop for _, stop in read) <= 310 + 600 + 10


def test_earlier_events_far_away_do_not_change_a_noise_free_measurement() -> None:
    time_s = np.arange(6000) / 10e3
    values = SIZE_V * (bump(time_s, 0.1, rise_s=0.3e-3, decay_s=5e-3) + bump(time_s, 0.4))
    both = measure(segment_of(values), candidates([1010, 4012]), polarity=Polarity.POSITIVE)
    alone = measure(segment_of(values), candidates([4012]), polarity=Polarity.POSITIVE)
    for name in ("amplitude", "decay_tau_s", "start_s"):
        np.testing.assert_allclose(getattr(both, name)[1:], getattr(alone, name), rtol=1e-3)


def noisy_train(rng: np.random.Generator, *, snr: float, n_mepps: int) -> tuple[Trace, FloatArray]:
    """MEPPs of equal size, 0.4 and 2.5 ms, 40 to 80 ms apart, in white noise with slower noise beneath."""
    onsets_s = 0.05 + np.cumsum(rng.uniform(0.04, 0.08, n_mepps))
    time_s = np.arange(round((onsets_s[-1] + 0.1) * 10e3)) / 10e3
    values = sum(bump(time_s, onset, rise_s=0.4e-3, decay_s=2.5e-3) for onset in onsets_s)
    slow = np.convolve(rng.standard_normal(len(time_s) + 400), np.ones(401) / np.sqrt(401), mode="valid")
    noise = rng.standard_normal(len(time_s)) + 0.3 * slow
    return trace_of(REST_V + SIZE_V * (values + noise / snr)), onsets_s


@pytest.mark.parametrize(
    ("snr", "amplitude_bias", "onset_bias_s", "decay_bias"),
    [(10, 0.02, 0.05e-3, 0.05), (6, 0.02, 0.1e-3, 0.1)],
)
def test_measures_of_noisy_mepps_are_nearly_free_of_bias(
    snr: float, amplitude_bias: float, onset_bias_s: float, decay_bias: float
) -> None:
    trace, onsets_s = noisy_train(np.random.default_rng(11), snr=snr, n_mepps=150)
    mepps = measure(whole(trace), candidates(np.round((onsets_s + 1e-3) * 10e3)), polarity=Polarity.POSITIVE)
    assert len(mepps) == len(onsets_s)
    assert abs(mepps.amplitude.mean() / SIZE_V - 1) < amplitude_bias
    assert abs((mepps.start_s - onsets_s).mean()) < onset_bias_s
    assert abs(np.nanmean(mepps.decay_tau_s) / 2.5e-3 - 1) < decay_bias
    rise_s = mepps.rise_10_90_s
    assert abs(np.nanmedian(rise_s) / 0.426e-3 - 1) < 0.1


@pytest.mark.parametrize(("level", "decay_s"), [(10.0, 1.5e-3), (10.0, 4e-3), (5.0, 8e-3)])
def test_decays_of_gradual_rises_in_colored_noise_are_free_of_bias(level: float, decay_s: float) -> None:
    onsets_s = 0.05 + np.arange(100) * 0.12 + np.random.default_rng(2).uniform(0.0, 0.02, 100)
    lab = lab_trace(onsets_s, level=level, decay_s=decay_s, seed=6, duration_s=12.3)
    noise = lab_trace(np.empty(0), level=level, decay_s=decay_s, seed=99, duration_s=12.3).values
    power = np.abs(np.fft.rfft(noise - noise.mean())) ** 2 / len(noise)
    mepps = measure(
        whole(trace_of(lab.values)),
        candidates(np.round((onsets_s + 0.9e-3) * 10e3)),
        polarity=Polarity.POSITIVE,
        autocovariance=np.fft.irfft(power)[:1000],
    )
    assert len(mepps) == 100
    log_tau, log_se = np.log(mepps.decay_tau_s), mepps.decay_tau_se_s / mepps.decay_tau_s
    found = describe_population(log_tau, log_se)
    # Three standard errors of the mean, and 2 % for what the shapes differ by.
    mean_s = np.exp(found.mean + 0.5 * found.sd**2)
    assert abs(np.log(mean_s / lab.decays_s.mean())) < 0.02 + 3.0 * found.mean_se
    z = (log_tau - np.log(lab.decays_s)) / log_se
    assert np.nanstd(z) == pytest.approx(1.0, abs=0.22)
    # The foot is found where the rise begins.
    assert abs(np.median(mepps.start_s - onsets_s)) < 0.1e-3
    assert np.mean(mepps.amplitude) == pytest.approx(lab.amplitudes.mean(), rel=0.04)
    error = mepps.amplitude - lab.amplitudes
    assert np.nanstd(error / mepps.amplitude_se) == pytest.approx(1.0, abs=0.3)


def test_what_noise_leaves_open_is_missing_for_a_reason() -> None:
    onsets_s = 0.05 + np.arange(60) * 0.1
    lab = lab_trace(onsets_s, level=2.0, decay_s=3e-3, seed=6, duration_s=6.2, amplitude_cv=0.0)
    at = candidates(np.round((onsets_s + 0.9e-3) * 10e3))
    mepps = measure(whole(trace_of(lab.values)), at, polarity=Polarity.POSITIVE)
    missing = np.isnan(mepps.decay_tau_s)
    assert set(mepps.missing_kinetics[missing]) <= {"noise", "no fit", "overlapped", "at border"}
    assert "noise" in mepps.missing_kinetics
    assert set(mepps.missing_kinetics[~missing]) == {""}
    np.testing.assert_array_equal(np.isnan(mepps.decay_tau_se_s), missing)


def test_intervals_of_noisy_mepps_cover_the_true_ones() -> None:
    trace, onsets_s = noisy_train(np.random.default_rng(5), snr=6, n_mepps=100)
    mepps = measure(whole(trace), candidates(np.round((onsets_s + 1e-3) * 10e3)), polarity=Polarity.POSITIVE)
    stops_s = onsets_s + 3.664e-3  # 1/e of the amplitude for 0.4 and 2.5 ms
    shared = np.minimum(mepps.stop_s, stops_s) - np.maximum(mepps.start_s, onsets_s)
    union = np.maximum(mepps.stop_s, stops_s) - np.minimum(mepps.start_s, onsets_s)
    assert np.mean(shared / union) > 0.85


@given(
    peaks=st.lists(st.integers(0, 799), min_size=1, max_size=25),
    seed=st.integers(0, 2**16),
    polarity=st.sampled_from([Polarity.POSITIVE, Polarity.NEGATIVE]),
    size=st.sampled_from([0.0, 3.0, 20.0]),
)
@settings(max_examples=40)
def test_whatever_the_candidates_intervals_are_sorted_apart_and_inside(
    peaks: list[int], seed: int, polarity: Polarity, size: float
) -> None:
    rng = np.random.default_rng(seed)
    time_s = np.arange(800) / 10e3
    values = rng.standard_normal(800) + size * sum(bump(time_s, peak / 10e3) for peak in peaks[:5])
    found = candidates(sorted(peaks), probability=rng.uniform(size=len(peaks)))
    mepps = measure(segment_of(values), found, polarity=polarity)
    assert 1 <= len(mepps) <= len(peaks)
    assert np.all(mepps.start_index >= 0)
    assert np.all(mepps.stop_index <= 800)
    assert np.all(mepps.start_index <= mepps.peak_index)
    assert np.all(mepps.peak_index < mepps.stop_index)
    assert np.all(mepps.stop_index[:-1] <= mepps.start_index[1:])
    assert np.all(np.isfinite(mepps.amplitude) & np.isfinite(mepps.baseline) & np.isfinite(mepps.area))


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), n_candidates=st.integers(5, 60))
def test_candidates_that_are_no_events_are_no_reason_for_shapes_larger_than_the_trace(
    seed: int, n_candidates: int
) -> None:
    # MEPPs in noise, and candidates anywhere: each fit leaves a tail that is subtracted before the next one.
    rng = np.random.default_rng(seed)
    n_samples = 1500
    values = np.convolve(rng.normal(size=n_samples), np.full(5, 5**-0.5), mode="same")
    time_s = np.arange(n_samples) / 10e3
    for onset_s in rng.uniform(0.0, 0.14, n_candidates // 2):
        values += 8.0 * rng.random() * bump(time_s, onset_s, rise_s=0.3e-3, decay_s=3e-3)
    peaks = np.sort(rng.choice(np.arange(20, n_samples - 20), n_candidates, replace=False))
    segment = whole(trace_of(values))
    located = locate([segment], [candidates(peaks, before=3, after=5)], polarity=Polarity.POSITIVE)
    for measured in (located.fit(roughly=True), located.fit(), located.fit(split=True)):
        # Of a shape, a fifth must be seen, and that is no more than twice the range of the trace.
        assert np.abs(measured.curves(segment, 0, n_samples)).max() < 10.0 * np.ptp(values)
        assert np.abs(measured.mepps().amplitude).max() < 10.0 * np.ptp(values)


def test_a_constant_trace_is_measured_as_nothing() -> None:
    mepps = measure(segment_of(np.full(1000, REST_V)), candidates([500]), polarity=Polarity.POSITIVE)
    assert mepps.amplitude.tolist() == pytest.approx([0.0])
    assert np.isnan(mepps.decay_tau_s[0])


@pytest.mark.parametrize("most", [1000, 300, 299, 100, 40])
def test_of_very_many_events_every_so_many_tell_the_noise(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinetics, "_MOST_EVENTS", most)
    monkeypatch.setattr(train, "_BLOCK", 64)  # blocks begin between those that are looked at
    noise = np.random.default_rng(4).normal(REST_V, 1e-4, 300 * 200)
    found = candidates(np.arange(300) * 200 + 100)
    segment = whole(trace_of(noise, unit="V"))
    located = kinetics.locate([segment], [found], polarity=Polarity.POSITIVE)
    assert kinetics._noise_sd(located.train, located.bins) == pytest.approx(1e-4, rel=0.1)
