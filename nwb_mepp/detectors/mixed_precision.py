"""Running a network with integers of 8 bits, and in single precision where the integers would not reach."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nwb_mepp.detectors.runtime import Runtime

__all__ = ["run_mixed"]

Float32Array = npt.NDArray[np.float32]

# A network with two poolings gives the same for stretches that begin on this grid as for the whole trace.
_GRID = 4


def run_mixed(
    integers: Runtime, single: Runtime, trace: Float32Array, *, margin: int, above: float
) -> Float32Array:
    """Run a network over a trace of any length, each output in one of two arithmetics.

    Parameters
    ----------
    integers, single : Runtime
        The network with integers of 8 bits, and the same in single precision.
    trace : ndarray of float32, shape (margin + n_samples + margin,)
    margin : int
        At least half of the receptive field; a multiple of 4.
    above : float
        Where a larger sample lies within ``margin`` of it, an output is computed in single precision: the
        integers have no values for what such a sample causes.

    Returns
    -------
    ndarray of float32, shape (n_samples,)
        The same, however a longer trace is divided at multiples of 4.
    """
    n_samples = len(trace) - 2 * margin
    n_groups = -(-n_samples // _GRID)
    large = np.flatnonzero(np.abs(trace) > above)
    # Output k depends on samples k to k + 2 * margin of the trace.
    change = np.zeros(n_groups + 1, dtype=np.int64)
    np.add.at(change, np.clip((large - 2 * margin) // _GRID, 0, n_groups), 1)
    np.add.at(change, np.clip(large // _GRID + 1, 0, n_groups), -1)
    near_large = np.cumsum(change[:-1]) > 0
    output = np.empty(n_samples, dtype=np.float32)
    for runtime, groups in ((single, near_large), (integers, ~near_large)):
        _run_on(runtime, trace, _stretches(groups, n_samples), output, margin=margin)
    return output


def _stretches(groups: npt.NDArray[np.bool_], n_samples: int) -> Iterator[tuple[int, int]]:
    """Yield the first sample and the end of each run of groups."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], groups, [False]]))) * _GRID
    for start, stop in edges.reshape(-1, 2).tolist():
        yield start, min(stop, n_samples)


def _run_on(
    runtime: Runtime,
    trace: Float32Array,
    stretches: Iterator[tuple[int, int]],
    output: Float32Array,
    *,
    margin: int,
) -> None:
    """Fill stretches of the output; a block holds as many of them, each with its margins, as fit into it."""
    hop = runtime.n_samples - 2 * margin
    block = np.zeros(runtime.n_samples, dtype=np.float32)
    held: list[tuple[int, int, int]] = []
    used = 0

    def run() -> None:
        found = runtime.run(block)
        for first, last, place in held:
            output[first:last] = found[place : place + last - first]
        held.clear()
        block[:] = 0.0

    for start, stop in stretches:
        for first in range(start, stop, hop):
            last = min(first + hop, stop)
            length = last - first + 2 * margin
            if used + length > len(block):
                run()
                used = 0
            block[used : used + length] = trace[first : last + 2 * margin]
            held.append((first, last, used + margin))
            used += -(-length // _GRID) * _GRID
    if held:
        run()
