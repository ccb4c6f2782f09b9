"""The noise of a channel when its events are taken away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning.spectrum import noise_spectrum, smooth_spectrum
from nwb_mepp.conditioning.survey import ChannelNoise, noise_sd_of
from nwb_mepp.core.segments import Segment, spread_evenly

__all__ = ["NoiseLeft", "measure_noise_left"]

FloatArray = npt.NDArray[np.float64]

_EXCERPT_S = 0.2
_MAX_EXCERPTS = 500
_MOST_AT_ONCE = 50


@dataclass(frozen=True)
class NoiseLeft:
    """Noise of a channel without its events.

    Attributes
    ----------
    sd : float
        Standard deviation above 10 Hz, without hum.
    autocovariance : ndarray, shape (n_lags,)
        In unit**2, at lags of 0, 1, 2, ... samples up to 0.1 s.
    """

    sd: float
    autocovariance: FloatArray


def measure_noise_left(
    segments: Sequence[Segment],
    *,
    noise: ChannelNoise,
) -> NoiseLeft | None:
    """Measure the noise in excerpts of a channel, without the events that are known.

    Parameters
    ----------
    segments : sequence of Segment
        All stretches of the channel that are analyzed.
    noise : ChannelNoise
        Of the same segments; takes out the hum and the events that it knows.

    Returns
    -------
    NoiseLeft or None
        None where no segment lasts 0.2 s.

    Notes
    -----
    The spectrum is a low quantile over excerpts of 0.2 s
    (:func:`~nwb_mepp.conditioning.spectrum.noise_spectrum`), which events that remain hardly affect. Where
    MEPPs are so frequent that every excerpt holds some, their power would count as noise unless they are
    subtracted.
    """
    rate_hz = segments[0].sampling_rate_hz
    n_samples = 2 * round(_EXCERPT_S * rate_hz / 2.0)
    chosen = spread_evenly(segments, length=n_samples, step=n_samples, most=_MAX_EXCERPTS)
    if not chosen:
        return None
    excerpts = [
        noise.values_between_events(segments[number], start, stop).reshape(-1, n_samples)
        for number, start, stop in _joined(chosen, length=n_samples)
    ]
    frequencies_hz, density = noise_spectrum(
        np.concatenate(excerpts), sampling_rate_hz=rate_hz, step=noise.converter_step
    )
    smooth = smooth_spectrum(density)
    # The lowest bins hold the drift, which smoothing would spread to higher frequencies.
    smooth[:2] = density[:2]
    autocovariance = np.fft.irfft(smooth) * 0.5 * rate_hz
    return NoiseLeft(noise_sd_of(frequencies_hz, density), autocovariance[: n_samples // 2])


def _joined(chosen: Sequence[tuple[int, int]], *, length: int) -> Iterator[tuple[int, int, int]]:
    """Yield segment, start and stop of excerpts, those that follow each other together."""
    first = 0
    for last, (number, start) in enumerate(chosen):
        follows = (number, start + length) == chosen[last + 1] if last + 1 < len(chosen) else False
        if not follows or last + 1 - first == _MOST_AT_ONCE:
            yield number, chosen[first][1], start + length
            first = last + 1
