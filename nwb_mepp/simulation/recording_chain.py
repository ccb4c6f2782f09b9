"""What stands between a membrane and a file: filters, the converter, and whatever resamples afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, uniform_filter1d
from scipy.signal import bessel, butter, iirnotch, sosfilt, sosfilt_zi, sosfiltfilt, tf2sos

__all__ = ["Between", "Filter", "FilterKind", "RecordingChain"]

FloatArray = npt.NDArray[np.float64]
FilterKind: TypeAlias = Literal[
    "bessel", "butterworth", "rc", "gaussian", "moving_average", "notch", "ac_coupling"
]
Between: TypeAlias = Literal["lines", "hold"]

_SMOOTHING = ("gaussian", "moving_average")
_WITHOUT_CUTOFF = ("notch", "ac_coupling")  # of high frequencies
_NOTCH_QUALITY = 30.0
# Half of the power passes a Gaussian of this SD in periods of its cutoff, and a mean over this many periods.
_GAUSSIAN_PERIODS = float(np.sqrt(np.log(2.0)) / (2.0 * np.pi))
_MEAN_PERIODS = 0.4429


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A filter that MEPPs and noise pass together.

    Attributes
    ----------
    kind : str
        Low-pass filters: ``"bessel"``, ``"butterworth"``, ``"rc"`` (one pole), ``"gaussian"`` and
        ``"moving_average"``. ``"notch"`` removes one frequency (quality 30), ``"ac_coupling"`` is the
        Butterworth high-pass of an amplifier.
    cutoff_hz : float
        Where half of the power passes in one direction; of a notch, its center.
    poles : int
        Of a Bessel or Butterworth filter, or of AC coupling.
    zero_phase : bool
        Run forwards and backwards, so that half of the amplitude passes at the cutoff; a moving average is
        centered. A Gaussian is centered in any case.

    Raises
    ------
    ValueError
        If the kind is unknown, or the cutoff is not above 0.

    Examples
    --------
    >>> smooth = Filter(kind="moving_average", cutoff_hz=1107.0)
    >>> smooth.apply(np.array([0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0]), sampling_rate_hz=1e4).tolist()
    [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    """

    kind: FilterKind
    cutoff_hz: float
    poles: int = 4
    zero_phase: bool = False

    def __post_init__(self) -> None:
        if self.kind not in get_args(FilterKind):
            raise ValueError(
                f"expected a filter among {', '.join(get_args(FilterKind))}, found {self.kind!r}."
            )
        if not self.cutoff_hz > 0.0:
            raise ValueError(f"expected a cutoff above 0 Hz, found {self.cutoff_hz:g}.")

    @property
    def lowpass_hz(self) -> float | None:
        """The cutoff of a low-pass filter; None for one that leaves high frequencies."""
        return None if self.kind in _WITHOUT_CUTOFF else self.cutoff_hz

    @property
    def words(self) -> str:
        """Description such as ``8-pole Bessel, 1000 Hz``."""
        name = {
            "bessel": f"{self.poles}-pole Bessel",
            "butterworth": f"{self.poles}-pole Butterworth",
            "rc": "RC",
            "gaussian": "Gaussian",
            "moving_average": "moving average",
            "notch": "notch",
            "ac_coupling": "AC coupling",
        }[self.kind]
        return f"{name}, {self.cutoff_hz:g} Hz{', zero phase' if self.zero_phase else ''}"

    def apply(self, values: FloatArray, *, sampling_rate_hz: float) -> FloatArray:
        """Filter along the last axis; before the first sample, its value has lasted forever.

        Parameters
        ----------
        values : ndarray, shape (..., n_samples)
        sampling_rate_hz : float

        Returns
        -------
        ndarray, shape (..., n_samples)

        Raises
        ------
        ValueError
            If the cutoff is not below half the sampling rate.
        """
        if not self.cutoff_hz < 0.5 * sampling_rate_hz:
            raise ValueError(
                f"expected a cutoff below half the sampling rate of {sampling_rate_hz:g} Hz, found "
                f"{self.cutoff_hz:g} Hz."
            )
        if self.kind in _SMOOTHING:
            return self._smooth(values, sampling_rate_hz)
        sections = self._sections(sampling_rate_hz)
        if self.zero_phase:
            return np.asarray(sosfiltfilt(sections, values))
        at_rest = sosfilt_zi(sections)
        shaped = at_rest.reshape(len(sections), *(1,) * (values.ndim - 1), 2)
        filtered, _ = sosfilt(sections, values, zi=shaped * values[..., :1])
        return np.asarray(filtered)

    def _smooth(self, values: FloatArray, sampling_rate_hz: float) -> FloatArray:
        period = sampling_rate_hz / self.cutoff_hz
        if self.kind == "gaussian":
            return np.asarray(gaussian_filter1d(values, _GAUSSIAN_PERIODS * period, mode="nearest"))
        width = max(round(_MEAN_PERIODS * period), 1)
        # The window of each sample ends with it, instead of being centered.
        origin = 0 if self.zero_phase else (width - 1) // 2
        return np.asarray(uniform_filter1d(values, width, mode="nearest", origin=origin))

    def _sections(self, sampling_rate_hz: float) -> FloatArray:
        if self.kind == "notch":
            return np.asarray(tf2sos(*iirnotch(self.cutoff_hz, _NOTCH_QUALITY, fs=sampling_rate_hz)))
        if self.kind == "bessel":
            return np.asarray(
                bessel(self.poles, self.cutoff_hz, fs=sampling_rate_hz, output="sos", norm="mag")
            )
        poles = 1 if self.kind == "rc" else self.poles
        way: Literal["highpass", "lowpass"] = "highpass" if self.kind == "ac_coupling" else "lowpass"
        return np.asarray(butter(poles, self.cutoff_hz, way, fs=sampling_rate_hz, output="sos"))


@dataclass(frozen=True, kw_only=True)
class RecordingChain:
    """How a recording came into its file: everything behind the electrode.

    MEPPs, noise, hum, drift and artifacts pass the filters together, at ``oversampling`` times the rate of
    the file. Then the converter takes its samples and rounds them to its steps.

    Attributes
    ----------
    filters : tuple of Filter
        In their order.
    oversampling : int
        The filters see this many samples for each of the file, which then holds every such sample, without
        any other filter against aliasing.
    converter_hz : float, optional
        Rate of a converter that is slower than the file.
    between : {"lines", "hold"}
        How its samples became those of the file: joined by straight lines, or each held until the next.
    step_sd : float
        Step of the converter as a multiple of the SD of white and 1/f noise behind the filters, instead
        of the ``step`` of the scenario.

    Raises
    ------
    ValueError
        If there is less than one sample for each of the file, or ``between`` is unknown.
    """

    filters: tuple[Filter, ...] = ()
    oversampling: int = 1
    converter_hz: float | None = None
    between: Between = "lines"
    step_sd: float = 0.0

    def __post_init__(self) -> None:
        if self.oversampling < 1:
            raise ValueError(f"expected an oversampling of 1 or more, found {self.oversampling}.")
        if self.between not in get_args(Between):
            raise ValueError(f"expected between 'lines' or 'hold', found {self.between!r}.")

    def filtered(self, values: FloatArray, *, sampling_rate_hz: float) -> FloatArray:
        """Return what leaves the filters, shape of ``values``.

        Parameters
        ----------
        values : ndarray, shape (..., n_samples)
        sampling_rate_hz : float
            That of the file times ``oversampling``.
        """
        for one in self.filters:
            values = one.apply(values, sampling_rate_hz=sampling_rate_hz)
        return values

    def sampled(
        self,
        filtered: FloatArray,
        *,
        file_hz: float,
        digitize: Callable[[FloatArray], FloatArray] = lambda values: values,
    ) -> FloatArray:
        """Return the samples of the file.

        Parameters
        ----------
        filtered : ndarray, shape (n_samples * oversampling,)
        file_hz : float
            Sampling rate of the file.
        digitize : callable, optional
            Rounds what the converter has sampled.

        Returns
        -------
        ndarray, shape (n_samples,)

        Examples
        --------
        >>> chain = RecordingChain(converter_hz=1.0, between="hold")
        >>> chain.sampled(np.arange(6.0), file_hz=2.0).tolist()
        [0.0, 0.0, 2.0, 2.0, 4.0, 4.0]
        """
        seen = filtered[:: self.oversampling]
        if self.converter_hz is None:
            return digitize(seen)
        file_s = np.arange(len(seen)) / file_hz
        n_converted = int(np.floor(file_s[-1] * self.converter_hz + 1e-9)) + 1
        converter_s = np.arange(n_converted) / self.converter_hz
        source_s = np.arange(len(filtered)) / (file_hz * self.oversampling)
        converted = digitize(np.interp(converter_s, source_s, filtered))
        if self.between == "lines":
            return np.interp(file_s, converter_s, converted)
        return converted[np.floor(file_s * self.converter_hz + 1e-9).astype(np.int64)]
