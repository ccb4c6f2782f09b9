"""The works that are measured, each as a program of its own, so that any version can do it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["ANALYSES", "PROFILED", "SIMULATIONS", "Aim", "Inputs", "Work", "analysis", "signal", "works"]

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
# As it is typed: with its start, its end, and the processes that it starts, of which the largest counts.
_COMMAND = """
import subprocess
began_s = time.perf_counter()
done = subprocess.run([sys.executable, "-W", "ignore", "-m", "nwb_mepp", *sys.argv[1:]])
wall_s, children = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
cpu_s = children.ru_utime + children.ru_stime
tell(wall_s=wall_s, cpu_s=cpu_s, peak_mb=children.ru_maxrss / 1e3)
sys.exit(done.returncode)
"""
# What both versions that are compared offer.
_SIGNAL = """
import neo
import numpy as np
import quantities as pq
from nwb_mepp import detect
values, rate_hz = np.load(sys.argv[1]), float(sys.argv[2])
signal = neo.AnalogSignal(values, units="V", sampling_rate=rate_hz * pq.Hz)
def analyze():
    try:
        return detect(signal, detectors={detectors})
    except TypeError:  # the argument had another name
        return detect(signal, detector={detectors})
"""
_ANALYSIS = "warm(analyze)\n"
# Where MEPPs are, without what is measured of them; sums in one thread, as `analyze` has them.
_INTERVALS = """
import numpy as np
from nwb_mepp._utils.blas import one_thread
from nwb_mepp.core.recording import ArraySource, Recording, SourceFile, Trace
from nwb_mepp.detectors import get_detector
from nwb_mepp.workflows import DetectionSettings
from nwb_mepp.workflows.analysis import survey_channel

trace = Trace(channel="Vm", sweep=0, source=ArraySource(np.load(sys.argv[1])), unit="V", conversion=1.0,
              offset=0.0, sampling_rate_hz=float(sys.argv[2]), start_s=0.0)
source = SourceFile(name="simulated", sha256="", reader="", reader_version="")
simulated = Recording(traces=(trace,), source=source, session_start=None)
settings, detector = DetectionSettings(), get_detector("miniunet")
def find():
    sorting, noise = survey_channel(simulated, trace.channel, settings=settings)
    return detector.find(sorting.segments, noise=noise, threshold=None, block_s=settings.block_s)
with one_thread():
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
analyze()
profile = cProfile.Profile(time.process_time)
profile.runcall(analyze)
pstats.Stats(profile).sort_stats("cumulative").print_stats("nwb_mepp", 40)
pstats.Stats(profile).sort_stats("tottime").print_stats(25)
"""


@dataclass(frozen=True)
class Simulation:
    """A simulated recording: file, and what of :class:`~nwb_mepp.simulation.Scenario` it has."""

    stem: str
    scenario: Mapping[str, Any]

    @property
    def rate_hz(self) -> float:
        """Sampling rate."""
        return float(self.scenario.get("sampling_rate_hz", 10e3))


_HUM = {
    "hum_amplitudes": (1e-4, 3e-5, 4e-5),
    "hum_phase_drift": 0.02,
    "drift_per_sqrt_s": 2e-4,
    "step": 5e-6,
}
_PLAIN = Simulation("plain", {"duration_s": 60.0, "step": 5e-6})
_WITH_HUM = Simulation("hum", {"duration_s": 60.0, **_HUM})
_DENSE = Simulation("hum_20_per_s", {"duration_s": 60.0, "rate_hz": 20.0, **_HUM})
_DENSEST = Simulation("hum_100_per_s", {"duration_s": 60.0, "rate_hz": 100.0, **_HUM})
_FAST = Simulation("20_khz", {"duration_s": 12.0, "rate_hz": 80.0, "sampling_rate_hz": 20e3})
SIMULATIONS = {one.stem: one for one in (_PLAIN, _WITH_HUM, _DENSE, _DENSEST, _FAST)}

_BOTH = ("miniunet", "autoencoder")
#: What is analyzed with which detectors, and how many seconds of the processor were asked for it.
ANALYSES: Mapping[str, tuple[Simulation, tuple[str, ...], float | None]] = {
    "one minute with hum, miniunet with kinetics, 1 MEPP/s": (_WITH_HUM, ("miniunet",), 0.35),
    "the same, 20 MEPPs/s": (_DENSE, ("miniunet",), 0.8),
    "the same, 100 MEPPs/s": (_DENSEST, ("miniunet",), 2.5),
    "one minute, 1 MEPP/s, default detectors": (_PLAIN, _BOTH, None),
    "the same with hum and drift": (_WITH_HUM, _BOTH, None),
    "12 s at 20 kHz, 80 MEPPs/s": (_FAST, _BOTH, None),
}


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
    is_new : bool
        Not done with another version, which has no such function, or whose run would take a day.
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
    is_new: bool = False
    is_long: bool = False


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Files that are worked on, by what they hold.

    Attributes
    ----------
    minute, ten_minutes, hour : str
        ABF files.
    four_hours, day : str
        Raw samples, a simulated minute again and again.
    annotated : str
        An NWB file in which MEPPs were found.
    many : str
        A folder of 40 ABF files.
    text : str
        600,000 rows of LabChart text.
    signals : str
        A folder with the samples of each of :data:`SIMULATIONS`.
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
    signals: str
    metadata: str
    out: str
    scale: float


def analysis(name: str, *, code: str = _ANALYSIS) -> str:
    """Return the program that does one of :data:`ANALYSES`, once to warm up and once measured."""
    return _TELL + _SIGNAL.format(detectors=list(ANALYSES[name][1])) + code


def signal(simulation: Simulation, inputs: Inputs) -> tuple[str, str]:
    """Return the arguments of a program that analyzes a simulated recording."""
    return f"{inputs.signals}/{simulation.stem}.npy", str(simulation.rate_hz)


def works(inputs: Inputs) -> Iterator[Work]:
    """Yield all works; what has a peer comes after it."""
    yield from _analyses(inputs)
    yield from _commands(inputs)
    yield from _batches(inputs)
    yield from _texts(inputs)
    yield from _memories(inputs)


def _analyses(inputs: Inputs) -> Iterator[Work]:
    miniml = "one minute with hum, by miniML (window 250)"
    yield Work(miniml, "analysis", _TELL + _MINIML, signal(_WITH_HUM, inputs), peer="miniML")
    for name, simulation in (
        ("one minute, survey and intervals of miniunet", _PLAIN),
        ("the same with hum", _WITH_HUM),
    ):
        aim = Aim("wall_s", 0.01, over=miniml)
        yield Work(name, "analysis", _TELL + _INTERVALS, signal(simulation, inputs), aim=aim, is_new=True)
    for name, (simulation, _, limit_s) in ANALYSES.items():
        arguments = signal(simulation, inputs)
        yield Work(
            name, "analysis", analysis(name), arguments, aim=Aim("cpu_s", limit_s) if limit_s else None
        )


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
    hour, long = "memory of `run`, 1 h", {"is_new": True, "is_long": True}
    for name, path, aim, which in (
        ("memory of `run`, 10 min", inputs.ten_minutes, None, {}),
        (hour, inputs.hour, Aim("peak_mb", 600.0), {}),
        ("memory of `run`, 4 h", inputs.four_hours, Aim("peak_mb", 1.1, over=hour), long),
        ("memory of `run`, 24 h", inputs.day, Aim("peak_mb", 1.1, over=hour), long),
    ):
        yield Work(name, "memory", _TELL + _COMMAND, tuple(_run(inputs, path)), aim=aim, **which)
    for name, path, which in (("1 h", inputs.hour, {}), ("24 h", inputs.day, long)):
        words = tuple(_convert(inputs, path))
        yield Work(f"memory of `convert`, {name}", "memory", _TELL + _COMMAND, words, **which)


def _run(inputs: Inputs, path: str) -> Sequence[str]:
    return ["run", path, *_stated(inputs, path)]


def _convert(inputs: Inputs, path: str) -> Sequence[str]:
    return ["convert", path, *_stated(inputs, path)]


def _stated(inputs: Inputs, path: str) -> Sequence[str]:
    raw = "--reader rawbinarysignal --dtype int16 --n-channels 1 --sampling-rate 10000 --unit V --gain 1e5"
    start = ["--session-start", "2026-01-15T10:00:00+00:00", "--override"]
    known = ["--clamp", "izero", "--metadata", inputs.metadata]
    return [
        *(raw.split() if path.endswith(".raw") else []),
        *start,
        *known,
        "--output",
        f"{inputs.out}/out",
        "--overwrite",
    ]
