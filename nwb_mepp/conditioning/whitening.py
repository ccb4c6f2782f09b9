"""Whitening: a filter that turns the noise of a trace into white noise with a standard deviation of 1."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp._utils.threads import in_threads
from nwb_mepp.conditioning.resampling import Resampler
from nwb_mepp.conditioning.spectrum import (
    FILTERED_BELOW,
    noise_spectrum,
    smooth_spectrum,
    unfiltered_spectrum,
)
from nwb_mepp.conditioning.survey import ChannelNoise
from nwb_mepp.core.segments import Segment

__all__ = ["TILE_GRID", "WhitenedTrace", "compress", "design_whitening", "expand", "whiten"]

FloatArray = npt.NDArray[np.float64]

_EXCERPT_S = 0.2
_MAX_TILES = 64
_HIGHEST = 0.9  # of the lower of the two Nyquist frequencies; above it the resampling filter dominates
_EDGE = 0.1
# Above the bandwidth of a filtered recording the gain falls to zero over half of the bandwidth.
_FILTERED_EDGE = 1.0 / 3.0
_FLIPPING_SD = 2.0
# A spectrum may lie below the unfiltered one by this factor through the scatter of its estimate.
_SCATTER = 1.5
_SURVEY_TILE = 1 << 15

# Tiles are multiples of this, so that the blocks of a network lie on the same grid whatever the tile.
TILE_GRID = 1 << 12


def design_whitening(
    density: npt.ArrayLike,
    *,
    sampling_rate_hz: float,
    highest_hz: float,
    edge: float = _EDGE,
    floor: npt.ArrayLike = 0.0,
) -> FloatArray:
    """Design a linear-phase filter that turns noise of a given spectrum into white noise of SD 1.

    Parameters
    ----------
    density : array_like, shape (n_frequencies,)
        One-sided density of the noise from 0 Hz to half the sampling rate, in unit**2 per Hz; not negative.
    sampling_rate_hz : float
    highest_hz : float
        The filter passes nothing above this, and white noise below it has SD 1 in all.
    edge : float, default 0.1
        Over this fraction of the band, its upper end, the gain falls to zero as a raised cosine.
    floor : float or array_like, shape (n_frequencies,), default 0.0
        The gain is ``1 / sqrt(density + floor)``: where the density is far below this, the gain
        saturates, and that part of the noise stays as small as it is. The sum is positive everywhere.

    Returns
    -------
    ndarray, shape (2 * n_frequencies - 1,)
        Symmetric filter whose sum is 0: the level of the trace does not pass.

    Examples
    --------
    >>> taps = design_whitening(np.full(129, 0.5), sampling_rate_hz=1000.0, highest_hz=450.0)
    >>> noise = np.random.default_rng(0).normal(0.0, np.sqrt(250.0), 100_000)  # 0.5 unit**2/Hz, 500 Hz
    >>> float(np.round(np.convolve(noise, taps, mode="valid").std(), 1))
    1.0
    """
    values = np.asarray(density, dtype=np.float64)
    limited = values + np.asarray(floor, dtype=np.float64)
    frequencies_hz = np.linspace(0.0, sampling_rate_hz / 2.0, len(values))
    below = np.clip((highest_hz - frequencies_hz) / (edge * highest_hz), 0.0, 1.0)
    passed = 0.5 - 0.5 * np.cos(np.pi * below)  # this edge keeps the filter from ringing
    gain = passed / np.sqrt(limited)
    gain[0] = 0.0
    taps = np.fft.fftshift(np.fft.irfft(gain))
    taps = np.concatenate([taps, taps[:1]])  # the same number on both sides of the center
    window = np.hanning(len(taps) + 2)[1:-1]
    taps *= window
    taps -= window * taps.sum() / window.sum()  # the window would let a little of the level pass
    power = np.abs(np.fft.rfft(taps, 8 * len(taps))) ** 2
    at_hz = np.linspace(0.0, sampling_rate_hz / 2.0, len(power))
    variance = np.trapezoid(power * np.interp(at_hz, frequencies_hz, values), at_hz)
    wanted = np.sum(passed**2 * values / limited) / np.sum(passed**2)
    return np.asarray(taps * np.sqrt(wanted / variance))


def compress(white: npt.ArrayLike, *, knee_sd: float = 4.0) -> npt.NDArray[np.float32]:
    """Compress a whitened trace so that giant MEPPs and artifacts stay within a network's range.

    Linear for the noise, logarithmic far beyond ``knee_sd`` standard deviations of it.

    Parameters
    ----------
    white : array_like
        Any shape, in SD of the noise.
    knee_sd : float, default 4.0

    Returns
    -------
    ndarray of float32, shape of ``white``

    Examples
    --------
    >>> np.round(compress([0.4, 4.0, -4000.0]), 1).tolist()
    [0.4000000059604645, 3.5, -30.399999618530273]
    """
    return np.asarray(knee_sd * np.arcsinh(np.asarray(white) / knee_sd), dtype=np.float32)


def expand(compressed: npt.ArrayLike, *, knee_sd: float = 4.0) -> FloatArray:
    """Undo :func:`compress`.

    Parameters
    ----------
    compressed : array_like
        Any shape.
    knee_sd : float, default 4.0

    Returns
    -------
    ndarray, shape of ``compressed``
        In SD of the noise.

    Examples
    --------
    >>> np.round(expand(compress([0.4, 4.0, -400.0])), 3).tolist()
    [0.4, 4.0, -400.0]
    """
    return knee_sd * np.sinh(np.asarray(compressed, dtype=np.float64) / knee_sd)


@dataclass(frozen=True, kw_only=True)
class WhitenedTrace:
    """A segment as detectors see it: resampled, whitened, MEPPs positive.

    White noise over the whole band has SD 1. Where a filter, or a low rate, took away part of the band, the
    noise has the same density in the rest and a smaller SD.

    Tiles lie on a grid fixed to the segment and are computed one by one, so memory does not grow with
    the length of the recording and results do not depend on how much is read at a time.

    Attributes
    ----------
    segment : Segment
    noise : ChannelNoise
    resampler : Resampler
    taps : ndarray
        The whitening filter, at the resampled rate.
    event_taps : ndarray, shape of ``taps``
        The same for a MEPP as it was before the filter of the recording: how it looks in the whitened trace,
        apart from a delay.
    tile : int
        Number of samples in a tile; on the grid of the resampler.
    """

    segment: Segment
    noise: ChannelNoise
    resampler: Resampler
    taps: FloatArray
    event_taps: FloatArray
    tile: int

    @property
    def n_samples(self) -> int:
        """Number of samples at the resampled rate."""
        return self.resampler.n_output(self.segment.n_samples)

    @property
    def sampling_rate_hz(self) -> float:
        """Rate of the whitened trace."""
        return self.segment.sampling_rate_hz * self.resampler.up / self.resampler.down

    @property
    def n_tiles(self) -> int:
        """Number of tiles; the last is shorter."""
        return -(-self.n_samples // self.tile)

    def read_tile(self, index: int, *, margin: int = 0) -> FloatArray:
        """Return one tile with a margin on each side, reflected beyond the borders of the segment.

        Parameters
        ----------
        index : int
            ``0 <= index < n_tiles``.
        margin : int, default 0
            Number of extra samples on each side.

        Returns
        -------
        ndarray, shape (n + 2 * margin,)
            ``n`` is ``tile``, or what is left for the last tile.
        """
        half = len(self.taps) // 2
        return np.asarray(
            scipy.signal.oaconvolve(self.read_upright(index, margin=margin + half), self.taps, mode="valid")
        )

    def read_upright(self, index: int, *, margin: int = 0) -> FloatArray:
        """Return one tile like :meth:`read_tile`, but in SI units, median subtracted, not whitened.

        Parameters
        ----------
        index : int
        margin : int, default 0

        Returns
        -------
        ndarray, shape (n + 2 * margin,)
        """
        grid = self.resampler.grid
        extra = -margin % grid
        start, stop = index * self.tile, min((index + 1) * self.tile, self.n_samples)
        resampled = self.read_resampled(start - margin - extra, stop + margin)[extra:]
        # The level carries no information, but -75 mV would cost precision in a convolution.
        return self.noise.polarity.sign * (resampled - np.median(resampled))

    def read_resampled(self, start: int, stop: int) -> FloatArray:
        """Return samples ``start <= k < stop`` at the resampled rate in SI units, not yet whitened.

        ``start`` must be on the grid of the resampler; see :meth:`Resampler.resample`.
        """
        return self._resampled(self.noise.values, start=start, stop=stop)

    def read_noise(self, start: int, stop: int) -> FloatArray:
        """Return samples as :meth:`read_resampled` does, without the events that are known."""
        return self._resampled(self.noise.values_between_events, start=start, stop=stop)

    def _resampled(
        self, read: Callable[[Segment, int, int], FloatArray], *, start: int, stop: int
    ) -> FloatArray:
        return self.resampler.resample(partial(read, self.segment), start=start, stop=stop)


def whiten(
    segments: Sequence[Segment],
    *,
    noise: ChannelNoise,
    sampling_rate_hz: float = 5000.0,
    block_s: float = 20.0,
) -> list[WhitenedTrace]:
    """Resample and whiten the segments of one channel, with one filter for all of them.

    Parameters
    ----------
    segments : sequence of Segment
    noise : ChannelNoise
        Of the same segments.
    sampling_rate_hz : float, default 5000.0
        Rate of the whitened trace.
    block_s : float, default 20.0
        How much is read and whitened at a time; it affects memory only.

    Returns
    -------
    list of WhitenedTrace
        One for each segment. Only the filter has been computed so far; tiles are computed when they are read.
    """
    own_rate_hz = segments[0].sampling_rate_hz
    resampler = Resampler.between(own_rate_hz, sampling_rate_hz)
    rate_hz = own_rate_hz * resampler.up / resampler.down
    n_excerpt = 2 * round(_EXCERPT_S * rate_hz / 2.0)
    plain = [
        WhitenedTrace(
            segment=segment,
            noise=noise,
            resampler=resampler,
            taps=np.ones(1),
            event_taps=np.ones(1),
            tile=_on_grid(_SURVEY_TILE, resampler),
        )
        for segment in segments
    ]
    taps, event_taps = noise.kept.get(
        ("whitening", tuple(segments), rate_hz),
        lambda: _design(_excerpts(plain, n_excerpt), noise=noise, own_rate_hz=own_rate_hz, rate_hz=rate_hz),
    )
    tile = _on_grid(round(block_s * rate_hz), resampler)
    return [replace(trace, taps=taps, event_taps=event_taps, tile=tile) for trace in plain]


def _design(
    excerpts: FloatArray, *, noise: ChannelNoise, own_rate_hz: float, rate_hz: float
) -> tuple[FloatArray, FloatArray]:
    """Design the filters for a trace and for events, within the band where excerpts hold information."""
    frequencies_hz, density = noise_spectrum(
        excerpts, sampling_rate_hz=rate_hz, step=_step_at(noise, own_rate_hz, rate_hz)
    )
    smooth = smooth_spectrum(density)
    # The lowest bins hold the drift, which smoothing would spread to higher frequencies.
    smooth[:2] = density[:2]
    smooth = np.maximum(smooth, max(_least_density(noise), 1e-9 * smooth.max()))
    full_hz = _HIGHEST * rate_hz / 2.0
    highest_hz, edge = _HIGHEST * min(own_rate_hz, rate_hz) / 2.0, _EDGE
    unlimited_hz = noise.bandwidth_hz / (1.0 - _FILTERED_EDGE)
    if unlimited_hz < highest_hz:
        highest_hz, edge = unlimited_hz, _FILTERED_EDGE
    # What a filter took away is not lifted beyond this; without a filter the floor is zero.
    unfiltered = unfiltered_spectrum(frequencies_hz, smooth)
    taps = design_whitening(
        smooth,
        sampling_rate_hz=rate_hz,
        highest_hz=highest_hz,
        edge=edge,
        floor=FILTERED_BELOW * (unfiltered - smooth),
    )
    # A trace that lacks the upper part of the band, by its rate or by a filter, keeps in the rest the
    # density it would have in a full band, so that a MEPP stands out from the noise by the same factor.
    taps *= np.sqrt(highest_hz * (1.0 - 0.625 * edge) / (full_hz * (1.0 - 0.625 * _EDGE)))
    # Part of what is left behind a filter is rounding, not the noise before it.
    left = np.maximum(smooth - 0.5 * noise.rounding_density, 0.0)
    passed = np.sqrt(np.minimum(_SCATTER * left / unfiltered, 1.0))
    at_hz = np.fft.rfftfreq(2 * len(taps), 1.0 / rate_hz)
    seen = np.fft.irfft(np.fft.rfft(taps, 2 * len(taps)) * np.interp(at_hz, frequencies_hz, passed))
    return taps, seen[: len(taps)]


def _least_density(noise: ChannelNoise) -> float:
    """Return the least density that rounding may have in excerpts louder than those that were looked at."""
    # Noise below half a step flips between two levels, which has a variance of up to step**2 / 4, not / 12.
    flips = noise.converter_step > _FLIPPING_SD * noise.noise_sd
    return 3.0 * noise.rounding_density if flips else noise.rounding_density


def _on_grid(n_samples: int, resampler: Resampler) -> int:
    """Round a tile up to the grid of the resampler and to that of the networks' blocks."""
    grid = math.lcm(TILE_GRID, resampler.grid)
    return max(-(-n_samples // grid), 1) * grid


def _step_at(noise: ChannelNoise, own_rate_hz: float, rate_hz: float) -> float:
    """Return the step whose rounding error has, at the new rate, the density it has at the old one."""
    return noise.converter_step * float(np.sqrt(min(rate_hz / own_rate_hz, 1.0)))


def _excerpts(traces: Sequence[WhitenedTrace], n_excerpt: int) -> FloatArray:
    """Return half-overlapping resampled excerpts of at most 64 tiles; shape (n_excerpts, n_excerpt).

    Segments shorter than an excerpt are skipped: reflected repeatedly, they would look periodic.
    """
    positions = [
        (trace, start) for trace in traces for start in range(0, trace.n_samples - n_excerpt + 1, trace.tile)
    ]
    chosen = np.unique(np.linspace(0, len(positions) - 1, min(len(positions), _MAX_TILES)).astype(int))

    def excerpts_at(position: tuple[WhitenedTrace, int]) -> FloatArray:
        trace, start = position
        resampled = trace.read_noise(start, min(start + trace.tile, trace.n_samples))
        return np.lib.stride_tricks.sliding_window_view(resampled, n_excerpt)[:: n_excerpt // 2]

    return np.concatenate(list(in_threads(excerpts_at, [positions[number] for number in chosen])))
