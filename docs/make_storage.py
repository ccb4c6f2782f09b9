"""Measure what docs/storage.md says, and write it there; beside NeuroConv, into docs/benchmark.md too.

    python docs/make_storage.py [--large-mb 480] RECORDING.abf...

Measures on the recordings that are given: chunks and compression of a long trace made of the first, the
memory of converting generated files, and the conversion of each recording beside that of NeuroConv (extra
``neuroconv``). It takes minutes, and its seconds are those of the machine, so no test runs it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from nwb_mepp.core.recording import Recording
from nwb_mepp.nwb import open_nwb
from nwb_mepp.nwb.sample_stream import CHUNK_SAMPLES, GZIP_LEVEL
from nwb_mepp.readers import ReadOptions, read_recording

PAGE = Path(__file__).with_name("storage.md")
BENCHMARK = Path(__file__).with_name("benchmark.md")
CONVERSION = "## Conversion\n"
MARK = "<!-- What follows is written by docs/make_storage.py. -->\n"
START = "2026-01-15T10:00:00+00:00"

SAMPLES = 6_000_000  # 10 min at 10 kHz
SLICE_S, RATE_HZ = 10.0, 10_000
FILTERS: dict[str, dict[str, object]] = {
    "none": {},
    "lzf": {"compression": "lzf", "shuffle": True},
    **{
        f"gzip {level}": {"compression": "gzip", "compression_opts": level, "shuffle": True}
        for level in (1, 4, 9)
    },
}
CHUNKS = (10_000, 100_000, 1_000_000)
LEVELS = (1, 2, 3, 4, 6)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as Markdown; the first is the header."""
    header, *body = rows
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def storage(trace: npt.NDArray[np.int16], folder: Path) -> str:
    """Return size, speed of writing, and time of reading 10 s, for each chunk and compression."""
    rows = [["chunk, samples", "compression", "size, part of raw", "written, MB/s", "10 s read, ms"]]
    for chunk in CHUNKS:
        for name, how in FILTERS.items():
            path = folder / "chunks.h5"
            # Seconds of the processor: other work on the machine does not lengthen them.
            began = time.process_time()
            with h5py.File(path, "w") as file:
                file.create_dataset("data", data=trace, chunks=(chunk,), **how)
            seconds = time.process_time() - began
            chosen = chunk == CHUNK_SAMPLES and name == f"gzip {GZIP_LEVEL}"
            cells = [f"{chunk}", name, f"{path.stat().st_size / trace.nbytes:.3f}"]
            cells += [f"{trace.nbytes / 1e6 / seconds:.0f}", f"{1e3 * read_slice_s(path):.2f}"]
            rows.append([f"**{cell}**" for cell in cells] if chosen else cells)
    return table(rows)


def levels(recordings: Sequence[Path], folder: Path) -> str:
    """Return what the levels of gzip give and cost on the first channel of each recording."""
    rows = [["recording", *(f"level {level}" for level in LEVELS)]]
    for path in recordings:
        trace = long_trace(path)
        cells = []
        for level in LEVELS:
            began = time.process_time()
            with h5py.File(folder / "levels.h5", "w") as file:
                how = {"compression": "gzip", "compression_opts": level, "shuffle": True}
                dataset = file.create_dataset("data", data=trace, chunks=(CHUNK_SAMPLES,), **how)
                size = dataset.id.get_storage_size() / trace.nbytes
            cells.append(f"{size:.3f}, {trace.nbytes / 1e6 / (time.process_time() - began):.0f} MB/s")
        rows.append([path.name, *cells])
    return table(rows)


def read_slice_s(path: Path, *, n_slices: int = 41) -> float:
    """Return the median time to open a file and read 10 s from a place of its own."""
    length = round(SLICE_S * RATE_HZ)
    places = np.random.default_rng(0).integers(0, SAMPLES - length, n_slices)
    times = []
    for place in places:
        began = time.process_time()
        with h5py.File(path) as file:
            file["data"][place : place + length]
        times.append(time.process_time() - began)
    return statistics.median(times)


@dataclass(frozen=True)
class Cost:
    """What a call cost: seconds of the processor and the peak of memory."""

    seconds: float
    peak_mb: float


# A process asks the system for its own peak: what a parent is told of a child can be the parent's own.
PREAMBLE = """
import atexit, re, sys, time
from pathlib import Path
cost = Path(sys.argv.pop(1))
status = Path("/proc/self/status")
def report():
    peak_kb = re.search(r"VmHWM:\\s+(\\d+) kB", status.read_text())[1]
    cost.write_text(f"{time.process_time()} {peak_kb}")
atexit.register(report)
"""
CONVERT = "from nwb_mepp.cli import main; sys.exit(main(['convert', *sys.argv[1:]]))"


def cost_of(code: str, *arguments: object, folder: Path) -> Cost:
    """Run code in a process of its own, imports included; Linux only."""
    cost = folder / "cost"
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PREAMBLE + code, cost, *map(str, arguments)],
        check=True,
        capture_output=True,
    )
    seconds, peak_kb = cost.read_text().split()
    return Cost(float(seconds), int(peak_kb) / 1e3)


def memory(trace: npt.NDArray[np.int16], folder: Path, *, large_mb: int) -> str:
    """Return what converting raw binary files of different length costs."""
    rows = [["source, MB", "seconds", "peak of memory, MB", "file, MB"]]
    for megabytes in (large_mb // 16, large_mb // 4, large_mb):
        source = folder / "long.raw"
        with source.open("wb") as stream:
            for number in range(-(-megabytes * 1_000_000 // trace.nbytes)):
                part = np.roll(trace, 1_000 * number).tobytes()
                stream.write(part[: megabytes * 1_000_000 - stream.tell()])
        cost = cost_of(
            CONVERT, source, "-o", folder, "--overwrite",
            "--reader", "rawbinarysignal", "--dtype", "int16", "--n-channels", 1,
            "--sampling-rate", RATE_HZ, "--unit", "mV", "--session-start", START, folder=folder,
        )  # fmt: skip
        output = folder / "long.raw.nwb"
        rows.append(
            [
                f"{megabytes}",
                f"{cost.seconds:.1f}",
                f"{cost.peak_mb:.0f}",
                f"{output.stat().st_size / 1e6:.0f}",
            ]
        )
        source.unlink()
        output.unlink()
    return table(rows)


WITH_NEUROCONV = """
from datetime import datetime
from neuroconv.datainterfaces import AxonIntracellularInterface
source, target, channel, mode, start = sys.argv[1:]
interface = AxonIntracellularInterface(file_path=source, response_channel_name=channel, mode=mode)
metadata = interface.get_metadata()
metadata["NWBFile"]["session_start_time"] = datetime.fromisoformat(start)
interface.run_conversion(nwbfile_path=target, metadata=metadata, overwrite=True)
"""
ELECTRODE = """
devices:
  - name: amplifier
electrodes:
  - name: electrode
    device: amplifier
    description: For a measurement of speed.
"""


def beside_neuroconv(recordings: Sequence[Path], folder: Path) -> str:
    """Return what both conversions of each recording cost, and whether the samples are those of the file."""
    rows = [["recording", "converted by", "channels", "file, MB", "seconds", "peak of memory, MB", "samples"]]
    (folder / "electrode.yaml").write_text(ELECTRODE, encoding="utf-8")
    for path in recordings:
        source = read_recording(path, options=ReadOptions())
        channel = source.channels[0]
        unit = source.sweeps(channel)[0].unit
        clamp = {"V": "current", "A": "voltage"}[unit]
        own, other = folder / f"{path.name}.nwb", folder / "neuroconv.nwb"
        costs = {
            "nwb-mepp": cost_of(
                CONVERT, path, "-o", folder, "--overwrite", "--override", "--session-start", START,
                "--clamp", clamp, "--metadata", folder / "electrode.yaml", folder=folder,
            ),
            "NeuroConv": cost_of(
                WITH_NEUROCONV, path, other, channel, f"{clamp}_clamp", START, folder=folder
            ),
        }  # fmt: skip
        expected = values_of(source, channel)
        with open_nwb(own) as recording:
            found = {"nwb-mepp": values_of(recording, channel), "NeuroConv": values_in(other)}
        n_channels = {"nwb-mepp": len(source.channels), "NeuroConv": 1}
        for name, output in (("nwb-mepp", own), ("NeuroConv", other)):
            rows.append(
                [
                    path.name,
                    name,
                    f"{n_channels[name]}",
                    f"{output.stat().st_size / 1e6:.2f}",
                    f"{costs[name].seconds:.1f}",
                    f"{costs[name].peak_mb:.0f}",
                    compared(found[name], expected),
                ]
            )
    return table(rows)


def values_of(recording: Recording, channel: str) -> npt.NDArray[np.float64]:
    """Return the samples of a channel, sweep after sweep, in volts or amperes."""
    return np.concatenate([trace.values() for trace in recording.sweeps(channel)])


def values_in(path: Path) -> npt.NDArray[np.float64]:
    """Return the samples of the only series of a file."""
    with h5py.File(path) as file:
        (series,) = file["acquisition"].values()
        data = series["data"]
        return np.asarray(data[:], np.float64).ravel() * data.attrs["conversion"] + data.attrs["offset"]


def compared(found: npt.NDArray[np.float64], expected: npt.NDArray[np.float64]) -> str:
    """Return in words how samples differ from those that the reader gives."""
    if len(found) != len(expected):
        return f"{len(found)} of {len(expected)}"
    largest = float(np.abs(found - expected).max())
    return "equal" if largest == 0.0 else f"equal within {largest:.1g}"


def long_trace(path: Path) -> npt.NDArray[np.int16]:
    """Return the stored numbers of a recording's first channel, repeated to 10 min at 10 kHz."""
    recording = read_recording(path, options=ReadOptions())
    numbers = np.concatenate([trace.raw() for trace in recording.sweeps(recording.channels[0])])
    return np.resize(numbers.astype(np.int16), SAMPLES)


def with_conversion(page: str, comparison: str) -> str:
    """Return the page of the benchmark, which knows nothing of NeuroConv, with the comparison in it."""
    head, heading, rest = page.partition(CONVERSION)
    section, *later = rest.split("\n## ", 1)
    words = section.partition("\n| ")[0].strip("\n")
    return f"{head}{heading}\n{words}\n\n{comparison}" + "".join(f"\n## {one}" for one in later)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", nargs="+", type=Path, metavar="RECORDING.abf")
    parser.add_argument("--large-mb", type=int, default=480)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trace = long_trace(given.recordings[0])
        parts = [
            f"## Chunks and compression\n\n{storage(trace, folder)}",
            f"## Levels of gzip\n\n{levels(given.recordings, folder)}",
            f"## Memory\n\n{memory(trace, folder, large_mb=given.large_mb)}",
            f"## Beside NeuroConv\n\n{(comparison := beside_neuroconv(given.recordings, folder))}",
        ]
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.partition(MARK)[0] + MARK + "\n" + "\n".join(parts), encoding="utf-8")
    page = BENCHMARK.read_text(encoding="utf-8")
    BENCHMARK.write_text(with_conversion(page, comparison), encoding="utf-8")


if __name__ == "__main__":
    main()
