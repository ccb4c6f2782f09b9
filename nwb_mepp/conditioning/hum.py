"""Mains hum: narrow lines at 50 or 60 Hz and their harmonics, removed without a notch filter's ringing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning.spectrum import drop_constant
from nwb_mepp.core.segments import Segment, fold_indices

__all__ = ["Hum", "find_hum"]

FloatArray = npt.NDArray[np.float64]

_BIN_S = 0.1  # whole cycles of 50 and of 60 Hz, so that a constant cancels within a bin
_SMOOTHING_BINS = 21  # a Hann window over 2.1 s: follows a phase that drifts, leaves MEPPs alone
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
        rate = segment.sampling_rate_hz
        bin_samples = max(round(_BIN_S * rate), 1)
        half = _SMOOTHING_BINS // 2
        n_bins = -(-segment.n_samples // bin_samples)
        # One bin more on each side than the stretch covers, to interpolate between bin centers.
        first_wanted = max(start // bin_samples - 1, 0)
        last_wanted = min((stop - 1) // bin_samples + 2, n_bins)
        first, last = max(first_wanted - half, 0), min(last_wanted + half, n_bins)
        region_start = first * bin_samples
        region = segment.values(region_start, min(last * bin_samples, segment.n_samples))
        phasors, counts = self._demodulate(region, region_start, bin_samples, rate)

        window = np.hanning(_SMOOTHING_BINS + 2)[1:-1]
        wanted = slice(first_wanted - first, last_wanted - first)
        weight = np.convolve(counts, window)[half : half + len(counts)][wanted]
        centers = (np.arange(first_wanted, last_wanted) + 0.5) * bin_samples - 0.5
        samples = np.arange(start, stop)
        hum = np.zeros(stop - start)
        for row, harmonic in zip(phasors, self.harmonics, strict=True):
            smooth = np.convolve(row, window)[half : half + len(counts)][wanted] / weight
            phase = 2.0 * np.pi * harmonic * self.frequency_hz / rate * samples
            hum += np.interp(samples, centers, smooth.real) * np.cos(phase)
            hum -= np.interp(samples, centers, smooth.imag) * np.sin(phase)
        return np.asarray(region[start - region_start : stop - region_start] - hum)

    def _demodulate(
        self, region: FloatArray, region_start: int, bin_samples: int, rate: float
    ) -> tuple[npt.NDArray[np.complex128], FloatArray]:
        """Sum each line over bins; returns (n_harmonics, n_bins) and samples in each bin."""
        n_whole = len(region) // bin_samples
        whole = region[: n_whole * bin_samples].reshape(n_whole, bin_samples)
        parts = [whole - np.median(whole, axis=1, keepdims=True)]
        counts = np.full(-(-len(region) // bin_samples), float(bin_samples))
        if n_whole < len(counts):  # the segment ends within a bin
            rest = region[n_whole * bin_samples :]
            counts[-1] = len(rest)
            padding = np.zeros(bin_samples - len(rest))
            parts.append(np.concatenate([rest - np.median(rest), padding])[np.newaxis])
        deviation = np.clip(np.concatenate(parts), -self.clip, self.clip)
        samples = region_start + np.arange(deviation.size).reshape(deviation.shape)
        turn = np.exp(-2j * np.pi * self.frequency_hz / rate * samples)
        phasors, turned = [], np.ones_like(turn)
        for harmonic in range(1, max(self.harmonics) + 1):
            turned *= turn
            if harmonic in self.harmonics:
                phasors.append(2.0 * np.sum(deviation * turned, axis=1))
        return np.array(phasors), counts


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
    positions = []
    for segment in segments:
        n_excerpt = round(_EXCERPT_S * segment.sampling_rate_hz)
        positions += [(segment, start) for start in range(0, segment.n_samples - n_excerpt + 1, n_excerpt)]
    if not positions:
        return None, 0.0, 0
    chosen = np.unique(np.linspace(0, len(positions) - 1, min(len(positions), _MAX_SEGMENTS)).astype(int))
    rate = segments[0].sampling_rate_hz
    n_excerpt = round(_EXCERPT_S * rate)
    window = np.hanning(n_excerpt + 2)[1:-1]
    excerpts = drop_constant(
        np.array(
            [segment.values(start, start + n_excerpt) for segment, start in (positions[i] for i in chosen)]
        )
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
