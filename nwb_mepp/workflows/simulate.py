"""Simulation of recordings with known MEPPs, in simulated or recorded noise, written to files."""

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
from nwb_mepp.core.units import QUANTITY_NAMES, lab_unit
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


@dataclass(frozen=True, kw_only=True)
class NoiseFile:
    """A recording whose stretches serve as noise.

    Attributes
    ----------
    path : Path
    options : ReadOptions
        How the file is read.
    channel : str, optional
        By default the only one in volts or amperes.
    exclude : tuple of (start_s, stop_s)
        Stretches that are not used, as they hold events of their own; seconds from the session start.
    """

    path: Path
    options: ReadOptions
    channel: str | None = None
    exclude: Stretches = ()


@dataclass(frozen=True, kw_only=True)
class SimulationPlan:
    """What to simulate; None stands for the value of the scenario.

    Attributes
    ----------
    n_recordings : int
    seed : int
        Seed of the first recording; every further one has the next.
    level : float, optional
        Mean amplitude over noise SD; 6 by default.
    rate_hz : float, optional
        MEPPs per second outside bursts.
    duration_s : float, optional
        60 s for the reference recording, 20 s for the training distribution, whole stretches in recorded
        noise.
    sampling_rate_hz : float, optional
    polarity : Polarity
        Positive or negative.
    from_training : bool
        Draw from the distribution that networks are trained on, instead of the reference recording.
    noise : NoiseFile, optional
        Add the MEPPs to recorded noise.
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
                    f"`from_training` and {option} exclude each other, because the distribution draws that "
                    "value itself; give only one of them."
                )
        if self.seed + self.n_recordings > BENCHMARK_SEEDS_FROM:
            raise UsageError(
                f"`seed`: expected seeds below {BENCHMARK_SEEDS_FROM} with `from_training`, found "
                f"{self.seed} for {self.n_recordings} recordings; seeds from there on are reserved for "
                "the benchmark."
            )


@dataclass(frozen=True, kw_only=True)
class SimulationOutcome:
    """One simulated recording and its files.

    Attributes
    ----------
    seed : int
    n_mepps : int
    paths : tuple of Path
        Includes the truth table where a format cannot hold the truth.
    """

    seed: int
    n_mepps: int
    paths: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class _Simulation:
    """A simulated recording that is yet to be written."""

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
        For ``simulated_<seed>.nwb``, ``.abf`` and ``.csv``, as the formats require, and for the last two also
        ``simulated_<seed>.truth.csv``.
    plan : SimulationPlan
    formats : sequence of {"nwb", "abf", "labeled-text"}
    session_start : datetime, optional
        With a time zone; needed for NWB.
    overwrite : bool, default False
        Replace existing files.
    on_done : callable, optional
        Called with each recording that is written.

    Returns
    -------
    list of SimulationOutcome

    Raises
    ------
    UsageError
        If a format is unknown, NWB is requested without a session start, or the noise has no stretch of the
        stated duration.
    OutputError
        If a file exists already or cannot be written.
    MeppError
        If the noise cannot be read or analyzed.
    """
    _check_formats(formats, session_start=session_start)
    targets = {
        seed: _targets(Path(folder), seed, formats)
        for seed in range(plan.seed, plan.seed + plan.n_recordings)
    }
    existing = [path for paths in targets.values() for path in paths.values() if path.exists()]
    if existing and not overwrite:
        raise OutputError(
            f"expected nothing at {existing[0]}, found a file; give `overwrite=True` to replace it, another "
            "`seed` or another `output`."
        )
    outcomes = []
    for simulation in _simulate(plan):
        paths = targets[simulation.simulated.seed]
        _write(simulation, paths, session_start=session_start)
        outcome = SimulationOutcome(
            seed=simulation.simulated.seed,
            n_mepps=len(simulation.simulated.truth),
            paths=tuple(paths.values()),
        )
        outcomes.append(outcome)
        if on_done is not None:
            on_done(outcome)
    return outcomes


def _check_formats(formats: Sequence[str], *, session_start: datetime | None) -> None:
    unknown = [name for name in formats if name not in FORMATS]
    if unknown or not formats:
        found = repr(unknown[0]) if unknown else "none"
        raise UsageError(f"`format`: expected one of {', '.join(FORMATS)}, found {found}.")
    if "nwb" in formats and session_start is None:
        raise UsageError(
            "NWB needs a date, which a simulated recording does not have; give one, such as "
            "`session_start='2026-01-15T10:00:00Z'`, or choose `format='labeled-text'`."
        )
    if "abf" in formats:
        check_abf_writer()


def _targets(folder: Path, seed: int, formats: Sequence[str]) -> dict[str, Path]:
    stem = f"simulated_{seed:04d}"
    paths = {name: folder / f"{stem}{FORMATS[name]}" for name in formats}
    if set(formats) - {"nwb"}:
        paths["truth"] = folder / f"{stem}.truth.csv"
    return paths


def _simulate(plan: SimulationPlan) -> Iterator[_Simulation]:
    if plan.noise is not None:
        yield from _simulate_in_file(plan, plan.noise)
        return
    for number in range(plan.n_recordings):
        seed = plan.seed + number
        simulated = simulate_recording(_scenario(plan, number=number, seed=seed), seed=seed)
        yield _Simulation(simulated=simulated, trace=simulated.trace())


def _scenario(plan: SimulationPlan, *, number: int, seed: int) -> Scenario:
    """Return the scenario of one recording, with the values that the plan states."""
    if plan.from_training:
        drawn = draw_scenario(seed, duration_s=plan.duration_s or _TRAINING_DURATION_S)
        return replace(drawn, polarity=plan.polarity)
    scenario = reference_scenario(level=plan.level or _LEVEL, index=number)
    return replace(
        scenario,
        polarity=plan.polarity,
        rate_hz=scenario.rate_hz if plan.rate_hz is None else plan.rate_hz,
        # A stated rate includes all MEPPs, so there are no bursts besides.
        bursts_per_s=scenario.bursts_per_s if plan.rate_hz is None else 0.0,
        duration_s=plan.duration_s or scenario.duration_s,
        sampling_rate_hz=plan.sampling_rate_hz or scenario.sampling_rate_hz,
    )


def _simulate_in_file(plan: SimulationPlan, noise: NoiseFile) -> Iterator[_Simulation]:
    """Add MEPPs to the stretches of a recording, one after another, from the first again after the last."""
    with open_recording(noise.path, options=noise.options) as recording:
        yield from _simulate_in_recording(plan, noise, recording)


def _simulate_in_recording(
    plan: SimulationPlan, noise: NoiseFile, recording: Recording
) -> Iterator[_Simulation]:
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
        yield _Simulation(
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
    """Return the stretches to use: whole segments, or parts of them that have the stated duration."""
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


def _write(simulation: _Simulation, paths: dict[str, Path], *, session_start: datetime | None) -> None:
    simulated, trace = simulation.simulated, simulation.trace
    rate_hz = trace.sampling_rate_hz
    if "nwb" in paths:
        _write_nwb(simulation, paths["nwb"], session_start=cast(datetime, session_start))
    if "abf" in paths:
        unit = lab_unit(trace.unit)
        write_abf(
            unit.factor * simulated.values,
            paths["abf"],
            sampling_rate_hz=rate_hz,
            unit=unit.name,
            channel=trace.channel,
        )
    if "labeled-text" in paths:
        write_labeled_text(
            simulated.values,
            simulated.truth,
            paths["labeled-text"],
            sampling_rate_hz=rate_hz,
            quantity=QUANTITY_NAMES[trace.unit],
        )
    if "truth" in paths:
        write_truth_table(simulated.truth, paths["truth"], unit=trace.unit)


def _write_nwb(simulation: _Simulation, path: Path, *, session_start: datetime) -> None:
    simulated, trace = simulation.simulated, simulation.trace
    settings = {"seed": simulated.seed, **vars(simulated.scenario)}
    digest = fingerprint({"package_version": __version__, **settings, "notes": simulation.notes or None})
    source = SourceFile(
        name=f"simulated_{simulated.seed:04d}",
        # There is no source file: the fingerprint of the scenario takes the place of its hash.
        sha256=digest,
        reader="simulation",
        reader_version=f"nwb-mepp {__version__}",
        settings={"seed": str(simulated.seed)},
    )
    notes = simulation.notes or (f"Simulated with nwb-mepp: {describe_settings(settings)}.",)
    write_nwb(
        Recording(traces=(trace,), source=source, notes=notes),
        path,
        session_start=session_start,
        fingerprint=digest,
        truth=true_mepps(simulated.truth, trace),
    )
