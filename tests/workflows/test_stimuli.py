"""When a recording was stimulated, and what is left out around it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.known_mepps import mepp_trace
from builders.traces import RATE_HZ, recording_of, trace_of
from nwb_mepp.core.ancillary import AncillaryData, Epochs, PointEvents
from nwb_mepp.core.errors import DetectionError, UsageError
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import ChannelResult
from nwb_mepp.workflows import DetectionSettings, analyze

DURATION_S = 12.0
STIMULI_S = np.arange(1.0, 12.0, 1.0)
# Between the stimuli, in no order.
MEPPS_S = (0.35, 1.62, 2.27, 3.81, 4.44, 6.13, 7.58, 8.72, 9.29, 10.66)


def pulses(height: float = 5.0) -> np.ndarray:
    values = 1e-3 * np.random.default_rng(4).standard_normal(round(DURATION_S * RATE_HZ))
    for stimulus_s in STIMULI_S:
        values[round(stimulus_s * RATE_HZ) : round(stimulus_s * RATE_HZ) + 10] += height
    return values


def recording(**fields: Any) -> Recording:
    """Return MEPPs and responses of the size of MEPPs, 4 ms after each stimulus."""
    onsets_s = sorted([*MEPPS_S, *(STIMULI_S + 4e-3)])
    trace = trace_of(mepp_trace(onsets_s=onsets_s, duration_s=DURATION_S))
    return recording_of(trace, trace_of(pulses(), channel="Stim"), **fields)


def result(of: Recording, **options: Any) -> ChannelResult:
    settings = DetectionSettings(detectors=("matched_filter",), channels=("Vm",), **options)
    (found,) = analyze(of, settings=settings)
    return found


@pytest.mark.parametrize("stated", ["Stim", "file", "every:1@1.0", "EVERY:1"])
def test_stimuli_are_stated_by_a_channel_a_file_or_a_period(stated: str, tmp_path: Path) -> None:
    if stated == "file":
        stated = str(tmp_path / "stimuli.csv")
        Path(stated).write_text("time_s,current\n" + "\n".join(f"{time_s},1" for time_s in STIMULI_S) + "\n")
    found = result(recording(), stimuli=stated)
    assert found.summary.n_evoked == len(STIMULI_S)
    assert found.mepps.of_kind("mepp").start_s == pytest.approx(MEPPS_S, abs=0.5e-3)


def test_events_of_the_file_that_responses_follow_are_stimuli() -> None:
    labels = ("",) * len(STIMULI_S)
    events = PointEvents(name="TTL", sweep=0, times_s=STIMULI_S, labels=labels)
    found = result(recording(ancillary=AncillaryData(events=(events,))))
    assert found.summary.n_evoked == len(STIMULI_S)


def test_epochs_of_the_file_are_stimuli_if_they_are_named() -> None:
    pulses_on = Epochs(
        name="digital_output_4", sweep=0, start_s=STIMULI_S, duration_s=0.0 * STIMULI_S, labels=("",) * 11
    )
    stated = result(recording(ancillary=AncillaryData(epochs=(pulses_on,))), stimuli="digital_output_4")
    assert stated.summary.n_evoked == len(STIMULI_S)


def test_events_of_the_file_that_nothing_follows_are_none() -> None:
    times_s = np.array([0.2, 1.9, 3.3, 5.6, 7.1, 8.8, 11.4])
    events = PointEvents(name="Tag", sweep=0, times_s=times_s, labels=("note",) * 7)
    quiet = recording_of(
        trace_of(mepp_trace(onsets_s=MEPPS_S, duration_s=DURATION_S)),
        ancillary=AncillaryData(events=(events,)),
    )
    assert result(quiet).summary.n_evoked == 0


def test_time_around_stimuli_is_left_out_where_that_is_asked_for() -> None:
    found = result(recording(), stimuli="Stim", exclude_around_stimuli=[(-5e-3, 45e-3)])
    assert found.summary.analyzed_s == pytest.approx(DURATION_S - 0.05 * len(STIMULI_S))
    assert found.mepps.start_s == pytest.approx(MEPPS_S, abs=0.5e-3)
    assert {one.reason for one in found.left_out} == {"around a stimulus"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stimuli": "Vx"}, "expected a channel .Vm, Stim., a file of times or EVERY:SECONDS, found 'Vx'"),
        ({"stimuli": "every:x"}, "expected EVERY:SECONDS or EVERY:SECONDS@START.*found every:x"),
        ({"exclude_around_stimuli": [(0.0, 0.1)]}, "expected to know when stimuli came, found no times"),
        (
            {"stimuli": "every:1", "exclude_around_stimuli": [(0.0, 0.1)]},
            "give `stimuli`: a channel, a file of times or EVERY:SECONDS@START",
        ),
    ],
)
def test_stimuli_that_are_none_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        result(recording(), **options)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("100\n200\n", "expected times within the recording, found none: 2 from 100 to 200 s"),
        ("time\n1.0\nsoon\n", "expected a number of seconds .* found 'soon' in line 3"),
        ("time\n", "expected times in .*, one a line, found none"),
    ],
)
def test_a_file_without_times_in_the_recording_is_refused(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "times.txt"
    file.write_text(content)
    with pytest.raises(UsageError, match=message):
        result(recording(), stimuli=str(file))


def test_a_channel_without_pulses_is_refused() -> None:
    flat = recording_of(
        trace_of(mepp_trace(duration_s=DURATION_S)), trace_of(pulses(height=0.0), channel="Stim")
    )
    with pytest.raises(DetectionError, match="expected pulses on channel 'Stim', found none"):
        result(flat, stimuli="Stim")


def test_a_period_that_no_event_keeps_is_said() -> None:
    quiet = recording_of(trace_of(mepp_trace(onsets_s=MEPPS_S, duration_s=DURATION_S)))
    found = result(quiet, stimuli="every:1")
    assert found.summary.n_evoked == 0
    assert found.summary.warnings == "no event recurs every 1 s, so none is taken for evoked"


def test_command_steps_that_the_header_states_are_left_out_with_time_to_settle() -> None:
    stepped = recording(command_steps=((2.0, 2.2), (5.0, 8.0)))
    found = result(stepped, stimuli="Stim")
    assert [one.reason for one in found.left_out] == ["command step"] * 3
    # Of the long step, at which another level is held, only the borders.
    stretches = [(one.start_s, one.stop_s) for one in found.left_out]
    assert np.array(stretches) == pytest.approx(np.array([(1.998, 2.3), (4.998, 5.1), (7.998, 8.1)]))
    assert result(stepped, stimuli="Stim", keep_all_time=True).left_out == ()


def test_in_sweeps_too_short_to_leave_steps_out_what_lies_there_is_an_artifact() -> None:
    short = recording_of(
        trace_of(mepp_trace(onsets_s=(0.1, 0.25, 0.52), duration_s=0.6)), command_steps=((0.2, 0.3),)
    )
    found = result(short)
    assert found.mepps.kind.tolist() == ["mepp", "artifact", "mepp"]
    assert found.summary.n_artifacts == 1
    assert "too short to leave out the command steps" in found.summary.warnings


def test_a_recording_that_is_bad_from_end_to_end_is_refused_with_the_reason() -> None:
    nothing = recording_of(trace_of(np.full(40_000, np.nan)))
    with pytest.raises(DetectionError, match=r"nothing is left to analyze \(not a number 0:4 s\)"):
        result(nothing)


def test_where_all_peaks_are_clipped_there_is_no_mean() -> None:
    values = mepp_trace(onsets_s=MEPPS_S, duration_s=DURATION_S)
    found = result(recording_of(trace_of(np.minimum(values, -69.7e-3))))
    assert found.summary.n_mepps == len(MEPPS_S)
    assert np.isnan(found.summary.amplitude_mean)
    assert f"{len(MEPPS_S)} of {len(MEPPS_S)} peaks lie on an end of the range" in found.summary.warnings
    assert "no amplitude is left" in found.summary.warnings
