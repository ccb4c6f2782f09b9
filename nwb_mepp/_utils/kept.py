"""Results that are kept for when they are asked for again, up to a limit of memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

__all__ = ["Kept"]

Arrays = TypeVar("Arrays", bound="npt.NDArray[Any] | Sequence[npt.NDArray[Any]]")


class Kept:
    """Arrays by a key, for all threads; those that were not asked for longest go when there are too many.

    Parameters
    ----------
    max_bytes : int
        What all arrays together may take. Larger ones are not kept.

    Examples
    --------
    >>> kept = Kept(max_bytes=1_000)
    >>> first = kept.get("ones", lambda: np.ones(3))
    >>> kept.get("ones", lambda: np.zeros(3))
    array([1., 1., 1.])
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._n_bytes = 0
        self._arrays: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def has_room(self, n_bytes: int) -> bool:
        """Return whether so much can be kept at all.

        Examples
        --------
        >>> Kept(max_bytes=1_000).has_room(1_001)
        False
        """
        return n_bytes <= self._max_bytes

    def get(self, key: Hashable, make: Callable[[], Arrays]) -> Arrays:
        """Return what is kept under a key, or make it; it must not be changed.

        Parameters
        ----------
        key : hashable
            Says all that the arrays depend on.
        make : callable
            Returns an array, or several.

        Returns
        -------
        ndarray or sequence of ndarray
        """
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                found: Arrays = self._arrays[key]
                return found
        made = make()
        with self._lock:
            # Another thread may have made the same meanwhile.
            if key not in self._arrays and self.has_room(_n_bytes(made)):
                self._arrays[key] = made
                self._n_bytes += _n_bytes(made)
                while self._n_bytes > self._max_bytes:
                    self._n_bytes -= _n_bytes(self._arrays.popitem(last=False)[1])
        return made


def _n_bytes(arrays: npt.NDArray[Any] | Sequence[npt.NDArray[Any]]) -> int:
    return arrays.nbytes if isinstance(arrays, np.ndarray) else sum(one.nbytes for one in arrays)
