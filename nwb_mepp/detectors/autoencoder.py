"""The autoencoder as a detector: a MEPP is what the network cannot reproduce and has the right polarity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import scipy

from nwb_mepp.conditioning import ChannelNoise, WhitenedTrace, compress, whiten
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.anomaly_score import anomaly_score, describe_reconstruction
from nwb_mepp.detectors.interface import Candidates
from nwb_mepp.detectors.noise_course import block_edges, block_medians, noise_course
from nwb_mepp.detectors.recording_fit import Halves, load_fitter
from nwb_mepp.detectors.runtime import LazyRuntime, Runtime, run_over
from nwb_mepp.detectors.weights import load_weights, reading_config, shipped_weights
from nwb_mepp.measurement.intervals import intervals_above, split_at_minima

__all__ = ["Anomalies", "Autoencoder", "AutoencoderAnomalous", "sample_anomaly", "steady_anomaly"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

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
    # Filters take and give double precision; two arrays of the length of the trace suffice.
    smooth = scipy.ndimage.uniform_filter1d(np.asarray(error), _ERROR_SMOOTHING, output=np.float64)
    mean = scipy.ndimage.uniform_filter1d(np.abs(smooth, out=smooth), _WINDOW)
    # The filters are centered on the later of the two middle samples; the shift compensates for it.
    scipy.ndimage.minimum_filter1d(mean, _WINDOW, origin=-1, output=smooth)
    return np.asarray(smooth)


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
        centers = 0.5 * (edge[:-1] + edge[1:])
        for first in range(0, len(score), _DIVIDED):
            part = score[first : first + _DIVIDED]
            part /= np.interp(np.arange(first, first + len(part)), centers, course)
    return scores


class Anomalies:
    """Anomalies of one segment that have the polarity of MEPPs, before any threshold, at the network's rate.

    Attributes
    ----------
    start, peak, stop : ndarray of int64, shape (n_anomalies,)
        Network samples from the start of the segment; stop exclusive.
    score : ndarray, shape (n_anomalies,)
        Highest score of a sample in between.
    """

    def __init__(self, trace: npt.ArrayLike, score: FloatArray, *, floor: float) -> None:
        smooth = scipy.ndimage.uniform_filter1d(np.asarray(trace), _TRACE_SMOOTHING, output=np.float64)
        bounds = split_at_minima(
            intervals_above(score, threshold=floor, min_samples=_MIN_SAMPLES), score, depth=_SPLIT_DEPTH
        )
        rows, scores = [], []
        for first, last in bounds:
            part = score[first:last]
            inside = np.flatnonzero(part >= floor + _BORDER * (part.max() - floor))
            start, stop = first + inside[0], first + inside[-1] + 1
            near = max(first, start - _PEAK_REACH)
            around = smooth[near : min(last, stop + _PEAK_REACH)]
            peak = near + int(np.argmax(np.abs(around)))
            # The trace is upright: a negative deflection is not a MEPP, however unusual it is.
            if smooth[peak] > 0.0:
                rows.append((min(start, peak), peak, max(stop, peak + 1)))
                scores.append(float(part.max()))
        columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        self.start: IntArray = columns[0]
        self.peak: IntArray = columns[1]
        self.stop: IntArray = columns[2]
        self.score: FloatArray = np.array(scores, dtype=np.float64)


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
        reconstructed = [self.reconstruct(trace) for trace in traces]
        scores = steady_anomaly([error for _, error in reconstructed], sampling_rate_hz=self._rate_hz)
        return [
            _candidates(trace, Anomalies(white, score, floor=self._floor), limit)
            for trace, (white, _), score in zip(traces, reconstructed, scores, strict=True)
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
            errors = [fitted.reconstruct(trace)[1] for trace in traces]
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
                    self.reconstruct(trace)[1],
                    peaks=np.round((mepps.peak_index[rows] - segment.start) * factor).astype(np.int64),
                    size=np.abs(mepps.amplitude[rows]) / noise.noise_sd,
                    sampling_rate_hz=trace.sampling_rate_hz,
                )
        return anomaly_score(
            described,
            shape=np.stack([mepps.rise_10_90_s, mepps.half_width_s], axis=1),
            shape_se=np.stack([mepps.rise_10_90_se_s, mepps.half_width_se_s], axis=1),
        )

    def reconstruct(self, trace: WhitenedTrace) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the input of the network and its signed error, each of shape (trace.n_samples,)."""
        # To judge the MEPPs of another detector and to find its own, it looks at the same trace.
        return trace.noise.kept.get(
            (self, trace.segment, trace.tile, trace.taps.tobytes()),
            lambda: reconstruct(trace, runtime=self._runtime, margin=self._margin),
        )


class AutoencoderAnomalous(Autoencoder):
    """Autoencoder trained on recordings with MEPPs: finds what it cannot reproduce."""

    name = "autoencoder_anomalous"


def reconstruct(
    trace: WhitenedTrace, *, runtime: Runtime, margin: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Run an autoencoder over a trace.

    Returns
    -------
    white, error : ndarray of float32, shape (trace.n_samples,)
        The compressed trace, and the trace minus its reconstruction.
    """
    white, error = [], []
    for index in range(trace.n_tiles):
        tile = compress(trace.read_tile(index, margin=margin))
        inner = tile[margin : len(tile) - margin]
        white.append(inner)
        error.append(inner - run_over(runtime, tile, margin=margin))
    return np.concatenate(white), np.concatenate(error)


def _white(trace: WhitenedTrace) -> npt.NDArray[np.float32]:
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
