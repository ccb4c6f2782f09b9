"""Time that does not count: samples that are no numbers, a rail, a flat line, an electrode outside the cell.

Each segment is read once, block by block, and reduced to runs of equal samples and to the level of every
0.1 s; what is decided from these takes memory that hardly grows with the duration. The rules are
conservative: what they leave out cannot hold a MEPP, or holds none that could be measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.plausible_ranges import is_plausible_value
from nwb_mepp.core.results import LeftOut
from nwb_mepp.core.segments import Segment

__all__ = ["IMPALEMENT", "find_unusable"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

NOT_A_NUMBER = "not a number"
RAIL = "at the end of the range"
FLAT = "flat line"
IMPALEMENT = "impalement lost"

# A segment, the first sample, the one after the last, and the reason.
_Stretch = tuple[Segment, int, int, str]

_BLOCK = 1 << 20
_BIN_S = 0.1
# Stretches of one reason that are nearer to each other are one: nothing can be measured in between.
_JOINED_S = 20e-3
# Ten times as long as a MEPP stays near its peak, so that no clipped MEPP is taken for a rail.
_CONSTANT_S = 50e-3
# How much longer than the longest run that chance gives a run of equal samples must be to be a flat line.
_BEYOND_CHANCE = 5.0

# No muscle fiber rests above -20 mV and still has MEPPs of use: the driving force is nearly gone.
_OUTSIDE_V = -20e-3
# A fiber that is impaled rests below this; only then can an impalement be lost.
_INSIDE_V = -30e-3
# Nor below the equilibrium potential of potassium, about -100 mV: this is an amplifier that is overloaded.
_BEYOND_V = -150e-3
_OUTSIDE_SHARE = 0.4  # of the resting potential, for fibers that rest at less than -50 mV
_JUMP_V = 15e-3  # within half a second: far more than drift, and than any EPP lifts a median over 0.1 s
_JUMP_BINS = 5
_MIN_OUTSIDE_BINS = 10  # 1 s; a train of action potentials does not lift the median so long
_MIN_INSIDE_SHARE = 0.1
# A current is lost if level and noise both jump, and stay so for five seconds or to the end.
_CURRENT_JUMP = 20.0
_NOISE_JUMP = 3.0
_MIN_CURRENT_BINS = 50

_SETTLED_SD = 6.0
_MAX_SETTLING_BINS = 20
_MAX_SEALING_BINS = 50


@dataclass
class _Runs:
    """Collects the runs of a condition that are long enough, across the borders of blocks."""

    least: int
    found: list[tuple[int, int]] = field(default_factory=list)
    _open: int | None = None

    def add(self, true: BoolArray, *, first: int) -> None:
        """Take the condition of the samples from ``first`` on."""
        edges = np.flatnonzero(np.diff(np.concatenate([[False], true, [False]]).astype(np.int8)))
        runs = edges.reshape(-1, 2)
        # Of thousands of short runs only those at the borders of the block may go on beyond it.
        long = runs[:, 1] - runs[:, 0] >= self.least
        for start, stop in runs[long | (runs[:, 0] == 0) | (runs[:, 1] == len(true))].tolist():
            begun = self._open if start == 0 and self._open is not None else first + start
            if start != 0:
                self._close(first)
            self._open = begun
            if stop < len(true):
                self._close(first + stop)
        if len(true) and not true[-1]:
            self._close(first)

    def _close(self, stop: int) -> None:
        if self._open is not None and stop - self._open >= self.least:
            self.found.append((self._open, stop))
        self._open = None

    def close(self, n_samples: int) -> list[tuple[int, int]]:
        """Return all runs as (start, stop), stop exclusive."""
        self._close(n_samples)
        return self.found


@dataclass(frozen=True)
class _Scan:
    """What one pass over a segment gives; sample numbers count from its start."""

    segment: Segment
    missing: list[tuple[int, int]]
    constant: list[tuple[int, int]]
    n_equal: int
    level: FloatArray
    spread: FloatArray
    low: float
    high: float


def find_unusable(segments: Sequence[Segment], *, only_missing: bool = False) -> tuple[LeftOut, ...]:
    """Find the time of a channel that does not count.

    Parameters
    ----------
    segments : sequence of Segment
        All stretches of one channel, in order.
    only_missing : bool, default False
        Look for samples that are no numbers alone, which cannot be analyzed in any case.

    Returns
    -------
    tuple of LeftOut
        In order of time within each segment, each with its reason; none of two of the same reason overlap.

    Examples
    --------
    >>> from nwb_mepp.core.recording import ArraySource, Trace
    >>> samples = np.random.default_rng(1).normal(-70e-3, 1e-4, 30_000)
    >>> samples[10_000:12_000] = np.nan
    >>> trace = Trace(channel="Vm", sweep=0, source=ArraySource(samples), unit="V", conversion=1.0,
    ...               offset=0.0, sampling_rate_hz=10e3, start_s=0.0)
    >>> find_unusable([Segment(trace=trace, start=0, stop=30_000)])
    (LeftOut(start_s=1.0, stop_s=1.2, reason='not a number'),)
    """
    scans = [_scan(segment) for segment in segments]
    found: list[_Stretch] = []
    for scan in scans:
        found += [(scan.segment, *run, NOT_A_NUMBER) for run in _joined(scan.missing, scan.segment)]
    if scans and not only_missing:
        found += _united(_constant_stretches(scans), _lost_impalements(scans))
    return tuple(_left_out(*one) for one in found)


def _blocks(segment: Segment) -> Iterator[tuple[int, FloatArray]]:
    """Yield the samples of a segment in whole bins, each block with its first sample."""
    in_bin = _bin_samples(segment)
    length = max(_BLOCK // in_bin, 1) * in_bin
    for start in range(0, segment.n_samples, length):
        yield start, segment.values(start, min(start + length, segment.n_samples))


def _bin_samples(segment: Segment) -> int:
    return max(round(_BIN_S * segment.sampling_rate_hz), 1)


def _scan(segment: Segment) -> _Scan:
    missing, constant = _Runs(1), _Runs(round(_CONSTANT_S * segment.sampling_rate_hz))
    levels: list[FloatArray] = []
    spreads: list[FloatArray] = []
    n_equal, low, high, last = 0, np.inf, -np.inf, np.nan
    in_bin = _bin_samples(segment)
    for start, values in _blocks(segment):
        absent = ~is_plausible_value(values)
        missing.add(absent, first=start)
        values = np.where(absent, np.nan, values)  # the difference of two infinities would be a warning
        step = np.diff(values, prepend=last)
        equal = step == 0.0
        last = float(values[-1])
        constant.add(equal, first=start)
        n_equal += int(equal.sum())
        if not absent.all():
            low, high = min(low, float(values[~absent].min())), max(high, float(values[~absent].max()))
        level, spread = _binned(values, step, in_bin=in_bin)
        levels.append(level)
        spreads.append(spread)
    return _Scan(
        segment=segment,
        missing=missing.close(segment.n_samples),
        # The first sample of a run does not equal the one before it.
        constant=[(start - 1, stop) for start, stop in constant.close(segment.n_samples)],
        n_equal=n_equal,
        level=np.concatenate(levels),
        spread=np.concatenate(spreads),
        low=low,
        high=high,
    )


def _binned(values: FloatArray, step: FloatArray, *, in_bin: int) -> tuple[FloatArray, FloatArray]:
    """Return median and spread of the differences in each bin; a rest of less than a bin counts as one."""
    n_bins, n_whole = -(-len(values) // in_bin), len(values) // in_bin
    level, spread = np.full(n_bins, np.nan), np.full(n_bins, np.nan)
    bins, steps = (one[: n_whole * in_bin].reshape(n_whole, in_bin) for one in (values, step))
    # A difference is finite where both samples are.
    whole = np.flatnonzero(np.isfinite(steps).all(axis=1))
    level[whole], spread[whole] = np.median(bins[whole], axis=1), steps[whole].std(axis=1)
    for number in np.setdiff1d(np.arange(n_bins), whole).tolist():
        piece = slice(number * in_bin, (number + 1) * in_bin)
        finite, moved = values[piece][np.isfinite(values[piece])], step[piece][np.isfinite(step[piece])]
        if len(finite) and len(moved):
            level[number], spread[number] = np.median(finite), moved.std()
    return level, spread


def _joined(runs: Sequence[tuple[int, int]], segment: Segment) -> list[tuple[int, int]]:
    """Join runs that are nearer to each other than anything could be measured between them."""
    gap = _JOINED_S * segment.sampling_rate_hz
    joined: list[tuple[int, int]] = []
    for start, stop in runs:
        if joined and start - joined[-1][1] < gap:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return joined


def _constant_stretches(scans: Sequence[_Scan]) -> list[_Stretch]:
    """Return where a trace stands still far longer than chance would have it: a rail or a flat line."""
    n_in_runs = sum(stop - start for scan in scans for start, stop in scan.constant)
    n_samples = sum(scan.segment.n_samples for scan in scans)
    if n_samples <= n_in_runs:
        return []  # A channel that never moves was not recorded, which the survey says.
    rest = n_samples - n_in_runs
    chance = min(max(sum(scan.n_equal for scan in scans) - n_in_runs, 0) / rest, 1.0 - 1e-9)
    longest_by_chance = np.log(max(rest, 2)) / -np.log(chance) if chance > 0.0 else 1.0
    low, high = min(scan.low for scan in scans), max(scan.high for scan in scans)
    found = []
    for scan in scans:
        for start, stop in _joined(scan.constant, scan.segment):
            if stop - start < _BEYOND_CHANCE * longest_by_chance:
                continue
            value = float(scan.segment.values(start, start + 1)[0])
            if value in (low, high):
                found.append((scan.segment, start, _settled(scan, stop), RAIL))
            else:
                found.append((scan.segment, start, stop, FLAT))
    return found


def _united(constant: Sequence[_Stretch], lost: Sequence[_Stretch]) -> list[_Stretch]:
    """Return all stretches; one that begins within a rail is its recovery, whose reason says more."""
    united = list(constant)
    for segment, start, stop, reason in lost:
        for number, (other, first, last, why) in enumerate(united):
            if other is segment and first - _bin_samples(segment) <= start <= last:
                united[number] = (segment, first, max(stop, last), why)
                break
        else:
            united.append((segment, start, stop, reason))
    return united


def _settled(scan: _Scan, stop: int) -> int:
    """Return where an amplifier that was overloaded is back at its level: a second later, as a rule."""
    in_bin = _bin_samples(scan.segment)
    change = np.diff(scan.level[np.isfinite(scan.level)])
    usual = 1.4826 * float(np.median(np.abs(change))) if len(change) else 0.0
    first = stop // in_bin
    for bin_ in range(first, min(first + _MAX_SETTLING_BINS, len(scan.level))):
        later = scan.level[bin_ + 5 : bin_ + 15]
        if not np.isfinite(later).any():
            break
        if abs(scan.level[bin_] - np.nanmedian(later)) <= _SETTLED_SD * usual:
            return stop if bin_ == first else bin_ * in_bin
    return stop


def _lost_impalements(scans: Sequence[_Scan]) -> list[_Stretch]:
    """Return where the electrode is not in the cell although it was, or will be."""
    level = np.concatenate([scan.level for scan in scans])
    known = np.isfinite(level)
    if not known.any():
        return []
    if scans[0].segment.trace.unit == "V":
        outside = _outside_by_voltage(level)
    else:
        outside = _outside_by_current(level, np.concatenate([scan.spread for scan in scans]))
    found, first = [], 0
    for scan in scans:
        own = _Runs(1)
        own.add(outside[first : first + len(scan.level)], first=0)
        first += len(scan.level)
        in_bin = _bin_samples(scan.segment)
        for start, stop in own.close(len(scan.level)):
            samples = (start * in_bin, min(stop * in_bin, scan.segment.n_samples))
            found.append((scan.segment, *samples, IMPALEMENT))
    return found


def _outside_by_voltage(level: FloatArray) -> BoolArray:
    """Return which bins are at no resting potential, after a jump or before one, for a second or more."""
    inside = (level < _INSIDE_V) & (level > _BEYOND_V)
    outside = np.zeros(len(level), dtype=np.bool_)
    if inside.sum() < max(_MIN_INSIDE_SHARE * len(level), _MIN_OUTSIDE_BINS):
        return outside
    limit = max(_OUTSIDE_V, _OUTSIDE_SHARE * float(np.median(level[inside])))
    for start, stop in _true_runs((level > limit) | (level < _BEYOND_V), least=_MIN_OUTSIDE_BINS):
        before, after = level[max(start - _JUMP_BINS, 0) : start], level[stop : stop + _JUMP_BINS]
        fell_out = bool((np.abs(level[start] - before) >= _JUMP_V).any())
        went_in = bool((np.abs(level[stop - 1] - after) >= _JUMP_V).any())
        # Without a jump at either end the fiber has depolarized slowly, which is for a person to judge.
        if (fell_out or start == 0) and (went_in or stop == len(level)) and (fell_out or went_in):
            outside[_left(level, start) : _sealed(level, stop)] = True
    return outside


def _left(level: FloatArray, start: int) -> int:
    """Return the first bin whose level has left the one before the jump."""
    before = level[max(start - 2 * _JUMP_BINS, 0) : max(start - _JUMP_BINS, 0)]
    if not np.isfinite(before).any():
        return start
    usual = float(np.nanmedian(before))
    while start > 0 and abs(level[start - 1] - usual) > _JUMP_V / 3.0:
        start -= 1
    return start


def _sealed(level: FloatArray, stop: int) -> int:
    """Return the bin from which on the level stays within 5 mV of where it is a second later."""
    for bin_ in range(stop, min(stop + _MAX_SEALING_BINS, len(level))):
        later = level[bin_ + 1 : bin_ + 11]
        if not np.isfinite(later).any() or abs(level[bin_] - np.nanmedian(later)) <= _JUMP_V / 3.0:
            return bin_
    return stop


def _outside_by_current(level: FloatArray, spread: FloatArray) -> BoolArray:
    """Return which bins have a level and a noise that are both far from those of most of the recording."""
    usual, noise = np.nanmedian(level), np.nanmedian(spread)
    if not noise > 0.0:
        return np.zeros(len(level), dtype=np.bool_)
    with np.errstate(invalid="ignore"):
        far = np.abs(level - usual) > _CURRENT_JUMP * noise
        other = (spread > _NOISE_JUMP * noise) | (spread < noise / _NOISE_JUMP)
    outside = np.zeros(len(level), dtype=np.bool_)
    for start, stop in _true_runs(far & other, least=1):
        if stop - start >= _MIN_CURRENT_BINS or (stop == len(level) and stop - start >= _MIN_OUTSIDE_BINS):
            outside[start:stop] = True
    return outside


def _true_runs(true: BoolArray, *, least: int) -> list[tuple[int, int]]:
    runs = _Runs(least)
    runs.add(true, first=0)
    return runs.close(len(true))


def _left_out(segment: Segment, start: int, stop: int, reason: str) -> LeftOut:
    rate_hz, offset_s = segment.sampling_rate_hz, segment.trace.start_s
    start_s, stop_s = (offset_s + (segment.start + index) / rate_hz for index in (start, stop))
    return LeftOut(start_s=start_s, stop_s=stop_s, reason=reason)
