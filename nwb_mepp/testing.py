"""Checks of what every detector promises, for the authors of detectors.

Each takes a detector and raises AssertionError, saying what was expected and what was found. With pytest::

    import pytest
    from nwb_mepp.testing import DETECTOR_CHECKS

    @pytest.mark.parametrize("check", DETECTOR_CHECKS, ids=lambda check: check.__name__)
    def test_my_detector(check):
        check(MyDetector())
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import ChannelNoise, survey
from nwb_mepp.core.recording import ArraySource, Trace
from nwb_mepp.core.segments import Segment, cut_segments
from nwb_mepp.detectors import Candidates, Detector
from nwb_mepp.evaluation import match_times
from nwb_mepp.simulation import Scenario, Simulated, simulate_recording

__all__ = [
    "DETECTOR_CHECKS",
    "check_any_trace",
    "check_blocks",
    "check_excluded_stretch",
    "check_gain_and_polarity",
    "check_identity",
    "check_large_mepps",
    "check_noise_alone",
    "check_repetition",
    "check_sampling_rates",
    "check_short_segments",
    "check_sweeps",
    "check_threshold",
]

FloatArray = npt.NDArray[np.float64]

_RATE_HZ = 10_000.0
_NOISE_SD = 0.05e-3
# The mean amplitude is ten times the noise, without artifacts: what is missed here is missed everywhere.
_EASY = Scenario(duration_s=16.0, rate_hz=2.0, noise_sd=_NOISE_SD)
_TOLERANCE_S = 0.005
_RECALL, _FALSE = 0.85, 0.1


def check_identity(detector: Detector) -> None:
    """Check that name, version, checksum of the weights and default threshold are valid."""
    _require(
        isinstance(detector, Detector),
        "expected the attributes and methods of nwb_mepp.detectors.Detector, found "
        f"{type(detector).__name__}",
    )
    name, version, sha256 = detector.name, detector.version, detector.weights_sha256
    _require(
        re.fullmatch(r"[a-z][a-z0-9_]*", name), f"name: expected a lower-case identifier, found {name!r}"
    )
    _require(re.fullmatch(r"\d+(\.\d+)*", version), f"version: expected numbers and dots, found {version!r}")
    _require(
        re.fullmatch(r"|[0-9a-f]{64}", sha256), f"weights_sha256: expected a SHA-256 or '', found {sha256!r}"
    )
    threshold = detector.default_threshold
    _require(np.isfinite(threshold), f"default_threshold: expected a finite number, found {threshold}")


def check_large_mepps(detector: Detector) -> None:
    """Check that most MEPPs ten times as large as the noise are found, and little else."""
    easy = _easy()
    (found,) = _find(detector, _segments(easy.values))
    pairs = _require_most(easy.truth.peak_s, found.peak / _RATE_HZ)
    true, seen = pairs.T
    start_s, stop_s = found.start[seen] / _RATE_HZ, found.stop[seen] / _RATE_HZ
    shared_s = np.minimum(stop_s, easy.truth.stop_s[true]) - np.maximum(start_s, easy.truth.start_s[true])
    share = float(np.median(shared_s / (easy.truth.stop_s[true] - easy.truth.start_s[true])))
    _require(
        share > 0.6, f"expected intervals to cover most of the MEPPs, found a median share of {share:.2f}"
    )


def check_repetition(detector: Detector) -> None:
    """Check that a second call gives the same."""
    segments = _segments(_easy().values)
    _require_same(_find(detector, segments), _find(detector, segments), "a second call")


def check_blocks(detector: Detector) -> None:
    """Check that the result does not depend on the size of the blocks."""
    segments = _segments(_easy().values)
    expected = _find(detector, segments)
    for block_s in (1.0, 7.0):
        _require_same(_find(detector, segments, block_s=block_s), expected, f"block_s={block_s:g}")


def check_gain_and_polarity(detector: Detector) -> None:
    """Check that the result depends neither on the unit of the samples nor on the direction of the MEPPs."""
    values = _easy().values
    expected = _find(detector, _segments(values))
    for factor in (1e-3, 1e3, 1e-9, -1.0):
        found = _find(detector, _segments(factor * values))
        _require_same(found, expected, f"samples multiplied by {factor:g}")


def check_threshold(detector: Detector) -> None:
    """Check that the default threshold is the one stated, and that a higher one keeps fewer candidates."""
    segments, threshold = _segments(_easy().values), detector.default_threshold
    default = _find(detector, segments)
    _require_same(_find(detector, segments, threshold=threshold), default, "the default threshold")
    (kept,) = _find(detector, segments, threshold=1.3 * threshold)
    _require(
        0 < len(kept) <= len(default[0]) and set(kept.start) <= set(default[0].start),
        "expected a threshold 1.3 times as high to keep some of the candidates and add none",
    )


def check_sampling_rates(detector: Detector) -> None:
    """Check that MEPPs are found at any sampling rate, at their own time."""
    for rate_hz in (2_500.0, 5_000.0, 11_025.0, 20_000.0, 44_100.0):
        simulated = _sampled_at(rate_hz)
        (found,) = _find(detector, _segments(simulated.values, rate_hz=rate_hz))
        pairs = _require_most(simulated.truth.peak_s, found.peak / rate_hz, where=f" at {rate_hz:g} Hz")
        away_s = np.abs(found.peak[pairs[:, 1]] / rate_hz - simulated.truth.peak_s[pairs[:, 0]])
        away_ms = 1e3 * float(np.median(away_s))
        _require(away_ms < 1.5, f"expected peaks within 1.5 ms at {rate_hz:g} Hz, found {away_ms:.1f} ms")


def check_noise_alone(detector: Detector) -> None:
    """Check that hardly anything is found in noise and drift, also where the converter's steps are coarse."""
    for step_sd in (0.0, 1.0):
        recordings = [_without_mepps(step_sd, seed=seed).values for seed in range(2)]
        n_found = sum(len(_find(detector, _segments(values))[0]) for values in recordings)
        _require(n_found <= 2, f"expected at most 2 candidates in 32 s of noise alone, found {n_found}")


def check_excluded_stretch(detector: Detector) -> None:
    """Check that what lies between two segments has no effect on what is found in them."""
    easy = _easy()
    samples = easy.values.copy()
    samples[40_000:41_000] += 100.0  # a test pulse a million times as large as a MEPP
    segments = list(cut_segments([_trace(samples)], excluded=[(4.0, 4.1)]))
    found = _find(detector, segments)
    starts = [segment.start for segment in segments]
    peaks_s = np.concatenate([start + one.peak for start, one in zip(starts, found, strict=True)]) / _RATE_HZ
    truth = easy.truth
    outside = (truth.start_s < 3.98) | (truth.start_s > 4.12)
    _require_most(truth.peak_s[outside], peaks_s, where=" beside a stretch that was left out")


def check_sweeps(detector: Detector) -> None:
    """Check that sweeps are searched one by one."""
    values = _easy().values
    half = len(values) // 2
    sweeps = [_trace(values[:half]), _trace(values[half:], start_s=100.0)]
    first, second = _find(detector, list(cut_segments(sweeps)))
    (whole,) = _find(detector, _segments(values))
    joined_s = np.concatenate([first.peak, second.peak + half]) / _RATE_HZ
    # The noise is learned from nearly the same samples: only one in doubt or at the border may differ.
    matching = match_times(whole.peak / _RATE_HZ, joined_s, tolerance_s=1e-3)
    n_other = len(matching.missed) + len(matching.false)
    _require(n_other <= 2, f"expected the same in two sweeps as in one, found {n_other} that differ")


def check_short_segments(detector: Detector) -> None:
    """Check that segments of a few samples beside a long one do no harm."""
    values = _easy().values
    trace = _trace(values)
    starts = np.cumsum(np.arange(51))
    short = [
        Segment(trace=trace, start=int(start), stop=int(start) + n) for n, start in enumerate(starts[:-1], 1)
    ]
    rest = Segment(trace=trace, start=2_000, stop=len(values))
    *in_short, in_rest = _find(detector, [*short, rest])
    n_short, n_rest, n_alone = sum(map(len, in_short)), len(in_rest), len(_find(detector, [rest])[0])
    _require(
        n_short <= 1 and abs(n_rest - n_alone) <= 1,
        f"expected as many in a long segment beside short ones as in it alone ({n_alone}), found {n_rest} "
        f"and {n_short} in the short ones",
    )


def check_any_trace(detector: Detector) -> None:
    """Check that no trace breaks the detector, however hard it is and however low the threshold."""
    for kind, samples in _hard_traces().items():
        for threshold in (None, 0.0):
            try:
                _find(detector, _segments(samples), threshold=threshold)
            except Exception as error:
                error.add_note(f"The trace: {kind}, threshold {threshold}.")
                raise


#: All checks, in the order in which they say most.
DETECTOR_CHECKS: tuple[Callable[[Detector], None], ...] = (
    check_identity,
    check_large_mepps,
    check_repetition,
    check_blocks,
    check_gain_and_polarity,
    check_threshold,
    check_sampling_rates,
    check_noise_alone,
    check_excluded_stretch,
    check_sweeps,
    check_short_segments,
    check_any_trace,
)


def _hard_traces() -> dict[str, FloatArray]:
    noise = _NOISE_SD * np.random.default_rng(0).standard_normal(40_000)
    index = np.arange(40_000)
    faint = 1e-3 * noise  # without any, the survey would refuse the trace
    second_half = index >= 20_000
    spike = 1e6 * _NOISE_SD
    constant = (index >= 5_000) & (index < 12_000) | (index >= 30_000) & (index < 33_000)
    return {
        "constant stretches": np.where(constant, -0.1, noise),
        "a giant step": noise + spike * second_half,
        "a giant step at the very end": np.append(noise, spike),
        "a single spike": np.where(index == 20_000, spike, noise),
        "a spike in near silence": np.where(index == 20_000, 1.0, faint),
        "a spike at the start": np.append(1.0, noise),
        "alternating samples": _NOISE_SD * (-1.0) ** index,
        "a square wave": _NOISE_SD * np.sign(np.sin(index / 100.0) + 1e-12) + faint,
        "a sine": noise + 1e2 * _NOISE_SD * np.sin(2.0 * np.pi * 100.0 * index / _RATE_HZ),
        "a ramp": noise + np.linspace(-1.0, 1.0, 40_000),
        "clipped noise": np.clip(noise, -0.5 * _NOISE_SD, 0.5 * _NOISE_SD),
        "two values": (noise > 0.0).astype(float),
        "noise that grows ten thousand times": np.where(second_half, 1e4 * noise, noise),
        "a level of a million": noise + 1e6,
        "picoamperes": 1e-12 * noise / _NOISE_SD,
        "half a second": noise[:5_000],
    }


@cache
def _easy() -> Simulated:
    return simulate_recording(_EASY, seed=21)


@cache
def _sampled_at(rate_hz: float) -> Simulated:
    scenario = replace(_EASY, duration_s=10.0, sampling_rate_hz=rate_hz, lowpass_hz=1_000.0)
    return simulate_recording(scenario, seed=5)


@cache
def _without_mepps(step_sd: float, *, seed: int) -> Simulated:
    scenario = replace(_EASY, rate_hz=0.0, step=step_sd * _NOISE_SD, drift_per_sqrt_s=4 * _NOISE_SD)
    return simulate_recording(scenario, seed=seed)


def _trace(samples: FloatArray, *, rate_hz: float = _RATE_HZ, start_s: float = 0.0) -> Trace:
    return Trace(
        channel="Vm",
        sweep=0,
        source=ArraySource(samples),
        unit="V",
        conversion=1.0,
        offset=0.0,
        sampling_rate_hz=rate_hz,
        start_s=start_s,
    )


def _segments(samples: FloatArray, *, rate_hz: float = _RATE_HZ) -> list[Segment]:
    return list(cut_segments([_trace(samples, rate_hz=rate_hz)]))


# Several checks, of several detectors, look at the same traces.
_surveyed: dict[tuple[object, ...], ChannelNoise] = {}


def _noise_of(segments: Sequence[Segment]) -> ChannelNoise:
    """Survey segments, unless their samples were surveyed before; what detectors keep is never shared."""
    mark = tuple(
        (
            segment.trace.sampling_rate_hz,
            segment.trace.start_s,
            segment.start,
            hashlib.sha256(segment.values(0, segment.n_samples).tobytes()).digest(),
        )
        for segment in segments
    )
    if mark not in _surveyed:
        _surveyed[mark] = survey(segments)
    noise = _surveyed[mark]
    return replace(noise, hum=noise.hum and replace(noise.hum))


def _find(
    detector: Detector, segments: Sequence[Segment], *, block_s: float = 20.0, threshold: float | None = None
) -> list[Candidates]:
    """Run a detector, and check of its result what must hold of any."""
    found = detector.find(segments, noise=_noise_of(segments), block_s=block_s, threshold=threshold)
    _require(
        len(found) == len(segments),
        f"expected Candidates for each of {len(segments)} segments, found {len(found)}",
    )
    for segment, one in zip(segments, found, strict=True):
        columns = (one.start, one.peak, one.stop, one.probability)
        _require(
            {column.shape for column in columns} == {(len(one),)}, "expected arrays of shape (n_candidates,)"
        )
        dtypes = [str(column.dtype) for column in columns]
        _require(
            dtypes == ["int64", "int64", "int64", "float64"],
            f"expected start, peak and stop of int64 and probability of float64, found {', '.join(dtypes)}",
        )
        inside = (one.start >= 0) & (one.start <= one.peak) & (one.peak < one.stop)
        inside &= one.stop <= segment.n_samples
        _require(inside.all(), "expected 0 <= start <= peak < stop <= n_samples of the segment")
        _require(
            np.all(one.stop[:-1] <= one.start[1:]), "expected candidates that are sorted and do not overlap"
        )
        stated = one.probability[~np.isnan(one.probability)]
        _require(np.all((stated >= 0.0) & (stated <= 1.0)), "expected probabilities from 0 to 1, or NaN")
    return found


def _require(condition: object, expectation: str) -> None:
    if not condition:
        raise AssertionError(f"{expectation}.")


def _require_most(truth_s: FloatArray, found_s: FloatArray, *, where: str = "") -> npt.NDArray[np.int64]:
    """Return which of the found events are which of the true ones, if most are found and few are false."""
    matching = match_times(truth_s, found_s, tolerance_s=_TOLERANCE_S)
    n_found, n_false = len(matching.pairs), len(matching.false)
    _require(
        n_found >= _RECALL * len(truth_s) and n_false <= max(_FALSE * len(truth_s), 2),
        f"expected {_RECALL:.0%} of {len(truth_s)} MEPPs{where} and few others, found {n_found} and "
        f"{n_false} others",
    )
    return matching.pairs


def _require_same(found: Sequence[Candidates], expected: Sequence[Candidates], change: str) -> None:
    for one, other in zip(found, expected, strict=True):
        same = all(
            np.array_equal(getattr(one, name), getattr(other, name)) for name in ("start", "peak", "stop")
        ) and np.allclose(one.probability, other.probability, atol=1e-6, rtol=0.0, equal_nan=True)
        _require(
            same, f"expected the same candidates with {change} ({len(other)}), found others ({len(one)})"
        )
