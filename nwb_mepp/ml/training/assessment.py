"""How good exported weights are: on held-out labeled recordings and on recordings of the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.conditioning import survey
from nwb_mepp.detectors import Autoencoder, AutoencoderAnomalous, Detector, MiniUnet, get_detector
from nwb_mepp.evaluation import count_matches, match_times
from nwb_mepp.ml.benchmark import reference_table
from nwb_mepp.ml.training.labeled_recordings import LabeledRecording
from nwb_mepp.ml.training.validation import TOLERANCE_S
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings, choose_channels, cut_channel
from nwb_mepp.workflows.recording_files import open_recording

__all__ = ["benchmark_text", "load_detector", "score_held_out"]

IntArray = npt.NDArray[np.int64]

_CLASSES: dict[str, Callable[[Path], Detector]] = {
    "miniunet": MiniUnet,
    "autoencoder": Autoencoder,
    "autoencoder_anomalous": AutoencoderAnomalous,
}

_BENCHMARK = """# Benchmark of these weights

{n_recordings} reference recordings of 60 s at each level, with the seeds of the benchmark, which training and
calibration refuse. Peaks are matched one to one within 5 ms. `{name}` are these weights, `{shipped}` the
shipped ones. The benchmark page of the project explains the columns; `nwb-mepp benchmark` measures more.

{table}
"""


def load_detector(detector: str, folder: Path) -> Detector:
    """Return a detector with exported weights.

    Parameters
    ----------
    detector : str
    folder : Path
    """
    return _CLASSES[detector](folder)


def score_held_out(
    recordings: Sequence[LabeledRecording],
    *,
    detectors: Sequence[Detector],
    options: ReadOptions,
    settings: DetectionSettings,
    sampling_rate_hz: float,
) -> list[IntArray]:
    """Run detectors on labeled recordings and count matched, missed and false MEPPs.

    Parameters
    ----------
    recordings : sequence of LabeledRecording
    detectors : sequence of Detector
    options, settings
        Those that the recordings were read with.
    sampling_rate_hz : float
        Sampling rate of the examples.

    Returns
    -------
    list of ndarray of int64, shape (n_recordings, 3)
        Matched, missed and false MEPPs; one array for each detector.
    """
    rows: list[list[IntArray]] = [[] for _ in detectors]
    for one in recordings:
        with open_recording(one.path, options=options) as recording:
            (channel,) = choose_channels(recording, names=settings.channels)
            segments = cut_channel(recording, channel, settings=settings)
            learned = survey(segments, polarity=settings.polarity)
            for row, detector in zip(rows, detectors, strict=True):
                counts = np.zeros(3, dtype=np.int64)
                found = detector.find(segments, noise=learned)
                for example, candidates, segment in zip(one.examples, found, segments, strict=True):
                    true_s = example.peak / sampling_rate_hz
                    found_s = candidates.peak / segment.sampling_rate_hz
                    counts += count_matches(match_times(true_s, found_s, tolerance_s=TOLERANCE_S))
                row.append(counts)
    return [np.array(row) for row in rows]


def benchmark_text(detector: Detector, *, levels: Sequence[float], n_recordings: int) -> str:
    """Return the benchmark table of new weights beside the shipped ones, as a page.

    Parameters
    ----------
    detector : Detector
    levels : sequence of float
        Mean amplitude over noise SD.
    n_recordings : int
        Number of recordings at each level.
    """
    compared = [get_detector(detector.name), detector]
    return _BENCHMARK.format(
        n_recordings=n_recordings,
        name=f"{detector.name} {detector.version}",
        shipped=detector.name,
        table=reference_table(compared, levels=levels, n_recordings=n_recordings),
    )
