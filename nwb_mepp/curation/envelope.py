"""Minimum and maximum of every stretch of a recording, at several lengths, so that any view is drawn at once.

The shortest stretches have 64 samples, each further level eight times as many. The levels lie in the user's
cache folder, and only the parts that are looked at are in memory; they are built once, block by block.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.recording import Trace

__all__ = ["Envelope"]

FloatArray = npt.NDArray[np.float64]

_SHORTEST = 64
_FACTOR = 8
_LEAST = 512
_BLOCK = _SHORTEST * _FACTOR**4 * 8
_N_PROBES, _PROBE = 64, 256
# A recording of up to this many samples is built anew each time, which takes a fraction of a second.
_SMALL = 20_000_000


class Envelope:
    """The envelope of the sweeps of one channel, laid end to end.

    Parameters
    ----------
    traces : sequence of Trace
    identity : str
        What tells these series from others.

    Attributes
    ----------
    fraction : float
        How much is built; views can be asked for when it is 1.
    """

    def __init__(self, traces: Sequence[Trace], *, identity: str) -> None:
        self._lengths = [trace.n_samples for trace in traces]
        self._total = sum(self._lengths)
        sizes = [-(-length // _SHORTEST) for length in self._lengths]
        self._begins = np.concatenate([[0], np.cumsum(sizes)]).astype(int)
        # A whole number of Python's: NumPy writes its own in a way that it cannot read back.
        n_shortest = sum(sizes)
        self._place = None if self._total <= _SMALL else _cache_folder() / _key(traces, identity)
        self._levels: list[npt.NDArray[np.float32]] = []
        self._next = (0, 0)
        self.fraction = 0.0
        self._working: Path | None = None
        if self._place is not None and self._place.is_dir():
            files = sorted(self._place.glob("*.npy"))
            self._levels = [np.load(file, mmap_mode="r") for file in files]
            self.fraction = 1.0
        elif self._place is not None:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            self._working = Path(tempfile.mkdtemp(dir=self._place.parent, prefix=".building-"))
            shortest = self._working / "0.npy"
            self._levels = [
                np.lib.format.open_memmap(shortest, mode="w+", dtype=np.float32, shape=(n_shortest, 2))
            ]
        else:
            self._levels = [np.empty((n_shortest, 2), dtype=np.float32)]

    def build(self, traces: Sequence[Trace]) -> bool:
        """Build the next block, and return whether all is done.

        Parameters
        ----------
        traces : sequence of Trace
            Those of the constructor, which may have been opened anew.
        """
        if self.fraction >= 1.0:
            return True
        number, start = self._next
        trace = traces[number]
        stop = min(start + _BLOCK, trace.n_samples)
        into = self._begins[number] + start // _SHORTEST
        found = _extremes(trace.values(start, stop), _SHORTEST)
        self._levels[0][into : into + len(found)] = found
        self._next = (number, stop) if stop < trace.n_samples else (number + 1, 0)
        if self._next[0] < len(traces):
            done = sum(self._lengths[:number]) + stop
            self.fraction = min(done / self._total, 0.999)
            return False
        self._finish()
        return True

    def _finish(self) -> None:
        while len(self._levels[-1]) > _LEAST:
            below = self._levels[-1]
            rows = len(below) // _FACTOR * _FACTOR
            shape = (-(-len(below) // _FACTOR), 2)
            level = np.empty(shape, dtype=np.float32)
            whole = below[:rows].reshape(-1, _FACTOR, 2)
            level[: len(whole), 0] = whole[:, :, 0].min(axis=1)
            level[: len(whole), 1] = whole[:, :, 1].max(axis=1)
            if rows < len(below):
                level[-1] = below[rows:, 0].min(), below[rows:, 1].max()
            self._levels.append(level)
        if self._working is not None and self._place is not None:
            self._levels[0].flush()  # type: ignore[attr-defined]
            for number, level in enumerate(self._levels[1:], start=1):
                np.save(self._working / f"{number}.npy", level)
            if not self._place.is_dir():
                self._working.rename(self._place)
            self._levels = [np.load(file, mmap_mode="r") for file in sorted(self._place.glob("*.npy"))]
        self.fraction = 1.0

    def close(self) -> None:
        """Remove what was not finished."""
        if self._working is not None and self.fraction < 1.0:
            self._levels.clear()
            shutil.rmtree(self._working, ignore_errors=True)

    def columns(
        self, number: int, start: int, stop: int, *, n_columns: int
    ) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Return minimum and maximum of at least so many stretches of a sweep.

        Parameters
        ----------
        number : int
            Of the sweep, from 0.
        start, stop : int
            Samples ``start <= i < stop`` of it, longer than ``64 * n_columns``.
        n_columns : int

        Returns
        -------
        first : ndarray of int64, shape (n,)
            First sample of each stretch.
        extremes : ndarray, shape (n, 2)
        """
        level = 0
        while level + 1 < len(self._levels) and (stop - start) // self._samples(level + 1) >= n_columns:
            level += 1
        # A sweep begins within a stretch of a longer level, which may hold the end of the one before.
        length = _FACTOR**level
        begin, end = self._begins[number], self._begins[number + 1]
        low = (begin + start // _SHORTEST) // length
        high = -(-min(begin - (-stop // _SHORTEST), end) // length)
        first = np.maximum((np.arange(low, high) * length - begin) * _SHORTEST, 0)
        return first, np.asarray(self._levels[level][low:high], dtype=np.float64)

    def _samples(self, level: int) -> int:
        return int(_SHORTEST * _FACTOR**level)


def _extremes(values: FloatArray, length: int) -> npt.NDArray[np.float32]:
    """Return minimum and maximum of each stretch, shape (n_stretches, 2); the last one may be shorter."""
    starts = np.arange(0, len(values), length)
    # What is not a number says nothing; a stretch of nothing else stays empty.
    low = np.fmin.reduceat(values, starts)
    high = np.fmax.reduceat(values, starts)
    return np.stack([low, high], axis=1).astype(np.float32)


def _cache_folder() -> Path:
    stated = os.environ.get("XDG_CACHE_HOME")
    folder = Path(stated) if stated else Path.home() / ".cache"
    return folder / "nwb-mepp" / "envelopes"


def _key(traces: Sequence[Trace], identity: str) -> str:
    """Return a name that changes where series, scale or samples do; samples are probed here and there."""
    digest = hashlib.sha256(identity.encode())
    for trace in traces:
        digest.update(f"{trace.n_samples} {trace.conversion!r} {trace.offset!r}".encode())
        n_probes = max(_N_PROBES // len(traces), 1)
        for start in np.linspace(0, max(trace.n_samples - _PROBE, 0), n_probes).astype(int).tolist():
            digest.update(np.ascontiguousarray(trace.raw(start, start + _PROBE)).tobytes())
    return digest.hexdigest()[:32]
