"""The autoencoder as a detector: a MEPP is what the network cannot reproduce and has the right polarity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.threads import in_threads
from nwb_mepp.conditioning import ChannelNoise, WhitenedTrace, compress, whiten
from nwb_mepp.core.mepps import Mepps
from nwb_mepp.core.segments import Segment
from nwb_mepp.detectors.anomalies import Anomalies, AnomalyScan, anomalies_in, steady_anomaly
from nwb_mepp.detectors.anomaly_score import anomaly_score, describe_reconstruction
from nwb_mepp.detectors.interface import Candidates
from nwb_mepp.detectors.noise_course import noise_course
from nwb_mepp.detectors.recording_fit import Halves, load_fitter
from nwb_mepp.detectors.runtime import LazyRuntime, Runtime, SharedRuntime, run_over
from nwb_mepp.detectors.weights import load_weights, reading_config, shipped_weights

__all__ = ["Autoencoder", "AutoencoderAnomalous", "reconstruct"]

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

# The threshold of a network that was fitted to a recording, as a multiple of a quantile of the score in that
# recording's own noise.
_NOISE_QUANTILE = 0.95
_NOISE_FACTOR = 1.5
_FLOOR_QUANTILE = 0.97
# What the configuration of a fitted network takes over from that of the network it started from.
_KEPT = ("detector", "version", "min_package_version", "sampling_rate_hz", "conditioning", "input_unit")


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
        self._runtime = LazyRuntime(loaded) if runtime is None else SharedRuntime(runtime)

    def find(
        self,
        segments: Sequence[Segment],
        *,
        noise: ChannelNoise,
        threshold: float | None = None,
        block_s: float = 20.0,
    ) -> list[Candidates]:
        """Find the candidates of one channel; see :class:`~nwb_mepp.detectors.interface.Detector`.

        ``threshold`` is a mean absolute error of the reconstruction, in SD of the noise.
        """
        limit = self.default_threshold if threshold is None else threshold
        traces = whiten(segments, noise=noise, sampling_rate_hz=self._rate_hz, block_s=block_s)
        scans = [
            AnomalyScan(
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
            _candidates(trace, anomalies_in(scan.runs(course), floor=self._floor), limit)
            for trace, scan, course in zip(traces, scans, courses, strict=True)
        ]

    def fit_to(
        self,
        segments: Sequence[Segment],
        *,
        noise: ChannelNoise,
        occupied: Sequence[Candidates],
        mode: str,
        block_s: float = 20.0,
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
        self, segments: Sequence[Segment], *, noise: ChannelNoise, mepps: Mepps, block_s: float = 20.0
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
        parts = [slice(first, first + trace.tile) for first in range(0, trace.n_samples, trace.tile)]
        return [(white[part], error[part]) for part in parts]


class AutoencoderAnomalous(Autoencoder):
    """Autoencoder trained on recordings with MEPPs: finds what it cannot reproduce."""

    name = "autoencoder_anomalous"


def reconstruct(
    trace: WhitenedTrace, *, runtime: Runtime, margin: int
) -> Iterator[tuple[Float32Array, Float32Array]]:
    """Run an autoencoder over a trace, tile by tile.

    Returns
    -------
    white, error : ndarray of float32
        The compressed trace, and the trace minus its reconstruction.
    """

    def run(index: int) -> tuple[Float32Array, Float32Array]:
        tile = compress(trace.read_tile(index, margin=margin))
        inner = tile[margin : len(tile) - margin]
        return inner, inner - run_over(runtime, tile, margin=margin)

    return in_threads(run, range(trace.n_tiles))


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
