"""Windows that begin and end with different bins, beside each of them worked out alone."""

from __future__ import annotations

import numpy as np
import pytest

from nwb_mepp.measurement.noise_weights import Bins, NoiseWeights
from nwb_mepp.measurement.peaks import PEAK_HALF_WINDOW_S
from nwb_mepp.measurement.whitened_windows import LinearSums, WhitenedWindows

BINS = Bins.around_peak(5e3)
FIRST = np.array([2, 2, 5, 9])
LAST = np.array([40, BINS.n_bins - 3, 41, 60])
RNG = np.random.default_rng(3)
VALUES = RNG.normal(size=(len(FIRST), BINS.n_bins))
CURVES = RNG.normal(size=(len(FIRST), 4, BINS.n_bins))
LINEAR = np.array([[2.0, 0.3], [1.0, -0.2], [0.5, 0.0], [3.0, 1.0]])


@pytest.fixture(scope="module")
def weights() -> NoiseWeights:
    return NoiseWeights(BINS, np.exp(-np.arange(400) / 15.0))


@pytest.fixture(scope="module")
def windows(weights: NoiseWeights) -> WhitenedWindows:
    return WhitenedWindows(VALUES, first=FIRST, last=LAST, weights=weights)


def whitened_alone(curve: np.ndarray, weights: NoiseWeights, *, row: int) -> np.ndarray:
    """Return a curve in the bins of one window, whitened by a matrix of these bins alone."""
    used = slice(FIRST[row], LAST[row])
    covariance = weights.covariance[used, used] + 1e-3 * np.eye(LAST[row] - FIRST[row])
    return np.linalg.solve(np.linalg.cholesky(covariance), curve[used])


def test_the_bins_that_no_window_uses_are_left_out(windows: WhitenedWindows) -> None:
    assert windows.bins == slice(2, BINS.n_bins - 3)
    assert windows.values.shape == windows.ones.shape == (4, BINS.n_bins - 5)


@pytest.mark.parametrize("rows", [[0, 1, 2, 3], [1, 3], [2]])
def test_each_curve_is_whitened_in_its_window_and_0_outside(
    rows: list[int], windows: WhitenedWindows, weights: NoiseWeights
) -> None:
    white = windows.whitened(CURVES[rows][:, :, windows.bins], np.array(rows))
    for row, found in zip(rows, white, strict=True):
        used = slice(FIRST[row] - windows.bins.start, LAST[row] - windows.bins.start)
        for curve, one in zip(CURVES[row], found, strict=True):
            np.testing.assert_allclose(one[used], whitened_alone(curve, weights, row=row), atol=1e-9)
            assert not one[: used.start].any()
            assert not one[used.stop :].any()


def test_sums_are_those_over_the_bins_of_each_window(windows: WhitenedWindows, weights: NoiseWeights) -> None:
    rows = np.array([1, 3])
    sums = LinearSums(windows, rows, windows.whitened(CURVES[rows][:, :, windows.bins], rows))
    squares, cross, downhill, chi_square = sums.of_slopes(LINEAR[rows])
    for number, row in enumerate(rows.tolist()):
        curve, *slopes = (whitened_alone(one, weights, row=row) for one in CURVES[row])
        ones = whitened_alone(np.ones(BINS.n_bins), weights, row=row)
        values = whitened_alone(VALUES[row], weights, row=row)
        basis, slope = np.array([curve, ones]), LINEAR[row, 0] * np.array(slopes)
        residuals = values - LINEAR[row] @ basis
        np.testing.assert_allclose(sums.normal[number], basis @ basis.T, atol=1e-8)
        np.testing.assert_allclose(sums.target[number], basis @ values, atol=1e-8)
        np.testing.assert_allclose(squares[number], slope @ slope.T, atol=1e-8)
        np.testing.assert_allclose(cross[number], slope @ basis.T, atol=1e-8)
        np.testing.assert_allclose(downhill[number], slope @ residuals, atol=1e-8)
        assert chi_square[number] == pytest.approx(residuals @ residuals)


def test_products_with_the_mean_around_the_peak_are_covariances(
    windows: WhitenedWindows, weights: NoiseWeights
) -> None:
    rows = np.arange(4)
    found = windows.with_mean(windows.whitened(CURVES[:, :, windows.bins], rows), rows)
    beside, variance = weights.of_mean(PEAK_HALF_WINDOW_S)
    assert windows.variance_of_mean == variance
    for row in rows:
        mean = whitened_alone(beside, weights, row=row)
        expected = [whitened_alone(curve, weights, row=row) @ mean for curve in CURVES[row]]
        np.testing.assert_allclose(found[row], expected, atol=1e-8)
