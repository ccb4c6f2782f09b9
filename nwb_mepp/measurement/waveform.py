"""The shape of one MEPP, fitted to its samples: onset, peak, rise and decay.

The shape is the difference of two exponentials that synaptic potentials and currents are usually described
with: it rises from the onset with one time constant and decays with another. A fit uses every sample of the
event, so onset, peak and widths stay free of the bias that single crossings of a noisy trace have.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

__all__ = ["Shape", "ShapePrior", "fit_shape", "level_times"]

FloatArray = npt.NDArray[np.float64]

# Number of independent samples per second during the rise and during the decay. A rise is over before slow
# noise changes; during a decay slow noise shifts the trace as a whole, so that samples are correlated.
_INDEPENDENT_HZ = (2_500.0, 100.0)

# A time constant beyond these limits is not a measurement but indicates a step, a spike or a slow wave.
_TAU_RISE_LIMITS_S = (5e-6, 20e-3)
_TAU_DECAY_LIMITS_S = (0.1e-3, 100e-3)

_MAX_ITERATIONS = 30
_MAX_DAMPINGS = 6
# Iterations end when they lower the sum of squares by less than this fraction: the parameters are then within
# about a tenth of their standard error, and exact where there is no noise.
_TOLERANCE = 1e-4
# The largest step of the onset (s) and of the logarithms of the time constants in one iteration.
_MAX_STEP = np.array([0.5e-3, 0.7, 0.7])


@dataclass(frozen=True, kw_only=True)
class ShapePrior:
    """Prior for the time constants of a fit: it decides where noise leaves them undetermined.

    The defaults are typical of end-plate potentials and synaptic currents; their spread is wide enough to be
    outweighed wherever the samples are informative.

    Attributes
    ----------
    tau_rise_s, tau_decay_s : float
    log_sd : float
        Standard deviation of the natural logarithm of the time constants of single events.
    """

    tau_rise_s: float = 0.5e-3
    tau_decay_s: float = 3.0e-3
    log_sd: float = 0.5


@dataclass(frozen=True, kw_only=True)
class Shape:
    """An upward deflection ``(1 - exp(-t / tau_rise)) * exp(-t / tau_decay)``, scaled to its amplitude.

    Attributes
    ----------
    onset_s : float
        Time at which the rise begins.
    tau_rise_s, tau_decay_s : float
    amplitude : float
        Height of the maximum.
    """

    onset_s: float
    tau_rise_s: float
    tau_decay_s: float
    amplitude: float

    @property
    def peak_s(self) -> float:
        """Time of the maximum."""
        return self.onset_s + float(_time_to_peak(self.tau_rise_s, self.tau_decay_s))

    @property
    def usable(self) -> bool:
        """Whether the fit found an upward deflection with time constants a MEPP can have."""
        shortest, longest = _TAU_DECAY_LIMITS_S
        decays = shortest * 1.01 < self.tau_decay_s < longest * 0.99
        return self.amplitude > 0.0 and decays and self.tau_rise_s < _TAU_RISE_LIMITS_S[1] * 0.99

    def curve(self, time_s: FloatArray) -> FloatArray:
        """Return the deflection at given times; zero before the onset."""
        since = np.maximum(time_s - self.onset_s, 0.0)
        taus = self.tau_rise_s, self.tau_decay_s
        return np.asarray(self.amplitude / _unscaled(_time_to_peak(*taus), *taus) * _unscaled(since, *taus))


def level_times(
    tau_rise_s: FloatArray, tau_decay_s: FloatArray, *, level: float, falling: bool
) -> FloatArray:
    """Return when shapes cross a fraction of their amplitude, counted from the onset.

    Parameters
    ----------
    tau_rise_s, tau_decay_s : ndarray, shape (n_events,), seconds
    level : float
        Fraction of the amplitude, between 0 and 1.
    falling : bool
        The crossing after the peak instead of the one before it.

    Returns
    -------
    ndarray, shape (n_events,), seconds

    Examples
    --------
    With a rise much faster than the decay, half of the peak is reached after ln 2 decay constants.

    >>> half_s = level_times(np.array([1e-9]), np.array([2e-3]), level=0.5, falling=True)
    >>> round(1e3 * float(half_s[0]), 3)
    1.386
    """
    peak_s = _time_to_peak(tau_rise_s, tau_decay_s)
    target = level * _unscaled(peak_s, tau_rise_s, tau_decay_s)
    # Within 40 decay constants after the peak, any level of interest is passed.
    low, high = (peak_s, peak_s + 40.0 * tau_decay_s) if falling else (np.zeros_like(peak_s), peak_s)
    for _ in range(50):
        middle = 0.5 * (low + high)
        move_low = (_unscaled(middle, tau_rise_s, tau_decay_s) < target) != falling
        low, high = np.where(move_low, middle, low), np.where(move_low, high, middle)
    return np.asarray(0.5 * (low + high))


def fit_shape(
    time_s: FloatArray,
    values: FloatArray,
    *,
    start: Shape,
    noise_sd: float,
    prior: ShapePrior = ShapePrior(),
) -> Shape:
    """Fit the shape to samples whose baseline lies at 0, by penalized least squares.

    Parameters
    ----------
    time_s, values : ndarray, shape (n_samples,)
        Samples from before the onset to the end of the decay, or to where the next event begins.
    start : Shape
        First guess; its amplitude is not used.
    noise_sd : float
        Standard deviation of the noise, in the unit of ``values``: the larger it is, the
        more weight the prior has. With 0 it has none.
    prior : ShapePrior, optional

    Returns
    -------
    Shape
        Its ``usable`` is False where the samples hold no such deflection.

    Notes
    -----
    Levenberg-Marquardt on the onset and the logarithms of the time constants; the amplitude follows linearly
    from them and is projected out of the derivatives [1]_.

    References
    ----------
    .. [1] Kaufman, L. (1975). A variable projection method for solving separable nonlinear least squares
       problems. BIT 15, 49-57. https://doi.org/10.1007/BF01932995

    Examples
    --------
    >>> truth = Shape(onset_s=2e-3, tau_rise_s=0.4e-3, tau_decay_s=2.5e-3, amplitude=1.0)
    >>> guess = Shape(onset_s=1e-3, tau_rise_s=1e-3, tau_decay_s=5e-3, amplitude=1.0)
    >>> time_s = np.arange(0, 15e-3, 1e-4)
    >>> found = fit_shape(time_s, truth.curve(time_s), start=guess, noise_sd=0.0)
    >>> round(found.tau_decay_s, 6), round(found.amplitude, 6)
    (0.0025, 1.0)
    """
    if len(values) < 5:  # not more samples than the shape has parameters
        return replace(start, amplitude=0.0)
    rate_hz = (len(time_s) - 1) / (time_s[-1] - time_s[0])
    weights = [noise_sd * np.sqrt(max(rate_hz / hz, 1.0)) / prior.log_sd for hz in _INDEPENDENT_HZ]
    center = np.array([0.0, np.log(prior.tau_rise_s), np.log(prior.tau_decay_s)])
    problem = _Problem(time_s, values, center, np.array([0.0, *weights]))
    bounds = [(time_s[0], time_s[-1]), np.log(_TAU_RISE_LIMITS_S), np.log(_TAU_DECAY_LIMITS_S)]
    lower, upper = np.array(bounds).T
    parameters = np.array([start.onset_s, np.log(start.tau_rise_s), np.log(start.tau_decay_s)])
    parameters = np.minimum(np.maximum(parameters, lower), upper)
    state = problem.at(parameters)
    damping = 1e-2
    for _ in range(_MAX_ITERATIONS):
        hessian, gradient = state.normal_equations(problem.weight)
        diagonal = hessian.diagonal()
        scale = np.diag(diagonal + 1e-12 * diagonal.sum() + np.finfo(np.float64).tiny)
        for _ in range(_MAX_DAMPINGS):
            step = np.linalg.solve(hessian + damping * scale, gradient)
            step = np.minimum(np.maximum(step, -_MAX_STEP), _MAX_STEP)
            moved = np.minimum(np.maximum(parameters + step, lower), upper)
            trial = problem.at(moved)
            if trial.cost < state.cost:
                break
            damping *= 5.0
        else:
            break
        settled = state.cost - trial.cost <= _TOLERANCE * state.cost
        parameters, state, damping = moved, trial, max(damping / 5.0, 1e-7)
        if settled:
            break
    tau_rise_s, tau_decay_s = np.exp(parameters[1:]).tolist()
    height = float(_unscaled(_time_to_peak(tau_rise_s, tau_decay_s), tau_rise_s, tau_decay_s))
    return Shape(
        onset_s=float(parameters[0]),
        tau_rise_s=tau_rise_s,
        tau_decay_s=tau_decay_s,
        amplitude=state.scale * height,
    )


@dataclass(frozen=True)
class _Linearized:
    """Curve, its derivatives and the residuals at one set of parameters."""

    scale: float
    power: float
    curve: FloatArray
    derivatives: FloatArray
    residuals: FloatArray
    penalties: FloatArray
    cost: float

    def normal_equations(self, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
        derivatives = self.scale * self.derivatives
        if self.power > 0.0:
            derivatives -= (derivatives @ self.curve / self.power)[:, None] * self.curve
        hessian = derivatives @ derivatives.T + np.diag(weight**2)
        return hessian, derivatives @ self.residuals - weight * self.penalties


@dataclass(frozen=True)
class _Problem:
    """Samples to fit, and the prior: center and weight of each parameter."""

    time_s: FloatArray
    values: FloatArray
    center: FloatArray
    weight: FloatArray

    def at(self, parameters: FloatArray) -> _Linearized:
        onset_s = parameters[0]
        tau_rise_s, tau_decay_s = np.exp(parameters[1:])
        since = np.maximum(self.time_s - onset_s, 0.0)
        remaining = np.exp(since * (-1.0 / tau_rise_s))
        decay = np.exp(since * (-1.0 / tau_decay_s))
        curve = (1.0 - remaining) * decay
        climb = remaining * decay / tau_rise_s
        derivatives = np.empty((3, len(since)))
        derivatives[0] = np.where(since > 0.0, curve / tau_decay_s - climb, 0.0)
        derivatives[1] = -since * climb
        derivatives[2] = since * curve / tau_decay_s
        power = float(curve @ curve)
        # A deflection that points downward is no event; the scale 0 keeps the fit from following it.
        scale = max(float(curve @ self.values) / power, 0.0) if power > 0.0 else 0.0
        residuals = self.values - scale * curve
        penalties = self.weight * (parameters - self.center)
        cost = float(residuals @ residuals + penalties @ penalties)
        return _Linearized(scale, power, curve, derivatives, residuals, penalties, cost)


def _unscaled(since_s: npt.ArrayLike, tau_rise_s: npt.ArrayLike, tau_decay_s: npt.ArrayLike) -> FloatArray:
    since, rise, decay = np.asarray(since_s), np.asarray(tau_rise_s), np.asarray(tau_decay_s)
    return np.asarray(-np.expm1(-since / rise) * np.exp(-since / decay))


def _time_to_peak(tau_rise_s: npt.ArrayLike, tau_decay_s: npt.ArrayLike) -> FloatArray:
    rise, decay = np.asarray(tau_rise_s), np.asarray(tau_decay_s)
    return np.asarray(rise * np.log1p(decay / rise))
