"""Plain decimal numbers of many lines at once: as exact as one by one, and several times as fast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["plain_numbers"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]

_WORD = 8
# Up to two words are read before a place, also before the first.
_BEFORE = 2 * _WORD
# Eight characters are read as one word, the first in its lowest byte.
_ZEROS = np.uint64(0x3030303030303030)
_HIGH_BITS, _TO_HIGH_BIT = np.uint64(0x8080808080808080), np.uint64(0x4646464646464646)
_PAIRS = np.uint64(0x000000FF000000FF)
_HUNDREDS, _ONES = np.uint64(100 + (1_000_000 << 32)), np.uint64(1 + (10_000 << 32))
# Which bytes of a word are the last so many characters.
_LAST = np.array([((1 << 8 * n) - 1) << 8 * (_WORD - n) for n in range(_WORD + 1)], dtype=np.uint64)
# Up to here, powers of ten are exact as integers of 64 bits, and as floating-point numbers.
_MAX_DECIMALS, _MAX_DIGITS = 16, 19
_POWERS = np.array([10**n for n in range(_MAX_DECIMALS + 1)], dtype=np.uint64)
# Integers up to here are exact as floating-point numbers.
_EXACT_BITS = np.uint64(53)


class _NotPlainError(Exception):
    """A cell is not a plain decimal number."""


def plain_numbers(text: bytes, *, separator: str, mark: str, n_columns: int) -> FloatArray | None:
    r"""Return the numbers of lines whose cells are all plain decimal numbers: sign, digits, mark, digits.

    The digits of a number make an integer, which is divided by a power of ten. As both are exact, the
    quotient is rounded once: to the number that is next to the decimal one.

    Parameters
    ----------
    text : bytes
        Complete lines, which end in a line feed, all or none with a carriage return before it.
    separator : str
        One character; empty if there is one column.
    mark : {"", ".", ","}
        Decimal mark; empty if no number has any.
    n_columns : int

    Returns
    -------
    ndarray of float64, shape (n_lines, n_columns), or None
        None if a line has another number of cells, or a cell is anything else: empty, with an exponent, with
        more digits than are exact.

    Examples
    --------
    >>> plain_numbers(b"0\t-70,5\n1\t3,25\n", separator="\t", mark=",", n_columns=2)
    array([[  0.  , -70.5 ],
           [  1.  ,   3.25]])
    >>> plain_numbers(b"0\t1e3\n", separator="\t", mark=".", n_columns=2)
    """
    symbols = np.zeros(_BEFORE + -(-len(text) // _WORD) * _WORD + _WORD, dtype=np.uint8)
    symbols[_BEFORE : _BEFORE + len(text)] = np.frombuffer(text, dtype=np.uint8)
    try:
        starts, stops = _cells(symbols, separator=separator, n_columns=n_columns)
        return _values(symbols, starts, stops, mark=mark).reshape(-1, n_columns)
    except _NotPlainError:
        return None


def _cells(symbols: npt.NDArray[np.uint8], *, separator: str, n_columns: int) -> tuple[IntArray, IntArray]:
    """Return where each cell starts and stops, line by line."""
    ends = np.flatnonzero(symbols == ord("\n"))
    separators = np.flatnonzero(symbols == ord(separator)) if separator else ends[:0]
    if not len(ends) or len(separators) != len(ends) * (n_columns - 1):
        raise _NotPlainError
    starts = np.empty((len(ends), n_columns), dtype=np.int64)
    stops = np.empty_like(starts)
    starts[0, 0], starts[1:, 0], stops[:, -1] = _BEFORE, ends[:-1] + 1, ends
    stops[:, :-1] = separators.reshape(len(ends), n_columns - 1)
    starts[:, 1:] = stops[:, :-1] + 1
    # A carriage return that is not at the end of each line is found in a cell, where it is no digit.
    if symbols[ends[0] - 1] == ord("\r"):
        stops[:, -1] -= 1
        if (symbols[stops[:, -1]] != ord("\r")).any():
            raise _NotPlainError
    # No cell is empty, so that each separator lies within its line.
    if (starts >= stops).any():
        raise _NotPlainError
    return starts.ravel(), stops.ravel()


def _values(symbols: npt.NDArray[np.uint8], starts: IntArray, stops: IntArray, *, mark: str) -> FloatArray:
    negative = symbols[starts] == ord("-")
    first = starts + negative
    places = np.flatnonzero(symbols == ord(mark)) if mark else stops[:0]
    points = _points(first, stops, places)
    n_whole, n_decimals = points - first, np.maximum(stops - points - 1, 0)
    most_whole, most_decimals = int(n_whole.max()), int(n_decimals.max())
    if most_whole > _WORD or most_decimals > _MAX_DECIMALS or most_whole + most_decimals > _MAX_DIGITS:
        raise _NotPlainError
    if not n_whole.all() and (n_whole + n_decimals == 0).any():
        raise _NotPlainError
    if (n_decimals == most_decimals).all():
        n_decimals = np.array(most_decimals)  # one number for all cells is faster
    powers = _POWERS[n_decimals]
    digits = _digits(symbols.view("<u8"), points, stops, n_whole, n_decimals, powers)
    if digits.max() >> _EXACT_BITS:
        raise _NotPlainError
    values: FloatArray = digits.astype(np.float64)
    if most_decimals:
        values /= powers.astype(np.float64)
    np.negative(values, out=values, where=negative)
    return values


def _points(first: IntArray, stops: IntArray, places: IntArray) -> IntArray:
    """Return where the decimal mark of each cell is; its end if there is none."""
    if len(places) == len(stops):
        points = places
    else:
        points = stops.copy()
        # The lines below see to it that no mark is counted to the cell before it.
        points[np.searchsorted(stops, places)] = places
        if np.count_nonzero(points != stops) != len(places):
            raise _NotPlainError
    if (points < first).any() or (points > stops).any():
        raise _NotPlainError
    return points


def _digits(
    words: Words, points: IntArray, stops: IntArray, n_whole: IntArray, n_decimals: IntArray, powers: Words
) -> Words:
    """Return the digits of each cell as an integer, without its mark."""
    most_decimals = int(n_decimals.max())
    last = _before(words, stops)
    if n_decimals.ndim == 0 and 0 < most_decimals < _WORD - int(n_whole.max()):
        # All digits and the mark are in one word: those before the mark move up over it.
        decimals = _LAST[most_decimals]
        return _integers(((last << np.uint64(8)) & ~decimals) | (last & decimals), n_whole + n_decimals)
    if not most_decimals:
        return _integers(last, n_whole)
    digits = _integers(_before(words, points), n_whole)
    digits *= powers
    digits += _integers(last, np.minimum(n_decimals, _WORD))
    if most_decimals > _WORD:
        earlier = _before(words, stops - _WORD)
        digits += _integers(earlier, np.maximum(n_decimals - _WORD, 0)) * _POWERS[_WORD]
    return digits


def _before(words: Words, stops: IntArray) -> Words:
    """Return the eight characters before each of some places."""
    at = (stops - _WORD).view(np.uint64)
    word, shift = (at >> np.uint64(3)).view(np.int64), (at & np.uint64(7)) << np.uint64(3)
    found = words[word] >> shift
    # By 64 bits, NumPy shifts everything out.
    found |= words[word + 1] << (np.uint64(64) - shift)
    return found


def _integers(found: Words, n_digits: IntArray) -> Words:
    """Return the integers that the last so many of eight characters are, all digits."""
    last = _LAST[n_digits]
    found = (found & last) | (_ZEROS & ~last)
    digits = found - _ZEROS
    found += _TO_HIGH_BIT
    found |= digits
    found &= _HIGH_BITS
    if found.any():
        raise _NotPlainError
    # Neighbors are joined: digits to numbers of two, these to numbers of four and eight.
    pairs = digits * np.uint64(10)
    digits >>= np.uint64(8)
    pairs += digits
    high = pairs >> np.uint64(16)
    high &= _PAIRS
    high *= _ONES
    pairs &= _PAIRS
    pairs *= _HUNDREDS
    pairs += high
    pairs >>= np.uint64(32)
    return pairs
