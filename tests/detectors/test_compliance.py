"""What every registered detector owes to those who call it, whatever the trace."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

import nwb_mepp.detectors
from builders.traces import NOISE_SD, RATE_HZ, segments_of, trace_of, white_noise
from nwb_mepp.conditioning import survey
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.detectors import Candidates, Detector, detector_names, get_detector
from nwb_mepp.evaluation import match_times
from nwb_mepp.simulation import Scenario, Simulated, simulate_recording

# Level 10 and no artifacts: what a detector misses here, it misses everywhere.
EASY = Scenario(duration_s=16.0, rate_hz=2.0, noise_sd=NOISE_SD)


def find(
    detector: Detector, segments: Sequence[Segment], *, block_s: float = 60.0, threshold: float | None = None
) -> list[Candidates]:
    """Run a detector, and check of its result what must hold of any."""
    found = detector.find(segments, noise=survey(segments), block_s=block_s, threshold=threshold)
    assert len(found) == len(segments)
    for segment, candidates in zip(segments, found, strict=True):
        columns = (candidates.start, candidates.peak, candidates.stop, candidates.probability)
        assert {column.shape for column in columns} == {(len(candidates),)}
        assert {column.dtype for column in columns[:3]} == {np.dtype(np.int64)}
        assert candidates.probability.dtype == np.float64
        assert np.all(candidates.start >= 0)
        assert np.all(candidates.start <= candidates.peak)
        assert np.all(candidates.peak < candidates.stop)
        assert np.all(candidates.stop <= segment.n_samples)
        assert np.all(candidates.stop[:-1] <= candidates.start[1:])
        stated = candidates.probability[~np.isnan(candidates.probability)]
        assert np.all((stated >= 0.0) & (stated <= 1.0))
    return found


def assert_same(found: Sequence[Candidates], expected: Sequence[Candidates]) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.start, other.start)
        np.testing.assert_array_equal(one.peak, other.peak)
        np.testing.assert_array_equal(one.stop, other.stop)
        np.testing.assert_allclose(one.probability, other.probability, atol=1e-6)


@pytest.fixture(scope="module", params=detector_names())
def detector(request: pytest.FixtureRequest) -> Detector:
    return get_detector(request.param)


@pytest.fixture(scope="module")
def easy() -> Simulated:
    return simulate_recording(EASY, seed=21)


def test_no_detector_of_the_package_escapes_this_suite() -> None:
    written = set()
    for module in pkgutil.walk_packages(nwb_mepp.detectors.__path__, "nwb_mepp.detectors."):
        for _, thing in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if thing is not Detector and callable(getattr(thing, "find", None)):
                written.add(thing.name)
    assert {"matched_filter", "miniunet"} <= written
    assert written <= set(detector_names())


def test_it_says_who_it_is(detector: Detector, request: pytest.FixtureRequest) -> None:
    assert detector.name in request.node.name
    assert re.fullmatch(r"[a-z][a-z0-9_]*", detector.name)
    assert re.fullmatch(r"\d+(\.\d+)*", detector.version)
    assert re.fullmatch(r"|[0-9a-f]{64}", detector.weights_sha256)
    assert np.isfinite(detector.default_threshold)


def test_it_finds_large_mepps_and_invents_few(detector: Detector, easy: Simulated) -> None:
    (found,) = find(detector, segments_of(easy.values))
    matching = match_times(easy.truth.peak_s, found.peak / RATE_HZ, tolerance_s=0.005)
    assert len(matching.pairs) >= 0.85 * len(easy.truth)
    assert len(matching.false) <= 0.1 * len(easy.truth)
    # Found intervals lie where the true ones do.
    true, seen = matching.pairs.T
    start_s, stop_s = found.start[seen] / RATE_HZ, found.stop[seen] / RATE_HZ
    shared_s = np.minimum(stop_s, easy.truth.stop_s[true]) - np.maximum(start_s, easy.truth.start_s[true])
    assert np.median(shared_s / (easy.truth.stop_s[true] - easy.truth.start_s[true])) > 0.6


def test_a_second_run_gives_the_same(detector: Detector, easy: Simulated) -> None:
    segments = segments_of(easy.values)
    assert_same(find(detector, segments), find(detector, segments))


@pytest.mark.parametrize("block_s", [1.0, 7.0])
def test_result_does_not_depend_on_how_much_is_worked_on_at_a_time(
    detector: Detector, easy: Simulated, block_s: float
) -> None:
    segments = segments_of(easy.values)
    assert_same(find(detector, segments, block_s=block_s), find(detector, segments))


@pytest.mark.parametrize("factor", [1e-3, 1e3, 1e-9])
def test_result_does_not_depend_on_the_gain(detector: Detector, easy: Simulated, factor: float) -> None:
    assert_same(find(detector, segments_of(factor * easy.values)), find(detector, segments_of(easy.values)))


def test_result_does_not_depend_on_which_way_the_mepps_point(detector: Detector, easy: Simulated) -> None:
    assert_same(find(detector, segments_of(-easy.values)), find(detector, segments_of(easy.values)))


def test_a_higher_threshold_keeps_fewer_and_the_default_is_the_one_stated(
    detector: Detector, easy: Simulated
) -> None:
    segments = segments_of(easy.values)
    default = find(detector, segments)
    assert_same(find(detector, segments, threshold=detector.default_threshold), default)
    stricter = 1.3 * detector.default_threshold
    (kept,) = find(detector, segments, threshold=stricter)
    assert 0 < len(kept) <= len(default[0])
    assert set(kept.start) <= set(default[0].start)


@pytest.mark.parametrize(
    "rate_hz", [2_500.0, 5_000.0, 11_025.0, 20_000.0, 44_100.0], ids=lambda rate_hz: f"{rate_hz:g} Hz"
)
def test_mepps_are_found_at_any_sampling_rate_at_their_own_time(detector: Detector, rate_hz: float) -> None:
    scenario = replace(EASY, duration_s=10.0, sampling_rate_hz=rate_hz, lowpass_hz=1_000.0)
    simulated = simulate_recording(scenario, seed=5)
    (found,) = find(detector, segments_of(simulated.values, rate_hz=rate_hz))
    matching = match_times(simulated.truth.peak_s, found.peak / rate_hz, tolerance_s=0.005)
    assert len(matching.pairs) >= 0.8 * len(simulated.truth)
    assert len(matching.false) <= 2
    distance_s = found.peak[matching.pairs[:, 1]] / rate_hz - simulated.truth.peak_s[matching.pairs[:, 0]]
    assert np.median(np.abs(distance_s)) < 0.0015


@pytest.mark.parametrize("step_sd", [0.0, 1.0], ids=["plain", "quantized"])
def test_little_is_found_in_noise_alone(detector: Detector, step_sd: float) -> None:
    scenario = replace(EASY, rate_hz=0.0, step=step_sd * NOISE_SD, drift_per_sqrt_s=4 * NOISE_SD)
    n_found = sum(
        len(find(detector, segments_of(simulate_recording(scenario, seed=seed).values))[0])
        for seed in range(2)
    )
    assert n_found <= 2


def test_what_is_left_out_is_not_seen(detector: Detector, easy: Simulated) -> None:
    samples = easy.values.copy()
    samples[40_000:41_000] += 100.0  # a test pulse of 100 V, a million times a MEPP
    segments = list(cut_segments([trace_of(samples)], excluded=[(4.0, 4.1)]))
    found = find(detector, segments)
    peaks_s = np.concatenate(
        [(segment.start + one.peak) / RATE_HZ for segment, one in zip(segments, found, strict=True)]
    )
    truth_s = easy.truth.peak_s[(easy.truth.start_s < 3.98) | (easy.truth.start_s > 4.12)]
    matching = match_times(truth_s, peaks_s, tolerance_s=0.005)
    assert len(matching.pairs) >= 0.85 * len(truth_s)
    assert len(matching.false) <= 0.1 * len(truth_s) + 1
    assert not np.any((peaks_s >= 4.0) & (peaks_s < 4.1))


def test_sweeps_are_searched_one_by_one(detector: Detector, easy: Simulated) -> None:
    half = len(easy.values) // 2
    sweeps = [trace_of(easy.values[:half]), trace_of(easy.values[half:], start_s=100.0)]
    found = find(detector, list(cut_segments(sweeps)))
    whole = find(detector, segments_of(easy.values))[0]
    joined_s = np.concatenate([found[0].peak, found[1].peak + half]) / EASY.sampling_rate_hz
    # The noise is learned from nearly the same samples: only one in doubt or at the border may differ.
    matching = match_times(whole.peak / EASY.sampling_rate_hz, joined_s, tolerance_s=1e-3)
    assert len(matching.missed) + len(matching.false) <= 2


def test_segments_of_a_few_samples_beside_a_long_one_do_no_harm(detector: Detector, easy: Simulated) -> None:
    trace = trace_of(easy.values)
    starts = np.cumsum(np.arange(51))
    short = [
        Segment(trace=trace, start=int(start), stop=int(start) + n) for n, start in enumerate(starts[:-1], 1)
    ]
    rest = Segment(trace=trace, start=2_000, stop=len(easy.values))
    found = find(detector, [*short, rest])
    assert sum(len(candidates) for candidates in found[:-1]) <= 1
    alone = find(detector, [rest])[0]
    assert abs(len(found[-1]) - len(alone)) <= 1


def constant_stretches() -> np.ndarray:
    samples = white_noise(40_000)
    samples[5_000:12_000] = -0.1
    samples[30_000:33_000] = 0.0
    return samples


def giant_step() -> np.ndarray:
    samples = white_noise(40_000)
    samples[20_000:] += 1e6 * NOISE_SD
    return samples


def single_spike() -> np.ndarray:
    samples = white_noise(40_000)
    samples[20_000] = 1e6 * NOISE_SD
    return samples


def spike_in_silence() -> np.ndarray:
    samples = np.zeros(40_000)
    samples[20_000] = 1.0
    return samples


def clipped() -> np.ndarray:
    return np.clip(white_noise(40_000), -0.5 * NOISE_SD, 0.5 * NOISE_SD)


def breakdown() -> np.ndarray:
    samples = white_noise(40_000)
    samples[20_000:] *= 1e4
    return samples


ADVERSARIES: dict[str, Callable[[], np.ndarray]] = {
    "constant stretches": constant_stretches,
    "a giant step": giant_step,
    "a giant step at the very end": lambda: np.append(white_noise(40_000), 1e6 * NOISE_SD),
    "a single spike": single_spike,
    "a spike in silence": spike_in_silence,
    "a spike at the start": lambda: np.append(1.0, white_noise(40_000)),
    "alternating samples": lambda: NOISE_SD * (-1.0) ** np.arange(40_000),
    "a square wave": lambda: NOISE_SD * np.sign(np.sin(np.arange(40_000) / 100.0) + 1e-12),
    "a sine": lambda: np.sin(2.0 * np.pi * 100.0 * np.arange(40_000) / RATE_HZ),
    "a ramp": lambda: np.linspace(-1.0, 1.0, 40_000),
    "clipped noise": clipped,
    "two values": lambda: (white_noise(40_000) > 0.0).astype(float),
    "noise that grows ten thousand times": breakdown,
    "a level of a million": lambda: white_noise(40_000) + 1e6,
    "picoamperes": lambda: 1e-12 * white_noise(40_000) / NOISE_SD,
    "half a second": lambda: white_noise(5_000),
}


@pytest.mark.parametrize("kind", ADVERSARIES)
def test_no_trace_breaks_it(detector: Detector, kind: str) -> None:
    segments = segments_of(ADVERSARIES[kind]())
    find(detector, segments)
    # Even where everything counts, candidates stay sorted, apart and inside.
    find(detector, segments, threshold=0.0)
