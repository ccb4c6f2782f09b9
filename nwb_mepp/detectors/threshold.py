"""Amplitude threshold: peaks of the smoothed trace above its running baseline, as one would count by eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp.conditioning import ChannelNoise, WhitenedTrace, whiten
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.interface import Candidates
from nwb_mepp.detectors.positions import candidates_at, in_noise_sd

__all__ = ["Threshold"]

FloatArray = npt.NDArray[np.float64]

_RATE_HZ = 5000.0
_BASELINE_S = 0.05
_SMOOTHING_FWHM_S = 1.5e-3
_MIN_DISTANCE_S = 2e-3
# A peak must rise above the valleys beside it by this fraction of the threshold.
_PROMINENCE = 0.75


class Threshold:
    """Finds peaks of the smoothed trace above its running median.

    The median covers 50 ms; the Gaussian that smooths is 1.5 ms wide at half its height. Heights are in SD of
    the smoothed noise, taken from a normal distribution fitted to the middle of all samples. A candidate
    lasts from where the trace has risen to half of the peak's prominence to where it has fallen to it again.
    """

    name = "threshold"
    version = "1"
    weights_sha256 = ""
    gives_probability = False
    default_threshold = 4.0

    def find(
        self,
        segments: Sequence[Segment],
        *,
        noise: ChannelNoise,
        threshold: float | None = None,
        block_s: float = 20.0,
    ) -> list[Candidates]:
        """Find the candidates of one channel; see :class:`~nwb_mepp.detectors.interface.Detector`.

        ``threshold`` is in SD of the smoothed noise. ``probability`` is NaN.
        """
        limit = self.default_threshold if threshold is None else threshold
        traces = whiten(segments, noise=noise, sampling_rate_hz=_RATE_HZ, block_s=block_s)
        return [
            _candidates(trace, score, limit) for trace, score in zip(traces, self.scores(traces), strict=True)
        ]

    def scores(self, traces: Sequence[WhitenedTrace]) -> list[FloatArray]:
        """Return the smoothed traces above their baseline in SD of their noise, shape (n_samples,) each."""
        return in_noise_sd(
            [np.concatenate([_smooth(trace, index) for index in range(trace.n_tiles)]) for trace in traces]
        )


def _smooth(trace: WhitenedTrace, index: int) -> FloatArray:
    """Return one tile, smoothed and relative to its running median."""
    half_baseline = round(_BASELINE_S * _RATE_HZ / 2.0)
    sd = _SMOOTHING_FWHM_S * _RATE_HZ / np.sqrt(8.0 * np.log(2.0))
    half_kernel = int(np.ceil(4.0 * sd))
    kernel = np.exp(-0.5 * (np.arange(-half_kernel, half_kernel + 1) / sd) ** 2)
    tile = trace.read_upright(index, margin=half_baseline + half_kernel)
    above = tile - scipy.ndimage.median_filter(tile, size=2 * half_baseline + 1)
    return np.convolve(above[half_baseline:-half_baseline], kernel / kernel.sum(), mode="valid")


def _candidates(trace: WhitenedTrace, score: FloatArray, threshold: float) -> Candidates:
    peaks, _ = scipy.signal.find_peaks(
        score,
        height=threshold,
        prominence=_PROMINENCE * threshold,
        distance=round(_MIN_DISTANCE_S * _RATE_HZ),
    )
    _, _, left, right = scipy.signal.peak_widths(score, peaks, rel_height=0.5)
    start, stop = np.floor(left).astype(np.int64), np.ceil(right).astype(np.int64) + 1
    # A large peak may be broader than the distance to a small one before it.
    start[1:] = np.maximum(start[1:], peaks[:-1] + 1)
    return candidates_at(trace, start=start, peak=peaks, stop=stop)
