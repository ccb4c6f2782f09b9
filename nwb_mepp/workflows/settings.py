"""What a user decides about detection and writing, checked before any file is opened."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

from nwb_mepp.core.choices import ClampMode, FitMode
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.options import NAMES, Options, at_least, documented, option
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.workflows.option_kinds import AMPLITUDE, STRETCHES, WEIGHTS, Amplitude, Stretch, Stretches

if TYPE_CHECKING:
    import quantities as pq

__all__ = [
    "DEFAULT_DETECTORS",
    "DetectionArguments",
    "DetectionSettings",
    "FileDetectionArguments",
    "WriteArguments",
    "WriteOptions",
]

DEFAULT_DETECTORS = ("miniunet", "autoencoder")


def _check_finite(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise UsageError(f"`{name}`: expected a finite number, found {value}.")


def _check_fraction(name: str, value: float) -> None:
    if not 0.0 < value < 1.0:
        raise UsageError(f"`{name}`: expected a fraction between 0 and 1, such as 0.05, found {value:g}.")


def _check_channels(name: str, channels: tuple[str, ...]) -> None:
    if len(set(channels)) != len(channels):
        raise UsageError(f"`{name}`: expected each channel once, found {', '.join(channels)}.")


def _check_block(_: str, block_s: float) -> None:
    if not block_s > 0:
        raise UsageError(f"expected blocks of more than 0 s, found {block_s} s.")


@documented
@dataclass(frozen=True, kw_only=True)
class DetectionSettings(Options):
    """How MEPPs are looked for.

    Raises
    ------
    UsageError
        If a value is not possible, whatever the recording.
    """

    detectors: tuple[str, ...] = option(
        default=DEFAULT_DETECTORS,
        help="Detector to run; miniunet finds MEPPs, an autoencoder beside it gives a second opinion on them",
        flag="--detector",
        metavar="NAME",
        default_text="miniunet and autoencoder",
        kind=NAMES,
    )
    threshold: float | None = option(
        help="Keep candidates from this output of the detector on",
        flag="--threshold",
        metavar="X",
        default_text="the detector's own",
        check=_check_finite,
    )
    false_discovery_rate: float | None = option(
        help="Instead of a threshold, keep the most probable MEPPs of which this fraction is expected to be "
        "false, e.g. 0.05",
        flag="--false-discovery-rate",
        metavar="X",
        check=_check_fraction,
    )
    weights: tuple[tuple[str, Path], ...] = option(
        default=(),
        help="Weights to use instead of the default ones: a folder that 'nwb-mepp train' wrote, or shipped "
        "ones such as miniunet@3",
        flag="--weights",
        metavar="[DETECTOR=]WEIGHTS",
        kind=WEIGHTS,
    )
    fit_recording: FitMode | None = option(
        help="Fit the autoencoder to each recording first: on the stretches where miniunet finds nothing, or "
        "on all of it (needs TensorFlow)",
        flag="--fit-recording",
    )
    min_amplitude: Amplitude | None = option(
        help="Keep only MEPPs with at least this amplitude, e.g. 0.2mV",
        flag="--min-amplitude",
        metavar="X",
        kind=AMPLITUDE,
    )
    min_amplitude_sd: float | None = option(
        help="Keep only MEPPs with at least this amplitude in standard deviations of the noise",
        flag="--min-amplitude-sd",
        metavar="X",
        check=at_least(0),
    )
    max_amplitude: Amplitude | None = option(
        help="Keep only MEPPs with at most this amplitude, e.g. 5mV",
        flag="--max-amplitude",
        metavar="X",
        kind=AMPLITUDE,
    )
    channels: tuple[str, ...] = option(
        default=(),
        help="Channel to analyze, needed if several are in volts or amperes",
        flag="--channel",
        metavar="NAME",
        kind=NAMES,
        check=_check_channels,
    )
    all_channels: bool = option(
        default=False,
        help="Analyze every channel in volts or amperes",
        flag="--all-channels",
    )
    polarity: Polarity = option(
        default=Polarity.AUTO, help="Direction in which MEPPs point", flag="--polarity"
    )
    exclude: Stretches = option(
        default=(),
        help="Leave out a stretch, in seconds from the session start",
        flag="--exclude",
        metavar="START:STOP",
        kind=STRETCHES,
    )
    exclude_per_sweep: Stretches = option(
        default=(),
        help="Leave a stretch out of every sweep (such as a test pulse), in seconds from the start of the "
        "sweep",
        flag="--exclude-per-sweep",
        metavar="START:STOP",
        kind=STRETCHES,
    )
    stimuli: str | None = option(
        help="When the preparation was stimulated: a channel with pulses, a file with a time a line, in "
        "seconds from the session start, or EVERY:SECONDS[@START]; what follows is evoked",
        flag="--stimuli",
        metavar="CHANNEL|FILE|EVERY:S",
    )
    exclude_around_stimuli: Stretches = option(
        default=(),
        help="Leave out a stretch around every stimulus, in seconds from it",
        flag="--exclude-around-stimuli",
        metavar="START:STOP",
        kind=STRETCHES,
    )
    keep_all_time: bool = option(
        default=False,
        help="Analyze also what the recording shows to be of no use (a rail, a flat line, a lost impalement)",
        flag="--keep-all-time",
    )
    block_s: float = option(
        default=20.0,
        help="Work on so many seconds at a time; the result does not depend on it",
        check=_check_block,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.all_channels and self.channels:
            raise UsageError(
                f"`all_channels`: expected no other choice, found `channels` {', '.join(self.channels)}; "
                "keep one of the two."
            )
        self._check_detectors()
        self._check_threshold()
        self._check_networks()

    def _check_detectors(self) -> None:
        # They are there; who converts a file, and detects nothing, need not load them.
        if self.detectors == DEFAULT_DETECTORS:
            return
        from nwb_mepp.detectors import detector_names

        known = detector_names()
        unknown = [name for name in self.detectors if name not in known]
        if unknown or not self.detectors:
            found = repr(unknown[0]) if unknown else "none"
            raise UsageError(f"`detectors`: expected one of {', '.join(known)}, found {found}.")
        if len(set(self.detectors)) != len(self.detectors):
            raise UsageError(f"`detectors`: expected each detector once, found {', '.join(self.detectors)}.")

    def _check_threshold(self) -> None:
        threshold, rate = self.threshold, self.false_discovery_rate
        if threshold is not None and len(self.leading) > 1:
            raise UsageError(
                "`threshold`: expected one detector, because a threshold is in units of one detector's own "
                f"output, found {', '.join(self.leading)}; run them one after another."
            )
        if rate is None:
            return
        if threshold is not None:
            raise UsageError(
                f"`false_discovery_rate` and `threshold` are both stated ({rate:g} and {threshold:g}), but "
                "either decides what is kept; give one of them."
            )
        from nwb_mepp.detectors import detector_names, gives_probability

        without = [name for name in self.leading if not gives_probability(name)]
        if without:
            able = [name for name in detector_names() if gives_probability(name)]
            raise UsageError(
                "`false_discovery_rate`: expected a detector that gives probabilities "
                f"({', '.join(able)}), found {without[0]}, which gives none; use `threshold` for it."
            )

    def _check_networks(self) -> None:
        given = [name for name, _ in self.weights]
        if len(set(given)) != len(given):
            raise UsageError(f"`weights`: expected one folder for each detector, found {', '.join(given)}.")
        unused = [name for name in given if name not in self.detectors]
        if unused:
            raise UsageError(
                f"`weights`: expected weights of a detector that is run ({', '.join(self.detectors)}), found "
                f"some of {unused[0]}; add {unused[0]} to `detectors`, or leave them out."
            )
        if self.fit_recording is None:
            return
        from nwb_mepp.detectors import detector_names, fits_recordings

        if not any(map(fits_recordings, self.detectors)):
            able = [name for name in detector_names() if fits_recordings(name)]
            raise UsageError(
                f"`fit_recording`: expected a detector that can be fitted ({', '.join(able)}), found "
                f"{', '.join(self.detectors)}."
            )

    @property
    def second_opinion(self) -> str | None:
        """The detector that judges what the others find: the first that can, if there are others."""
        from nwb_mepp.detectors import gives_second_opinion

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
            "min_amplitude": self.min_amplitude and self.min_amplitude.value,
            "min_amplitude_sd": self.min_amplitude_sd,
            "max_amplitude": self.max_amplitude and self.max_amplitude.value,
            "polarity_setting": self.polarity,
            "exclude_s": _described(self.exclude),
            "exclude_per_sweep_s": _described(self.exclude_per_sweep),
            "stimuli": self.stimuli,
            "exclude_around_stimuli_s": _described(self.exclude_around_stimuli),
            "keep_all_time": self.keep_all_time or None,
        }
        return {name: value for name, value in stated.items() if value is not None}


def _described(stretches: Stretches) -> str | None:
    return ", ".join(f"{start_s!r}:{stop_s!r}" for start_s, stop_s in stretches) or None


class DetectionArguments(TypedDict, total=False):
    """What functions in Python take for :class:`DetectionSettings`, for a signal alone."""

    detectors: str | Iterable[str]
    threshold: float | None
    false_discovery_rate: float | None
    weights: str | PathLike[str] | Mapping[str, str | PathLike[str]] | None
    fit_recording: FitMode | None
    min_amplitude: pq.Quantity | str | None
    min_amplitude_sd: float | None
    max_amplitude: pq.Quantity | str | None
    polarity: Polarity | Literal["auto", "positive", "negative"]
    exclude: Iterable[Stretch]
    stimuli: str | None
    exclude_around_stimuli: Iterable[Stretch]
    keep_all_time: bool


class FileDetectionArguments(DetectionArguments, total=False):
    """The same for a file, which has channels and sweeps."""

    channels: str | Iterable[str]
    all_channels: bool
    exclude_per_sweep: Iterable[Stretch]


@documented
@dataclass(frozen=True, kw_only=True)
class WriteOptions(Options):
    """What the user knows of a recording beyond its file, and how it is written.

    Raises
    ------
    UsageError
        If a value is not possible, whatever the recording.
    """

    clamp: ClampMode | None = option(
        help="How the cell was held (izero: no current, bridge and capacitance compensation off); plain "
        "series are written where that is not stated",
        flag="--clamp",
    )
    session_start: str | None = option(
        help="Start of the session in ISO 8601, e.g. 2020-01-31T09:30:00+01:00",
        flag="--session-start",
        metavar="ISO",
    )
    timezone: str | None = option(
        help="Time zone that completes a time without one, e.g. Europe/Berlin",
        flag="--timezone",
        metavar="NAME",
    )
    session_start_from: str | None = option(
        help="Take the session start from the file's time of change (mtime) or from its name "
        "(filename:PATTERN, e.g. filename:%Y%m%d)",
        flag="--session-start-from",
        metavar="WHERE",
    )
    override: bool = option(default=False, help="Permit what contradicts the file", flag="--override")
    subject: str | None = option(help="Identifier of the subject", flag="--subject", metavar="ID")
    session_id: str | None = option(help="Identifier of the session")
    metadata: Path | None = option(
        help="File with everything else that is known ('nwb-mepp metadata template' prints one to fill in)",
        flag="--metadata",
        metavar="FILE.yaml",
    )
    extension: bool = option(
        default=False,
        help="Write tables of MEPPs as types of ndx-mepp instead of core ones",
        flag="--extension",
    )


class WriteArguments(TypedDict, total=False):
    """What functions in Python take for :class:`WriteOptions`."""

    clamp: ClampMode | None
    session_start: str | None
    timezone: str | None
    session_start_from: str | None
    override: bool
    subject: str | None
    session_id: str | None
    metadata: str | PathLike[str] | None
    extension: bool
