"""Files of a batch that stand out from the others, as one whose gain, unit or sign is stated wrong does."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nwb_mepp.core.units import lab_unit
from nwb_mepp.workflows.channel_looks import ChannelLook
from nwb_mepp.workflows.outcomes import FileOutcome

__all__ = ["find_outliers"]

# Fewer files have no majority to stand out from.
_MIN_FILES = 3
# Resting potentials differ by less between fibers, and amplifiers by at least 10.
_BASELINE_RATIO, _NOISE_RATIO = 4.0, 6.0
# A baseline of so many SD of the noise is one; less is an offset.
_IS_BASELINE = 5.0


def find_outliers(outcomes: Sequence[FileOutcome]) -> list[tuple[Path, str]]:
    """Return the files that stand out in unit, sampling rate, scale or sign, each with what does.

    Only the first electrical channel of each file is compared, with those that most files have.

    Parameters
    ----------
    outcomes : sequence of FileOutcome

    Returns
    -------
    list of (Path, str)
        In the order of the outcomes.
    """
    looks = [(one.path, one.looks[0]) for one in outcomes if one.looks]
    if len(looks) < _MIN_FILES:
        return []
    unit, n_same = Counter(look.unit for _, look in looks).most_common(1)[0]
    rate_hz, n_rate = Counter(look.sampling_rate_hz for _, look in looks).most_common(1)[0]
    same = [look for _, look in looks if look.unit == unit]
    baseline = _typical([abs(look.median) for look in same if _has_baseline(look)], len(same))
    noise = _typical([look.noise_sd for look in same if look.noise_sd > 0], len(same))
    sign = _typical_sign(same)
    found = []
    for path, look in looks:
        what = []
        if n_same > len(looks) / 2 and look.unit != unit:
            what.append(f"its unit is {look.unit}, most files have {unit}")
        elif look.unit == unit:
            what += _scale_words(look, baseline=baseline, noise=noise, sign=sign)
        if n_rate > len(looks) / 2 and look.sampling_rate_hz != rate_hz:
            what.append(f"its sampling rate is {look.sampling_rate_hz:g} Hz, most files have {rate_hz:g} Hz")
        if what:
            found.append((path, f"channel {look.channel!r}: {'; '.join(what)}"))
    return found


def _has_baseline(look: ChannelLook) -> bool:
    return abs(look.median) > _IS_BASELINE * look.noise_sd


def _typical(values: Sequence[float], n_files: int) -> float | None:
    """Return the center of the largest group of similar values; of two as large the smaller one.

    None if fewer than half of the files have a value at all.
    """
    if len(values) * 2 < n_files or not values:
        return None
    near = {one: [other for other in values if 1 / 3 < other / one < 3] for one in values}
    group = max(near.values(), key=lambda members: (len(members), -sum(members)))
    return sorted(group)[len(group) // 2]


def _typical_sign(looks: Sequence[ChannelLook]) -> int:
    """Return the sign of the baseline that most files have, 0 if there is none."""
    signs = [int(math.copysign(1, look.median)) for look in looks if _has_baseline(look)]
    return max(set(signs), key=signs.count) if len(signs) > len(looks) / 2 and len(set(signs)) > 1 else 0


def _scale_words(look: ChannelLook, *, baseline: float | None, noise: float | None, sign: int) -> list[str]:
    if baseline is not None and _has_baseline(look):
        ratio = abs(look.median) / baseline
        if not 1 / _BASELINE_RATIO < ratio < _BASELINE_RATIO:
            shown, usual = _in_lab_units(look.median, look.unit), _in_lab_units(baseline, look.unit)
            return [
                f"its baseline is {shown}, {ratio:.2g} times that of most files (about {usual}): is there a "
                "gain to be stated?"
            ]
        if sign and math.copysign(1, look.median) != sign:
            return [
                f"its baseline is {_in_lab_units(look.median, look.unit)}, of the other sign in most files"
            ]
    elif baseline is None and noise is not None and look.noise_sd > 0:
        ratio = look.noise_sd / noise
        if not 1 / _NOISE_RATIO < ratio < _NOISE_RATIO:
            shown, usual = _in_lab_units(look.noise_sd, look.unit), _in_lab_units(noise, look.unit)
            return [
                f"its noise is {shown}, {ratio:.2g} times that of most files (about {usual}): is there a "
                "gain or unit to be stated?"
            ]
    return []


def _in_lab_units(value: float, unit: str) -> str:
    lab = lab_unit(unit)
    return f"{value * lab.factor:.3g} {lab.name}"
