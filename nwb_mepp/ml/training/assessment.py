"""How good exported weights are: on held-out labeled recordings and on recordings of the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nwb_mepp.detectors import Autoencoder, AutoencoderAnomalous, Detector, MiniUnet, get_detector
from nwb_mepp.evaluation import f1
from nwb_mepp.ml.benchmark import reference_table
from nwb_mepp.readers import ReadOptions
from nwb_mepp.workflows import DetectionSettings
from nwb_mepp.workflows.evaluate import FileScores, compare_detectors

__all__ = ["benchmark_text", "compare_weights", "load_detector", "verdict"]

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


def compare_weights(
    detector: Detector,
    paths: Sequence[Path],
    *,
    labels: str | None,
    options: ReadOptions,
    settings: DetectionSettings,
) -> tuple[FileScores, ...]:
    """Run new weights and the shipped ones on labeled recordings.

    Parameters
    ----------
    detector : Detector
        With the new weights.
    paths : sequence of Path
    labels : str or None
        Where the labels are; see :func:`~nwb_mepp.workflows.evaluate.compare_detectors`.
    options, settings
        Those that the recordings were read with.

    Returns
    -------
    tuple of FileScores
        For each recording those of the new weights, then those of the shipped ones.
    """
    shipped = get_detector(detector.name)
    compared = {
        f"{detector.name} {detector.version}": detector,
        f"{detector.name} {shipped.version} (shipped)": shipped,
    }
    return tuple(
        score
        for path in paths
        for score in compare_detectors(
            path, labels=labels, detectors=compared, options=options, settings=settings
        )
    )


def verdict(comparison: Sequence[FileScores]) -> str:
    """Return a line on whether new weights beat the shipped ones.

    Parameters
    ----------
    comparison : sequence of FileScores
        From :func:`compare_weights`, of one recording at least.
    """
    (_, new), (shipped, old) = _f1_by_weights(comparison).items()
    beaten = "these are better" if new > old else "these are not better"
    return f"F1 on the held-out recordings: {new:.3f}, {old:.3f} with {shipped}: {beaten}"


def _f1_by_weights(comparison: Sequence[FileScores]) -> dict[str, float]:
    """Return F1 of each weights, events pooled.

    Parameters
    ----------
    comparison : sequence of FileScores
    """
    names = dict.fromkeys(one.detector for one in comparison)
    return {name: f1(np.array([one.counts for one in comparison if one.detector == name])) for name in names}


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
