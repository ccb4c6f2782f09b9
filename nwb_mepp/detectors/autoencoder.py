"""The autoencoder as a detector: a MEPP is what the network cannot reproduce and has the right polarity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import tee
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp._utils.spool import Spool
from nwb_mepp.conditioning import ChannelNoise, WhitenedTrace, compress, whiten
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.anomaly_score import anomaly_score, describe_reconstruction
from nwb_mepp.detectors.interface import Candidates
from nwb_mepp.detectors.noise_course import block_edges, block_medians, noise_course
from nwb_mepp.detectors.recording_fit import Halves, load_fitter
from nwb_mepp.detectors.runtime import LazyRuntime, Runtime, run_over
from nwb_mepp.detectors.streams import (
    BlockMedians,
    moving_mean,
    moving_minimum,
    side_by_side,
    whole_runs,
)
from nwb_mepp.detectors.weights import load_weights, reading_config, shipped_weights
from nwb_mepp.measurement.intervals import intervals_above, split_at_minima

__all__ = [
    "Anomalies",
    "Autoencoder",
    "AutoencoderAnomalous",
    "find_anomalies",
    "reconstruct",
    "sample_anomaly",
    "steady_anomaly",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]

_WINDOW = 40
# The error of a reconstructed MEPP keeps its sign over half a millisecond, that of noise does not.
_ERROR_SMOOTHING = 5
_TRACE_SMOOTHING = 7
_MIN_SAMPLES = 3
_SPLIT_DEPTH = 0.15
# An interval ends where the score has fallen by nine tenths of the way from its maximum to the floor: the
# windows shorten it, and the decay of a MEPP hardly exceeds the whitened noise.
_BORDER = 0.1
# The peak of the trace may lie a little outside the interval.
_PEAK_REACH = 10
# The threshold of a network that was fitted to a recording, as a multiple of a quantile of the score in that
# recording's own noise.
_NOISE_QUANTILE = 0.95
_NOISE_FACTOR = 1.5
_FLOOR_QUANTILE = 0.97
_DIVIDED = 1 << 20  # samples whose score is divided at a time
# What the configuration of a fitted network takes over from that of the network it started from.
_KEPT = ("detector", "version", "min_package_version", "sampling_rate_hz", "conditioning", "input_unit")


def sample_anomaly(error: npt.ArrayLike) -> FloatArray:
    """Return how anomalous each sample is, given the signed error of the reconstruction.

    The absolute error, smoothed over 0.5 ms, is averaged over windows of 40 samples; a sample gets
    the lowest mean of the windows that cover it.

    Parameters
    ----------
    error : array_like, shape (n_samples,), in SD of the noise

    Returns
    -------
    ndarray, shape (n_samples,)

    Examples
    --------
    >>> error = np.zeros(200)
    >>> error[80:120] = 1.0
    >>> score = sample_anomaly(error)
    >>> float(score[50]), float(score.max().round(2)) < 0.6, int(np.argmax(score)) in range(95, 105)
    (0.0, True, True)
    """
    return np.concatenate([np.empty(0), *_anomaly([np.asarray(error)])])


def _anomaly(errors: Iterable[npt.NDArray[np.floating]]) -> Iterator[FloatArray]:
    """Yield the score of :func:`sample_anomaly` for an error that comes part by part."""
    means = moving_mean(map(np.abs, moving_mean(errors, _ERROR_SMOOTHING)), _WINDOW)
    # The filters are centered on the later of the two middle samples; the shift compensates for it.
    return moving_minimum(means, _WINDOW, origin=-1)


def steady_anomaly(
    errors: Sequence[npt.NDArray[np.floating]], *, sampling_rate_hz: float
) -> list[FloatArray]:
    """Return how anomalous each sample of a channel is, given the noise around it.

    Where the noise is stronger than in most of the channel, the score of :func:`sample_anomaly` is divided by
    how much stronger it is there.

    Parameters
    ----------
    errors : sequence of ndarray, shape (n_samples,), in SD of the noise
        Of the reconstruction, one for each segment.
    sampling_rate_hz : float

    Returns
    -------
    list of ndarray, shape (n_samples,)
    """
    scores = [sample_anomaly(error) for error in errors]
    edges = [block_edges(len(score), sampling_rate_hz=sampling_rate_hz) for score in scores]
    courses = noise_course([block_medians(*one) for one in zip(scores, edges, strict=True)])
    for score, edge, course in zip(scores, edges, courses, strict=True):
        for first in range(0, len(score), _DIVIDED):
            part = score[first : first + _DIVIDED]
            part /= _course_at(first, len(part), edges=edge, course=course)
    return scores


def _course_at(first: int, n_samples: int, *, edges: IntArray, course: FloatArray) -> FloatArray:
    """Return how much stronger the noise is at some samples, given that of each block."""
    centers = 0.5 * (edges[:-1] + edges[1:])
    return np.interp(np.arange(first, first + n_samples), centers, course)


@dataclass(frozen=True, eq=False)
class Anomalies:
    """Anomalies of one segment that have the polarity of MEPPs, before any threshold, at the network's rate.

    Attributes
    ----------
    start, peak, stop : ndarray of int64, shape (n_anomalies,)
        Network samples from the start of the segment; stop exclusive.
    score : ndarray, shape (n_anomalies,)
        Highest score of a sample in between.
    """

    start: IntArray
    peak: IntArray
    stop: IntArray
    score: FloatArray


def find_anomalies(trace: npt.ArrayLike, score: FloatArray, *, floor: float) -> Anomalies:
    """Find the anomalies of a segment.

    Parameters
    ----------
    trace : array_like, shape (n_samples,)
        The input of the network.
    score : ndarray, shape (n_samples,)
        From :func:`sample_anomaly` or :func:`steady_anomaly`.
    floor : float
        An anomaly is a run above it, divided where the score dips.
    """
    smooth = scipy.ndimage.uniform_filter1d(np.asarray(trace), _TRACE_SMOOTHING, output=np.float64)
    return _anomalies_in([(0, score, smooth)], floor=floor)


def _anomalies_in(runs: Iterable[tuple[int, FloatArray, FloatArray]], *, floor: float) -> Anomalies:
    """Find the anomalies in stretches that do not divide any: first sample, score and smoothed trace."""
    rows, scores = [], []
    for begin, score, smooth in runs:
        above = intervals_above(score, threshold=floor, min_samples=_MIN_SAMPLES)
        for first, last in split_at_minima(above, score, depth=_SPLIT_DEPTH):
            part = score[first:last]
            inside = np.flatnonzero(part >= floor + _BORDER * (part.max() - floor))
            start, stop = first + inside[0], first + inside[-1] + 1
            near = max(first, start - _PEAK_REACH)
            around = smooth[near : min(last, stop + _PEAK_REACH)]
            peak = near + int(np.argmax(np.abs(around)))
            # The trace is upright: a negative deflection is not a MEPP, however unusual it is.
            if smooth[peak] > 0.0:
                rows.append((begin + min(start, peak), begin + peak, begin + max(stop, peak + 1)))
                scores.append(float(part.max()))
    start, peak, stop = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Anomalies(start, peak, stop, np.array(scores, dtype=np.float64))


class _Scan:
    """What a pass over a segment keeps: how strong the noise is, and the runs that may hold an anomaly.

    Parameters
    ----------
    tiles : iterable of (ndarray, ndarray)
        Input and error of the network.
    n_samples : int
    sampling_rate_hz : float
    floor : float
    least : float
        Score that an anomaly must reach.

    Attributes
    ----------
    medians : ndarray, shape (n_blocks,)
        Of the score in each block.
    """

    def __init__(
        self,
        tiles: Iterable[tuple[Float32Array, Float32Array]],
        *,
        n_samples: int,
        sampling_rate_hz: float,
        floor: float,
        least: float,
    ) -> None:
        self._edges = block_edges(n_samples, sampling_rate_hz=sampling_rate_hz)
        medians = BlockMedians(self._edges)
        self._firsts: list[int] = []
        self._rows = Spool()
        inputs, errors = tee(tiles)
        scores = medians.watch(_anomaly(error for _, error in errors))
        smooth = moving_mean((white for white, _ in inputs), _TRACE_SMOOTHING)
        for begin, (score, trace) in whole_runs(side_by_side(scores, smooth), threshold=floor):
            # Divided by the course of the noise, which is known in the end, a score only falls.
            for first, last in intervals_above(score, threshold=floor, min_samples=_MIN_SAMPLES):
                if score[first:last].max() >= least:
                    self._firsts.append(begin + int(first))
                    self._rows.append(np.concatenate([score[first:last], trace[first:last]]))
        self.medians = medians.found

    def runs(self, course: FloatArray) -> Iterator[tuple[int, FloatArray, FloatArray]]:
        """Yield first sample, score given the course of the noise, and smoothed trace of each run."""
        for number, first in enumerate(self._firsts):
            score, trace = self._rows[number].reshape(2, -1)
            yield first, score / _course_at(first, len(score), edges=self._edges, course=course), trace


class Autoencoder:
    """Autoencoder trained on noise without MEPPs: finds what it cannot reproduce.

    Parameters
    ----------
    weights : Path, optional
        Folder with ``model.tflite`` and ``config.json``; the newest shipped version by default.
    runtime : Runtime, optional
        What runs the network; by default LiteRT, or TensorFlow where LiteRT is not installed.

    Attributes
    ----------
    fitting : mapping of str to object
        How it was fitted to the recording (:meth:`fit_to`), for the provenance; empty if it was not.

    Notes
    -----
    The score says how unusual a stretch is, not whether it is a MEPP; so ``probability`` is NaN.
    """

    name = "autoencoder"
    gives_probability = False

    def __init__(self, weights: Path | None = None, *, runtime: Runtime | None = None) -> None:
        self._folder = weights or shipped_weights(self.name)
        loaded = load_weights(self._folder, detector=self.name, keys=("margin", "floor"))
        self.fitting: Mapping[str, object] = {}
        with reading_config(loaded) as config:
            self._config = config
            self.version = str(config["version"])
            self.weights_sha256 = str(config["sha256"])
            self.default_threshold = float(config["threshold"])
            self._rate_hz = float(config["sampling_rate_hz"])
            self._margin = int(config["margin"])
            self._floor = float(config["floor"])
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

        ``threshold`` is a mean absolute error of the reconstruction, in SD of the noise.
        """
        limit = self.default_threshold if threshold is None else threshold
        traces = whiten(segments, noise=noise, sampling_rate_hz=self._rate_hz, block_s=block_s)
        scans = [
            _Scan(
                self.reconstruct(trace),
                n_samples=trace.n_samples,
                sampling_rate_hz=self._rate_hz,
                floor=self._floor,
                least=limit,
            )
            for trace in traces
        ]
        courses = noise_course([scan.medians for scan in scans])
        return [
            _candidates(trace, _anomalies_in(scan.runs(course), floor=self._floor), limit)
            for trace, scan, course in zip(traces, scans, courses, strict=True)
        ]

    def fit_to(
        self,
        segments: Sequence[Segment],
        *,
        noise: ChannelNoise,
        occupied: Sequence[Candidates],
        mode: str,
        block_s: float = 60.0,
    ) -> Autoencoder:
        """Return this detector fitted to a channel, with a threshold from the channel's own noise.

        Parameters
        ----------
        segments : sequence of Segment
        noise : ChannelNoise
        occupied : sequence of Candidates
            For each segment all that may be MEPPs.
        mode : {"empty", "all"}
            Fit on stretches without MEPPs, or on all of them.
        block_s : float

        Returns
        -------
        Autoencoder
            Training starts from the weights of this detector and uses every other second of the channel. The
            other seconds, where they hold no MEPPs, set the threshold.

        Raises
        ------
        DetectionError
            If there is too little to fit on.
        MissingDependencyError
            If TensorFlow is not installed.
        """
        traces = whiten(segments, noise=noise, sampling_rate_hz=self._rate_hz, block_s=block_s)
        halves = Halves(traces, occupied)
        shown = list(halves.stretches([_white(trace) for trace in traces], mode=mode))
        halves.check(shown, mode=mode)
        with TemporaryDirectory() as scratch:
            folder = Path(scratch) / self.version
            # This threshold is that of the weights before; it is replaced below.
            config = {key: self._config[key] for key in (*_KEPT, "threshold", "floor") if key in self._config}
            load_fitter(self.name)(folder, shown, start=self._folder, config=config)
            fitted = type(self)(folder)
            # Before the folder goes: the network is loaded when it first runs.
            errors = [np.concatenate([error for _, error in fitted.reconstruct(trace)]) for trace in traces]
            scores = steady_anomaly(errors, sampling_rate_hz=self._rate_hz)
        held_out = halves.held_out(scores)
        fitted._floor = float(np.quantile(held_out, _FLOOR_QUANTILE))
        fitted.default_threshold = _NOISE_FACTOR * float(np.quantile(held_out, _NOISE_QUANTILE))
        fitted.version = f"{self.version}+fitted"
        fitted.fitting = {
            "fit_recording": mode,
            "fit_began_with": f"{self.name} {self.version} {self.weights_sha256}",
            "fit_on_s": round(sum(map(len, shown)) / traces[0].sampling_rate_hz, 3),
            "fit_threshold": f"{_NOISE_FACTOR:g} x quantile {_NOISE_QUANTILE:g} of the score in "
            f"{len(held_out) / traces[0].sampling_rate_hz:.3f} s of noise held out",
        }
        return fitted

    def judge(
        self, segments: Sequence[Segment], *, noise: ChannelNoise, mepps: Mepps, block_s: float = 60.0
    ) -> FloatArray:
        """Score how unusual each MEPP is; see :class:`~nwb_mepp.detectors.interface.SecondOpinion`.

        The scale is that of :func:`~nwb_mepp.detectors.anomaly_score.anomaly_score`.
        """
        described = np.full((len(mepps), 3), np.nan)
        for trace in whiten(segments, noise=noise, sampling_rate_hz=self._rate_hz, block_s=block_s):
            segment = trace.segment
            in_sweep = mepps.sweep == segment.trace.sweep
            rows = in_sweep & (mepps.peak_index >= segment.start) & (mepps.peak_index < segment.stop)
            if rows.any():
                factor = trace.sampling_rate_hz / segment.sampling_rate_hz
                described[rows] = describe_reconstruction(
                    (error for _, error in self.reconstruct(trace)),
                    peaks=np.round((mepps.peak_index[rows] - segment.start) * factor).astype(np.int64),
                    size=np.abs(mepps.amplitude[rows]) / noise.noise_sd,
                    sampling_rate_hz=trace.sampling_rate_hz,
                )
        return anomaly_score(
            described,
            shape=np.stack([mepps.rise_10_90_s, mepps.half_width_s], axis=1),
            shape_se=np.stack([mepps.rise_10_90_se_s, mepps.half_width_se_s], axis=1),
        )

    def reconstruct(self, trace: WhitenedTrace) -> Iterable[tuple[Float32Array, Float32Array]]:
        """Return the input of the network and its signed error, part by part."""
        tiles = reconstruct(trace, runtime=self._runtime, margin=self._margin)
        if not trace.noise.kept.has_room(2 * trace.n_samples * np.dtype(np.float32).itemsize):
            return tiles
        # To judge the MEPPs of another detector and to find its own, it looks at the same trace.
        white, error = trace.noise.kept.get(
            (self, trace.segment, trace.tile, trace.taps.tobytes()),
            lambda: tuple(map(np.concatenate, zip(*tiles, strict=True))),
        )
        return [(white, error)]


class AutoencoderAnomalous(Autoencoder):
    """Autoencoder trained on recordings with MEPPs: finds what it cannot reproduce."""

    name = "autoencoder_anomalous"


def reconstruct(
    trace: WhitenedTrace, *, runtime: Runtime, margin: int
) -> Iterator[tuple[Float32Array, Float32Array]]:
    """Run an autoencoder over a trace, tile by tile.

    Yields
    ------
    white, error : ndarray of float32
        The compressed trace, and the trace minus its reconstruction.
    """
    for index in range(trace.n_tiles):
        tile = compress(trace.read_tile(index, margin=margin))
        inner = tile[margin : len(tile) - margin]
        yield inner, inner - run_over(runtime, tile, margin=margin)


def _white(trace: WhitenedTrace) -> Float32Array:
    """Return the input of the network, shape (trace.n_samples,)."""
    return np.concatenate([compress(trace.read_tile(index)) for index in range(trace.n_tiles)])


def _candidates(trace: WhitenedTrace, anomalies: Anomalies, threshold: float) -> Candidates:
    """Return the anomalies that reach the threshold, in samples of the segment."""
    kept = anomalies.score >= threshold
    start = trace.resampler.to_input(anomalies.start[kept])
    stop = np.minimum(trace.resampler.to_input(anomalies.stop[kept]), trace.segment.n_samples)
    peak = np.clip(trace.resampler.to_input(anomalies.peak[kept]), start, stop - 1)
    inside = start < stop
    return Candidates(
        start=start[inside],
        peak=peak[inside],
        stop=stop[inside],
        probability=np.full(int(inside.sum()), np.nan),
    )
