"""Optimally scaled template: a MEPP is fitted at every sample, and its scale compared with the error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp.conditioning import ChannelNoise, WhitenedTrace, whiten
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.interface import Candidates
from nwb_mepp.detectors.matched_filter import template
from nwb_mepp.detectors.positions import candidates_at, decay_end, fit_gaussian

__all__ = ["TemplateFit", "detection_criterion"]

FloatArray = npt.NDArray[np.float64]

_RATE_HZ = 5000.0
_RISE_S, _DECAY_S = 0.7e-3, 2.5e-3
_BASELINE_S = 4e-3  # of baseline before the onset, fitted along with the event
_MIN_DISTANCE_S = 2e-3
# SD of the criterion in the noise of a recording without a filter, half of it white and half of it 1/f noise.
# Slower noise looks like the template by chance more often: the criterion is then in units of its own SD.
_USUAL_SD = 0.7
# A smaller error than this fraction of the median is due to chance.
_LEAST_ERROR = 0.9


def detection_criterion(values: npt.ArrayLike, shape: npt.ArrayLike, *, min_sd: float = 0.0) -> FloatArray:
    """Fit ``scale * shape + offset`` at every sample of a trace; return scale over standard error.

    Parameters
    ----------
    values : array_like, shape (n_samples,)
    shape : array_like, shape (n_shape,)
        The template, with any baseline before the event; not constant.
    min_sd : float, default 0.0
        Smaller standard errors count as this one, since rounding can make a fit look perfect.

    Returns
    -------
    ndarray, shape (n_samples - n_shape + 1,)
        At each sample the criterion for a template that begins there; 0 where scale and error are both 0.

    Notes
    -----
    The standard error is the root of the residuals' sum of squares over ``n_shape - 1``, as in the paper.

    References
    ----------
    Clements & Bekkers (1997), Detection of spontaneous synaptic events with an optimally scaled template,
    Biophysical Journal 73, 220-229, doi:10.1016/S0006-3495(97)78062-7.

    Examples
    --------
    >>> detection_criterion([0.0, 0.0, 2.0, 1.0, 0.0], [0.0, 1.0, 0.0]).round(2).tolist()
    [-1.0, 3.0, 0.0]
    """
    scale, error = _fit(np.asarray(values, dtype=np.float64), np.asarray(shape, dtype=np.float64))
    return _criterion(scale, np.maximum(error, min_sd))


def _fit(trace: FloatArray, shape: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return scale and standard error at every sample, shape (n_samples - n_shape + 1,) each."""
    deviation = shape - shape.mean()
    n_shape = len(deviation)
    energy = float(np.sum(deviation**2))
    # Sums over every window directly, not by FFT: an artifact must not leave its rounding errors elsewhere.
    ones = np.ones(n_shape)
    total = np.convolve(trace, ones, mode="valid")
    scale = np.correlate(trace, deviation, mode="valid") / energy
    squares = np.convolve(trace**2, ones, mode="valid") - total**2 / n_shape - energy * scale**2
    return scale, np.sqrt(np.maximum(squares, 0.0) / (n_shape - 1))


def _criterion(scale: FloatArray, error: FloatArray) -> FloatArray:
    return np.divide(scale, error, out=np.zeros_like(scale), where=error > 0.0)


class TemplateFit:
    """Fits a scaled template at every sample and compares its scale with the error of the fit.

    Parameters
    ----------
    shape : ndarray, optional
        Template from its onset on, at 5 kHz; by default a rise of 0.7 ms and a decay of 2.5 ms. A
        baseline of 4 ms is put before it.

    References
    ----------
    Clements & Bekkers (1997), doi:10.1016/S0006-3495(97)78062-7.
    """

    name = "template"
    version = "1"
    weights_sha256 = ""
    gives_probability = False
    default_threshold = 3.0

    def __init__(self, shape: FloatArray | None = None) -> None:
        self._shape = (
            template(rise_s=_RISE_S, decay_s=_DECAY_S, sampling_rate_hz=_RATE_HZ) if shape is None else shape
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

        ``threshold`` is on the detection criterion, scale over standard error. ``probability`` is NaN.
        """
        limit = self.default_threshold if threshold is None else threshold
        traces = whiten(segments, noise=noise, sampling_rate_hz=_RATE_HZ, block_s=block_s)
        return [
            self._candidates(trace, score, limit)
            for trace, score in zip(traces, self.scores(traces), strict=True)
        ]

    def scores(self, traces: Sequence[WhitenedTrace]) -> list[FloatArray]:
        """Return the criterion for an onset at each sample of the traces of a channel, (n_samples,) each.

        Behind a filter the noise is smooth: it looks like the template more often, and the error of a fit is
        small by chance. An error below 0.9 times the median counts as that, and a criterion that varies more
        than in unfiltered noise is scaled down to vary as much.
        """
        fits = [self._fits(trace) for trace in traces]
        median = float(np.median(np.concatenate([error for _, error in fits])))
        least = [max(_rounding_sd(trace), _LEAST_ERROR * median) for trace in traces]
        rows = [
            _criterion(scale, np.maximum(error, least_sd))
            for (scale, error), least_sd in zip(fits, least, strict=True)
        ]
        _, sd = fit_gaussian(np.concatenate(rows))
        return [row * min(_USUAL_SD / sd, 1.0) if sd > 0.0 else row for row in rows]

    def _fits(self, trace: WhitenedTrace) -> tuple[FloatArray, FloatArray]:
        """Return scale and standard error for an onset at each sample, shape (n_samples,) each."""
        before = round(_BASELINE_S * _RATE_HZ)
        shape = np.concatenate([np.zeros(before), self._shape])
        margin = len(shape)
        parts = []
        for index in range(trace.n_tiles):
            tile = trace.read_upright(index, margin=margin)
            fit = np.array(_fit(tile, shape))
            parts.append(fit[:, margin - before :][:, : len(tile) - 2 * margin])
        scale, error = np.concatenate(parts, axis=1)
        return scale, error

    def _candidates(self, trace: WhitenedTrace, score: FloatArray, threshold: float) -> Candidates:
        onsets, _ = scipy.signal.find_peaks(
            score, height=threshold, distance=round(_MIN_DISTANCE_S * _RATE_HZ)
        )
        return candidates_at(
            trace,
            start=onsets,
            peak=onsets + int(np.argmax(self._shape)),
            stop=onsets + decay_end(self._shape),
        )


def _rounding_sd(trace: WhitenedTrace) -> float:
    """Return the SD of rounding to the converter's steps, averaged by the resampling: no error is less."""
    averaged = min(trace.sampling_rate_hz / trace.segment.sampling_rate_hz, 1.0)
    return trace.noise.converter_step * float(np.sqrt(averaged / 12.0))
