"""Training examples: whitened traces and, for each sample, whether it lies inside a MEPP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.process_pool import run_jobs
from nwb_mepp.conditioning import WhitenedTrace, compress, survey, whiten
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.simulation import ARTIFACTS, Scenario, Simulated, draw_scenario, simulate_recording

__all__ = [
    "Example",
    "ExampleSet",
    "Kind",
    "example_from",
    "example_of",
    "mask_of",
    "scenario_of",
    "simulated_example",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# A recording as drawn from the training distribution, or the same without its MEPPs: always with artifacts,
# or with noise, hum and drift alone.
Kind = Literal["drawn", "artifacts", "noise"]

# Samples left out of the mask before the next onset, so that MEPPs that ride on each other stay apart.
_GAP_SAMPLES = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One stretch of a recording as the network sees it.

    Attributes
    ----------
    trace : ndarray of float32, shape (n_samples,)
        Resampled, whitened, MEPPs positive, compressed.
    mask : ndarray of uint8, shape (n_samples,)
        1 inside a MEPP.
    peak : ndarray of int64, shape (n_mepps,)
        Samples nearest to the peaks.
    """

    trace: npt.NDArray[np.float32]
    mask: npt.NDArray[np.uint8]
    peak: IntArray = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def mask_of(
    start_s: FloatArray, stop_s: FloatArray, *, sampling_rate_hz: float, n_samples: int
) -> npt.NDArray[np.uint8]:
    """Mark the samples inside MEPPs, with a gap of two samples before an onset that cuts a MEPP off.

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
        # A MEPP marks at least one sample, however soon the next one follows.
        mask[start : max(min(stop, next_start - _GAP_SAMPLES), start + 1)] = 1
    return mask


def example_of(
    white: WhitenedTrace, *, start_s: FloatArray, stop_s: FloatArray, peak_s: FloatArray
) -> Example:
    """Return a conditioned segment with its truth.

    Parameters
    ----------
    white : WhitenedTrace
    start_s, stop_s, peak_s : ndarray, shape (n_mepps,), seconds from the first sample of the segment
        Sorted, not overlapping.

    Returns
    -------
    Example
    """
    trace = np.concatenate([compress(white.read_tile(index)) for index in range(white.n_tiles)])
    rate_hz = white.sampling_rate_hz
    return Example(
        trace=trace,
        mask=mask_of(start_s, stop_s, sampling_rate_hz=rate_hz, n_samples=len(trace)),
        peak=np.round(peak_s * rate_hz).astype(np.int64),
    )


def example_from(simulated: Simulated, *, sampling_rate_hz: float) -> Example:
    """Condition a simulated recording exactly as a detector would, with its polarity known."""
    segments = list(cut_segments([simulated.trace()]))
    learned = survey(segments, polarity=simulated.scenario.polarity)
    (white,) = whiten(segments, noise=learned, sampling_rate_hz=sampling_rate_hz)
    truth = simulated.truth
    return example_of(white, start_s=truth.start_s, stop_s=truth.stop_s, peak_s=truth.peak_s)


def scenario_of(seed: int, *, kind: Kind = "drawn") -> Scenario:
    """Return the scenario of the training recording with a given seed.

    Parameters
    ----------
    seed : int
    kind : {"drawn", "artifacts", "noise"}
        As drawn; or without its MEPPs, with its artifacts (one of each kind where it has none); or
        without either, and without a random telegraph.

    Examples
    --------
    >>> scenario_of(1, kind="artifacts").rate_hz, scenario_of(1, kind="noise").artifacts
    (0.0, {})
    """
    drawn = draw_scenario(seed)
    if kind == "drawn":
        return drawn
    silent = replace(drawn, rate_hz=0.0, bursts_per_s=0.0, artifacts={})
    if kind == "noise":
        return replace(silent, telegraph_step=0.0)
    some = any(drawn.artifacts.values())
    return replace(silent, artifacts=drawn.artifacts if some else dict.fromkeys(ARTIFACTS, 1))


def simulated_example(seed: int, *, sampling_rate_hz: float = 5000.0, kind: Kind = "drawn") -> Example:
    """Simulate and condition the training recording with a given seed.

    Parameters
    ----------
    seed : int
        The same seed and kind give the same example.
    sampling_rate_hz : float, default 5000.0
        Rate of the network.
    kind : {"drawn", "artifacts", "noise"}
        See :func:`scenario_of`.

    Returns
    -------
    Example
    """
    simulated = simulate_recording(scenario_of(seed, kind=kind), seed=seed)
    return example_from(simulated, sampling_rate_hz=sampling_rate_hz)


@dataclass(frozen=True, kw_only=True)
class _Making:
    """One example to be simulated, and its file."""

    seed: int
    kind: Kind
    path: Path
    rate_hz: float


def _make(job: _Making) -> int:
    example = simulated_example(job.seed, sampling_rate_hz=job.rate_hz, kind=job.kind)
    partial = job.path.with_suffix(".partial")
    with partial.open("wb") as stream:
        np.savez(stream, trace=example.trace.astype(np.float16), mask=example.mask, peak=example.peak)
    partial.replace(job.path)
    return job.seed


def _crashed(job: _Making, _: str) -> int:
    raise DetectionError(
        f"The process for the simulated recording {job.seed} died (killed, or out of memory). Use fewer "
        "processes with `n_jobs`."
    )


class ExampleSet:
    """Simulated examples kept in a folder, so that an interrupted training resumes where it stopped.

    Parameters
    ----------
    folder : Path
        Made if absent; holds one file for each seed and kind.
    sampling_rate_hz : float, default 5000.0
        Rate of the network.
    """

    def __init__(self, folder: Path, *, sampling_rate_hz: float = 5000.0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.sampling_rate_hz = sampling_rate_hz

    def add(self, seeds: Iterable[int], *, kind: Kind = "drawn", n_jobs: int = 1) -> Iterator[int]:
        """Simulate the seeds that are not there yet, and yield each seed when it is done.

        Parameters
        ----------
        seeds : iterable of int
        kind : {"drawn", "artifacts", "noise"}
        n_jobs : int, default 1
            Number of recordings simulated at a time, each in a process of its own.

        Raises
        ------
        DetectionError
            If a process dies.
        """
        missing = []
        for seed in seeds:
            job = _Making(seed=seed, kind=kind, path=self._path(seed, kind), rate_hz=self.sampling_rate_hz)
            if job.path.exists():
                yield seed
            else:
                missing.append(job)
        n_processes = n_jobs if n_jobs > 1 else 0
        yield from run_jobs(missing, work=_make, on_crash=_crashed, n_processes=n_processes)

    def made(self, seeds: Sequence[int], *, kind: Kind = "drawn") -> list[Example]:
        """Return the examples of the seeds; simulate those that are not there yet."""
        for _ in self.add(seeds, kind=kind):
            pass
        return self.load(seeds, kind=kind)

    def load(self, seeds: Sequence[int], *, kind: Kind = "drawn") -> list[Example]:
        """Return the examples of the seeds."""
        examples = []
        for seed in seeds:
            with np.load(self._path(seed, kind), allow_pickle=False) as stored:
                trace = stored["trace"].astype(np.float32)
                examples.append(Example(trace=trace, mask=stored["mask"], peak=stored["peak"]))
        return examples

    def _path(self, seed: int, kind: Kind) -> Path:
        return self.folder / f"{seed:09d}{'' if kind == 'drawn' else f'-{kind}'}.npz"
