"""Resampling tile by tile, with results that do not depend on where a tile begins."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import scipy

__all__ = ["Resampler"]

FloatArray = npt.NDArray[np.float64]

_MAX_DENOMINATOR = 500
_HALF_LENGTH = 12  # half-width of the filter in samples of the lower rate: 60 dB beyond the transition
_CUTOFF = 0.92  # of the lower Nyquist frequency


@dataclass(frozen=True)
class Resampler:
    """Resampling by the rational factor ``up / down`` with a linear-phase filter of fixed length.

    Parameters
    ----------
    up, down : int
        Output sample k lies at input sample ``k * down / up`` exactly.

    Examples
    --------
    >>> halving = Resampler.between(10_000.0, 5_000.0)
    >>> (halving.up, halving.down, halving.grid)
    (1, 2, 1)
    >>> ramp = np.arange(4000.0)
    >>> out = halving.resample(lambda a, b: ramp[a:b], start=500, stop=504)
    >>> np.round(out, 3).tolist()
    [1000.0, 1002.0, 1004.0, 1006.0]
    """

    up: int
    down: int
    _taps: FloatArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        longest = max(self.up, self.down)
        if longest == 1:
            taps = np.ones(1)
        else:
            # The delay must be a whole number of output samples, hence of `down`.
            half = math.ceil(_HALF_LENGTH * longest / self.down) * self.down
            taps = scipy.signal.firwin(2 * half + 1, _CUTOFF / longest, window=("kaiser", 6.0))
            # Every output sample uses one phase of the taps. Each phase sums to 1, so that a constant stays
            # constant: a ripple of -75 mV between the phases would be a line in the noise.
            for phase in range(self.up):
                taps[phase :: self.up] /= taps[phase :: self.up].sum()
        object.__setattr__(self, "_taps", taps)

    @classmethod
    def between(cls, from_hz: float, to_hz: float) -> Resampler:
        """Choose the factor for two sampling rates, within 0.1 % where they have no simple ratio.

        The mapping of sample numbers is exact in any case; the rate of the resampled trace may be up to 0.1 %
        higher or lower than requested, which does not matter to detectors.
        """
        ratio = Fraction(to_hz / from_hz).limit_denominator(_MAX_DENOMINATOR)
        return cls(ratio.numerator, ratio.denominator)

    @property
    def grid(self) -> int:
        """Output tiles must begin at multiples of this to fall on an input sample."""
        return self.up

    def n_output(self, n_input: int) -> int:
        """Return how many output samples lie within ``n_input`` input samples."""
        return math.ceil(n_input * self.up / self.down)

    def to_input(self, index: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the input samples nearest to output samples."""
        return np.round(np.asarray(index) * self.down / self.up).astype(np.int64)

    def resample(self, read: Callable[[int, int], FloatArray], *, start: int, stop: int) -> FloatArray:
        """Return output samples ``start <= k < stop``.

        Parameters
        ----------
        read : callable
            ``read(first, last)`` returns input samples ``first <= i < last``; both may lie outside
            the trace.
        start, stop : int
            ``start`` must be a multiple of :attr:`grid`.

        Returns
        -------
        ndarray, shape (stop - start,)

        Raises
        ------
        ValueError
            If ``start`` is not on the grid.
        """
        if start % self.grid:
            raise ValueError(f"expected start to be a multiple of {self.grid}, found {start}.")
        first = start * self.down // self.up
        last = -(-stop * self.down // self.up) + 1
        half = (len(self._taps) - 1) // 2
        if half == 0:
            return read(first, first + stop - start)
        # The margin is a multiple of `down`, so that the output grid stays in place.
        margin = math.ceil(half / (self.up * self.down)) * self.down
        output = scipy.signal.upfirdn(self._taps, read(first - margin, last + margin), self.up, self.down)
        # On the common, upsampled grid output sample k lies at k * down.
        offset = (half + margin * self.up) // self.down
        return np.asarray(output[offset : offset + stop - start])
