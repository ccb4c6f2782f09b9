"""Mains hum: narrow lines at 50 or 60 Hz and their harmonics, removed without a notch filter's ringing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.kept import Kept
from nwb_mepp.conditioning.spectrum import drop_constant
from nwb_mepp.core.segments import Segment, fold_indices, spread_evenly

__all__ = ["Hum", "find_hum"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]

_BIN_S = 0.1  # whole cycles of 50 and of 60 Hz, so that a constant cancels within a bin
_SMOOTHING_BINS = 21  # a Hann window over 2.1 s: follows a phase that drifts, leaves MEPPs alone
_BINS = 100  # demodulated at a time
_MAX_KEPT_BYTES = 1 << 25  # 19 h of three lines
_EXCERPT_S = 2.0
_MAX_SEGMENTS = 64
_MAX_HARMONIC_HZ = 1050.0
# A line must stand this far above its neighborhood. The median of 0.5 Hz bins over five or more excerpts
# scatters by well under a factor of 3, so neither limit is met by noise. Over fewer it scatters more (over
# one, a bin in a thousand is ten times the median): the limits are then _SCATTER / number of excerpts.
_FUNDAMENTAL_RATIO = 10.0
_HARMONIC_RATIO = 6.0
_SCATTER = 30.0


@dataclass(frozen=True, kw_only=True)
class Hum:
    """Mains hum of one channel.

    Attributes
    ----------
    frequency_hz : float
        The fundamental.
    harmonics : tuple of int
        Which multiples of it are present.
    amplitude : float
        Sum of the amplitudes of all lines, in the unit of the trace.
    clip : float
        Excursions beyond this (MEPPs, artifacts) are clipped before the hum is estimated.
    """

    frequency_hz: float
    harmonics: tuple[int, ...]
    amplitude: float
    clip: float
    # The lines of the last stretches, as a channel is read many times.
    _kept: Kept = field(
        init=False, repr=False, compare=False, default_factory=lambda: Kept(max_bytes=_MAX_KEPT_BYTES)
    )

    def remove(self, segment: Segment, start: int, stop: int) -> FloatArray:
        """Return samples ``start <= i < stop`` of a segment without the hum.

        Parameters
        ----------
        segment : Segment
        start, stop : int
            From the start of the segment; beyond its borders the result is reflected.

        Returns
        -------
        ndarray, shape (stop - start,), in the unit of the trace

        Notes
        -----
        Each line is demodulated in bins of 0.1 s on a grid fixed to the segment; amplitude and phase are
        averaged over about 2 s with a Hann window, truncated at the borders of the segment. The
        result therefore does not depend on which stretch is asked for.
        """
        inside_start = min(max(start, 0), segment.n_samples)
        inside_stop = min(max(stop, 0), segment.n_samples)
        if (start, stop) != (inside_start, inside_stop):
            folded = fold_indices(np.arange(start, stop), n_samples=segment.n_samples)
            low, high = int(folded.min()), int(folded.max()) + 1
            return self.remove(segment, low, high)[folded - low]
        waves = self._waves(segment)
        # Cell c lies between the centers of bins c and c + 1.
        to_center = waves.n_samples // 2
        first, last = (start - to_center) // waves.n_samples, (stop - 1 - to_center) // waves.n_samples
        hum = waves.between_centers(self._smooth(segment, waves, first, last + 2))
        offset = start - to_center - first * waves.n_samples
        return segment.values(start, stop) - hum[offset : offset + stop - start]

    def _waves(self, segment: Segment) -> _Waves:
        rate_hz = segment.sampling_rate_hz
        return _waves(self.frequency_hz / rate_hz, self.harmonics, max(round(_BIN_S * rate_hz), 1))

    def _smooth(self, segment: Segment, waves: _Waves, first: int, stop: int) -> ComplexArray:
        """Return the averaged lines of bins ``first <= b < stop``, shape (n_harmonics, stop - first).

        Bin -1 and that after the last have the amplitude and phase of their neighbor within the segment.
        """
        n_bins = -(-segment.n_samples // waves.n_samples)
        low, high = max(first, 0), min(stop, n_bins)
        half = _SMOOTHING_BINS // 2
        from_bin, to_bin = max(low - half, 0), min(high + half, n_bins)
        lines = np.concatenate(
            [
                self._kept.get((segment, number), partial(self._lines, segment, waves, number))
                for number in range(from_bin // _BINS, -(-to_bin // _BINS))
            ],
            axis=1,
        )[:, from_bin - from_bin // _BINS * _BINS :][:, : to_bin - from_bin]
        starts = waves.n_samples * np.arange(from_bin, to_bin)
        counts = np.minimum(segment.n_samples - starts, waves.n_samples).astype(np.float64)
        window = np.hanning(_SMOOTHING_BINS + 2)[1:-1]
        inner = slice(half + low - from_bin, half + high - from_bin)
        weight = np.convolve(counts, window)[inner]
        # A line turns from bin to bin, which the average takes back.
        turns = waves.turn[:, None] ** np.arange(-half, half + 1)
        smooth = np.array(
            [np.convolve(row, window * turn)[inner] / weight for row, turn in zip(lines, turns, strict=True)]
        )
        before, after = smooth[:, :1] / waves.turn[:, None], smooth[:, -1:] * waves.turn[:, None]
        return np.concatenate([before[:, : low - first], smooth, after[:, : stop - high]], axis=1)

    def _lines(self, segment: Segment, waves: _Waves, number: int) -> ComplexArray:
        """Return the lines of up to 100 bins, from bin ``100 * number`` on."""
        start = number * _BINS * waves.n_samples
        values = segment.values(start, min(start + _BINS * waves.n_samples, segment.n_samples))
        n_whole = len(values) // waves.n_samples
        whole = values[: n_whole * waves.n_samples].reshape(n_whole, waves.n_samples)
        rest = values[n_whole * waves.n_samples :]
        bins = [whole - np.median(whole, axis=1, keepdims=True)]
        if len(rest):  # the segment ends within a bin
            padding = np.zeros(waves.n_samples - len(rest))
            bins.append(np.concatenate([rest - np.median(rest), padding])[np.newaxis])
        return waves.lines_in(np.clip(np.concatenate(bins), -self.clip, self.clip))


@dataclass(frozen=True, eq=False)
class _Waves:
    """Sines and cosines of the lines over one bin; time counts from its first sample.

    Attributes
    ----------
    n_samples : int
        Of a bin.
    turn : ndarray, shape (n_harmonics,)
        By which the lines go on from one bin to the next, as a complex number of absolute value 1.
    """

    n_samples: int
    turn: ComplexArray
    _analysis: FloatArray
    _synthesis: FloatArray

    @classmethod
    def of(cls, cycles: FloatArray, n_samples: int) -> _Waves:
        """Return the waves of lines that have so many cycles in a sample."""
        turning = 2j * np.pi * cycles
        within = np.exp(-turning[:, None] * np.arange(n_samples))
        # From one center to the next, the lines of the one fade out while those of the other fade in.
        since = np.arange(n_samples) + n_samples // 2
        share = (since - 0.5 * (n_samples - 1)) / n_samples
        fading = (1.0 - share) * np.exp(turning[:, None] * since)
        growing = share * np.exp(turning[:, None] * (since - n_samples))
        return cls(
            n_samples=n_samples,
            turn=np.exp(turning * n_samples),
            _analysis=2.0 * np.concatenate([within.real, within.imag]).T,
            _synthesis=np.concatenate([fading.real, -fading.imag, growing.real, -growing.imag]),
        )

    def lines_in(self, bins: FloatArray) -> ComplexArray:
        """Return twice the sum of the lines over bins of shape (n_bins, n_samples); (n_harmonics, n_bins)."""
        real, imaginary = np.split((bins @ self._analysis).T, 2)
        return real + 1j * imaginary

    def between_centers(self, lines: ComplexArray) -> FloatArray:
        """Return the sum of the lines from the center of the first bin to that of the last.

        Parameters
        ----------
        lines : ndarray, shape (n_harmonics, n_bins)

        Returns
        -------
        ndarray, shape ((n_bins - 1) * n_samples,)
        """
        left, right = lines[:, :-1], lines[:, 1:]
        return (np.concatenate([left.real, left.imag, right.real, right.imag]).T @ self._synthesis).ravel()


@lru_cache(maxsize=2)
def _waves(cycles_in_sample: float, harmonics: tuple[int, ...], n_samples: int) -> _Waves:
    return _Waves.of(cycles_in_sample * np.array(harmonics), n_samples)


def find_hum(segments: Sequence[Segment], *, noise_sd: float) -> Hum | None:
    """Look for mains hum in the segments of one channel.

    Parameters
    ----------
    segments : sequence of Segment
        Those shorter than 2 s cannot resolve a line and are skipped.
    noise_sd : float
        Standard deviation of the noise in the unit of the trace.

    Returns
    -------
    Hum or None
        None where neither 50 nor 60 Hz stands out.
    """
    density, resolution_hz, n_excerpts = _line_spectrum(segments)
    if density is None:
        return None
    scatter = _SCATTER / n_excerpts
    best: Hum | None = None
    for mains_hz in (50.0, 60.0):
        lines = {}
        frequency_hz = mains_hz
        for harmonic in range(1, int(_MAX_HARMONIC_HZ / mains_hz) + 1):
            line = _measure_line(density, resolution_hz, harmonic * frequency_hz)
            if line is None:
                break
            ratio, found_hz, amplitude = line
            if harmonic == 1:
                if ratio >= max(_FUNDAMENTAL_RATIO, scatter):
                    frequency_hz = found_hz
                    lines[1] = amplitude
            elif ratio >= max(_HARMONIC_RATIO, scatter):
                lines[harmonic] = amplitude
        # Without its fundamental, hum is accepted only if two harmonics agree.
        if 1 in lines or len(lines) >= 2:
            amplitude = float(sum(lines.values()))
            if best is None or amplitude > best.amplitude:
                best = Hum(
                    frequency_hz=frequency_hz,
                    harmonics=tuple(lines),
                    amplitude=amplitude,
                    clip=amplitude + 3.0 * noise_sd,
                )
    return best


def _line_spectrum(segments: Sequence[Segment]) -> tuple[FloatArray | None, float, int]:
    """Median periodogram of 2 s excerpts on a fixed grid: density, resolution and number of excerpts."""
    rate = segments[0].sampling_rate_hz
    n_excerpt = round(_EXCERPT_S * rate)
    chosen = spread_evenly(segments, length=n_excerpt, step=n_excerpt, most=_MAX_SEGMENTS)
    if not chosen:
        return None, 0.0, 0
    window = np.hanning(n_excerpt + 2)[1:-1]
    excerpts = drop_constant(
        np.array([segments[number].values(start, start + n_excerpt) for number, start in chosen])
    )
    # Subtracting a straight line through the ends keeps drift from leaking into the lines.
    drift = np.linspace(excerpts[:, :50].mean(axis=1), excerpts[:, -50:].mean(axis=1), n_excerpt, axis=1)
    powers = np.abs(np.fft.rfft((excerpts - drift) * window, axis=1)) ** 2
    # Scaled so that a line of amplitude a has the height a**2 in its bin.
    return np.median(powers, axis=0) * (2.0 / window.sum()) ** 2, rate / n_excerpt, len(powers)


def _measure_line(
    density: FloatArray, resolution_hz: float, expected_hz: float
) -> tuple[float, float, float] | None:
    """Return (height over neighborhood, frequency, amplitude) of the strongest bin near a line."""
    center = round(expected_hz / resolution_hz)
    reach = max(round(1.0 / resolution_hz), 1)
    near = slice(center - reach, center + reach + 1)
    if center + 10 * reach >= len(density):
        return None
    around = np.concatenate(
        [
            density[max(center - 8 * reach, 1) : center - 2 * reach],
            density[center + 2 * reach + 1 : center + 8 * reach + 1],
        ]
    )
    background = float(np.median(around))
    if background <= 0.0:
        return None
    excess = np.maximum(density[near] - background, 0.0)
    if not excess.any():
        return 0.0, expected_hz, 0.0
    frequencies_hz = resolution_hz * np.arange(near.start, near.stop)
    found_hz = float(np.sum(frequencies_hz * excess) / np.sum(excess))
    ratio = float(density[near].max() / background)
    return ratio, found_hz, float(np.sqrt(excess.max()))
