"""Detection behind the filters of amplifiers, with the weights that come with the package."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders.traces import recording_of
from nwb_mepp.evaluation import f1, match_times
from nwb_mepp.simulation import Filter, RecordingChain, reference_scenario, simulate_recording
from nwb_mepp.workflows import DetectionSettings, analyze

_STEP_16_BIT = 0.2 / 2**16  # of +-100 mV


@pytest.mark.parametrize(
    ("filter_", "step"),
    [
        (Filter(kind="bessel", cutoff_hz=1000.0, poles=8), _STEP_16_BIT),
        (Filter(kind="bessel", cutoff_hz=500.0, poles=4), 0.0),
        (Filter(kind="butterworth", cutoff_hz=1000.0, poles=8, zero_phase=True), 0.0),
    ],
    ids=lambda one: one.words if isinstance(one, Filter) else f"step {one:.2g} V",
)
def test_shipped_weights_find_mepps_behind_a_filter(filter_: Filter, step: float) -> None:
    scenario = replace(
        reference_scenario(level=6.0, index=20_300),
        duration_s=30.0,
        rate_hz=2.0,
        bursts_per_s=0.0,
        chain=RecordingChain(filters=(filter_,)),
        step=step,
    )
    simulated = simulate_recording(scenario, seed=500_983_000)
    settings = DetectionSettings(detectors=("miniunet", "autoencoder"))
    results = analyze(recording_of(simulated.trace()), settings=settings)
    assert [one.detector for one in results] == ["miniunet", "autoencoder"]
    for result in results:
        found_s = result.mepps.peak_index / scenario.sampling_rate_hz
        matching = match_times(simulated.truth.peak_s, found_s, tolerance_s=0.005)
        counts = len(matching.pairs), len(matching.missed), len(matching.false)
        assert f1(counts) >= 0.9, result.detector
        # Where nothing but rounding is left, whitening must not look for power.
        assert result.summary.bandwidth_hz < 4.0 * filter_.cutoff_hz
