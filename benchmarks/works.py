"""The works that are measured, each as a program of its own, so that any version can do it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["PROFILED", "RECORDINGS", "Aim", "Inputs", "Work", "analysis", "works"]

Measure = Literal["wall_s", "cpu_s", "peak_mb"]
Group = Literal["analysis", "commands", "batches", "text", "memory"]

# A program says last, on standard error, what it took; what `tell` is not told counts from its start.
_TELL = """
import json, resource, sys, time
def spent():
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, whose))
def tell(**costs):
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    sys.stdout.flush()
    print(json.dumps({"cpu_s": spent(), "peak_mb": peak / 1e3, **costs}), file=sys.stderr)
def warm(work):
    work()
    cpu_s, wall_s = spent(), time.perf_counter()
    work()
    tell(cpu_s=spent() - cpu_s, wall_s=time.perf_counter() - wall_s)
"""
_COMMAND = """
from nwb_mepp.cli import main
code = main(sys.argv[1:])
tell()
sys.exit(code)
"""
_RECORDING = """
from dataclasses import replace
from nwb_mepp.core.recording import Recording, SourceFile
from nwb_mepp.simulation import Scenario, simulate_recording
from nwb_mepp.workflows import DetectionSettings, analyze

def recording(n_sweeps, **scenario):
    made = [simulate_recording(Scenario(**scenario), seed=seed).trace() for seed in range(n_sweeps)]
    traces = tuple(replace(one, sweep=i, start_s=5.0 * i) for i, one in enumerate(made))
    source = SourceFile(name="simulated", sha256="", reader="", reader_version="")
    return Recording(traces=traces, source=source, session_start=None)
"""
_ANALYSIS = """
simulated = recording({n_sweeps}, {scenario})
settings = DetectionSettings(detectors={detectors})
warm(lambda: analyze(simulated, settings=settings))
"""
# Where MEPPs are, without what is measured of them.
_INTERVALS = """
from nwb_mepp.detectors import get_detector
from nwb_mepp.workflows.analysis import survey_channel

simulated = recording(1, {scenario})
settings, detector = DetectionSettings(), get_detector("miniunet")
def find():
    sorting, noise = survey_channel(simulated, simulated.traces[0].channel, settings=settings)
    return detector.find(sorting.segments, noise=noise, threshold=None, block_s=settings.block_s)
warm(find)
"""
_MINIML = """
from importlib.resources import files
from miniml import EventDetection, MiniTrace
import numpy as np
model = str(files("miniml") / "resources/models/transfer_learning/NMJ_wt/lstm_transfer.h5")
trace = MiniTrace(data=1e3 * np.load(sys.argv[1]), sampling_interval=1e-4, y_unit="mV", filename="simulated")
def find():
    found = EventDetection(data=trace, model=model, window_size=250, model_threshold=0.5,
                           batch_size=512, event_direction="positive", verbose=0)
    found.detect_events(eval=True)
warm(find)
"""
_NEUROCONV = """
from datetime import datetime
from neuroconv.datainterfaces import AbfInterface
interface = AbfInterface(file_paths=[sys.argv[1]])
metadata = interface.get_metadata()
metadata["NWBFile"]["session_start_time"] = datetime.fromisoformat("2026-01-15T10:00:00+00:00")
interface.run_conversion(nwbfile_path=sys.argv[2], metadata=metadata, overwrite=True)
tell()
"""
_TEXT = "import nwb_mepp\nwarm(lambda: nwb_mepp.read(sys.argv[1]))\n"
_PANDAS = """
import pandas
warm(lambda: pandas.read_csv(sys.argv[1], sep="\\t", skiprows=9, header=None))
"""
_POLARS = """
import polars
warm(lambda: polars.read_csv(sys.argv[1], separator="\\t", skip_rows=9, has_header=False))
"""
PROFILED = """
import cProfile, pstats
simulated = recording({n_sweeps}, {scenario})
settings = DetectionSettings(detectors={detectors})
analyze(simulated, settings=settings)
profile = cProfile.Profile(time.process_time)
profile.runcall(analyze, simulated, settings=settings)
pstats.Stats(profile).sort_stats("cumulative").print_stats("nwb_mepp", 40)
pstats.Stats(profile).sort_stats("tottime").print_stats(25)
"""

_HUM = "hum_amplitudes=(1e-4, 3e-5, 4e-5), hum_phase_drift=0.02, drift_per_sqrt_s=2e-4, step=5e-6"
_BOTH = ("miniunet", "autoencoder")
#: Simulated recordings that are analyzed: sweeps, seconds of each, what else the scenario is, detectors.
RECORDINGS = {
    "one minute with hum, miniunet with kinetics, 1 MEPP/s": (1, 60, _HUM, ("miniunet",)),
    "the same, 20 MEPPs/s": (1, 60, f"rate_hz=20, {_HUM}", ("miniunet",)),
    "the same, 100 MEPPs/s": (1, 60, f"rate_hz=100, {_HUM}", ("miniunet",)),
    "one minute, 1 MEPP/s, default detectors": (1, 60, "step=5e-6", _BOTH),
    "the same with hum and drift": (1, 60, _HUM, _BOTH),
    "12 s at 20 kHz, 80 MEPPs/s": (1, 12, "rate_hz=80, sampling_rate_hz=20e3", _BOTH),
    "12 sweeps of 3 s with hum, 3 MEPPs/s": (12, 3, f"rate_hz=3, {_HUM}", _BOTH),
}
_KINETICS_S = dict(zip(RECORDINGS, (0.35, 0.8, 2.5), strict=False))


@dataclass(frozen=True)
class Aim:
    """What was asked of a work.

    Attributes
    ----------
    measure : {"wall_s", "cpu_s", "peak_mb"}
        What of its cost.
    limit : float
        The most that it may be; with ``over``, the most that it may be of that of another work.
    over : str
        Name of the other work.
    """

    measure: Measure
    limit: float
    over: str = ""


@dataclass(frozen=True)
class Work:
    """A program.

    Attributes
    ----------
    name : str
        Stands on the page.
    group : str
        Part of the page.
    code : str
    arguments : tuple of str
    aim : Aim or None
    peer : str
        Name of the other program that does it here, empty for our own.
    needs : tuple of str
        Packages without which it is skipped.
    is_long : bool
        Only done on request.
    """

    name: str
    group: Group
    code: str
    arguments: tuple[str, ...] = ()
    aim: Aim | None = None
    peer: str = ""
    needs: tuple[str, ...] = ()
    is_long: bool = False


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Files that are worked on, by what they hold.

    Attributes
    ----------
    minute, ten_minutes, hour, four_hours, day : str
        ABF files.
    annotated : str
        An NWB file in which MEPPs were found.
    many : str
        A folder of 40 ABF files.
    text : str
        600,000 rows of LabChart text.
    samples : str
        The samples of one minute with hum, for miniML.
    metadata : str
    out : str
        Folder for what is written.
    scale : float
        How much shorter than they are called the recordings are; 1 unless only the programs are tried.
    """

    minute: str
    ten_minutes: str
    hour: str
    four_hours: str
    day: str
    annotated: str
    many: str
    text: str
    samples: str
    metadata: str
    out: str
    scale: float


def analysis(name: str, *, scale: float = 1.0, code: str = _ANALYSIS) -> str:
    """Return the program that analyzes one of :data:`RECORDINGS`, once to warm up and once measured."""
    n_sweeps, seconds, scenario, detectors = RECORDINGS[name]
    stated = f"duration_s={max(2.0, seconds * scale)}, {scenario}"
    return _TELL + _RECORDING + code.format(n_sweeps=n_sweeps, scenario=stated, detectors=detectors)


def works(inputs: Inputs) -> Iterator[Work]:
    """Yield all works; what has a peer comes after it."""
    yield from _analyses(inputs)
    yield from _commands(inputs)
    yield from _batches(inputs)
    yield from _texts(inputs)
    yield from _memories(inputs)


def _analyses(inputs: Inputs) -> Iterator[Work]:
    miniml = "one minute with hum, by miniML (window 250)"
    yield Work(miniml, "analysis", _TELL + _MINIML, (inputs.samples,), peer="miniML")
    for name, scenario in (
        ("one minute, survey and intervals of miniunet", "step=5e-6"),
        ("the same with hum", _HUM),
    ):
        stated = f"duration_s={max(2.0, 60 * inputs.scale)}, {scenario}"
        code = _TELL + _RECORDING + _INTERVALS.format(scenario=stated)
        yield Work(name, "analysis", code, aim=Aim("wall_s", 0.01, over=miniml))
    for name in RECORDINGS:
        aim = Aim("cpu_s", _KINETICS_S[name]) if name in _KINETICS_S else None
        yield Work(name, "analysis", analysis(name, scale=inputs.scale), aim=aim)


def _commands(inputs: Inputs) -> Iterator[Work]:
    neuroconv = "conversion of 10 min by NeuroConv"
    code, target = _TELL + _NEUROCONV, f"{inputs.out}/neuroconv.nwb"
    yield Work(
        neuroconv,
        "commands",
        code,
        (inputs.ten_minutes, target),
        peer="NeuroConv",
        needs=("neuroconv",),
    )
    for name, words, aim in (
        ("`run` of 60 s", _run(inputs, inputs.minute), Aim("wall_s", 3.0)),
        ("`convert` of 60 s", _convert(inputs, inputs.minute), Aim("cpu_s", 1.0)),
        ("`convert` of 10 min", _convert(inputs, inputs.ten_minutes), Aim("wall_s", 0.65, over=neuroconv)),
        ("`events` of one file", ["events", inputs.annotated], Aim("cpu_s", 0.7)),
        ("`summary` of one file", ["summary", inputs.annotated], Aim("cpu_s", 0.7)),
        ("`info` of one file", ["info", inputs.annotated], Aim("cpu_s", 0.7)),
        ("`--help`", ["--help"], None),
    ):
        yield Work(name, "commands", _TELL + _COMMAND, tuple(words), aim=aim)


def _batches(inputs: Inputs) -> Iterator[Work]:
    for command, words in (("run", _run), ("convert", _convert)):
        one = f"`{command}` of 40 files, `--jobs 1`"
        yield Work(one, "batches", _TELL + _COMMAND, (*words(inputs, inputs.many), "--jobs", "1"))
        two = (*words(inputs, inputs.many), "--jobs", "2")
        aim = Aim("wall_s", 1.0 / 1.9, over=one)
        yield Work(one.replace("1`", "2`"), "batches", _TELL + _COMMAND, two, aim=aim)


def _texts(inputs: Inputs) -> Iterator[Work]:
    for peer, code in (("pandas", _PANDAS), ("polars", _POLARS)):
        name = f"600,000 rows of LabChart text by {peer}"
        yield Work(name, "text", _TELL + code, (inputs.text,), peer=peer, needs=(peer,))
    # Asked are 150 MB a second; the file has 21 bytes a row.
    aim = Aim("wall_s", 600_000 * 21 / 150e6)
    yield Work("600,000 rows of LabChart text", "text", _TELL + _TEXT, (inputs.text,), aim=aim)


def _memories(inputs: Inputs) -> Iterator[Work]:
    hour = "memory of `run`, 1 h"
    for name, path, aim, is_long in (
        ("memory of `run`, 10 min", inputs.ten_minutes, None, False),
        (hour, inputs.hour, Aim("peak_mb", 600.0), False),
        ("memory of `run`, 4 h", inputs.four_hours, Aim("peak_mb", 1.1, over=hour), True),
        ("memory of `run`, 24 h", inputs.day, Aim("peak_mb", 1.1, over=hour), True),
    ):
        yield Work(name, "memory", _TELL + _COMMAND, tuple(_run(inputs, path)), aim=aim, is_long=is_long)
    for name, path, is_long in (("1 h", inputs.hour, False), ("24 h", inputs.day, True)):
        words = tuple(_convert(inputs, path))
        yield Work(f"memory of `convert`, {name}", "memory", _TELL + _COMMAND, words, is_long=is_long)


def _run(inputs: Inputs, path: str) -> Sequence[str]:
    return ["run", path, *_stated(inputs)]


def _convert(inputs: Inputs, path: str) -> Sequence[str]:
    return ["convert", path, *_stated(inputs)]


def _stated(inputs: Inputs) -> Sequence[str]:
    start = ["--session-start", "2026-01-15T10:00:00+00:00", "--override"]
    known = ["--clamp", "izero", "--metadata", inputs.metadata]
    return [*start, *known, "--output", f"{inputs.out}/out", "--overwrite"]
