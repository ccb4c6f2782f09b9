"""Cache of results in a folder, so that an interrupted benchmark resumes where it stopped."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp.core.errors import ReadError, UsageError
from nwb_mepp.core.provenance import sha256_of
from nwb_mepp.detectors import Detector
from nwb_mepp.ml.benchmark.bounds import Bounds
from nwb_mepp.ml.benchmark.detector_runs import StatedWeights, load_detectors
from nwb_mepp.ml.benchmark.scores import RecordingScores

__all__ = ["ResultCache", "identity"]

# Sources that no result depends on; results stay valid when these change.
_ELSEWHERE = (
    "api",
    "cli",
    "ml/networks",
    "ml/training",
    "neuroconv.py",
    "nwb",
    "plots",
    "readers",
    "testing.py",
    *(
        f"workflows/{name}"
        for name in (
            "batch",
            "evaluate.py",
            "extension.py",
            "annotation.py",
            "files.py",
            "outcomes.py",
            "ground_truth.py",
            "import_marks.py",
            "session_info.py",
            "simulate.py",
        )
    ),
)
_JOINING = tuple(
    f"ml/benchmark/{name}.py"
    for name in (
        "measurements",
        "page",
        "reference_levels",
        "result_cache",
        "robustness",
        "tables",
    )
)


def identity(detector: Detector) -> str:
    """Return name, version, threshold and weights of a detector in one line.

    Examples
    --------
    >>> from nwb_mepp.detectors import get_detector
    >>> identity(get_detector("matched_filter"))
    '`matched_filter` 1, threshold 5'
    """
    weights = f", weights SHA-256 `{detector.weights_sha256}`" if detector.weights_sha256 else ""
    return f"`{detector.name}` {detector.version}, threshold {detector.default_threshold:g}{weights}"


class ResultCache:
    """A folder with one JSON file for each recording.

    A result is only used if the sources and the detector, with its weights, are still the same.

    Parameters
    ----------
    folder : Path
        Created with the first result.
    detectors : iterable of str
        Registered names.
    weights : sequence of (str, Path)
        Folders of other weights of these than the default ones.

    Raises
    ------
    UsageError
        If the folder is a file, or a name is not registered.
    """

    def __init__(self, folder: Path, *, detectors: Iterable[str], weights: StatedWeights = ()) -> None:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"`keep`: expected a folder, found the file {folder}; name another.")
        self._folder = folder
        loaded = load_detectors(detectors, weights=weights)
        self._identities = {name: identity(one) for name, one in loaded.items()}
        self._sources = sha256_of(_sources())

    def take(self, key: str) -> tuple[dict[str, RecordingScores], Bounds | None]:
        """Return the cached scores by detector, and the bounds, of a recording.

        Raises
        ------
        ReadError
            If the file does not contain results.
        """
        kept = self._read(key)
        scores = {
            name: RecordingScores.from_json(one["figures"])
            for name, one in kept.get("scores", {}).items()
            if one["detector"] == self._identities.get(name)
        }
        return scores, Bounds.from_json(kept["bounds"]) if kept.get("bounds") else None

    def put(self, key: str, *, scores: Mapping[str, RecordingScores], bounds: Bounds | None) -> None:
        """Store the results of a recording; those of other detectors stay.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        new = {
            name: {"detector": self._identities[name], "figures": one.to_json()}
            for name, one in scores.items()
        }
        document = {
            "sources": self._sources,
            "scores": {**self._read(key).get("scores", {}), **new},
            "bounds": bounds and bounds.to_json(),
        }
        with complete_or_absent(self._folder / f"{key}.json") as temporary:
            temporary.write_text(json.dumps(document, allow_nan=False), encoding="utf-8")

    def _read(self, key: str) -> dict[str, Any]:
        path = self._folder / f"{key}.json"
        if not path.exists():
            return {}
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            return dict(document) if document["sources"] == self._sources else {}
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ReadError(
                f"expected results of an earlier benchmark in {path}, found something else ({error}); remove "
                "it, or choose another folder with `keep`."
            ) from error


def _sources() -> list[Path]:
    """Return the modules that the results depend on."""
    package = Path(__file__).parents[2]
    return [
        path
        for path in package.rglob("*.py")
        if not f"{path.relative_to(package).as_posix()}/".startswith(
            tuple(f"{name}/" for name in (*_ELSEWHERE, *_JOINING))
        )
    ]
