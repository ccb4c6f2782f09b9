"""Simulated recordings as files: what is drawn, in which noise, and what is written with its truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import cast

from nwb_mepp.conditioning import survey
from nwb_mepp.core.errors import OutputError, UsageError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.provenance import describe_settings, fingerprint
from nwb_mepp.core.recording import Recording, SourceFile, Trace
from nwb_mepp.core.segments import Segment
from nwb_mepp.core.version import __version__
from nwb_mepp.nwb import write_nwb
from nwb_mepp.readers import ReadOptions
from nwb_mepp.simulation import (
    BENCHMARK_SEEDS_FROM,
    Scenario,
    Simulated,
    add_mepps,
    check_abf_writer,
    draw_scenario,
    reference_scenario,
    simulate_recording,
    true_mepps,
    write_abf,
    write_labeled_text,
    write_truth_table,
)
from nwb_mepp.workflows import DetectionSettings, Stretches, choose_channels, cut_channel
from nwb_mepp.workflows.recording_files import open_recording

__all__ = ["FORMATS", "NoiseFile", "SimulationOutcome", "SimulationPlan", "simulate_files"]

FORMATS = {"nwb": ".nwb", "abf": ".abf", "labeled-text": ".csv"}
_LEVEL = 6.0
_TRAINING_DURATION_S = 20.0
_MIN_STRETCH_S = 1.0
# The unit an amplifier would give, and how many of it make a volt or an ampere.
_LAB_UNITS = {"V": ("mV", 1e3), "A": ("pA", 1e12)}
_QUANTITIES = {"V": "Voltage", "A": "Current"}


@dataclass(frozen=True, kw_only=True)
class NoiseFile:
    """A recording whose stretches serve as noise.

    Attributes
    ----------
    path : Path
    options : ReadOptions
        What the file does not say.
    channel : str, optional
        The only one in volts or amperes by default.
    exclude : tuple of (start_s, stop_s)
        Stretches that hold events of their own, in seconds from the session start.
    """

    path: Path
    options: ReadOptions
    channel: str | None = None
    exclude: Stretches = ()


@dataclass(frozen=True, kw_only=True)
class SimulationPlan:
    """What is to be simulated; None stands for what the scenario says by itself.

    Attributes
    ----------
    n_recordings : int
    seed : int
        Of the first recording; the others follow.
    level : float, optional
        Mean amplitude over noise SD; 6 by default.
    rate_hz : float, optional
        MEPPs per second outside bursts.
    duration_s : float, optional
        60 s for the reference recording, 20 s for the training distribution, whole stretches in real noise.
    sampling_rate_hz : float, optional
    polarity : Polarity
        Positive or negative.
    from_training : bool
        Draw from the distribution that networks are trained on, instead of the reference recording.
    noise : NoiseFile, optional
        Put the MEPPs into real noise.
    """

    n_recordings: int = 1
    seed: int = 0
    level: float | None = None
    rate_hz: float | None = None
    duration_s: float | None = None
    sampling_rate_hz: float | None = None
    polarity: Polarity = Polarity.POSITIVE
    from_training: bool = False
    noise: NoiseFile | None = None

    def __post_init__(self) -> None:
        if self.n_recordings < 1:
            raise UsageError(f"`n_recordings`: expected at least 1, found {self.n_recordings}.")
        if self.seed < 0:
            raise UsageError(f"`seed`: expected 0 or more, found {self.seed}.")
        for option, value, least in (
            ("`level`", self.level, 0.0),
            ("`duration_s`", self.duration_s, 0.0),
            ("`sampling_rate_hz`", self.sampling_rate_hz, 0.0),
        ):
            if value is not None and not least < value < float("inf"):
                raise UsageError(f"{option}: expected a number above 0, found {value:g}.")
        if self.rate_hz is not None and not 0.0 <= self.rate_hz < float("inf"):
            raise UsageError(f"`rate_hz`: expected 0 per second or more, found {self.rate_hz:g}.")
        object.__setattr__(self, "polarity", Polarity(self.polarity))
        if self.polarity is Polarity.AUTO:
            raise UsageError("`polarity`: expected positive or negative, found auto.")
        if self.from_training:
            self._check_training()

    def _check_training(self) -> None:
        stated = {
            "`level`": self.level,
            "`rate_hz`": self.rate_hz,
            "`sampling_rate_hz`": self.sampling_rate_hz,
            "`noise`": self.noise,
        }
        for option, value in stated.items():
            if value is not None:
                raise UsageError(
                    f"expected `from_training` without {option}, found both: the distribution draws "
                    "that itself; drop one of them."
                )
        if self.seed + self.n_recordings > BENCHMARK_SEEDS_FROM:
            raise UsageError(
                f"`seed`: expected seeds below {BENCHMARK_SEEDS_FROM} with `from_training`, found "
                f"{self.seed} for {self.n_recordings} recordings: the others belong to the benchmark."
            )


@dataclass(frozen=True, kw_only=True)
class SimulationOutcome:
    """One simulated recording and its files.

    Attributes
    ----------
    seed : int
    n_mepps : int
    paths : tuple of Path
        Among them the table of the truth, where a format cannot hold it.
    """

    seed: int
    n_mepps: int
    paths: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class _Made:
    """A simulated recording on its way into files."""

    simulated: Simulated
    trace: Trace
    notes: tuple[str, ...] = ()


def simulate_files(
    folder: str | Path,
    *,
    plan: SimulationPlan,
    formats: Sequence[str] = ("nwb",),
    session_start: datetime | None = None,
    overwrite: bool = False,
    on_done: Callable[[SimulationOutcome], None] | None = None,
) -> list[SimulationOutcome]:
    """Simulate recordings and write them with their truth.

    Parameters
    ----------
    folder : path-like
        Gets ``simulated_<seed>.nwb``, ``.abf`` and ``.csv``, as the formats ask for, and beside the last two
        ``simulated_<seed>.truth.csv``.
    plan : SimulationPlan
    formats : sequence of {"nwb", "abf", "labeled-text"}
    session_start : datetime, optional
        With a time zone; needed for NWB.
    overwrite : bool, default False
        Replace files that are there.
    on_done : callable, optional
        Called with each recording that is written.

    Returns
    -------
    list of SimulationOutcome

    Raises
    ------
    UsageError
        If a format is unknown, NWB is wanted without a session start, or the noise has no stretch as long.
    OutputError
        If a file is there already, or cannot be written.
    MeppError
        If the noise cannot be read or analyzed.
    """
    _check_formats(formats, session_start=session_start)
    targets = {
        seed: _targets(Path(folder), seed, formats)
        for seed in range(plan.seed, plan.seed + plan.n_recordings)
    }
    there = [path for paths in targets.values() for path in paths.values() if path.exists()]
    if there and not overwrite:
        raise OutputError(
            f"expected nothing at {there[0]}, found a file; give `overwrite=True` to replace it, another "
            "`seed` or another `output`."
        )
    outcomes = []
    for made in _simulate(plan):
        paths = targets[made.simulated.seed]
        _write(made, paths, session_start=session_start)
        outcome = SimulationOutcome(
            seed=made.simulated.seed, n_mepps=len(made.simulated.truth), paths=tuple(paths.values())
        )
        outcomes.append(outcome)
        if on_done is not None:
            on_done(outcome)
    return outcomes


def _check_formats(formats: Sequence[str], *, session_start: datetime | None) -> None:
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        found = repr(unknown[0]) if unknown else "none"
        raise UsageError(f"`format`: expected {', '.join(FORMATS)}, found {found}.")
    if "nwb" in formats and session_start is None:
        raise UsageError(
            "expected `session_start` (such as 2026-01-15T10:00:00Z) to write NWB, found none: a simulated "
            "recording has no date and NWB demands one; give it, or choose `format='labeled-text'`."
        )
    if "abf" in formats:
        check_abf_writer()


def _targets(folder: Path, seed: int, formats: Sequence[str]) -> dict[str, Path]:
    stem = f"simulated_{seed:04d}"
    paths = {name: folder / f"{stem}{FORMATS[name]}" for name in formats}
    if set(formats) - {"nwb"}:
        paths["truth"] = folder / f"{stem}.truth.csv"
    return paths


def _simulate(plan: SimulationPlan) -> Iterator[_Made]:
    if plan.noise is not None:
        yield from _in_noise(plan, plan.noise)
        return
    for number in range(plan.n_recordings):
        seed = plan.seed + number
        simulated = simulate_recording(_scenario(plan, number=number, seed=seed), seed=seed)
        yield _Made(simulated=simulated, trace=simulated.trace())


def _scenario(plan: SimulationPlan, *, number: int, seed: int) -> Scenario:
    """Return the scenario of one recording, with what the plan states in place of its own."""
    if plan.from_training:
        drawn = draw_scenario(seed, duration_s=plan.duration_s or _TRAINING_DURATION_S)
        return replace(drawn, polarity=plan.polarity)
    scenario = reference_scenario(level=plan.level or _LEVEL, index=number)
    return replace(
        scenario,
        polarity=plan.polarity,
        rate_hz=scenario.rate_hz if plan.rate_hz is None else plan.rate_hz,
        # A stated rate is the whole rate.
        bursts_per_s=scenario.bursts_per_s if plan.rate_hz is None else 0.0,
        duration_s=plan.duration_s or scenario.duration_s,
        sampling_rate_hz=plan.sampling_rate_hz or scenario.sampling_rate_hz,
    )


def _in_noise(plan: SimulationPlan, noise: NoiseFile) -> Iterator[_Made]:
    """Put MEPPs into the stretches of a recording, which take turns."""
    with open_recording(noise.path, options=noise.options) as recording:
        yield from _in_recording(plan, noise, recording)


def _in_recording(plan: SimulationPlan, noise: NoiseFile, recording: Recording) -> Iterator[_Made]:
    (channel,) = choose_channels(recording, names=(noise.channel,) if noise.channel else ())
    segments = cut_channel(recording, channel, settings=DetectionSettings(exclude=noise.exclude))
    noise_sd = survey(segments, polarity=plan.polarity).noise_sd
    stretches = _stretches(segments, plan=plan, noise=noise)
    amplitude_mean = (plan.level or _LEVEL) * noise_sd
    for number in range(plan.n_recordings):
        segment, start, stop = stretches[number % len(stretches)]
        rate_hz = segment.sampling_rate_hz
        scenario = replace(
            _scenario(plan, number=number, seed=plan.seed + number),
            duration_s=(stop - start) / rate_hz,
            sampling_rate_hz=rate_hz,
            resting_level=0.0,
            amplitude_mean=amplitude_mean,
            noise_sd=noise_sd,
            hum_amplitudes=(),
            drift_per_sqrt_s=0.0,
            artifacts={},
        )
        simulated = add_mepps(segment.values(start, stop), scenario=scenario, seed=plan.seed + number)
        from_s = segment.trace.start_s + (segment.start + start) / rate_hz
        yield _Made(
            simulated=simulated,
            trace=simulated.trace(channel=channel, unit=segment.trace.unit),
            notes=(
                f"Simulated MEPPs in real noise: channel {channel} of {recording.source.name} (SHA-256 "
                f"{recording.source.sha256}), {from_s:g} to {from_s + scenario.duration_s:g} s; events that "
                "this stretch holds by itself are not in the truth.",
            ),
        )


def _stretches(
    segments: Sequence[Segment], *, plan: SimulationPlan, noise: NoiseFile
) -> list[tuple[Segment, int, int]]:
    """Return the stretches that take turns: whole segments, or what of them has the stated duration."""
    found = []
    for segment in segments:
        wanted_s = plan.duration_s or segment.n_samples / segment.sampling_rate_hz
        length = round(wanted_s * segment.sampling_rate_hz)
        if length >= round(_MIN_STRETCH_S * segment.sampling_rate_hz):
            found += [(segment, at, at + length) for at in range(0, segment.n_samples - length + 1, length)]
    if not found:
        longest_s = max(segment.n_samples / segment.sampling_rate_hz for segment in segments)
        raise UsageError(
            f"expected a stretch of {max(plan.duration_s or 0.0, _MIN_STRETCH_S):g} s in {noise.path.name}, "
            f"found at most {longest_s:g} s; give a shorter `duration_s` or exclude less."
        )
    return found


def _write(made: _Made, paths: dict[str, Path], *, session_start: datetime | None) -> None:
    simulated, trace = made.simulated, made.trace
    rate_hz = trace.sampling_rate_hz
    if "nwb" in paths:
        _write_nwb(made, paths["nwb"], session_start=cast(datetime, session_start))
    if "abf" in paths:
        unit, factor = _LAB_UNITS[trace.unit]
        write_abf(
            factor * simulated.values,
            paths["abf"],
            sampling_rate_hz=rate_hz,
            unit=unit,
            channel=trace.channel,
        )
    if "labeled-text" in paths:
        write_labeled_text(
            simulated.values,
            simulated.truth,
            paths["labeled-text"],
            sampling_rate_hz=rate_hz,
            quantity=_QUANTITIES[trace.unit],
        )
    if "truth" in paths:
        write_truth_table(simulated.truth, paths["truth"], unit=trace.unit)


def _write_nwb(made: _Made, path: Path, *, session_start: datetime) -> None:
    simulated, trace = made.simulated, made.trace
    settings = {"seed": simulated.seed, **vars(simulated.scenario)}
    mark = fingerprint({"package_version": __version__, **settings, "notes": made.notes or None})
    source = SourceFile(
        name=f"simulated_{simulated.seed:04d}",
        # There is no file behind a simulation: what defines it stands for the bytes.
        sha256=mark,
        reader="simulation",
        reader_version=f"nwb-mepp {__version__}",
        settings={"seed": str(simulated.seed)},
    )
    notes = made.notes or (f"Simulated with nwb-mepp: {describe_settings(settings)}.",)
    write_nwb(
        Recording(traces=(trace,), source=source, notes=notes),
        path,
        session_start=session_start,
        fingerprint=mark,
        truth=true_mepps(simulated.truth, trace),
    )
