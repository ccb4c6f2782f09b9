"""The simulated recordings of the calibration, conditioned once and kept in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nwb_mepp._utils.atomic_files import complete_or_absent
from nwb_mepp._utils.process_pool import run_jobs
from nwb_mepp.conditioning import compress, survey, whiten
from nwb_mepp.core.errors import DetectionError
from nwb_mepp.core.polarity import Polarity
from nwb_mepp.core.provenance import fingerprint
from nwb_mepp.core.segments import cut_segments
from nwb_mepp.ml.training.recorded_noise import KeptNoise, RecordedNoise, keep_noise, mepps_in_noise
from nwb_mepp.simulation import (
    ARTIFACTS,
    LEVELS,
    Scenario,
    Simulated,
    draw_scenario,
    reference_scenario,
    simulate_recording,
)

__all__ = ["CALIBRATION_SEEDS_FROM", "CalibrationSet", "Conditioned"]

FloatArray = npt.NDArray[np.float64]

# Seeds of the training count upward from 0, those of the benchmark from 1,000,000,000.
CALIBRATION_SEEDS_FROM = 500_000_000
_REFERENCE_SEEDS_FROM = CALIBRATION_SEEDS_FROM + 2 * 10**6
# A probability depends on the duration of the recording: from a sweep to a minute.
_DURATION_RANGE_S = (10.0, 60.0)
# Fraction of recordings without MEPPs, half of them with artifacts. They are more frequent here than in
# practice, because false positives in such recordings are what a user notices first.
_SILENT = 0.25
# Fraction with few MEPPs, as where release is blocked or a fiber is young: without them, a few large MEPPs
# would be taken for the artifacts of a silent recording.
_SPARSE, _SPARSE_RATE_HZ = 0.15, (0.02, 0.4)
# Fraction with more MEPPs than a network is trained on, as under hyperosmotic solutions or toxins.
_DENSE, _DENSE_RATE_HZ = 0.06, (20.0, 100.0)
# From this rate on, MEPPs are looked for in a trace that is whitened without those that were found first.
_WHITENED_WITHOUT_MEPPS_HZ = 25.0
# Fraction of the drawn recordings whose noise is real, if real noise is given.
_IN_RECORDED_NOISE = 0.3
_NOISE_STREAM = 96


@dataclass(frozen=True, kw_only=True, eq=False)
class Conditioned:
    """One recording as the network sees it, and its true MEPPs.

    Attributes
    ----------
    trace : ndarray of float32, shape (n_samples,)
        Resampled, whitened, MEPPs positive, compressed.
    taps : ndarray
        The whitening filter for events.
    truth_s : ndarray, shape (n_mepps,)
        Peaks, from the first sample.
    sampling_rate_hz : float
    """

    trace: npt.NDArray[np.float32]
    taps: FloatArray
    truth_s: FloatArray
    sampling_rate_hz: float

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        return len(self.trace) / self.sampling_rate_hz


@dataclass(frozen=True, kw_only=True)
class _Making:
    """One recording to be simulated, and its file."""

    path: Path
    scenario: Callable[[], Scenario]
    seed: int
    rate_hz: float
    noise: tuple[KeptNoise, ...] = ()


def _make(job: _Making) -> None:
    scenario = job.scenario()
    if job.noise:
        simulated = mepps_in_noise(job.noise, scenario, seed=job.seed)
    else:
        simulated = simulate_recording(scenario, seed=job.seed)
    made = _condition(simulated, job.rate_hz)
    with complete_or_absent(job.path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, trace=made.trace.astype(np.float16), taps=made.taps, truth_s=made.truth_s)


def _crashed(job: _Making, _: str) -> None:
    raise DetectionError(
        f"The process for the simulated recording {job.seed} died (killed, or out of memory). Use fewer "
        "processes with `n_jobs`."
    )


class CalibrationSet:
    """Recordings of the calibration, simulated when they are first needed.

    Parameters
    ----------
    folder : Path
        Made if absent; holds one file for each recording.
    sampling_rate_hz : float, default 5000.0
        Rate of the network.
    noise : sequence of RecordedNoise, optional
        Real noise, which three in ten of the drawn recordings have instead of simulated noise. Those are
        made anew if it changes; the others are not.
    polarity : Polarity, default positive
        Direction in which MEPPs point in real noise: not that of any events that it has of its own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        sampling_rate_hz: float = 5000.0,
        noise: Sequence[RecordedNoise] = (),
        polarity: Polarity = Polarity.POSITIVE,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._rate_hz = sampling_rate_hz
        self._noise = keep_noise(folder, noise)
        self._polarity = polarity
        marks = {"polarity": polarity.value, "noise": [one.mark for one in noise]}
        self._noise_mark = fingerprint(marks)[:16]

    def in_recorded_noise(self, number: int) -> bool:
        """Return whether a drawn recording has real noise."""
        rng = np.random.default_rng([CALIBRATION_SEEDS_FROM + number, _NOISE_STREAM])
        return bool(self._noise) and rng.random() < _IN_RECORDED_NOISE

    def add(self, *, n_drawn: int, n_reference: int, n_jobs: int = 1) -> Iterator[int]:
        """Simulate the recordings that are not there yet, and yield the number of those that are done.

        Parameters
        ----------
        n_drawn, n_reference : int
            See :meth:`drawn` and :meth:`reference`.
        n_jobs : int, default 1
            Number of recordings simulated at a time, each in a process of its own.

        Raises
        ------
        DetectionError
            If a process dies.
        """
        jobs = [self._drawn(number) for number in range(n_drawn)]
        jobs += [self._reference(level, number) for level in LEVELS for number in range(n_reference)]
        missing = [job for job in jobs if not job.path.exists()]
        n_done = len(jobs) - len(missing)
        n_processes = n_jobs if n_jobs > 1 else 0
        for _ in run_jobs(missing, work=_make, on_crash=_crashed, n_processes=n_processes):
            n_done += 1
            yield n_done

    def drawn(self, n_recordings: int) -> Iterator[Conditioned]:
        """Yield recordings drawn from the training distribution, many of them with few MEPPs or none."""
        for number in range(n_recordings):
            yield self._take(self._drawn(number))

    def reference(self, n_recordings: int) -> Mapping[float, Iterator[Conditioned]]:
        """Return this many reference recordings at each level, by level."""
        return {
            level: map(self._take, [self._reference(level, number) for number in range(n_recordings)])
            for level in LEVELS
        }

    def _drawn(self, number: int) -> _Making:
        seed = CALIBRATION_SEEDS_FROM + number
        name = f"drawn-{number:05d}"
        if not self.in_recorded_noise(number):
            return _Making(
                path=self._folder / f"{name}.npz",
                scenario=partial(drawn_scenario, seed),
                seed=seed,
                rate_hz=self._rate_hz,
            )
        return _Making(
            path=self._folder / f"{name}-{self._noise_mark}.npz",
            scenario=partial(drawn_scenario, seed, polarity=self._polarity),
            seed=seed,
            rate_hz=self._rate_hz,
            noise=self._noise,
        )

    def _reference(self, level: float, number: int) -> _Making:
        return _Making(
            path=self._folder / f"level-{level:g}-{number:03d}.npz",
            scenario=partial(reference_scenario, level=level, index=number),
            seed=_REFERENCE_SEEDS_FROM + number,
            rate_hz=self._rate_hz,
        )

    def _take(self, job: _Making) -> Conditioned:
        if not job.path.exists():
            _make(job)
        with np.load(job.path, allow_pickle=False) as stored:
            return Conditioned(
                trace=stored["trace"].astype(np.float32),
                taps=stored["taps"],
                truth_s=stored["truth_s"],
                sampling_rate_hz=self._rate_hz,
            )


def drawn_scenario(seed: int, *, polarity: Polarity = Polarity.POSITIVE) -> Scenario:
    """Return the scenario of a calibration recording: as drawn for training, but of any duration.

    Parameters
    ----------
    seed : int
    polarity : Polarity, default positive

    Examples
    --------
    >>> scenario = drawn_scenario(CALIBRATION_SEEDS_FROM)
    >>> 10.0 <= scenario.duration_s <= 60.0
    True
    """
    rng = np.random.default_rng([seed, 98])
    duration_s = float(np.exp(rng.uniform(*np.log(_DURATION_RANGE_S))))
    scenario = replace(draw_scenario(seed, duration_s=duration_s), polarity=polarity)
    kind = rng.random()
    if kind >= _SILENT + _SPARSE + _DENSE:
        return scenario
    if kind >= _SILENT:
        range_hz = _SPARSE_RATE_HZ if kind < _SILENT + _SPARSE else _DENSE_RATE_HZ
        rate_hz = float(np.exp(rng.uniform(*np.log(range_hz))))
        return replace(scenario, rate_hz=rate_hz, bursts_per_s=0.0)
    artifacts = {} if kind < 0.5 * _SILENT else scenario.artifacts or dict.fromkeys(ARTIFACTS, 1)
    return replace(scenario, rate_hz=0.0, bursts_per_s=0.0, artifacts=artifacts)


def _condition(simulated: Simulated, sampling_rate_hz: float) -> Conditioned:
    segments = list(cut_segments([simulated.trace()]))
    scenario = simulated.scenario
    learned = survey(segments, polarity=scenario.polarity)
    if scenario.rate_hz > _WHITENED_WITHOUT_MEPPS_HZ:
        mepps = scenario.polarity.sign * simulated.clean
        learned = learned.knowing(lambda _, start, stop: mepps[start:stop])
    (white,) = whiten(segments, noise=learned, sampling_rate_hz=sampling_rate_hz)
    return Conditioned(
        trace=np.concatenate([compress(white.read_tile(index)) for index in range(white.n_tiles)]),
        taps=white.event_taps,
        truth_s=simulated.truth.peak_s,
        sampling_rate_hz=sampling_rate_hz,
    )
