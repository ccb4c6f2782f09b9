"""What a detector is up against: a matched filter that knows the mean shape, and one that knows every shape.

The *oracle* is a matched filter on the recording as it is. It knows what no detector knows, the true mean
shape, and gets the threshold that is best for the level; overlap, side lobes and artifacts it suffers as
any filter does.

The *ceiling* is an orientation upwards, on the same MEPPs in the same white and 1/f noise, without hum,
drift and artifacts. Each MEPP by itself, the others taken away, is filtered with its own exact shape,
whitened with the spectrum of the very noise; it counts as found if that passes the threshold within the
tolerance of its place. False are the places where the noise by itself, filtered with the mean shape, passes
the same threshold, other than near MEPPs. So it knows every shape, the noise and which MEPPs are there,
suffers neither overlap nor side lobes, and searches with one shape for all; it does not know how large a
MEPP is, or how many there are. The threshold is the best for the level again. A detector that weighs sizes
and rates as they occur in a recording could pass it in principle, so it is no proof of what is impossible.

Its intervals show how well borders can be known: where a fit of onset, rise, decay and amplitude that
starts from the truth would put them. Errors are drawn from the Cramer-Rao bound of the whitened noise, to
which the spread of rise, decay and amplitude among MEPPs is added as prior knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import oaconvolve

from nwb_mepp.conditioning import WhitenedTrace, whiten
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.detectors import Candidates, MatchedFilter
from nwb_mepp.evaluation import count_matches, match_times
from nwb_mepp.measurement.kinetics import measure
from nwb_mepp.ml.benchmark.conditions import QUIET, Condition
from nwb_mepp.ml.benchmark.detector_runs import SurveyedTrace, survey_trace
from nwb_mepp.ml.benchmark.scores import TOLERANCE_S, overlaps
from nwb_mepp.simulation import EventShape, Simulated, reference_scenario, simulate_recording

__all__ = ["THRESHOLDS", "Bounds", "bound_recording", "mean_shape"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

THRESHOLDS = np.arange(2.5, 6.6, 0.25)
_RATE_HZ = 5000.0
_N_SHAPES = 500
_STEP_LOG = 0.01  # of the logarithms of rise and decay, for derivatives
_STEP_S = 1e-5  # of the onset


@dataclass(frozen=True, kw_only=True, eq=False)
class Bounds:
    """Oracle, ceiling and intervals from the truth for one recording.

    Attributes
    ----------
    oracle, ceiling : ndarray of int64, shape (n_thresholds, 3)
        Matched, missed and false MEPPs at each of ``THRESHOLDS``.
    ceiling_iou, ceiling_iou_patches : ndarray, shape (n_thresholds,)
        Of what the ceiling finds, with borders as well as the noise allows; false ones have mean length.
    border_iou, border_iou_patches : float
        The same if every MEPP is found and nothing else.
    measured_iou, measured_iou_patches : float
        Of the intervals that this package measures on the recording when it is told where every MEPP is.
    """

    oracle: IntArray
    ceiling: IntArray
    ceiling_iou: FloatArray
    ceiling_iou_patches: FloatArray
    border_iou: float
    border_iou_patches: float
    measured_iou: float
    measured_iou_patches: float

    def to_json(self) -> dict[str, Any]:
        """Return all figures as numbers and lists."""
        return {field.name: np.asarray(getattr(self, field.name)).tolist() for field in fields(self)}

    @classmethod
    def from_json(cls, figures: Mapping[str, Any]) -> Bounds:
        """Make bounds from what :meth:`to_json` gives."""
        read: dict[str, Any] = {
            name: np.array(value) if isinstance(value, list) else value for name, value in figures.items()
        }
        return cls(**read)


def bound_recording(
    condition: Condition, number: int, *, surveyed: SurveyedTrace, simulated: Simulated
) -> Bounds:
    """Work out oracle and ceiling for one recording.

    Parameters
    ----------
    condition : Condition
    number : int
        Of the recording.
    surveyed : SurveyedTrace
        The recording as it is.
    simulated : Simulated
        The same with its truth.

    Returns
    -------
    Bounds
    """
    quiet = simulate_recording(replace(condition.scenario(number), **QUIET), seed=simulated.seed)
    oracle = MatchedFilter([mean_shape(condition.level)])
    noise = _whitened_noise(quiet)
    fits = [_fit(quiet, index, noise) for index in range(len(quiet.truth))]
    rng = np.random.default_rng([simulated.seed, 3])
    intervals = _intervals(quiet, fits, rng=rng)
    false_s = _false_alarms(quiet, noise, oracle)
    scores = np.array([fit.score for fit in fits])
    ceiling = [
        _ceiling_counts(scores >= limit, len(at_s)) for limit, at_s in zip(THRESHOLDS, false_s, strict=True)
    ]
    usual_s = float(np.mean(intervals[:, 1] - intervals[:, 0])) if len(intervals) else 0.0
    found = [
        overlaps(
            quiet, np.concatenate([intervals[scores >= limit], np.stack([at_s, at_s + usual_s], axis=1)])
        )
        for limit, at_s in zip(THRESHOLDS, false_s, strict=True)
    ]
    border = overlaps(quiet, intervals)
    measured = overlaps(simulated, _measured_intervals(surveyed, simulated))
    return Bounds(
        oracle=np.array(_oracle_counts(simulated, surveyed, oracle)),
        ceiling=np.array(ceiling),
        ceiling_iou=np.array([iou for iou, _ in found]),
        ceiling_iou_patches=np.array([iou for _, iou in found]),
        border_iou=border[0],
        border_iou_patches=border[1],
        measured_iou=measured[0],
        measured_iou_patches=measured[1],
    )


@lru_cache(maxsize=8)
def mean_shape(level: float) -> FloatArray:
    """Return the mean of many MEPPs of the reference recording, from the onset on, at 5 kHz and with peak 1.

    Parameters
    ----------
    level : float
    """
    scenario = reference_scenario(level=level, index=0)
    rng = np.random.default_rng(0)
    time_s = np.arange(0.0, 8.0 * scenario.decay_s, 1.0 / _RATE_HZ)
    total = np.zeros(len(time_s))
    for _ in range(_N_SHAPES):
        rise, decay = (
            np.exp(_spread(cv) * rng.standard_normal() - 0.5 * _spread(cv) ** 2)
            for cv in (scenario.rise_cv, scenario.decay_cv)
        )
        shape = EventShape(rise_s=scenario.rise_s * float(rise), decay_s=scenario.decay_s * float(decay))
        total += shape.value(time_s)
    return np.asarray(total / total.max())


def _spread(cv: float) -> float:
    """Return the SD of the logarithm of log-normal numbers with a coefficient of variation."""
    return float(np.sqrt(np.log1p(cv**2)))


def _oracle_counts(simulated: Simulated, surveyed: SurveyedTrace, oracle: MatchedFilter) -> list[IntArray]:
    rate_hz = simulated.scenario.sampling_rate_hz
    counts = []
    upright = replace(surveyed.noise, polarity=simulated.scenario.polarity)
    for (candidates,) in oracle.find_at(surveyed.segments, noise=upright, thresholds=THRESHOLDS):
        matching = match_times(simulated.truth.peak_s, candidates.peak / rate_hz, tolerance_s=TOLERANCE_S)
        counts.append(count_matches(matching))
    return counts


@dataclass(frozen=True, kw_only=True, eq=False)
class _Noise:
    """The noise of a recording without its MEPPs: surveyed, and whitened by its own spectrum."""

    surveyed: SurveyedTrace
    trace: WhitenedTrace
    white: FloatArray


def _whitened_noise(quiet: Simulated) -> _Noise:
    alone = replace(quiet, values=quiet.values - quiet.scenario.polarity.sign * quiet.clean)
    surveyed = survey_trace(alone.trace(), polarity=Polarity.POSITIVE)
    (trace,) = whiten(surveyed.segments, noise=surveyed.noise, sampling_rate_hz=_RATE_HZ)
    white = np.concatenate([trace.read_tile(index) for index in range(trace.n_tiles)])
    return _Noise(surveyed=surveyed, trace=trace, white=white)


def _false_alarms(quiet: Simulated, noise: _Noise, oracle: MatchedFilter) -> list[FloatArray]:
    """Return for each threshold where the noise by itself passes it, other than near a MEPP."""
    peaks_s = quiet.truth.peak_s
    found = []
    segments, channel_noise = noise.surveyed.segments, noise.surveyed.noise
    for (candidates,) in oracle.find_at(segments, noise=channel_noise, thresholds=THRESHOLDS):
        at_s = candidates.start / quiet.scenario.sampling_rate_hz
        near = np.abs(at_s[:, None] - peaks_s[None, :]) <= TOLERANCE_S
        found.append(at_s[~near.any(axis=1)])
    return found


def _ceiling_counts(hit: npt.NDArray[np.bool_], n_false: int) -> IntArray:
    return np.array([np.sum(hit), np.sum(~hit), n_false], dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Fit:
    """One MEPP alone in the noise: its score, and how precisely its borders can be known."""

    score: float
    end_s: float
    covariance: FloatArray  # of onset (s), log rise, log decay and log amplitude
    end_slopes: tuple[float, float]  # of the end after the onset, by log rise and log decay


def _fit(quiet: Simulated, index: int, noise: _Noise) -> _Fit:
    truth, scenario = quiet.truth, quiet.scenario
    onset_s, amplitude = float(truth.start_s[index]), abs(float(truth.amplitude[index]))
    rise_s, decay_s = float(truth.rise_10_90_s[index]), float(truth.decay_tau_s[index])

    def shape(log_rise: float = 0.0, log_decay: float = 0.0) -> EventShape:
        return EventShape(
            rise_s=rise_s * np.exp(log_rise), decay_s=decay_s * np.exp(log_decay), power=scenario.power
        )

    exact, slower_rise, slower_decay = shape(), shape(-_STEP_LOG), shape(0.0, _STEP_LOG)
    first = round(onset_s * _RATE_HZ) - len(noise.trace.taps)
    last = first + 2 * len(noise.trace.taps) + round((exact.duration_s + 2.0 * TOLERANCE_S) * _RATE_HZ)

    def seen(which: EventShape, at_s: float) -> FloatArray:
        return amplitude * _whitened(which, at_s, noise.trace, first=first, last=last)

    event = seen(exact, onset_s)
    slopes = np.stack(
        [
            (seen(exact, onset_s + _STEP_S) - seen(exact, onset_s - _STEP_S)) / (2.0 * _STEP_S),
            (event - seen(slower_rise, onset_s)) / _STEP_LOG,
            (seen(slower_decay, onset_s) - event) / _STEP_LOG,
            event,
        ]
    )
    spreads = [_spread(cv) for cv in (scenario.rise_cv, scenario.decay_cv, scenario.amplitude_cv)]
    prior = np.diag([TOLERANCE_S**-2, *(spread**-2 for spread in spreads)])
    return _Fit(
        score=_score(event, noise.white, first),
        end_s=exact.end_s,
        covariance=np.asarray(np.linalg.inv(slopes @ slopes.T + prior), dtype=np.float64),
        end_slopes=(
            (exact.end_s - slower_rise.end_s) / _STEP_LOG,
            (slower_decay.end_s - exact.end_s) / _STEP_LOG,
        ),
    )


def _whitened(
    shape: EventShape, onset_s: float, trace: WhitenedTrace, *, first: int, last: int
) -> FloatArray:
    """Return a MEPP of amplitude 1 by itself as it is in the whitened trace, from sample to sample."""
    rate_hz = trace.segment.sampling_rate_hz
    half = len(trace.taps) // 2
    resampled = trace.resampler.resample(
        lambda start, stop: shape.value(np.arange(start, stop) / rate_hz - onset_s),
        start=first - half,
        stop=last + half,
    )
    return np.asarray(oaconvolve(resampled, trace.taps, mode="valid"))


def _score(event: FloatArray, white: FloatArray, first: int) -> float:
    """Return the largest score of a MEPP in the noise within the tolerance of its place, in noise SD."""
    reach = round(TOLERANCE_S * _RATE_HZ)
    start, stop = first - reach, first + len(event) + reach
    # Beyond the ends of the recording there is neither noise nor MEPP.
    inside = np.arange(start, stop)
    seen = np.pad(event, reach)
    present = (inside >= 0) & (inside < len(white))
    seen[present] += white[inside[present]]
    seen[~present] = 0.0
    return float(np.max(np.correlate(seen, event, mode="valid")) / np.sqrt(np.sum(event**2)))


def _intervals(quiet: Simulated, fits: Sequence[_Fit], *, rng: np.random.Generator) -> FloatArray:
    """Draw intervals whose borders are as uncertain as the noise makes them, shape (n_mepps, 2)."""
    onsets_s, ends_s = np.empty(len(fits)), np.empty(len(fits))
    for index, fit in enumerate(fits):
        error = np.linalg.cholesky(fit.covariance) @ rng.standard_normal(4)
        onsets_s[index] = quiet.truth.start_s[index] + error[0]
        ends_s[index] = onsets_s[index] + max(fit.end_s + float(np.dot(fit.end_slopes, error[1:3])), 0.0)
    following_s = np.append(onsets_s[1:], quiet.scenario.duration_s)
    return np.stack([onsets_s, np.maximum(np.minimum(ends_s, following_s), onsets_s)], axis=1)


def _measured_intervals(surveyed: SurveyedTrace, simulated: Simulated) -> FloatArray:
    """Return the intervals that are measured when every MEPP is a candidate at its true place."""
    (segment,) = surveyed.segments
    truth, scenario = simulated.truth, simulated.scenario
    start, peak, stop = (
        np.clip(np.round(times_s * scenario.sampling_rate_hz).astype(np.int64), 0, segment.n_samples - 1)
        for times_s in (truth.start_s, truth.peak_s, truth.stop_s)
    )
    order = np.argsort(peak, kind="stable")
    known = Candidates(
        start=start[order],
        peak=peak[order],
        stop=np.maximum(stop, peak + 1)[order],
        probability=np.ones(len(peak)),
    )
    mepps = measure(segment, known, polarity=scenario.polarity)
    return np.stack([mepps.start_s, mepps.stop_s], axis=1)
