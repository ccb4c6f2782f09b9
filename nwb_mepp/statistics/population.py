"""Kinetics and amplitude over the population of MEPPs, corrected for the error of each measurement."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nwb_mepp.core.mepps import Mepps
from nwb_mepp.measurement.population import describe_population

__all__ = ["describe_amplitudes", "describe_kinetics"]

FloatArray = npt.NDArray[np.float64]


def describe_kinetics(mepps: Mepps) -> dict[str, float]:
    """Return median, mean and SD of decay, rise and half-width.

    Parameters
    ----------
    mepps : Mepps

    Returns
    -------
    dict of str to float
        By attribute of a summary row. The median is that of the estimates as they are; mean, SD and the
        standard error of the mean are those of the population, NaN with fewer than 3 MEPPs.

    Notes
    -----
    Logarithms of the estimates are taken as normally distributed around those of the MEPPs, and these around
    that of the population (:func:`~nwb_mepp.measurement.population.describe_population`). With mean m and SD
    s of the logarithms, the mean is ``exp(m + s**2 / 2)`` and the SD ``sqrt(exp(s**2) - 1)`` times the mean.
    """
    described: dict[str, float] = {}
    for name in ("decay_tau", "rise_10_90", "half_width"):
        values, errors = getattr(mepps, f"{name}_s"), getattr(mepps, f"{name}_se_s")
        given = values > 0.0
        values, errors = values[given], errors[given]
        found = describe_population(np.log(values), errors / values)
        mean = float(np.exp(found.mean + 0.5 * found.sd**2))
        described |= {
            f"{name}_median_s": float(np.median(values)) if len(values) else np.nan,
            f"{name}_mean_s": mean,
            f"{name}_sd_s": mean * float(np.sqrt(np.expm1(found.sd**2))),
            f"{name}_mean_se_s": mean * found.mean_se,
        }
    return described


def describe_amplitudes(mepps: Mepps) -> dict[str, float]:
    """Return mean and SD of the amplitudes over the population, without logarithms.

    MEPPs that may be two in one deflection are left out.
    """
    sure = mepps.select(~mepps.unresolved)
    found = describe_population(sure.amplitude, sure.amplitude_se)
    return {
        "amplitude_mean_corrected": found.mean,
        "amplitude_sd_corrected": found.sd,
        "amplitude_mean_corrected_se": found.mean_se,
    }
