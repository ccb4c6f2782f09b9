"""Files of a batch whose numbers are about 10 or 1000 times those of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nwb_mepp.workflows.files import FileOutcome

__all__ = ["files_of_another_scale"]

# A gain that was forgotten, and the thousand between mV and V.
_FACTORS = (10.0, 1000.0)
# Amplitudes of MEPPs of one laboratory differ by less than this between cells.
_ABOUT = 2.0
_MIN_FILES = 3


def files_of_another_scale(done: Sequence[FileOutcome]) -> list[str]:
    """Say which files differ from most of the batch by a factor of about 10 or 1000.

    Parameters
    ----------
    done : sequence of FileOutcome

    Returns
    -------
    list of str
        A sentence for each file whose amplitudes and whose level or noise both differ by the factor.
    """
    rows = [(one, scale) for one in done for scale in one.scales]
    said = []
    for outcome, own in rows:
        others = [scale for _, scale in rows if (scale.unit, scale.detector) == (own.unit, own.detector)]
        if len(others) < _MIN_FILES:
            continue
        amplitude = _factor(own.amplitude, [one.amplitude for one in others])
        measures = {"level": [one.level for one in others], "noise_sd": [one.noise_sd for one in others]}
        beside = {name: _factor(getattr(own, name), values) for name, values in measures.items()}
        if amplitude is not None and amplitude in beside.values():
            what = f"{amplitude:g}" if amplitude > 1.0 else f"1/{1.0 / amplitude:g}"
            said.append(
                f"{outcome.path}: amplitudes and noise or level of {own.channel} are about {what} times "
                "those of the other files; compare `gain` and `unit`."
            )
    return list(dict.fromkeys(said))


def _factor(value: float, values: Sequence[float]) -> float | None:
    """Return the factor of 10 or 1000 between a value and the median of all, None for any other."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = abs(value) / float(np.nanmedian(np.abs(values)))
    for factor in (*_FACTORS, *(1.0 / one for one in _FACTORS)):
        if factor / _ABOUT < ratio < factor * _ABOUT:
            return factor
    return None
