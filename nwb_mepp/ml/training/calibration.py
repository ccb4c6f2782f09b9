"""Calibration of a trained network: probabilities for its scores, and the best threshold.

It uses simulated recordings whose seeds neither training nor benchmark use, in simulated and in real noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import expand
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.detectors import (
    Described,
    ProbabilityModel,
    RawCandidates,
    ShapeBank,
    Wholes,
    describe_candidates,
    describe_wholes,
    explain,
    take_together,
)
from nwb_mepp.evaluation import count_matches, f1, match_times
from nwb_mepp.ml.networks import fit_classifier
from nwb_mepp.ml.training.calibration_set import CalibrationSet, Conditioned

__all__ = [
    "Calibrated",
    "Judged",
    "LabeledCandidates",
    "Reliability",
    "calibrate",
    "correct",
    "describe_trace",
    "label_candidates",
    "measure_reliability",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Output = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

_TOLERANCE_S = 0.005
_THRESHOLDS = np.round(np.arange(0.1, 0.96, 0.05), 2)
# F1 hardly depends on the threshold near the best one. Of those that are as good, the highest is chosen: it
# finds the fewest MEPPs where there are none.
_AS_GOOD = 0.002
# Fits to the same candidates differ most in recordings that are unlike the others, where one may take noise
# for MEPPs: where these are few, five together find half as many that are none.
_N_MEMBERS = 5
# Every fifth recording is held out from the fit, to measure how reliable its probabilities are.
_HELD_OUT_EVERY = 5
_MOST_SURE = 1e-6
_N_ITERATIONS = 50
# By how much slope and offset of the logits may differ from 1 and 0 without evidence.
_PRIOR_SD = 1.0
_RELIABILITY_EDGES = np.linspace(0.0, 1.0, 11)


class Judged(Protocol):
    """The candidates of a recording whose MEPPs are known."""

    @property
    def truth_s(self) -> FloatArray:
        """Peaks of the MEPPs, shape (n_mepps,)."""

    def explained(self, model: ProbabilityModel) -> tuple[FloatArray, FloatArray]:
        """Return peaks and probabilities of the candidates as the detector gives them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LabeledCandidates:
    """The candidates of one recording, and its true MEPPs.

    Attributes
    ----------
    parts : Described
        As the network splits them.
    wholes : Wholes
        Neighboring ones taken together.
    truth_s : ndarray, shape (n_mepps,)
    duration_s : float
    """

    parts: Described
    wholes: Wholes
    truth_s: FloatArray
    duration_s: float

    @property
    def features(self) -> FloatArray:
        """Features of the parts, then of the wholes, shape (n_parts + n_wholes, N_FEATURES)."""
        return np.concatenate(
            [
                describe_candidates([self.parts], duration_s=self.duration_s),
                describe_wholes([self.parts], [self.wholes], duration_s=self.duration_s),
            ]
        )

    @property
    def is_mepp(self) -> BoolArray:
        """Which parts and wholes are MEPPs, shape (n_parts + n_wholes,).

        A whole is one if a MEPP is near that belongs to none of the candidates outside the whole.
        """
        time_s = self.parts.peak_s
        pairs = match_times(self.truth_s, time_s, tolerance_s=_TOLERANCE_S).pairs
        owner = np.full(len(self.truth_s), -1)
        owner[pairs[:, 0]] = pairs[:, 1]
        found = np.isin(np.arange(len(time_s)), pairs[:, 1])
        near = np.abs(self.truth_s - self.wholes.described.peak_s[:, None]) <= _TOLERANCE_S
        inside = (owner >= self.wholes.first[:, None]) & (owner < self.wholes.stop[:, None])
        return np.concatenate([found, np.any(near & (inside | (owner < 0)), axis=1)])

    def explained(self, model: ProbabilityModel) -> tuple[FloatArray, FloatArray]:
        """Return peaks and probabilities of the candidates as the detector gives them.

        Returns
        -------
        time_s, probability : ndarray, shape (n_candidates,)
        """
        (one,) = explain(model, [self.parts], duration_s=self.duration_s)
        return one.peak_s, one.probability


@dataclass(frozen=True, kw_only=True, eq=False)
class Reliability:
    """How often candidates of a given probability are MEPPs, on recordings held out from the fit.

    Attributes
    ----------
    stated, true : ndarray, shape (n_bins,)
        Mean probability of the candidates in a bin, and the share of MEPPs among them; NaN in an empty one.
    count : ndarray of int64, shape (n_bins,)
        Candidates in a bin; the bins are tenths.
    n_recordings : int
    """

    stated: FloatArray
    true: FloatArray
    count: npt.NDArray[np.int64]
    n_recordings: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibrated:
    """What makes a network a detector, besides its weights.

    Attributes
    ----------
    model : ProbabilityModel
    threshold : float
        The highest of those whose F1 is within 0.002 of the best: on own recordings, else averaged over the
        levels of the reference recording.
    f1_by_level : dict of float to float
        At that threshold.
    reliability : Reliability
    in_recorded_noise : Reliability or None
        That of the recordings in real noise alone, if there are any.
    own : Reliability or None
        That of own recordings, if they decided.
    """

    model: ProbabilityModel
    threshold: float
    f1_by_level: dict[float, float]
    reliability: Reliability
    in_recorded_noise: Reliability | None = None
    own: Reliability | None = None


def calibrate(
    output: Output,
    recordings: CalibrationSet,
    *,
    n_drawn: int,
    n_reference: int,
    own: Sequence[Judged] = (),
    on_recording: Callable[[int, int], None] = lambda _done, _total: None,
) -> Calibrated:
    """Fit the probabilities of a network's candidates and choose the threshold.

    Parameters
    ----------
    output : callable
        The network: conditioned trace in, probability of each sample out.
    recordings : CalibrationSet
    n_drawn : int
        Number of recordings to fit on; every fifth is held out to measure the reliability.
    n_reference : int
        Number of reference recordings at each level, to choose the threshold on.
    own : sequence of Judged
        Labeled recordings that the network was not trained on. If there are any, the probabilities are
        corrected on them as well, and the threshold is that with the highest F1 there.
    on_recording : callable, optional
        ``on_recording(done, total)``.

    Returns
    -------
    Calibrated
    """
    levels = recordings.reference(n_reference)
    total, done = n_drawn + len(levels) * n_reference, 0

    def labeled(parts: Iterable[Conditioned]) -> list[LabeledCandidates]:
        nonlocal done
        found = []
        for one in parts:
            found.append(label_candidates(output, one))
            done += 1
            on_recording(done, total)
        return found

    drawn = labeled(recordings.drawn(n_drawn))
    every = _HELD_OUT_EVERY if n_drawn >= _HELD_OUT_EVERY else 1
    held_out = drawn[::every]
    in_noise = [drawn[number] for number in range(0, n_drawn, every) if recordings.in_recorded_noise(number)]
    fitted = [one for number, one in enumerate(drawn) if number % _HELD_OUT_EVERY] or drawn
    model = correct(_fit(*_together(fitted)), held_out)
    if own:
        model = correct(model, own)
    by_level = {level: labeled(parts) for level, parts in levels.items()}
    table = np.array([_f1_by_threshold(scored, model) for scored in by_level.values()])
    best = _best(np.array(_f1_by_threshold(own, model)) if own else table.mean(axis=0))
    return Calibrated(
        model=model,
        threshold=float(_THRESHOLDS[best]),
        f1_by_level=dict(zip(by_level, table[:, best].tolist(), strict=True)),
        reliability=measure_reliability(held_out, model),
        in_recorded_noise=measure_reliability(in_noise, model) if in_noise else None,
        own=measure_reliability(own, model) if own else None,
    )


def _fit(features: FloatArray, labels: BoolArray) -> ProbabilityModel:
    networks = [fit_classifier(features, labels, seed=seed) for seed in range(_N_MEMBERS)]
    one = networks[0]  # the others have the same range of the features
    return ProbabilityModel(
        center=one.center,
        scale=one.scale,
        low=one.low,
        high=one.high,
        members=tuple(network.layers for network in networks),
    )


def _best(f1_by_threshold: FloatArray) -> int:
    """Return the number of the highest threshold that is as good as the best one."""
    return int(np.flatnonzero(f1_by_threshold >= f1_by_threshold.max() - _AS_GOOD)[-1])


def _together(recordings: Sequence[LabeledCandidates]) -> tuple[FloatArray, BoolArray]:
    """Return the candidates of recordings as the classifier is fitted to them.

    Raises
    ------
    DetectionError
        If there are none.
    """
    features = np.concatenate([one.features for one in recordings])
    if not len(features):
        raise DetectionError(
            "expected candidates to calibrate on, found none: the network has not learned enough; train it "
            "longer, on simulated recordings as well, or from the shipped weights."
        )
    return features, np.concatenate([one.is_mepp for one in recordings])


def label_candidates(output: Output, recording: Conditioned) -> LabeledCandidates:
    """Find the candidates of a recording and their features as the detector does.

    Parameters
    ----------
    output : callable
        As for :func:`calibrate`.
    recording : Conditioned
    """
    parts = describe_trace(output, recording.trace, taps=recording.taps, rate_hz=recording.sampling_rate_hz)
    return LabeledCandidates(
        parts=parts,
        wholes=take_together(parts),
        truth_s=recording.truth_s,
        duration_s=recording.duration_s,
    )


def describe_trace(
    output: Output, trace: npt.NDArray[np.float32], *, taps: FloatArray, rate_hz: float
) -> Described:
    """Return the candidates of a conditioned trace as the detector describes them.

    Parameters
    ----------
    output : callable
        As for :func:`calibrate`.
    trace : ndarray of float32, shape (n_samples,)
    taps : ndarray
        The whitening filter for events.
    rate_hz : float
        Sampling rate of the trace.
    """
    raw = RawCandidates([output(trace)])
    bank = ShapeBank(taps, sampling_rate_hz=rate_hz)
    return Described(
        start_s=raw.start / rate_hz,
        stop_s=raw.stop / rate_hz,
        score=raw.score,
        fits=bank.fit_samples(expand(trace), raw.start),
    )


def correct(model: ProbabilityModel, recordings: Sequence[Judged]) -> ProbabilityModel:
    """Correct probabilities by recordings that the model was not fitted on: it is too sure elsewhere.

    Parameters
    ----------
    model : ProbabilityModel
    recordings : sequence of Judged

    Returns
    -------
    ProbabilityModel
        The logits times a slope plus an offset.

    Notes
    -----
    Slope and offset are those of a logistic regression on the logits (Platt scaling [1]_), held near 1 and 0
    where there are few candidates. The order of the candidates stays.

    References
    ----------
    .. [1] Platt, J. C. (1999). Probabilistic outputs for support vector machines and comparisons to
       regularized likelihood methods. Advances in Large Margin Classifiers, MIT Press, 61-74.
    """
    explained = [one.explained(model) for one in recordings]
    stated = np.concatenate([probability for _, probability in explained])
    true = np.concatenate(
        [_found(one.truth_s, time_s) for one, (time_s, _) in zip(recordings, explained, strict=True)]
    )
    stated = np.clip(stated, _MOST_SURE, 1.0 - _MOST_SURE)
    inputs = np.stack([np.log(stated / (1.0 - stated)), np.ones(len(stated))], axis=1)
    usual = values = np.array([1.0, 0.0])
    for _ in range(_N_ITERATIONS):
        probability = np.exp(-np.logaddexp(0.0, -inputs @ values))
        slope = inputs.T @ (true - probability) - (values - usual) / _PRIOR_SD**2
        weighted = inputs * (probability * (1.0 - probability))[:, None]
        change = np.linalg.solve(inputs.T @ weighted + np.eye(2) / _PRIOR_SD**2, slope)
        values = values + change
        if np.abs(change).max() < 1e-9:
            break
    slope, offset = values
    return replace(
        model,
        members=tuple(
            (*layers[:-1], (slope * weight, slope * bias + offset))
            for layers in model.members
            for weight, bias in layers[-1:]
        ),
    )


def measure_reliability(recordings: Sequence[Judged], model: ProbabilityModel) -> Reliability:
    """Compare probabilities with the truth, on recordings that the model was not fitted on.

    Parameters
    ----------
    recordings : sequence of Judged
    model : ProbabilityModel
    """
    explained = [one.explained(model) for one in recordings]
    stated = np.concatenate([probability for _, probability in explained])
    true = np.concatenate(
        [_found(one.truth_s, time_s) for one, (time_s, _) in zip(recordings, explained, strict=True)]
    )
    bins = np.clip(np.searchsorted(_RELIABILITY_EDGES, stated, side="right") - 1, 0, 9)
    count = np.bincount(bins, minlength=10)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(bins, weights=values, minlength=10) / count for values in (stated, true)]
    return Reliability(stated=means[0], true=means[1], count=count, n_recordings=len(recordings))


def _found(truth_s: FloatArray, time_s: FloatArray) -> BoolArray:
    """Return which candidates are MEPPs, shape (n_candidates,)."""
    found = np.zeros(len(time_s), dtype=np.bool_)
    found[match_times(truth_s, time_s, tolerance_s=_TOLERANCE_S).pairs[:, 1]] = True
    return found


def _f1_by_threshold(recordings: Iterable[Judged], model: ProbabilityModel) -> list[float]:
    counts: list[list[npt.NDArray[np.int64]]] = [[] for _ in _THRESHOLDS]
    for one in recordings:
        time_s, probability = one.explained(model)
        for row, threshold in zip(counts, _THRESHOLDS, strict=True):
            found_s = time_s[probability >= threshold]
            row.append(count_matches(match_times(one.truth_s, found_s, tolerance_s=_TOLERANCE_S)))
    return [float(f1(np.array(row))) for row in counts]
