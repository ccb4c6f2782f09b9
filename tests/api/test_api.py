"""The package in Python: Neo signals in, Neo epochs out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

import nwb_mepp
from builders.known_mepps import AMPLITUDE_V, DURATION_S, ONSETS_S, mepp_trace, write_text
from builders.nwb_files import objects
from builders.traces import RATE_HZ
from nwb_mepp.core.errors import DetectionError, MetadataError, OutputError, UsageError
from nwb_mepp.detectors import shipped_weights

START = "2026-01-15T10:00:00+00:00"


def signal_of(values: Any, *, units: Any = "mV", t_start: Any = 0 * pq.s, **options: Any) -> neo.AnalogSignal:
    return neo.AnalogSignal(
        values, units=units, sampling_rate=RATE_HZ / 1e3 * pq.kHz, t_start=t_start, **options
    )


@pytest.fixture(scope="module")
def signal() -> neo.AnalogSignal:
    """Volts given in millivolts, as amplifiers do."""
    return signal_of(1e3 * mepp_trace(), name="Vm")


@pytest.fixture(scope="module")
def epoch(signal: neo.AnalogSignal) -> neo.Epoch:
    return nwb_mepp.detect(signal, detectors="matched_filter")


def test_detect_gives_an_epoch_for_each_mepp_with_units(epoch: neo.Epoch) -> None:
    assert isinstance(epoch, neo.Epoch)
    assert epoch.times.rescale("s").magnitude == pytest.approx(ONSETS_S, abs=0.3e-3)
    measures = epoch.array_annotations
    assert measures["amplitude"].rescale("mV").magnitude == pytest.approx([1e3 * AMPLITUDE_V] * 8, rel=0.15)
    assert measures["area"].dimensionality == (pq.V * pq.s).dimensionality
    assert measures["decay_tau"].dimensionality == pq.s.dimensionality
    assert (measures["peak_time"] > epoch.times).all()
    assert measures["overlapped"].dtype == bool
    assert set(epoch.labels) == {"mepp"}
    assert epoch.annotations["detector"] == "matched_filter"
    assert epoch.annotations["channel"] == "Vm"


def test_by_default_miniunet_finds_and_the_autoencoder_judges(signal: neo.AnalogSignal) -> None:
    found = nwb_mepp.detect(signal)
    assert found.annotations["detector"] == "miniunet"
    assert found.times.rescale("s").magnitude == pytest.approx(ONSETS_S, abs=1e-3)
    assert np.isfinite(found.array_annotations["anomaly"]).all()
    alone = nwb_mepp.detect(signal, detectors="miniunet")
    assert np.isnan(alone.array_annotations["anomaly"]).all()
    np.testing.assert_array_equal(alone.times, found.times)


def test_weights_are_given_as_a_folder_by_detector_or_by_name(signal: neo.AnalogSignal) -> None:
    folder = shipped_weights("autoencoder")
    usual = nwb_mepp.detect(signal, detectors="autoencoder")
    for weights in (folder, str(folder), {"autoencoder": folder}, "autoencoder@1"):
        found = nwb_mepp.detect(signal, detectors="autoencoder", weights=weights)
        assert found.annotations["weights_sha256"] == usual.annotations["weights_sha256"]
        np.testing.assert_array_equal(found.times, usual.times)
    with pytest.raises(DetectionError, match="expected weights of miniunet, found those of autoencoder"):
        nwb_mepp.detect(signal, weights={"miniunet": folder})
    with pytest.raises(
        UsageError, match=r"weights of a detector that is run \(miniunet\), found some of auto"
    ):
        nwb_mepp.detect(signal, detectors="miniunet", weights=folder)


def test_a_rate_of_false_discoveries_and_fitting_are_for_some_detectors_only(
    signal: neo.AnalogSignal,
) -> None:
    found = nwb_mepp.detect(signal, false_discovery_rate=0.05)
    assert found.annotations["false_discovery_rate"] <= 0.05
    with pytest.raises(UsageError, match=r"gives probabilities \(miniunet\), found template"):
        nwb_mepp.detect(signal, detectors="template", false_discovery_rate=0.05)
    with pytest.raises(UsageError, match=r"`fit_recording`: .* found template"):
        nwb_mepp.detect(signal, detectors="template", fit_recording="all")
    with pytest.raises(DetectionError, match=r"`fit_recording='empty'`: .* take a longer recording"):
        nwb_mepp.detect(signal, fit_recording="empty")


def test_times_are_on_the_clock_of_the_signal(epoch: neo.Epoch) -> None:
    late = signal_of(1e3 * mepp_trace(), t_start=2 * pq.min, name="Vm")
    found = nwb_mepp.detect(late, detectors="matched_filter")
    shift_s = (found.times - epoch.times).rescale("s").magnitude
    assert shift_s == pytest.approx(np.full(len(epoch), 120.0), abs=1e-9)


def test_the_unit_of_the_signal_does_not_matter(epoch: neo.Epoch) -> None:
    found = nwb_mepp.detect(signal_of(1e6 * mepp_trace(), units="uV"), detectors="matched_filter")
    ratio = found.array_annotations["amplitude"] / epoch.array_annotations["amplitude"]
    assert ratio.simplified.magnitude == pytest.approx(np.ones(len(epoch)), rel=1e-9)


def test_currents_stay_currents() -> None:
    values = mepp_trace(amplitudes=-30.0, level=-50.0, noise_sd=2.0)
    found = nwb_mepp.detect(signal_of(values, units="pA"), detectors="matched_filter", polarity="negative")
    assert len(found) == len(ONSETS_S)
    assert (found.array_annotations["amplitude"].rescale("pA") < 0 * pq.pA).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (neo.Block(), r"found Block; pass one, such as block\.segments\[0\]\.analogsignals\[0\]"),
        (neo.Segment(), r"found Segment; pass one, such as segment\.analogsignals\[0\]"),
        (np.zeros(10), r"found ndarray; pass one, such as neo\.AnalogSignal\(samples, units='mV'"),
        ("a.abf", "found str"),
    ],
)
def test_what_is_no_signal_is_named(given: Any, message: str) -> None:
    with pytest.raises(UsageError, match=f"`signal`: expected a neo.AnalogSignal, {message}"):
        nwb_mepp.detect(given)


def test_a_channel_of_several_is_chosen_by_name_or_number() -> None:
    values = mepp_trace()
    quiet = mepp_trace(onsets_s=(), seed=9)
    names = {"channel_names": np.array(["quiet", "Vm"])}
    both = signal_of(np.stack([quiet, values], axis=1), units="V", array_annotations=names)
    with pytest.raises(UsageError, match=r"the signal has 2 channels \(quiet, Vm\); pass `channel='quiet'`"):
        nwb_mepp.detect(both, detectors="matched_filter")
    with pytest.raises(
        UsageError, match="`channel`: expected one of 'quiet', 'Vm' or its number from 0, found 'Im'"
    ):
        nwb_mepp.detect(both, detectors="matched_filter", channel="Im")
    with pytest.raises(UsageError, match="found 2"):
        nwb_mepp.detect(both, detectors="matched_filter", channel=2)
    found = nwb_mepp.detect(both, detectors="matched_filter", channel="Vm")
    assert len(found) == len(ONSETS_S)
    assert found.annotations["channel"] == "Vm"
    assert len(nwb_mepp.detect(both, detectors="matched_filter", channel=0)) == 0
    unnamed = signal_of(np.stack([quiet, values], axis=1), units="V")
    with pytest.raises(UsageError, match=r"2 channels \(signal 0, signal 1\)"):
        nwb_mepp.detect(unnamed, detectors="matched_filter")


def test_a_signal_without_unit_is_refused() -> None:
    with pytest.raises(
        UsageError, match="expected a signal in volts or amperes, found dimensionless; state its unit"
    ):
        nwb_mepp.detect(signal_of(mepp_trace(), units="dimensionless"), detectors="matched_filter")


def test_stretches_and_amplitudes_are_given_with_units(signal: neo.AnalogSignal) -> None:
    found = nwb_mepp.detect(
        signal,
        detectors="matched_filter",
        exclude=[(700 * pq.ms, 1 * pq.s), (3.0, 4.0)],
        min_amplitude=100 * pq.uV,
    )
    kept = [onset_s for onset_s in ONSETS_S if not 0.7 <= onset_s < 1.0 and onset_s < 3.0]
    assert found.times.rescale("s").magnitude == pytest.approx(kept, abs=0.3e-3)
    assert len(nwb_mepp.detect(signal, detectors="matched_filter", min_amplitude=5 * pq.mV)) == 0
    with pytest.raises(
        UsageError, match=r"`min_amplitude`: expected a number with its unit, .* found 5\.0 s"
    ):
        nwb_mepp.detect(signal, detectors="matched_filter", min_amplitude=5 * pq.s)
    with pytest.raises(UsageError, match=r"`min_amplitude`: expected a number with its unit, .* found 0\.2"):
        nwb_mepp.detect(signal, detectors="matched_filter", min_amplitude=0.2)  # type: ignore[arg-type]


def test_summarize_of_an_untouched_epoch_is_what_detection_found(epoch: neo.Epoch) -> None:
    summary = nwb_mepp.summarize(epoch)
    assert summary["n_mepps"] == len(ONSETS_S)
    assert summary["rate_hz"] == pytest.approx(len(ONSETS_S) / DURATION_S)
    for name, value in summary.items():
        stored = epoch.annotations[name]
        both_nan = isinstance(value, float) and math.isnan(value) and math.isnan(stored)
        assert both_nan or value == stored, name


def test_summarize_counts_what_a_selection_keeps(epoch: neo.Epoch) -> None:
    half = epoch[np.arange(len(epoch)) % 2 == 0]
    summary = nwb_mepp.summarize(half)
    assert summary["n_mepps"] == 4
    assert summary["rate_hz"] == pytest.approx(4 / DURATION_S)
    assert summary["interval_mean"] == pytest.approx(np.diff(ONSETS_S[::2]).mean(), abs=0.3e-3)


def test_summarize_needs_to_know_what_was_analyzed() -> None:
    bare = neo.Epoch(times=[1.0] * pq.s, durations=[0.1] * pq.s, labels=np.array(["x"]))
    with pytest.raises(UsageError, match=r"expected an epoch from nwb_mepp\.detect or nwb_mepp\.annotate"):
        nwb_mepp.summarize(bare)


def test_a_signal_without_mepps_gives_an_empty_epoch_that_can_be_summarized() -> None:
    found = nwb_mepp.detect(signal_of(mepp_trace(onsets_s=()), units="V"), detectors="matched_filter")
    assert len(found) == 0
    summary = nwb_mepp.summarize(found)
    assert (summary["n_mepps"], summary["rate_hz"]) == (0, 0.0)


def test_read_gives_a_block_with_a_signal_for_each_channel(tmp_path: Path) -> None:
    values = mepp_trace()
    block = nwb_mepp.read(write_text(tmp_path / "run07.txt", values), unit="V")
    (segment,) = block.segments
    (found,) = segment.analogsignals
    assert found.units == pq.V
    assert float(found.sampling_rate.rescale("Hz")) == pytest.approx(RATE_HZ)
    assert found.magnitude[:, 0] == pytest.approx(values, rel=1e-8)
    assert found.array_annotations["channel_names"].tolist() == ["Voltage"]
    scaled = nwb_mepp.read(tmp_path / "run07.txt", unit={"Voltage": "mV"}, gain=10)
    assert scaled.segments[0].analogsignals[0].magnitude[:, 0] == pytest.approx(values * 1e-4, rel=1e-8)


def test_read_gives_hand_marks_as_epochs_of_their_own(tmp_path: Path) -> None:
    labels = np.zeros(1000, dtype=int)
    labels[300:340] = 1
    rows = [f"{sample / 10:.1f},{sample % 7 / 1e4:.4f},{label}" for sample, label in enumerate(labels)]
    path = tmp_path / "marked.csv"
    path.write_text("\n".join(["Time_ms,Voltage,labels", *rows]) + "\n")
    (marks,) = nwb_mepp.read(path, unit="V").segments[0].epochs
    assert marks.times.rescale("ms").magnitude == pytest.approx([30.0])
    assert marks.durations.rescale("ms").magnitude == pytest.approx([4.0])


def test_convert_and_annotate_give_the_same_mepps_as_detect(tmp_path: Path, epoch: neo.Epoch) -> None:
    lab_file = write_text(tmp_path / "run07.txt", mepp_trace())
    with pytest.raises(MetadataError, match="expected a session start"):
        nwb_mepp.convert(lab_file, tmp_path / "run07.nwb", unit="V")
    path = nwb_mepp.convert(lab_file, tmp_path / "run07.nwb", unit="V", session_start=START)
    assert path == tmp_path / "run07.nwb"
    (found,) = nwb_mepp.annotate(path, detectors=["matched_filter"])
    assert found.times.magnitude == pytest.approx(epoch.times.magnitude, abs=1e-9)
    assert nwb_mepp.summarize(found)["rate_hz"] == nwb_mepp.summarize(epoch)["rate_hz"]
    (typed,) = nwb_mepp.annotate(
        path, output=tmp_path / "typed.nwb", detectors=["matched_filter"], extension=True
    )
    assert typed.times.magnitude.tolist() == found.times.magnitude.tolist()
    table = objects(tmp_path / "typed.nwb")["intervals/mepps_matched_filter"]
    assert table[0]["neurodata_type"] == "'MEPPTable'"
    (read_back,) = nwb_mepp.read(path).segments[0].analogsignals
    assert read_back.shape == (len(mepp_trace()), 1)
    with pytest.raises(OutputError, match="is there already, from other input or settings"):
        nwb_mepp.convert(lab_file, path, unit="mV", session_start=START)


def test_only_the_functions_are_offered_and_unknown_names_are_refused() -> None:
    assert {"annotate", "convert", "detect", "read", "summarize"} <= set(dir(nwb_mepp))
    with pytest.raises(AttributeError, match="module 'nwb_mepp' has no attribute 'telepathy'"):
        _ = nwb_mepp.telepathy  # type: ignore[attr-defined]
