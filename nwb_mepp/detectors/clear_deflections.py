"""Deflections so clear and so like a MEPP that no detector should pass over them unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp._utils.threads import in_threads
from nwb_mepp.conditioning import ChannelNoise, WhitenedTrace, whiten
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.matched_filter import SideLobes, template, whitened_kernel
from nwb_mepp.detectors.noise_course import block_edges, block_medians, noise_course
from nwb_mepp.detectors.shape_bank import ShapeBank, whitened_level

__all__ = ["CLEAR_SD", "find_clear_deflections", "unexplained"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Height of a clear deflection under the best shape, in SD of the filtered noise where it lies.
CLEAR_SD = 8.0

_RATE_HZ = 5000.0
# The result must not depend on how much is read at a time.
_BLOCK_S = 20.0
# Under the best of these (rise 10-90 %, decay) every shape of the bank keeps 0.94 of its height.
_SHAPES_S = ((0.25e-3, 1.4e-3), (0.6e-3, 2.5e-3), (1.2e-3, 4.4e-3), (0.6e-3, 8.0e-3), (2.4e-3, 8.0e-3))
_KEPT_HEIGHT = 0.9
_MIN_DISTANCE_S = 2e-3
# One MEPP must explain at least this much of what rises above the noise around it.
_EXPLAINED = 0.5
_NOISE_MISFIT = 2.0
# A deflection this close to an interval belongs to its MEPP.
_NEAR_S = 5e-3


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    """Deflections of one segment at the resampled rate, before the course of the noise is known."""

    onset: IntArray
    height: FloatArray
    like_mepp: npt.NDArray[np.bool_]
    block: IntArray


def find_clear_deflections(segments: Sequence[Segment], *, noise: ChannelNoise) -> list[FloatArray]:
    """Find the clear deflections of a channel that look like MEPPs, whatever a detector says of them.

    Parameters
    ----------
    segments : sequence of Segment
        All stretches of the channel, in order.
    noise : ChannelNoise
        Of the same segments.

    Returns
    -------
    list of ndarray, shape (n_deflections,)
        Onsets in seconds from the session start, one array for each segment. Each deflection is at least
        ``CLEAR_SD`` high under the best shape of the bank, more than under a step or a drift of the level,
        and this shape explains half of it or more.

    Notes
    -----
    The channel is read and whitened once, in blocks that do not depend on the settings.
    """
    traces = whiten(segments, noise=noise, sampling_rate_hz=_RATE_HZ, block_s=_BLOCK_S)
    search = _Search(traces[0].event_taps)
    scanned = [search.scan(trace) for trace in traces]
    courses = noise_course([medians for _, medians in scanned])
    onsets_s = []
    for trace, (found, _), course in zip(traces, scanned, courses, strict=True):
        clear = found.like_mepp & (found.height >= CLEAR_SD * course[found.block])
        first_s = trace.segment.trace.start_s + trace.segment.start / trace.segment.sampling_rate_hz
        onsets_s.append(first_s + found.onset[clear] / trace.sampling_rate_hz)
    return onsets_s


def unexplained(
    onsets_s: Sequence[FloatArray], *, segments: Sequence[Segment], mepps: Mepps
) -> tuple[tuple[int, float], ...]:
    """Return the clear deflections that no MEPP of a table explains.

    Parameters
    ----------
    onsets_s : sequence of ndarray
        From :func:`find_clear_deflections`.
    segments : sequence of Segment
        The same.
    mepps : Mepps

    Returns
    -------
    tuple of (int, float)
        Sweep and onset in seconds from the session start of each, in the order of the segments. A MEPP
        explains what begins within its interval, or less than 5 ms before or after.
    """
    left = []
    for segment, found_s in zip(segments, onsets_s, strict=True):
        rows = mepps.sweep == segment.trace.sweep
        begin_s = mepps.start_s[rows] - _NEAR_S
        # Intervals of one sweep are sorted and do not overlap, so only the last that begins before counts.
        last = np.searchsorted(begin_s, found_s, side="right") - 1
        end_s = np.append(mepps.stop_s[rows] + _NEAR_S, -np.inf)
        left += [(segment.trace.sweep, float(one)) for one in found_s[found_s > end_s[last]]]
    return tuple(left)


class _Search:
    """Looks for deflections in whitened traces of one channel."""

    def __init__(self, taps: FloatArray) -> None:
        self._bank = ShapeBank(taps, sampling_rate_hz=_RATE_HZ)
        shapes = [
            template(rise_s=rise, decay_s=decay, sampling_rate_hz=_RATE_HZ) for rise, decay in _SHAPES_S
        ]
        kernels = [
            *(whitened_kernel(shape, taps) for shape in shapes),
            whitened_level(taps, rise_s=0.0, sampling_rate_hz=_RATE_HZ),
        ]
        self._lobes = SideLobes(kernels)
        self._longest = max(map(len, kernels))
        self._reversed = np.array([np.pad(row, (0, self._longest - len(row)))[::-1] for row in kernels])
        self._before = len(taps) // 2
        # Side lobes reach as far as the longest kernel does.
        self._margin = 2 * self._longest
        self._n_compared = self._bank.n_compared

    def scan(self, trace: WhitenedTrace) -> tuple[_Found, FloatArray]:
        """Return the deflections of a trace, and the median of its absolute values in each block."""
        found, medians, n_blocks = [], [], 0
        for one, of_tile in in_threads(partial(self._scan_tile, trace), range(trace.n_tiles)):
            found.append(replace(one, block=one.block + n_blocks))
            medians.append(of_tile)
            n_blocks += len(of_tile)
        columns = {
            name: np.concatenate([getattr(one, name) for one in found])
            for name in ("onset", "height", "like_mepp", "block")
        }
        return _Found(**columns), np.concatenate(medians)

    def _scan_tile(self, trace: WhitenedTrace, index: int) -> tuple[_Found, FloatArray]:
        tile = trace.read_tile(index, margin=self._margin)
        inner = np.abs(tile[self._margin : len(tile) - self._margin])
        edges = block_edges(len(inner), sampling_rate_hz=_RATE_HZ)
        onset = self._onsets(tile)
        fits = self._bank.fit_samples(tile, onset + self._margin)
        height = fits.highest
        # What remains beyond noise, and what the shape explains.
        left = self._n_compared * np.maximum(fits.misfit - _NOISE_MISFIT, 0.0)
        found = _Found(
            onset=onset + index * trace.tile,
            height=height,
            like_mepp=(height > np.maximum(fits.step, fits.drift))
            & (left * _EXPLAINED <= (1.0 - _EXPLAINED) * height**2),
            block=np.searchsorted(edges, onset, side="right") - 1,
        )
        return found, block_medians(inner, edges)

    def _onsets(self, tile: FloatArray) -> IntArray:
        """Return where upright deflections begin, in samples from the end of the margin."""
        rows = scipy.signal.oaconvolve(tile[np.newaxis], self._reversed, mode="valid", axes=-1)
        # Deflections of either sign have side lobes.
        best = np.argmax(np.abs(rows), axis=0)
        score = np.take_along_axis(rows, best[None], axis=0)[0]
        strength = np.abs(score)
        least = _KEPT_HEIGHT * CLEAR_SD
        found, _ = scipy.signal.find_peaks(strength, height=least, distance=round(_MIN_DISTANCE_S * _RATE_HZ))
        found = self._lobes.drop(found, score=strength, best=best, threshold=least)
        onset = found[score[found] > 0.0] + self._before - self._margin
        n_inner = len(tile) - 2 * self._margin
        return np.asarray(onset[(onset >= 0) & (onset < n_inner)], dtype=np.int64)
