"""Detection, measurement and summary of recordings whose MEPPs are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from builders.known_mepps import AMPLITUDE_V, DURATION_S, ONSETS_S, TAU_DECAY_S, mepp_trace
from builders.traces import RATE_HZ, recording_of, trace_of
from nwb_mepp.core.errors import DetectionError, MetadataError, UsageError
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.workflows import DetectionSettings, analysis, analyze, choose_channels
from nwb_mepp.workflows.option_kinds import Amplitude


def settings(**changes: Any) -> DetectionSettings:
    return DetectionSettings(detectors=("matched_filter",), **changes)


def only_result(recording: Recording, **changes: Any) -> ChannelResult:
    (result,) = analyze(recording, settings=settings(**changes))
    return result


def test_every_mepp_is_found_once_and_measured_in_si_units() -> None:
    result = only_result(recording_of(trace_of(mepp_trace())))
    mepps = result.mepps
    assert result.detector == "matched_filter"
    assert mepps.unit == "V"
    assert mepps.start_s == pytest.approx(ONSETS_S, abs=0.3e-3)
    # The peak is averaged over 0.5 ms, which takes a few per cent off; the noise is 5 % of the amplitude.
    assert mepps.amplitude == pytest.approx(np.full(len(ONSETS_S), AMPLITUDE_V), rel=0.15)
    assert np.nanmedian(mepps.decay_tau_s) == pytest.approx(TAU_DECAY_S, rel=0.15)
    assert result.summary.n_mepps == len(ONSETS_S)
    assert result.summary.analyzed_s == pytest.approx(DURATION_S)
    assert result.summary.rate_hz == pytest.approx(len(ONSETS_S) / DURATION_S)
    assert result.summary.threshold == 5.0


def test_sums_are_not_shared_by_threads_and_so_the_same_whatever_the_number_of_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    look, seen = analysis.survey_channel, []

    def looked_at(*arguments: Any, **stated: Any) -> Any:
        seen.extend(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        return look(*arguments, **stated)

    monkeypatch.setattr(analysis, "survey_channel", looked_at)
    with threadpool_limits(limits=2, user_api="blas"):
        only_result(recording_of(trace_of(mepp_trace())))
    assert set(seen) == {1}


def test_tables_are_the_same_to_the_last_bit_however_many_threads_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recording = recording_of(trace_of(mepp_trace()))
    # Blocks of 1 s, so that there are several for the threads to share.
    wanted = DetectionSettings(detectors=("miniunet", "autoencoder"), block_s=1.0)
    tables = []
    for n_threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", n_threads)
        tables.append([result.mepps for result in analyze(recording, settings=wanted)])
    for one, several in zip(*tables, strict=True):
        assert len(one) == len(several) > 0
        for name in one.array_names():
            np.testing.assert_array_equal(getattr(one, name), getattr(several, name))


def test_times_count_from_the_session_start_whatever_the_start_of_the_trace() -> None:
    values = mepp_trace()
    early, late = (
        only_result(recording_of(trace_of(values, start_s=start_s))).mepps for start_s in (0.0, 1050.0)
    )
    assert late.start_s == pytest.approx(early.start_s + 1050.0, abs=1e-9)
    assert (late.start_index == early.start_index).all()


def test_currents_that_point_downward_are_found_and_keep_their_sign() -> None:
    values = mepp_trace(amplitudes=-30e-12, level=-50e-12, noise_sd=2e-12)
    result = only_result(recording_of(trace_of(values, channel="Im", unit="A")))
    assert result.mepps.start_s == pytest.approx(ONSETS_S, abs=0.3e-3)
    assert (result.mepps.amplitude < 0).all()
    assert result.summary.polarity == "negative"
    assert result.summary.amplitude_unit == "A"


def test_what_points_against_the_stated_polarity_is_dropped() -> None:
    values = mepp_trace(amplitudes=[1e-3, -1e-3, 1e-3, -1e-3, 1e-3, 1e-3, 1e-3, 1e-3])
    upward = only_result(recording_of(trace_of(values)), polarity="positive").mepps
    assert (upward.amplitude > 0).all()
    downward = only_result(recording_of(trace_of(values)), polarity="negative").mepps
    assert (downward.amplitude < 0).all()
    assert {round(start_s, 2) for start_s in downward.start_s} >= {0.75, 1.9}


def test_the_result_does_not_depend_on_the_block_size() -> None:
    recording = recording_of(trace_of(mepp_trace()))
    large, small = (only_result(recording, block_s=block_s).mepps for block_s in (60.0, 0.37))
    for name in large.array_names():
        np.testing.assert_array_equal(getattr(large, name), getattr(small, name), err_msg=name)


def test_excluded_stretches_lose_their_mepps_and_their_seconds() -> None:
    result = only_result(recording_of(trace_of(mepp_trace())), exclude=((0.7, 1.0), (2.2, 2.9)))
    kept = [onset_s for onset_s in ONSETS_S if not (0.7 <= onset_s < 1.0 or 2.2 <= onset_s < 2.9)]
    assert result.mepps.start_s == pytest.approx(kept, abs=0.3e-3)
    assert result.summary.analyzed_s == pytest.approx(DURATION_S - 0.3 - 0.7)
    assert "exclude_s=0.7:1.0, 2.2:2.9" in result.summary.settings


def test_stretches_per_sweep_are_left_out_of_every_sweep() -> None:
    traces = [
        trace_of(mepp_trace(seed=sweep), sweep=sweep, start_s=start_s)
        for sweep, start_s in ((0, 0.0), (1, 10.0))
    ]
    result = only_result(recording_of(*traces), exclude_per_sweep=((0.0, 1.0),))
    kept = np.array([onset_s for onset_s in ONSETS_S if onset_s >= 1.0])
    assert result.mepps.start_s == pytest.approx(np.concatenate([kept, 10.0 + kept]), abs=0.3e-3)
    assert result.mepps.sweep.tolist() == [0] * len(kept) + [1] * len(kept)
    assert result.summary.analyzed_s == pytest.approx(2 * (DURATION_S - 1.0))


def test_invalid_times_of_the_recording_are_left_out_too() -> None:
    recording = recording_of(trace_of(mepp_trace()), invalid_times=((3.0, 4.0),))
    result = only_result(recording)
    assert result.mepps.stop_s.max() < 3.0
    assert result.summary.analyzed_s == pytest.approx(3.0)


def test_a_least_amplitude_drops_the_small_ones_and_leaves_the_others_as_they_are() -> None:
    amplitudes = [0.5e-3, 1e-3] * 4
    recording = recording_of(trace_of(mepp_trace(amplitudes=amplitudes)))
    everything = only_result(recording)
    assert len(everything.mepps) == 8
    large = only_result(recording, min_amplitude=Amplitude(0.75e-3, "V")).mepps
    assert large.start_s == pytest.approx(ONSETS_S[1::2], abs=0.3e-3)
    np.testing.assert_array_equal(large.amplitude, everything.mepps.amplitude[1::2])
    in_sd = 0.75e-3 / everything.summary.noise_sd
    np.testing.assert_array_equal(only_result(recording, min_amplitude_sd=in_sd).mepps.start_s, large.start_s)


def test_a_least_amplitude_in_volts_does_not_fit_a_current() -> None:
    recording = recording_of(trace_of(mepp_trace(), channel="Im", unit="A"))
    with pytest.raises(
        UsageError, match=r"`min_amplitude`: expected the unit of channel 'Im' \(A\), found V"
    ):
        analyze(recording, settings=settings(min_amplitude=Amplitude(1e-4, "V")))


def test_several_channels_are_asked_for_and_each_gets_a_result() -> None:
    values = mepp_trace()
    monitor = trace_of(values, channel="Temp", unit="degC")
    traces = (trace_of(values), trace_of(-values, channel="Vm2"), monitor)
    with pytest.raises(
        MetadataError,
        match=r"fiber\.abf has 2 channels in volts or amperes \(Vm, Vm2\); pass `channels='Vm'`",
    ):
        analyze(recording_of(*traces), settings=settings())
    results = analyze(recording_of(*traces), settings=settings(channels=("Vm2", "Vm")))
    assert [result.mepps.channel for result in results] == ["Vm2", "Vm"]
    assert [result.summary.polarity for result in results] == ["negative", "positive"]


def test_the_only_channel_in_volts_or_amperes_needs_no_name() -> None:
    values = np.zeros(10)
    recording = recording_of(trace_of(values, channel="Temp", unit="degC"), trace_of(values))
    assert choose_channels(recording) == ("Vm",)


def test_a_channel_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UsageError, match=r"fiber\.abf has no channel 'Vx'; pass `channels` .* \(Vm\)"):
        choose_channels(recording_of(trace_of(np.zeros(10))), names=["Vx"])


def test_a_recording_without_volts_or_amperes_is_refused() -> None:
    recording = recording_of(trace_of(np.zeros(10), channel="Temp", unit="degC"))
    with pytest.raises(
        MetadataError, match=r"has no channel in volts or amperes \(Temp in degC\); pass `unit`"
    ):
        choose_channels(recording)


@pytest.mark.parametrize("stretch", [(4.0, 5.0), (-2.0, 0.0), (100.0, 101.0)])
def test_a_stretch_outside_the_recording_is_refused(stretch: tuple[float, float]) -> None:
    recording = recording_of(trace_of(mepp_trace()))
    with pytest.raises(
        UsageError, match=r"`exclude`: expected a stretch within the recording, .* from 0 to 4 s"
    ):
        analyze(recording, settings=settings(exclude=(stretch,)))
    with pytest.raises(
        UsageError, match=r"`exclude_per_sweep`: expected a stretch within a sweep, .* last 4 s"
    ):
        analyze(recording, settings=settings(exclude_per_sweep=(stretch,)))


def test_sweeps_of_different_rates_are_refused() -> None:
    values = mepp_trace()
    traces = (trace_of(values), trace_of(values, sweep=1, start_s=10.0, rate_hz=2 * RATE_HZ))
    with pytest.raises(
        DetectionError, match="expected one sampling rate in all sweeps, found 10000 Hz, 20000 Hz"
    ):
        analyze(recording_of(*traces), settings=settings())


def test_progress_names_channel_and_detector() -> None:
    told: list[str] = []
    analyze(recording_of(trace_of(mepp_trace())), settings=settings(), on_progress=told.append)
    steps = ("looking", "measuring", "summary")
    assert told == [
        "noise of Vm",
        "clear deflections on Vm",
        *(f"matched_filter on Vm: {one}" for one in steps),
    ]


def test_a_recording_without_mepps_gives_a_summary_that_says_none() -> None:
    result = only_result(recording_of(trace_of(mepp_trace(onsets_s=()))))
    assert len(result.mepps) == 0
    assert result.summary.n_mepps == 0
    assert result.summary.rate_hz == 0.0
    assert np.isnan(result.summary.amplitude_mean)
