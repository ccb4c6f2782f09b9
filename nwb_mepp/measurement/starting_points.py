"""Where fits start: the best of a grid of shapes for each event."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from nwb_mepp.measurement.fit_windows import LOW_QUANTILE, RISE_S, windows_of
from nwb_mepp.measurement.noise_weights import NoiseWeights
from nwb_mepp.measurement.shape_fit import Prior, Shapes, Windows
from nwb_mepp.measurement.train import Train, plausible
from nwb_mepp.measurement.waveform import unit_curve

__all__ = ["USUAL", "first_shapes", "patched"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Typical of end-plate potentials and synaptic currents, with a spread that samples outweigh wherever they
#: are informative.
USUAL = Prior(log_mean=(np.log(0.4e-3), np.log(3.0e-3)), log_sd=(0.7, 0.7))

# Events whose products with the grid are in memory at a time.
_BLOCK = 2048
# Onsets (s) from that which puts the peak where it was seen, rise and decay constants (s).
_SHIFTS_S = np.arange(-0.6e-3, 0.61e-3, 0.2e-3)
_RISES_S = np.array([0.1e-3, 0.2e-3, 0.4e-3, 0.8e-3, 1.6e-3])
_DECAYS_S = np.array([0.7e-3, 1.2e-3, 2e-3, 3.5e-3, 6e-3, 10e-3, 18e-3])


def first_shapes(train: Train, weights: NoiseWeights, *, power: int = 2) -> Shapes:
    """Return the best of a grid of shapes for each event."""
    blank = Shapes.blank(len(train.peak), power=power)
    # Crude shapes of the usual kind stand for the tails of earlier events.
    level, at_peak = np.empty(len(blank)), np.empty(len(blank))
    peak_bin = int(np.searchsorted(weights.bins.edges, 0))
    for some, values in train.in_blocks():
        level[some] = np.quantile(values, LOW_QUANTILE, axis=1) + 0.5 * weights.noise_sd
        at_peak[some] = values[:, peak_bin] - level[some]
    rise_s, decay_s = np.exp(USUAL.log_mean)
    crude = replace(
        blank,
        onset_s=np.full(len(blank), -RISE_S),
        tau_rise_s=np.full(len(blank), rise_s),
        tau_decay_s=np.full(len(blank), decay_s),
        amplitude=np.maximum(at_peak, 0.0),
        level=level,
    )
    windows = windows_of(train, weights, crude)
    grid = np.stack([axis.ravel() for axis in np.meshgrid(_RISES_S, _DECAYS_S, _SHIFTS_S, indexing="ij")])
    onset_s = grid[2] - grid[0] * np.log1p(power * grid[1] / grid[0])
    beside = np.log(grid[:2]).T - np.array(USUAL.log_mean)
    penalty = np.sum((beside / np.array(USUAL.log_sd)) ** 2, axis=1)
    best = np.empty(len(blank), dtype=np.int64)
    for first in np.unique(windows.first):
        group = np.flatnonzero(windows.first == first)
        time_s = weights.bins.center_s[first:]
        curves = unit_curve(time_s - onset_s[:, None], grid[0][:, None], grid[1][:, None], power=power)
        for begin in range(0, len(group), _BLOCK):
            rows = group[begin : begin + _BLOCK]
            best[rows] = _best_of(curves, penalty, windows.select(rows), weights)
    return replace(crude, onset_s=onset_s[best], tau_rise_s=grid[0][best], tau_decay_s=grid[1][best])


def _best_of(curves: FloatArray, penalty: FloatArray, windows: Windows, weights: NoiseWeights) -> IntArray:
    """Return which of the curves explains each window best, each with the best amplitude and level."""
    first = int(windows.first[0])
    whitener = weights.whitener(first)
    used = (np.arange(first, weights.bins.n_bins) < windows.last[:, None]).astype(np.float64)
    center = np.where(np.isfinite(windows.level), windows.level, windows.values[:, -1])
    values = (windows.values[:, first:] - center[:, None]) @ whitener.T * used
    templates, ones = curves @ whitener.T, whitener.sum(axis=1)
    of_level = used @ ones**2 + windows.level_sd**-2.0
    level = (values @ ones) / of_level
    both = used @ (templates * ones).T
    power = used @ (templates**2).T - both**2 / of_level[:, None]
    product = values @ templates.T - level[:, None] * both
    gain = np.maximum(product, 0.0) ** 2 / np.maximum(power, 1e-300)
    return np.asarray(np.argmax(gain - penalty, axis=1))


def patched(shapes: Shapes) -> Shapes:
    """Return starting points, usual ones where there is no shape."""
    lost = ~plausible(shapes)
    rise_s, decay_s = np.exp(USUAL.log_mean)
    return replace(
        shapes,
        onset_s=np.where(lost, -RISE_S, shapes.onset_s),
        tau_rise_s=np.where(lost, rise_s, shapes.tau_rise_s),
        tau_decay_s=np.where(lost, decay_s, shapes.tau_decay_s),
    )
