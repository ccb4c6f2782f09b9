"""MiniUnet as a detector: from the whitened trace to intervals with calibrated probabilities."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.threads import in_threads
from nwb_mepp.conditioning import ChannelNoise, WhitenedTrace, compress, whiten
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.candidate_features import (
    LOWEST_SCORE,
    PEAK_AT,
    Described,
    Wholes,
    describe_candidates_in_blocks,
    describe_wholes_in_blocks,
)
from nwb_mepp.detectors.interface import Candidates
from nwb_mepp.detectors.mixed_precision import run_mixed
from nwb_mepp.detectors.probability import ProbabilityModel
from nwb_mepp.detectors.runtime import LazyRuntime, Runtime, SharedRuntime, run_over
from nwb_mepp.detectors.shape_bank import ShapeBank
from nwb_mepp.detectors.streams import whole_runs
from nwb_mepp.detectors.weights import load_weights, reading_config, shipped_weights
from nwb_mepp.detectors.wholes import choose_wholes, take_together
from nwb_mepp.measurement.intervals import intervals_above, split_at_minima

__all__ = ["Explained", "MiniUnet", "RawCandidates", "explain"]

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_MIN_SAMPLES = 3
_SPLIT_DEPTH = 0.25
# A MEPP's borders lie where the output has fallen to this fraction of its maximum.
_BORDER = 0.5


class RawCandidates:
    """Candidates of one segment before any threshold, at the rate of the network.

    Attributes
    ----------
    start, stop : ndarray of int64, shape (n_candidates,)
        Network samples from the start of the segment; stop exclusive.
    score : ndarray, shape (n_candidates,)
        Highest output of the network in between.

    Parameters
    ----------
    outputs : iterable of ndarray
        Output of the network, part by part.
    """

    def __init__(self, outputs: Iterable[npt.NDArray[np.floating]]) -> None:
        starts, stops, scores = [], [], []
        runs = whole_runs(((output,) for output in outputs), threshold=LOWEST_SCORE)
        for begin, (output,) in runs:
            above = intervals_above(output, threshold=LOWEST_SCORE, min_samples=_MIN_SAMPLES)
            for first, last in split_at_minima(above, output, depth=_SPLIT_DEPTH):
                part = output[first:last]
                score = float(part.max())
                inside = np.flatnonzero(part >= _BORDER * score)
                starts.append(begin + first + inside[0])
                stops.append(begin + first + inside[-1] + 1)
                scores.append(score)
        self.start: IntArray = np.array(starts, dtype=np.int64)
        self.stop: IntArray = np.array(stops, dtype=np.int64)
        self.score: FloatArray = np.array(scores, dtype=np.float64)

    @property
    def peak(self) -> IntArray:
        """Where to look for the peak, in network samples, shape (n_candidates,)."""
        return _peak(self.start, self.stop)


class MiniUnet:
    """One-dimensional U-Net: finds MEPPs and gives calibrated probabilities.

    Parameters
    ----------
    weights : Path, optional
        Folder with ``model.tflite`` and ``config.json``; the newest shipped version by default.
    runtime : Runtime, optional
        What runs the network, large samples included; by default LiteRT, or TensorFlow where LiteRT is not
        installed.

    Notes
    -----
    The threshold is on the probability that a candidate is a MEPP, given its score, its height under
    shapes from fast to slow, and the other candidates of the recording
    (:class:`~nwb_mepp.detectors.probability.ProbabilityModel`).
    """

    name = "miniunet"

    def __init__(self, weights: Path | None = None, *, runtime: Runtime | None = None) -> None:
        loaded = load_weights(
            weights or shipped_weights(self.name), detector=self.name, keys=("margin", "probability")
        )
        with reading_config(loaded) as config:
            self.version = str(config["version"])
            self.weights_sha256 = str(config["sha256"])
            self.default_threshold = float(config["threshold"])
            self._rate_hz = float(config["sampling_rate_hz"])
            self._margin = int(config["margin"])
            self._model = ProbabilityModel.from_config(config["probability"])
            self._above = float(config["float32"]["above"]) if loaded.single else math.inf
        self._runtime = LazyRuntime(loaded) if runtime is None else SharedRuntime(runtime)
        single = loaded.in_single_precision() if runtime is None else None
        self._single = None if single is None else LazyRuntime(single)

    def find(
        self,
        segments: Sequence[Segment],
        *,
        noise: ChannelNoise,
        threshold: float | None = None,
        block_s: float = 20.0,
    ) -> list[Candidates]:
        """Find the candidates of one channel; see :class:`~nwb_mepp.detectors.interface.Detector`.

        ``threshold`` is a probability between 0 and 1.

        Raises
        ------
        UsageError
            If ``threshold`` is not between 0 and 1.
        """
        limit = self.default_threshold if threshold is None else threshold
        if not 0.0 <= limit <= 1.0:
            raise UsageError(
                f"`threshold`: expected a probability between 0 and 1 for {self.name}, found {limit:g}."
            )
        traces = whiten(segments, noise=noise, sampling_rate_hz=self._rate_hz, block_s=block_s)
        duration_s = sum(segment.n_samples / segment.sampling_rate_hz for segment in segments)
        # All segments of a channel have one filter.
        bank = ShapeBank(traces[0].event_taps, sampling_rate_hz=traces[0].sampling_rate_hz)
        parts = [_described(trace, RawCandidates(self._kept_outputs(trace)), bank) for trace in traces]
        explained = explain(self._model, parts, duration_s=duration_s)
        return [_candidates(trace, one, limit) for trace, one in zip(traces, explained, strict=True)]

    def outputs(self, trace: WhitenedTrace) -> Iterator[Float32Array]:
        """Return the probability that each sample lies inside a MEPP, tile by tile."""
        return in_threads(partial(self._output, trace), range(trace.n_tiles))

    def _output(self, trace: WhitenedTrace, index: int) -> Float32Array:
        tile = compress(trace.read_tile(index, margin=self._margin))
        if self._single is None:
            return run_over(self._runtime, tile, margin=self._margin)
        return run_mixed(self._runtime, self._single, tile, margin=self._margin, above=self._above)

    def _kept_outputs(self, trace: WhitenedTrace) -> Iterator[Float32Array]:
        """Yield what candidates are made of, 0 elsewhere, which an interrupted run may have left."""
        segment = trace.segment
        if trace.n_tiles == 1:  # of many short segments, files would be more than they save
            yield self._high_output(trace, 0)["output"]
            return
        where = f"{segment.trace.channel}, sweep {segment.trace.sweep}, {segment.start} to {segment.stop}"
        filtered = hashlib.sha256(trace.taps.tobytes()).hexdigest()

        def kept(index: int) -> Float32Array:
            step = f"{self.name} {self.weights_sha256} on {where}, {filtered}, tile {index} of {trace.tile}"
            return trace.noise.interim.get(step, partial(self._high_output, trace, index))["output"]

        yield from in_threads(kept, range(trace.n_tiles))

    def _high_output(self, trace: WhitenedTrace, index: int) -> dict[str, Float32Array]:
        output = self._output(trace, index)
        return {"output": np.where(output > np.float64(LOWEST_SCORE), output, np.float32(0.0))}


def _described(trace: WhitenedTrace, raw: RawCandidates, bank: ShapeBank) -> Described:
    rate_hz = trace.sampling_rate_hz
    return Described(
        start_s=raw.start / rate_hz,
        stop_s=raw.stop / rate_hz,
        score=raw.score,
        fits=bank.fit(trace, raw.start),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Explained:
    """The candidates of one segment that explain it best; arrays of shape (n_candidates,), sorted.

    Attributes
    ----------
    start_s, stop_s : ndarray
        From the start of the segment.
    probability : ndarray
    """

    start_s: FloatArray
    stop_s: FloatArray
    probability: FloatArray

    @property
    def peak_s(self) -> FloatArray:
        """Where to look for the peak, shape (n_candidates,)."""
        return self.start_s + PEAK_AT * (self.stop_s - self.start_s)


def explain(model: ProbabilityModel, parts: Sequence[Described], *, duration_s: float) -> list[Explained]:
    """Give candidates their probabilities, and take those together that are rather one MEPP.

    Parameters
    ----------
    model : ProbabilityModel
    parts : sequence of Described
        One for each segment of a channel.
    duration_s : float
        Of all segments together.

    Returns
    -------
    list of Explained
        One for each segment.
    """
    wholes = [take_together(one) for one in parts]
    by_part, by_whole = (
        np.concatenate([model.probability(block) for block in blocks])
        for blocks in (
            describe_candidates_in_blocks(parts, duration_s=duration_s),
            describe_wholes_in_blocks(parts, wholes, duration_s=duration_s),
        )
    )
    return [
        _explained(one, whole, probability, whole_probability)
        for one, whole, probability, whole_probability in zip(
            parts,
            wholes,
            np.split(by_part, np.cumsum([len(one.score) for one in parts])[:-1]),
            np.split(by_whole, np.cumsum([len(one.first) for one in wholes])[:-1]),
            strict=True,
        )
    ]


def _explained(
    parts: Described, wholes: Wholes, probability: FloatArray, whole_probability: FloatArray
) -> Explained:
    """Return the candidates of one segment, wholes in place of their parts where these are chosen."""
    chosen = choose_wholes(probability, wholes, whole_probability)
    alone = np.ones(len(probability), dtype=np.bool_)
    for first, stop in zip(wholes.first[chosen], wholes.stop[chosen], strict=True):
        alone[first:stop] = False
    columns = [
        np.concatenate([of_parts[alone], of_wholes[chosen]])
        for of_parts, of_wholes in (
            (parts.start_s, wholes.described.start_s),
            (parts.stop_s, wholes.described.stop_s),
            (probability, whole_probability),
        )
    ]
    order = np.argsort(columns[0], kind="stable")
    start_s, stop_s, kept = (column[order] for column in columns)
    return Explained(start_s=start_s, stop_s=stop_s, probability=kept)


def _candidates(trace: WhitenedTrace, found: Explained, threshold: float) -> Candidates:
    """Return the candidates that reach the threshold, in samples of the segment."""
    kept = found.probability >= threshold
    first, last = (
        np.round(times_s[kept] * trace.sampling_rate_hz).astype(np.int64)
        for times_s in (found.start_s, found.stop_s)
    )
    start = trace.resampler.to_input(first)
    stop = np.minimum(trace.resampler.to_input(last), trace.segment.n_samples)
    peak = np.clip(trace.resampler.to_input(_peak(first, last)), start, stop - 1)
    inside = start < stop
    return Candidates(
        start=start[inside],
        peak=peak[inside],
        stop=stop[inside],
        probability=found.probability[kept][inside],
    )


def _peak(start: IntArray, stop: IntArray) -> IntArray:
    """Return where to look for the peaks of candidates."""
    return start + np.round(PEAK_AT * (stop - start)).astype(np.int64)
