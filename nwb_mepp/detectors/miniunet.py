"""MiniUnet as a detector: from the whitened trace to intervals with calibrated probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import ChannelNoise, WhitenedTrace, compress, whiten
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.interface import Candidates
from nwb_mepp.detectors.probability import LOWEST_SCORE, Described, ProbabilityModel, describe_candidates
from nwb_mepp.detectors.runtime import LazyRuntime, Runtime, run_over
from nwb_mepp.detectors.shape_bank import ShapeBank
from nwb_mepp.detectors.weights import load_weights, reading_config, shipped_weights
from nwb_mepp.measurement.intervals import intervals_above, split_at_minima

__all__ = ["MiniUnet", "RawCandidates"]

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_MIN_SAMPLES = 3
_SPLIT_DEPTH = 0.25
# A MEPP's borders lie where the output has fallen to this fraction of its maximum.
_BORDER = 0.5
# The peak lies about a third of the way from the onset to the fall to 1/e, for all usual shapes.
_PEAK_AT = 0.35


class RawCandidates:
    """Candidates of one segment before any threshold, at the rate of the network.

    Attributes
    ----------
    start, stop : ndarray of int64, shape (n_candidates,)
        Network samples from the start of the segment; stop exclusive.
    score : ndarray, shape (n_candidates,)
        Highest output of the network in between.
    """

    def __init__(self, output: npt.NDArray[np.floating]) -> None:
        bounds = split_at_minima(
            intervals_above(output, threshold=LOWEST_SCORE, min_samples=_MIN_SAMPLES),
            output,
            depth=_SPLIT_DEPTH,
        )
        starts, stops, scores = [], [], []
        for first, last in bounds:
            part = output[first:last]
            score = float(part.max())
            inside = np.flatnonzero(part >= _BORDER * score)
            starts.append(first + inside[0])
            stops.append(first + inside[-1] + 1)
            scores.append(score)
        self.start: IntArray = np.array(starts, dtype=np.int64)
        self.stop: IntArray = np.array(stops, dtype=np.int64)
        self.score: FloatArray = np.array(scores, dtype=np.float64)

    @property
    def peak(self) -> IntArray:
        """Where to look for the peak, in network samples, shape (n_candidates,)."""
        return self.start + np.round(_PEAK_AT * (self.stop - self.start)).astype(np.int64)


class MiniUnet:
    """One-dimensional U-Net: finds MEPPs and gives calibrated probabilities.

    Parameters
    ----------
    weights : Path, optional
        Folder with ``model.tflite`` and ``config.json``; the newest shipped version by default.
    runtime : Runtime, optional
        What runs the network; by default LiteRT, or TensorFlow where LiteRT is not installed.

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
        self._runtime = runtime or LazyRuntime(loaded)

    def find(
        self,
        segments: Sequence[Segment],
        *,
        noise: ChannelNoise,
        threshold: float | None = None,
        block_s: float = 60.0,
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
        found = [RawCandidates(self.output(trace)) for trace in traces]
        duration_s = sum(segment.n_samples / segment.sampling_rate_hz for segment in segments)
        described = [_described(trace, raw) for trace, raw in zip(traces, found, strict=True)]
        probability = self._model.probability(describe_candidates(described, duration_s=duration_s))
        ends = np.cumsum([len(raw.score) for raw in found])[:-1]
        return [
            _candidates(trace, raw, part, limit)
            for trace, raw, part in zip(traces, found, np.split(probability, ends), strict=True)
        ]

    def output(self, trace: WhitenedTrace) -> Float32Array:
        """Return the probability that each sample lies inside a MEPP, shape (trace.n_samples,)."""
        return np.concatenate(
            [
                run_over(
                    self._runtime, compress(trace.read_tile(index, margin=self._margin)), margin=self._margin
                )
                for index in range(trace.n_tiles)
            ]
        )


def _described(trace: WhitenedTrace, raw: RawCandidates) -> Described:
    rate_hz = trace.sampling_rate_hz
    return Described(
        start_s=raw.start / rate_hz,
        stop_s=raw.stop / rate_hz,
        score=raw.score,
        fits=ShapeBank(trace.event_taps, sampling_rate_hz=rate_hz).fit(trace, raw.start),
    )


def _candidates(
    trace: WhitenedTrace, raw: RawCandidates, probability: FloatArray, threshold: float
) -> Candidates:
    """Return the candidates that reach the threshold, in samples of the segment."""
    kept = probability >= threshold
    start = trace.resampler.to_input(raw.start[kept])
    stop = np.minimum(trace.resampler.to_input(raw.stop[kept]), trace.segment.n_samples)
    peak = np.clip(trace.resampler.to_input(raw.peak[kept]), start, stop - 1)
    inside = start < stop
    return Candidates(
        start=start[inside],
        peak=peak[inside],
        stop=stop[inside],
        probability=probability[kept][inside],
    )
