"""What a network is shown: whitened traces and, for each sample, whether it lies inside a MEPP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import compress, survey, whiten
from nwb_mepp.simulation import Simulated, draw_scenario, simulate_recording
from nwb_mepp.windows import cut_pieces

__all__ = ["Example", "ExampleSet", "example_from", "mask_of", "simulated_example"]

FloatArray = npt.NDArray[np.float64]

# Samples left out of the mask before the next onset, so that MEPPs riding on each other come apart.
_GAP_SAMPLES = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One recording as the network sees it.

    Attributes
    ----------
    trace : ndarray of float32, shape (n_samples,)
        Resampled, whitened, upright, compressed.
    mask : ndarray of uint8, shape (n_samples,)
        1 inside a MEPP.
    """

    trace: npt.NDArray[np.float32]
    mask: npt.NDArray[np.uint8]


def mask_of(
    start_s: FloatArray, stop_s: FloatArray, *, sampling_rate_hz: float, n_samples: int
) -> npt.NDArray[np.uint8]:
    """Mark the samples inside MEPPs, a gap of two samples kept before an onset that cuts a MEPP.

    Parameters
    ----------
    start_s, stop_s : ndarray, shape (n_mepps,), seconds from the first sample
        Sorted, not overlapping.
    sampling_rate_hz : float
    n_samples : int

    Examples
    --------
    >>> mask_of(np.array([0.1, 0.5]), np.array([0.5, 0.7]), sampling_rate_hz=10.0, n_samples=9).tolist()
    [0, 1, 1, 0, 0, 1, 1, 0, 0]
    """
    mask = np.zeros(n_samples, dtype=np.uint8)
    starts = np.round(start_s * sampling_rate_hz).astype(int)
    stops = np.round(stop_s * sampling_rate_hz).astype(int)
    next_starts = np.append(starts[1:], n_samples + _GAP_SAMPLES)[: len(starts)]
    for start, stop, next_start in zip(starts, stops, next_starts, strict=True):
        # A MEPP marks one sample at least, however soon the next one follows.
        mask[start : max(min(stop, next_start - _GAP_SAMPLES), start + 1)] = 1
    return mask


def example_from(simulated: Simulated, *, sampling_rate_hz: float) -> Example:
    """Condition a simulated recording exactly as a detector would, its polarity being known."""
    pieces = list(cut_pieces([simulated.trace()]))
    polarity = "positive" if simulated.scenario.polarity > 0 else "negative"
    learned = survey(pieces, polarity=polarity)  # type: ignore[arg-type]
    (white,) = whiten(pieces, survey=learned, sampling_rate_hz=sampling_rate_hz)
    tiles = [compress(white.read_tile(index)) for index in range(white.n_tiles)]
    trace = np.concatenate(tiles)
    truth = simulated.truth
    mask = mask_of(truth.start_s, truth.stop_s, sampling_rate_hz=white.sampling_rate_hz, n_samples=len(trace))
    return Example(trace=trace, mask=mask)


def simulated_example(seed: int, *, sampling_rate_hz: float = 5000.0) -> Example:
    """Simulate the training recording of a seed and condition it.

    Parameters
    ----------
    seed : int
        The same seed gives the same example.
    sampling_rate_hz : float, default 5000.0
        Rate of the network.

    Returns
    -------
    Example
    """
    return example_from(simulate_recording(draw_scenario(seed), seed=seed), sampling_rate_hz=sampling_rate_hz)


class ExampleSet:
    """Examples kept in a folder, so that an interrupted training goes on where it stopped.

    Parameters
    ----------
    folder : Path
        Made if absent; holds one file for each seed.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def add(self, seeds: Iterable[int]) -> Iterator[int]:
        """Simulate the seeds that are not there yet; yields each when it is."""
        for seed in seeds:
            path = self._path(seed)
            if not path.exists():
                example = simulated_example(seed)
                partial = path.with_suffix(".partial")
                with partial.open("wb") as stream:
                    np.savez(stream, trace=example.trace.astype(np.float16), mask=example.mask)
                partial.replace(path)
            yield seed

    def load(self, seeds: Sequence[int]) -> list[Example]:
        """Return the examples of the seeds."""
        examples = []
        for seed in seeds:
            with np.load(self._path(seed), allow_pickle=False) as stored:
                examples.append(Example(trace=stored["trace"].astype(np.float32), mask=stored["mask"]))
        return examples

    def _path(self, seed: int) -> Path:
        return self.folder / f"{seed:09d}.npz"
