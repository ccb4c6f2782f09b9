"""Whitened matched filter: the best linear detector of a known shape in Gaussian noise of known color."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp.conditioning import ChannelNoise, WhitenedTrace, whiten
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.interface import Candidates
from nwb_mepp.detectors.positions import candidates_at, decay_end, local_growth

__all__ = ["MatchedFilter", "SideLobes", "template", "whitened_kernel"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_RATE_HZ = 5000.0
# (rise 10-90 %, decay constant) of MEPPs from warm, ordinary and cold preparations, in seconds.
_SHAPES_S = ((0.4e-3, 1.5e-3), (0.7e-3, 2.5e-3), (1.1e-3, 5.0e-3))
_MIN_DISTANCE_S = 2e-3


def template(*, rise_s: float, decay_s: float, sampling_rate_hz: float) -> FloatArray:
    """Return a MEPP, the difference of two exponentials, sampled from its onset and with peak 1.

    Parameters
    ----------
    rise_s : float
        10-90 % rise time, below half of ``decay_s``.
    decay_s : float
        Decay time constant.
    sampling_rate_hz : float

    Returns
    -------
    ndarray, shape (n_samples,)
        Six decay constants long.
    """
    time_s = np.arange(0.0, 6.0 * decay_s, 1.0 / sampling_rate_hz)
    fine_s = np.linspace(0.0, 2.0 * decay_s, 2000)
    tau_s = 0.4 * rise_s
    for _ in range(20):  # a fixed-point iteration: the rise is nearly proportional to tau
        rising = -np.expm1(-fine_s / tau_s) * np.exp(-fine_s / decay_s)
        peak = int(np.argmax(rising))
        low, high = np.interp([0.1, 0.9], rising[: peak + 1] / rising[peak], fine_s[: peak + 1])
        tau_s *= rise_s / (high - low)
    shape = -np.expm1(-time_s / tau_s) * np.exp(-time_s / decay_s)
    return np.asarray(shape / rising.max())


class MatchedFilter:
    """Correlates the whitened trace with whitened templates; the score is in SD of the noise.

    Parameters
    ----------
    shapes : sequence of ndarray, optional
        Templates from their onset on, at 5 kHz; by default three, from fast to slow. The best one counts.

    References
    ----------
    Turin (1960), An introduction to matched filters, doi:10.1109/TIT.1960.1057571.
    """

    name = "matched_filter"
    version = "1"
    weights_sha256 = ""
    gives_probability = False
    default_threshold = 5.0

    def __init__(self, shapes: Sequence[FloatArray] | None = None) -> None:
        self._shapes = (
            [template(rise_s=rise, decay_s=decay, sampling_rate_hz=_RATE_HZ) for rise, decay in _SHAPES_S]
            if shapes is None
            else list(shapes)
        )

    def find(
        self,
        segments: Sequence[Segment],
        *,
        noise: ChannelNoise,
        threshold: float | None = None,
        block_s: float = 20.0,
    ) -> list[Candidates]:
        """Find the candidates of one channel; see :class:`~nwb_mepp.detectors.interface.Detector`.

        ``threshold`` is in SD of the filtered noise. ``probability`` is NaN.
        """
        limit = self.default_threshold if threshold is None else threshold
        (found,) = self.find_at(segments, noise=noise, thresholds=[limit], block_s=block_s)
        return found

    def find_at(
        self,
        segments: Sequence[Segment],
        *,
        noise: ChannelNoise,
        thresholds: npt.ArrayLike,
        block_s: float = 20.0,
    ) -> list[list[Candidates]]:
        """Find the candidates of one channel at several thresholds, filtering the trace once.

        Returns
        -------
        list of list of Candidates
            For each threshold what :meth:`find` returns.
        """
        traces = whiten(segments, noise=noise, sampling_rate_hz=_RATE_HZ, block_s=block_s)
        scored = [(trace, *self.score(trace)) for trace in traces]
        # All segments of a channel have one filter.
        lobes = SideLobes([whitened_kernel(shape, traces[0].event_taps) for shape in self._shapes])
        return [
            [self._candidates(*one, lobes, threshold=float(threshold)) for one in scored]
            for threshold in np.atleast_1d(thresholds)
        ]

    def score(self, trace: WhitenedTrace) -> tuple[FloatArray, IntArray]:
        """Return the score at each sample of a trace, and which template gave it.

        Returns
        -------
        score, best : ndarray, shape (n_samples,)
            The score at a sample is that of a template whose onset lies there. Where the noise is louder than
            in most of the trace, the score is in SD of that louder noise.
        """
        kernels = [whitened_kernel(shape, trace.event_taps) for shape in self._shapes]
        before = len(trace.taps) // 2
        margin = max(len(kernel) for kernel in kernels)
        scores, choices = [], []
        for index in range(trace.n_tiles):
            tile = trace.read_tile(index, margin=margin)
            # The whitened template begins half a filter before the onset.
            rows = [
                scipy.signal.oaconvolve(tile, kernel[::-1])[len(kernel) - 1 + margin - before :][
                    : len(tile) - 2 * margin
                ]
                for kernel in kernels
            ]
            scores.append(np.max(rows, axis=0))
            choices.append(np.argmax(rows, axis=0))
        score = np.concatenate(scores)
        return score / local_growth(score, sampling_rate_hz=_RATE_HZ), np.concatenate(choices)

    def _candidates(
        self, trace: WhitenedTrace, score: FloatArray, best: IntArray, lobes: SideLobes, *, threshold: float
    ) -> Candidates:
        distance = max(int(_MIN_DISTANCE_S * _RATE_HZ), 1)
        found, _ = scipy.signal.find_peaks(score, height=threshold, distance=distance)
        found = lobes.drop(found, score=score, best=best, threshold=threshold)
        peaks = np.array([int(np.argmax(shape)) for shape in self._shapes])
        ends = np.array([decay_end(shape) for shape in self._shapes])
        return candidates_at(
            trace, start=found, peak=found + peaks[best[found]], stop=found + ends[best[found]]
        )


def whitened_kernel(shape: FloatArray, taps: FloatArray) -> FloatArray:
    """Return the whitened template with energy 1, so that its correlation with noise of SD 1 has SD 1."""
    kernel = np.convolve(shape, taps)
    return np.asarray(kernel / np.sqrt(np.sum(kernel**2)))


class SideLobes:
    """What an event leaves in filters at some distance, so that it may look like others before and after it.

    Parameters
    ----------
    kernels : sequence of ndarray
        The filters, of energy 1.
    """

    def __init__(self, kernels: Sequence[FloatArray]) -> None:
        self._lobes = np.array([_side_lobes(kernel, kernels) for kernel in kernels])

    def drop(self, found: IntArray, *, score: FloatArray, best: IntArray, threshold: float) -> IntArray:
        """Drop peaks that are only side lobes of a larger neighbor in any of the filters.

        Parameters
        ----------
        found : ndarray of int64, shape (n_peaks,)
            Samples of the peaks, sorted.
        score : ndarray, shape (n_samples,)
        best : ndarray of int64, shape (n_samples,)
            Which kernel gave the score.
        threshold : float
            What must be left of a score once the side lobes of larger ones are subtracted.

        Returns
        -------
        ndarray of int64, shape (n_kept,)
            Sorted.
        """
        reach = self._lobes.shape[1] // 2
        kept = np.zeros(len(score), dtype=np.bool_)
        for onset in found[np.argsort(-score[found], kind="stable")]:
            first = max(onset - reach, 0)
            near = first + np.flatnonzero(kept[first : onset + reach + 1])
            explained = np.sum(score[near] * self._lobes[best[near], onset - near + reach])
            kept[onset] = score[onset] - explained >= threshold
        return np.flatnonzero(kept)


def _side_lobes(event: FloatArray, kernels: Sequence[FloatArray]) -> FloatArray:
    """Return the largest score that an event of score 1 leaves at each distance before and after it."""
    reach = max(len(kernel) for kernel in kernels) - 1
    padded = np.pad(event, (reach, reach + 1 - len(event) + reach))
    rows = [np.correlate(padded, np.pad(kernel, (0, reach + 1 - len(kernel))), "valid") for kernel in kernels]
    return np.asarray(np.max(np.abs(rows), axis=0))
