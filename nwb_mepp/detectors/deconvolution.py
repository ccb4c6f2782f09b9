"""Deconvolution: the trace divided by a MEPP in the Fourier domain, which leaves an impulse at each onset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp.conditioning import ChannelNoise, WhitenedTrace, whiten
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.interface import Candidates
from nwb_mepp.detectors.matched_filter import template
from nwb_mepp.detectors.positions import candidates_at, decay_end, in_noise_sd, local_growth

__all__ = ["Deconvolution", "design_deconvolution"]

FloatArray = npt.NDArray[np.float64]

_RATE_HZ = 5000.0
_RISE_S, _DECAY_S = 0.7e-3, 2.5e-3
_LOWEST_HZ, _HIGHEST_HZ = 10.0, 200.0
_HALF_LENGTH_S = 0.2
_MIN_DISTANCE_S = 2e-3
# A MEPP slower than the template leaves a tail with ripples. An impulse must rise above the valleys beside it
# by this fraction of the threshold.
_PROMINENCE = 0.75


def design_deconvolution(
    shape: npt.ArrayLike,
    *,
    sampling_rate_hz: float,
    lowest_hz: float,
    highest_hz: float,
    half_length_s: float,
) -> FloatArray:
    """Design the filter that divides by a template and passes a band.

    Parameters
    ----------
    shape : array_like, shape (n_shape,)
        The template from its onset on; its spectrum must not vanish within the band.
    sampling_rate_hz : float
    lowest_hz, highest_hz : float
        Where the Gaussian edges of the band pass half of the amplitude. The division amplifies noise above
        the band of the template, which the upper edge takes out again.
    half_length_s : float
        The filter reaches so far into the past and the future.

    Returns
    -------
    ndarray, shape (2 * half + 1,)
        The center belongs to the onset; the sum is 0, so that the level of the trace does not pass.
    """
    half = round(half_length_s * sampling_rate_hz)
    n_fft = 1 << int(np.ceil(np.log2(4 * half)))
    frequencies_hz = np.fft.rfftfreq(n_fft, 1.0 / sampling_rate_hz)
    band = 0.5 ** ((frequencies_hz / highest_hz) ** 2) - 0.5 ** ((frequencies_hz / lowest_hz) ** 2)
    taps = np.fft.irfft(band / np.fft.rfft(np.asarray(shape, dtype=np.float64), n_fft), n_fft)
    taps = np.concatenate([taps[-half:], taps[: half + 1]])
    window = np.hanning(2 * half + 3)[1:-1]
    taps *= window
    return np.asarray(taps - window * taps.sum() / window.sum())


class Deconvolution:
    """Divides the trace by a template in the Fourier domain and finds the impulses that remain.

    Parameters
    ----------
    shape : ndarray, optional
        Template from its onset on, at 5 kHz; by default a rise of 0.7 ms and a decay of 2.5 ms.

    Notes
    -----
    The band has Gaussian edges that pass half of the amplitude at 10 and at 200 Hz. The upper one is the
    paper's; the lower one is above its 0.1 Hz, so that the filter is only 0.4 s long and removes drift and
    1/f noise; events of a few milliseconds lose nothing by that.
    Impulses are measured in SD of a normal distribution fitted to the amplitude distribution.

    References
    ----------
    Pernía-Andrade et al. (2012), A deconvolution-based method with high sensitivity and temporal resolution
    for detection of spontaneous synaptic currents in vitro and in vivo, Biophysical Journal 103, 1429-1439,
    doi:10.1016/j.bpj.2012.08.039.
    """

    name = "deconvolution"
    version = "1"
    weights_sha256 = ""
    gives_probability = False
    default_threshold = 4.0

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

        ``threshold`` is in SD of the deconvolved noise. ``probability`` is NaN.
        """
        limit = self.default_threshold if threshold is None else threshold
        traces = whiten(segments, noise=noise, sampling_rate_hz=_RATE_HZ, block_s=block_s)
        return [
            self._candidates(trace, score, limit)
            for trace, score in zip(traces, self.scores(traces), strict=True)
        ]

    def scores(self, traces: Sequence[WhitenedTrace]) -> list[FloatArray]:
        """Return the deconvolved traces in SD of their noise, shape (n_samples,) each.

        Where the noise is louder than in most of a trace, it is the SD of that louder noise.
        """
        taps = design_deconvolution(
            self._shape,
            sampling_rate_hz=_RATE_HZ,
            lowest_hz=_LOWEST_HZ,
            highest_hz=_HIGHEST_HZ,
            half_length_s=_HALF_LENGTH_S,
        )
        margin = len(taps) // 2
        rows = in_noise_sd(
            [
                np.concatenate(
                    [
                        scipy.signal.oaconvolve(trace.read_upright(index, margin=margin), taps, mode="valid")
                        for index in range(trace.n_tiles)
                    ]
                )
                for trace in traces
            ]
        )
        return [row / local_growth(row, sampling_rate_hz=_RATE_HZ) for row in rows]

    def _candidates(self, trace: WhitenedTrace, score: FloatArray, threshold: float) -> Candidates:
        onsets, _ = scipy.signal.find_peaks(
            score,
            height=threshold,
            prominence=_PROMINENCE * threshold,
            distance=round(_MIN_DISTANCE_S * _RATE_HZ),
        )
        return candidates_at(
            trace,
            start=onsets,
            peak=onsets + int(np.argmax(self._shape)),
            stop=onsets + decay_end(self._shape),
        )
