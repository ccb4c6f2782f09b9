"""What a user decides about detection and writing, checked before any file is opened."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.units import parse_electrical_unit
from nwb_mepp.detectors import (
    FIT_MODES,
    detector_names,
    fits_recordings,
    gives_probability,
    gives_second_opinion,
)

__all__ = [
    "DEFAULT_DETECTORS",
    "DetectionSettings",
    "Stretches",
    "WriteOptions",
    "parse_amplitude",
    "parse_stretches",
]

Stretches = tuple[tuple[float, float], ...]

DEFAULT_DETECTORS = ("miniunet", "autoencoder")

_AMPLITUDE = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*")


def parse_amplitude(text: str) -> tuple[float, str]:
    """Return the amplitude that ``--min-amplitude`` states, in volts or amperes.

    Parameters
    ----------
    text : str
        A number and its unit.

    Returns
    -------
    value : float
    unit : str
        ``"V"`` or ``"A"``.

    Raises
    ------
    UsageError
        If there is no number, or no unit of voltage or current.

    Examples
    --------
    >>> parse_amplitude("10 pA")
    (1e-11, 'A')
    """
    match = _AMPLITUDE.fullmatch(text)
    unit = parse_electrical_unit(match[2]) if match else None
    if match is None or unit is None:
        raise UsageError(
            f"--min-amplitude: expected a number with its unit, such as 0.2mV or 10pA, found {text!r}."
        )
    return float(match[1]) * unit.scale, unit.name


def parse_stretches(values: Iterable[str], *, option: str) -> Stretches:
    """Return stretches that are given as START:STOP in seconds.

    Parameters
    ----------
    values : iterable of str
    option : str
        Name of the option, for the message.

    Raises
    ------
    UsageError
        If a value is not two numbers with a colon between.

    Examples
    --------
    >>> parse_stretches(["0.1:0.4", "2:3.5"], option="--exclude")
    ((0.1, 0.4), (2.0, 3.5))
    """
    stretches = []
    for value in values:
        start, _, stop = value.partition(":")
        try:
            stretches.append((float(start), float(stop)))
        except ValueError:
            raise UsageError(
                f"{option}: expected START:STOP in seconds, such as 12.5:13, found {value!r}."
            ) from None
    return tuple(stretches)


def _check_stretches(stretches: Stretches, *, option: str) -> None:
    for start_s, stop_s in stretches:
        if not (math.isfinite(start_s) and math.isfinite(stop_s)):
            raise UsageError(f"{option}: expected finite seconds, found {start_s:g}:{stop_s:g}.")
        if stop_s <= start_s:
            raise UsageError(
                f"{option}: expected START before STOP, found {start_s:g}:{stop_s:g}; exchange them."
            )


def _check_not_negative(option: str, value: float | None) -> None:
    if value is not None and not (math.isfinite(value) and value >= 0):
        raise UsageError(
            f"{option}: expected a finite number of 0 or more (the size of a MEPP counts, not its sign), "
            f"found {value:g}."
        )


@dataclass(frozen=True, kw_only=True)
class DetectionSettings:
    """How MEPPs are looked for.

    Attributes
    ----------
    detectors : tuple of str
        Registered names, each run on its own.
    threshold : float, optional
        In units of the detector's own output; its default if not given. A second opinion keeps its own.
    false_discovery_rate : float, optional
        Keep as many of the most probable MEPPs of a channel as leave this fraction to doubt, instead of a
        threshold. A second opinion, which claims no probability, keeps its own threshold.
    weights : tuple of (str, Path)
        Detectors and the folders of weights to be used instead of those that they bring; see
        :func:`~nwb_mepp.workflows.weights_choice.choose_weights`.
    fit_recording : {"empty", "all"}, optional
        Fit the autoencoders among the detectors to each channel first, on the stretches where MiniUnet finds
        nothing or on all of it.
    min_amplitude : float, optional
        MEPPs smaller than that, in volts or amperes, are dropped after they were measured.
    min_amplitude_unit : {"V", "A"}, optional
        The unit that ``min_amplitude`` was stated in, checked against that of the channel.
    min_amplitude_sd : float, optional
        The same in standard deviations of the noise.
    channels : tuple of str
        Empty where the recording has a single channel in volts or amperes: no channel is guessed.
    polarity : Polarity
        A text is turned into one.
    exclude : tuple of (start_s, stop_s)
        Stretches left out, in seconds from the session start.
    exclude_per_sweep : tuple of (start_s, stop_s)
        The same in seconds from the start of every sweep.
    block_s : float
        How many seconds are worked on at a time; the result does not depend on it.

    Raises
    ------
    UsageError
        If a value is not possible, whatever the recording.
    """

    detectors: tuple[str, ...] = DEFAULT_DETECTORS
    threshold: float | None = None
    false_discovery_rate: float | None = None
    weights: tuple[tuple[str, Path], ...] = ()
    fit_recording: str | None = None
    min_amplitude: float | None = None
    min_amplitude_unit: str | None = None
    min_amplitude_sd: float | None = None
    channels: tuple[str, ...] = ()
    polarity: Polarity = Polarity.AUTO
    exclude: Stretches = ()
    exclude_per_sweep: Stretches = ()
    block_s: float = 60.0

    def __post_init__(self) -> None:
        self._check_detectors()
        self._check_threshold()
        self._check_networks()
        _check_not_negative("--min-amplitude", self.min_amplitude)
        _check_not_negative("--min-amplitude-sd", self.min_amplitude_sd)
        object.__setattr__(self, "polarity", Polarity(self.polarity))
        if len(set(self.channels)) != len(self.channels):
            raise UsageError(f"--channel: expected each channel once, found {', '.join(self.channels)}.")
        _check_stretches(self.exclude, option="--exclude")
        _check_stretches(self.exclude_per_sweep, option="--exclude-per-sweep")
        if not self.block_s > 0:
            raise UsageError(f"expected blocks of more than 0 s, found {self.block_s} s.")

    def _check_detectors(self) -> None:
        known = detector_names()
        unknown = [name for name in self.detectors if name not in known]
        if unknown or not self.detectors:
            found = repr(unknown[0]) if unknown else "none"
            raise UsageError(f"--detector: expected one of {', '.join(known)}, found {found}.")
        if len(set(self.detectors)) != len(self.detectors):
            raise UsageError(f"--detector: expected each detector once, found {', '.join(self.detectors)}.")

    def _check_threshold(self) -> None:
        threshold, rate = self.threshold, self.false_discovery_rate
        if threshold is not None and not math.isfinite(threshold):
            raise UsageError(f"--threshold: expected a finite number, found {threshold}.")
        if threshold is not None and len(self.leading) > 1:
            raise UsageError(
                "--threshold: expected one --detector, because a threshold is in units of one detector's own "
                f"output, found {', '.join(self.leading)}; run them one after another with 'nwb-mepp "
                "detect'."
            )
        if rate is None:
            return
        if not 0.0 < rate < 1.0:
            raise UsageError(
                f"--false-discovery-rate: expected a fraction between 0 and 1, such as 0.05, found {rate:g}."
            )
        if threshold is not None:
            raise UsageError(
                f"--false-discovery-rate: expected it without --threshold, found both ({rate:g} and "
                f"{threshold:g}); either decides what is kept, so give one of them."
            )
        without = [name for name in self.leading if not gives_probability(name)]
        if without:
            able = [name for name in detector_names() if gives_probability(name)]
            raise UsageError(
                "--false-discovery-rate: expected a --detector that gives probabilities "
                f"({', '.join(able)}), found {without[0]}, which gives none; use --threshold for it."
            )

    def _check_networks(self) -> None:
        given = [name for name, _ in self.weights]
        if len(set(given)) != len(given):
            raise UsageError(f"--weights: expected one folder for each detector, found {', '.join(given)}.")
        unused = [name for name in given if name not in self.detectors]
        if unused:
            raise UsageError(
                f"--weights: expected weights of a detector that is run ({', '.join(self.detectors)}), found "
                f"some of {unused[0]}; add --detector {unused[0]}, or leave them out."
            )
        if self.fit_recording is None:
            return
        if self.fit_recording not in FIT_MODES:
            raise UsageError(
                f"--fit-recording: expected one of {', '.join(FIT_MODES)}, found {self.fit_recording!r}."
            )
        if not any(map(fits_recordings, self.detectors)):
            able = [name for name in detector_names() if fits_recordings(name)]
            raise UsageError(
                f"--fit-recording: expected a --detector that can be fitted ({', '.join(able)}), found "
                f"{', '.join(self.detectors)}."
            )

    @property
    def second_opinion(self) -> str | None:
        """The detector that judges what the others find: the first that can, if there are others."""
        able = [name for name in self.detectors if gives_second_opinion(name)]
        return able[0] if able and len(able) < len(self.detectors) else None

    @property
    def leading(self) -> tuple[str, ...]:
        """The detectors but the second opinion: the MEPPs are theirs."""
        return tuple(name for name in self.detectors if name != self.second_opinion)

    def threshold_of(self, detector: str) -> float | None:
        """Return the threshold that was stated for a detector."""
        return None if detector == self.second_opinion else self.threshold

    def rate_of(self, detector: str) -> float | None:
        """Return the rate of false discoveries that was stated for a detector."""
        return None if detector == self.second_opinion else self.false_discovery_rate

    def weights_of(self, detector: str) -> Path | None:
        """Return the folder of weights that was stated for a detector."""
        return dict(self.weights).get(detector)

    def described(self) -> dict[str, object]:
        """Return what was decided for all detectors alike; what was left open is not in it."""
        stated = {
            "min_amplitude": self.min_amplitude,
            "min_amplitude_sd": self.min_amplitude_sd,
            "polarity_setting": self.polarity,
            "exclude_s": _described(self.exclude),
            "exclude_per_sweep_s": _described(self.exclude_per_sweep),
        }
        return {name: value for name, value in stated.items() if value is not None}


def _described(stretches: Stretches) -> str | None:
    return ", ".join(f"{start_s!r}:{stop_s!r}" for start_s, stop_s in stretches) or None


@dataclass(frozen=True, kw_only=True)
class WriteOptions:
    """What the user knows of a recording beyond its file, and how it is written.

    Attributes
    ----------
    session_start : str, optional
        ISO 8601.
    timezone : str, optional
        Name of the zone that completes a time without one.
    session_start_from : str, optional
        ``"mtime"`` or ``"filename:PATTERN"``.
    override : bool
        Permits what contradicts the file.
    subject : str, optional
        Identifier of the subject.
    session_id : str, optional
        Identifier of the session.
    metadata : Path, optional
        YAML file with everything else.
    clamp : {"current", "voltage", "izero"}, optional
        How the cell was held; plain series are written where that is not stated.
    extension : bool
        Tables of MEPPs are types of the extension ``ndx-mepp`` instead of core ones.
    """

    session_start: str | None = None
    timezone: str | None = None
    session_start_from: str | None = None
    override: bool = False
    subject: str | None = None
    session_id: str | None = None
    metadata: Path | None = None
    clamp: str | None = None
    extension: bool = False
