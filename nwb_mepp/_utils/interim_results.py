"""Results of the steps of a long computation in files, so that one that was interrupted can go on."""

from __future__ import annotations

import hashlib
import logging
import threading
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.temporaries import short_name

__all__ = ["InterimResults"]

_log = logging.getLogger(__name__)
_SUFFIX = ".nwb-mepp-interim"
_MADE_FROM = "made_from"
_LENGTHS = "of parts"


class InterimResults:
    """Arrays by the name of a step, in a hidden folder beside the output that they are for.

    Parameters
    ----------
    target : Path, optional
        The output, whose lock is held. Without it nothing is kept.
    made_from : callable, optional
        Returns what input, settings and version the results depend on. Those from anything else are removed.

    Notes
    -----
    What cannot be written or read is worked out anew: the folder saves time, and nothing depends on it.

    Examples
    --------
    >>> InterimResults().get("step 1", lambda: {"squares": np.arange(3) ** 2})
    {'squares': array([0, 1, 4])}
    """

    def __init__(self, target: Path | None = None, *, made_from: Callable[[], str] = str) -> None:
        self._target, self._made_from = target, made_from
        self._folder = None
        if target is not None:
            self._folder = target.with_name(short_name(f".{target.name}{_SUFFIX}", _SUFFIX))
        self._begun = self._is_said = False
        self._lock = threading.Lock()

    def get(
        self, step: str, make: Callable[[], Mapping[str, npt.NDArray[Any]]]
    ) -> Mapping[str, npt.NDArray[Any]]:
        """Return what an interrupted computation has left of a step, or make it.

        Parameters
        ----------
        step : str
            Its name, unique for the target.
        make : callable
            Returns arrays, not of objects, by name.
        """
        if self._folder is None or not self._is_usable(self._folder):
            return make()
        path = self._folder / f"{hashlib.sha256(step.encode()).hexdigest()[:32]}.npz"
        with suppress(OSError, ValueError, EOFError, zipfile.BadZipFile):
            # NumPy does not close what it opens itself and then cannot read.
            with path.open("rb") as content, np.load(content, allow_pickle=False) as kept:
                found = dict(kept)
            if not self._is_said:
                _log.warning("%s: going on with what an interrupted run had worked out.", self._target)
                self._is_said = True
            return found
        made = make()
        incomplete = path.with_suffix(".part")
        with suppress(OSError):
            with incomplete.open("wb") as stream:
                np.savez_compressed(stream, allow_pickle=False, **made)
            incomplete.replace(path)
        return made

    def get_parts(
        self, step: str, make: Callable[[], Sequence[Mapping[str, npt.NDArray[Any]]]]
    ) -> list[dict[str, npt.NDArray[Any]]]:
        """Return what an interrupted computation has left of a step that gives arrays for several parts.

        Parameters
        ----------
        step : str
        make : callable
            Returns for each part, at least one, arrays of the same length and names.
        """

        def joined() -> dict[str, npt.NDArray[Any]]:
            parts = make()
            return {
                _LENGTHS: np.array([len(next(iter(part.values()))) for part in parts], dtype=np.int64),
                **{name: np.concatenate([part[name] for part in parts]) for name in parts[0]},
            }

        arrays = dict(self.get(step, joined))
        ends = np.cumsum(arrays.pop(_LENGTHS))
        return [
            {name: array[start:end] for name, array in arrays.items()}
            for start, end in pairwise([0, *ends.tolist()])
        ]

    def discard(self) -> None:
        """Remove all of them, as when the output is complete."""
        if self._folder is None:
            return
        # Whatever else lies there is not ours.
        for pattern in (_MADE_FROM, "*.npz", "*.part"):
            for path in self._folder.glob(pattern):
                with suppress(OSError):
                    path.unlink()
        with suppress(OSError):
            self._folder.rmdir()

    def _is_usable(self, folder: Path) -> bool:
        """Return whether the folder is there and holds what was made from the same."""
        with self._lock:
            if not self._begun:
                self._begun = True
                return self._begin(folder)
        return folder.is_dir()

    def _begin(self, folder: Path) -> bool:
        made_from = self._made_from()
        with suppress(OSError):
            stated = folder / _MADE_FROM
            if not stated.is_file() or stated.read_text(encoding="utf-8") != made_from:
                self.discard()
                folder.mkdir(exist_ok=True)
                stated.write_text(made_from, encoding="utf-8")
            return True
        return False
