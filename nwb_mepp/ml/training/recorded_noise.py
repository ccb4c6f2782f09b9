"""Real noise for the calibration: recordings without MEPPs, into which simulated ones are put."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp.conditioning import find_unusable, survey
from nwb_mepp.conditioning.survey import MIN_SAMPLING_RATE_HZ
from nwb_mepp.core.errors import UsageError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.provenance import fingerprint
from nwb_mepp.core.recording import Recording
from nwb_mepp.core.results import LeftOut
from nwb_mepp.core.segments import Segment
from nwb_mepp.ml.training.reporter import Reporter
from nwb_mepp.readers import ReadOptions
from nwb_mepp.simulation import Scenario, Simulated, add_mepps
from nwb_mepp.workflows import DetectionSettings, choose_channels, cut_channel
from nwb_mepp.workflows.recording_files import open_recording
from nwb_mepp.workflows.stimuli import around_command_steps

__all__ = [
    "KeptNoise",
    "NoiseFile",
    "RecordedNoise",
    "keep_noise",
    "mepps_in_noise",
    "parse_noise",
    "read_all_noise",
    "read_noise",
]

FloatArray = npt.NDArray[np.float64]
Float32Array = npt.NDArray[np.float32]

_STRETCHED = re.compile(r"(?P<path>.+):(?P<start>\d+(?:\.\d+)?):(?P<stop>\d+(?:\.\d+)?)")
# A shorter stretch tells little of how a recording is described.
_SHORTEST_S = 4.0
# Random stream of a seed, beside those of the simulation (0 to 5) and of the distribution (97 to 99).
_STREAM = 95
# Noise is played slower or faster by up to this factor, so that its spectrum varies.
_LARGEST_PACE = 4.0 / 3.0
_BACKWARDS = 0.5
_NOT_NAMED = "outside the stretch that is named"


@dataclass(frozen=True, kw_only=True)
class NoiseFile:
    """A recording that holds noise.

    Attributes
    ----------
    path : Path
    stretches : tuple of (start_s, stop_s)
        What is noise, in seconds from the session start; the whole recording if there are none.
    """

    path: Path
    stretches: tuple[tuple[float, float], ...] = ()


def parse_noise(named: Iterable[str]) -> list[NoiseFile]:
    """Return the recordings that ``FILE`` and ``FILE:START:STOP`` name, each once with all its stretches.

    Parameters
    ----------
    named : iterable of str

    Raises
    ------
    UsageError
        If a stretch does not end after its start.

    Examples
    --------
    >>> [(one.path.name, one.stretches) for one in parse_noise(["a.abf:2.5:40", "b.edr", "a.abf:50:60"])]
    [('a.abf', ((2.5, 40.0), (50.0, 60.0))), ('b.edr', ())]
    """
    found: dict[Path, tuple[tuple[float, float], ...]] = {}
    for text in named:
        matched = None if Path(text).exists() else _STRETCHED.fullmatch(text)
        if matched is None:
            found[Path(text)] = ()
            continue
        path, start_s, stop_s = Path(matched["path"]), float(matched["start"]), float(matched["stop"])
        if not start_s < stop_s:
            raise UsageError(
                f"`noise`: expected a stretch that ends after its start, found {start_s:g}:{stop_s:g}."
            )
        # A recording that is named whole stays whole.
        if path not in found or found[path]:
            found[path] = (*found.get(path, ()), (start_s, stop_s))
    return [NoiseFile(path=path, stretches=stretches) for path, stretches in found.items()]


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordedNoise:
    """The noise of one recording.

    Attributes
    ----------
    path : Path
    sha256 : str
        Checksum of the recording.
    mark : str
        Checksum of what is used of it: the recording and where the stretches are.
    sampling_rate_hz : float
    stretches : tuple of ndarray of float32, shape (n_samples,)
        Relative to their median, in standard deviations of the noise.
    """

    path: Path
    sha256: str
    mark: str
    sampling_rate_hz: float
    stretches: tuple[Float32Array, ...]

    @property
    def duration_s(self) -> float:
        """Of all stretches together."""
        return sum(map(len, self.stretches)) / self.sampling_rate_hz


@dataclass(frozen=True, kw_only=True)
class KeptNoise:
    """The noise of one recording in files, for processes that simulate.

    Attributes
    ----------
    files : tuple of Path
        An array each.
    sampling_rate_hz : float
    """

    files: tuple[Path, ...]
    sampling_rate_hz: float


def read_noise(
    file: NoiseFile, *, options: ReadOptions | None = None, settings: DetectionSettings | None = None
) -> RecordedNoise:
    """Read the noise of a recording: all that is not left out, in stretches of at least 4 s.

    Parameters
    ----------
    file : NoiseFile
    options : ReadOptions, optional
        What the file does not say.
    settings : DetectionSettings, optional
        The stretches to leave out, and the channel if the file has one of that name; else its only one in
        volts or amperes is taken. Time that does not count and the steps of the command are left out, too.

    Raises
    ------
    UsageError
        If no stretch is long enough.
    MeppError
        If the recording cannot be read or analyzed.
    """
    wanted = settings or DetectionSettings()
    with open_recording(file.path, options=options) as recording:
        names = tuple(name for name in wanted.channels if name in recording.channels)
        (channel,) = choose_channels(recording, names=names[:1])
        segments = [
            segment
            for segment in _segments(recording, channel, file=file, settings=wanted)
            if segment.n_samples >= _SHORTEST_S * segment.sampling_rate_hz
        ]
        if not segments:
            raise UsageError(
                f"`noise`: expected a stretch of at least {_SHORTEST_S:g} s in {file.path.name}, found none; "
                "name another recording, or leave out less."
            )
        noise_sd = survey(segments, polarity=Polarity.POSITIVE).noise_sd
        places = [(one.trace.start_s, one.start, one.stop) for one in segments]
        return RecordedNoise(
            path=file.path,
            sha256=recording.source.sha256,
            mark=fingerprint(
                {"sha256": recording.source.sha256, "channel": channel, "stretches": repr(places)}
            ),
            sampling_rate_hz=segments[0].sampling_rate_hz,
            stretches=tuple(_scaled(one.values(0, one.n_samples), noise_sd) for one in segments),
        )


def read_all_noise(
    named: Sequence[str | PathLike[str]],
    *,
    options: ReadOptions,
    settings: DetectionSettings,
    reporter: Reporter,
) -> tuple[RecordedNoise, ...]:
    """Read the noise of all recordings that are named; see :func:`read_noise`.

    Raises
    ------
    UsageError
        If two files have the same content.
    """
    files = parse_noise(map(str, named))
    found: list[RecordedNoise] = []
    for number, file in enumerate(files):
        reporter.advance(f"reading {file.path.name}", number, len(files))
        noise = read_noise(file, options=options, settings=settings)
        if other := next((one for one in found if one.sha256 == noise.sha256), None):
            raise UsageError(
                f"`noise`: expected each recording once, found {other.path} and {noise.path} with the same "
                "content; leave one out."
            )
        found.append(noise)
    if found:
        seconds = sum(noise.duration_s for noise in found)
        reporter.tell(
            f"{seconds:.0f} s of real noise in {len(found)} recording{'' if len(found) == 1 else 's'}"
        )
    return tuple(found)


def _segments(
    recording: Recording, channel: str, *, file: NoiseFile, settings: DetectionSettings
) -> list[Segment]:
    left_out = around_command_steps(recording)
    if file.stretches:
        traces = recording.sweeps(channel)
        begin_s = min(trace.start_s for trace in traces)
        end_s = max(trace.start_s + trace.duration_s for trace in traces)
        starts_s, stops_s = zip(*sorted(file.stretches), strict=True)
        between = zip((begin_s, *np.maximum.accumulate(stops_s)), (*starts_s, end_s), strict=True)
        left_out += [LeftOut(float(one), float(next_one), _NOT_NAMED) for one, next_one in between]
    segments = cut_channel(recording, channel, settings=settings, left_out=left_out)
    if not segments:
        return []
    return cut_channel(recording, channel, settings=settings, left_out=[*left_out, *find_unusable(segments)])


def _scaled(values: FloatArray, noise_sd: float) -> Float32Array:
    return ((values - np.median(values)) / noise_sd).astype(np.float32)


def keep_noise(folder: Path, noise: Sequence[RecordedNoise]) -> tuple[KeptNoise, ...]:
    """Write noise to files, where it is not there yet.

    Parameters
    ----------
    folder : Path
    noise : sequence of RecordedNoise
    """
    kept = []
    for one in noise:
        files = []
        for number, values in enumerate(one.stretches):
            path = folder / f"noise-{one.mark[:16]}-{number:03d}.npy"
            if not path.exists():
                with complete_or_absent(path) as temporary, temporary.open("wb") as stream:
                    np.save(stream, values)
            files.append(path)
        kept.append(KeptNoise(files=tuple(files), sampling_rate_hz=one.sampling_rate_hz))
    return tuple(kept)


def mepps_in_noise(noise: Sequence[KeptNoise], scenario: Scenario, *, seed: int) -> Simulated:
    """Put the MEPPs of a scenario into a random stretch of recorded noise.

    The noise runs forwards or backwards, up to a quarter slower or a third faster than it was recorded, so
    that the same second is never the same twice; each recording is drawn as often as any other.

    Parameters
    ----------
    noise : sequence of KeptNoise
    scenario : Scenario
        Of its noise, only the SD is used. If no stretch is as long as it, the recording is shorter.
    seed : int
        The same noise, scenario and seed give the same recording.

    Returns
    -------
    Simulated
    """
    rng = np.random.default_rng([seed, _STREAM])
    one = noise[int(rng.integers(len(noise)))]
    stretches = [np.load(path, mmap_mode="r") for path in one.files]
    lengths = np.array([len(stretch) for stretch in stretches])
    stretch = stretches[int(rng.choice(len(stretches), p=lengths / lengths.sum()))]
    slowest = max(1.0 / _LARGEST_PACE, min(MIN_SAMPLING_RATE_HZ / one.sampling_rate_hz, 1.0))
    rate_hz = one.sampling_rate_hz * float(np.exp(rng.uniform(*np.log([slowest, _LARGEST_PACE]))))
    n_samples = min(round(scenario.duration_s * rate_hz), len(stretch))
    start = int(rng.integers(0, len(stretch) - n_samples + 1))
    values = scenario.noise_sd * np.asarray(stretch[start : start + n_samples], dtype=np.float64)
    if rng.random() < _BACKWARDS:
        values = values[::-1].copy()
    shortened = replace(scenario, duration_s=n_samples / rate_hz, sampling_rate_hz=rate_hz)
    return add_mepps(values, scenario=shortened, seed=seed)
