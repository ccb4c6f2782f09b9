"""Sound inputs of every kind, small, to be mutated: what the harness writes and what lies in ../shared."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.faults.scenarios import QUICK, START

__all__ = ["Base", "bases"]

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT.parent / "shared"
LARGEST = 700_000
FILE, OUT = "{file}", "{out}"
LIMIT = ("--time-limit", "30")
INFO = ("info", FILE, *LIMIT)
CONVERT = ("convert", FILE, "-o", OUT, *START, "--override", *LIMIT)
# Given to `detect` and to what prints, if convert accepts the file.
RUN = ("run", FILE, "-o", OUT, *START, "--override", *QUICK, "--no-picture", *LIMIT)


@dataclass(frozen=True, kw_only=True)
class Base:
    """A recording or another input, and the calls that read it.

    Attributes
    ----------
    kind : str
        As in the page.
    name : str
    files : mapping of str to bytes
        All that lies in its folder.
    changed : str
        Which of them is mutated.
    opened : str
        Which of them, or which folder of them, is given to the commands.
    calls : tuple of commands
        One after another, as long as they accept it.
    text : bool
    neo : str
        Class of Neo that says what is in it.
    ours : bool
        Whether the harness wrote it, so that what fails may be stored.
    """

    kind: str
    name: str
    files: Mapping[str, bytes]
    changed: str
    opened: str
    calls: tuple[tuple[str, ...], ...] = (INFO, CONVERT)
    text: bool = False
    neo: str = ""
    ours: bool = True


def bases(call: Callable[..., Any], work: Path) -> list[Base]:
    """Return all inputs.

    Parameters
    ----------
    call : callable (arguments)
        Calls the command line in another process.
    work : Path
        Folder to write to.
    """
    work.mkdir(parents=True, exist_ok=True)

    def checked(arguments: Sequence[object]) -> None:
        ended = call(arguments)
        if ended.code:
            raise RuntimeError(f"{arguments} failed undisturbed: {ended.said}")

    return [
        *_recordings(checked, work),
        *_neo_files(work / "neo"),
        *_nwb(checked, work),
        *_tables(work),
        *_weights(work),
        *_shared(),
    ]


def _one(kind: str, path: Path, **stated: Any) -> Base:
    return Base(
        kind=kind,
        name=path.name,
        files={path.name: path.read_bytes()},
        changed=path.name,
        opened=path.name,
        **stated,
    )


def _recordings(call: Callable[..., Any], work: Path) -> Iterator[Base]:
    from pyabf.abfWriter import writeABF1

    options = ("--duration", "0.5", "--rate", "6")
    call(("simulate", "-o", work, "--format", "abf", "--format", "labeled-text", *options))
    abf = work / "simulated_0000.abf"
    yield _one("Axon ABF", abf, neo="AxonIO")
    sweeps = work / "sweeps.abf"
    writeABF1(np.random.default_rng(1).normal(-70.0, 0.1, (5, 1000)), str(sweeps), 10_000.0, units="mV")
    yield _one("Axon ABF", sweeps, neo="AxonIO")
    stated = tuple((*one, "--unit", "V") for one in (INFO, CONVERT))
    yield _one("labeled text", work / "simulated_0000.csv", text=True, calls=stated)
    values = np.random.default_rng(2).normal(-70.0, 0.1, 3000)
    labchart = work / "labchart.txt"
    labchart.write_text(_labchart(values), encoding="latin-1")
    yield _one("LabChart text", labchart, text=True)
    bare = work / "bare.txt"
    rows = "".join(f"{number / 1e4:.4f}\t{value:.4f}\n" for number, value in enumerate(values))
    bare.write_text(f"Time, s\tVm, mV\n{rows}".replace(".", ","), encoding="latin-1")
    yield _one("LabChart text", bare, text=True)
    atf = work / "sweeps.atf"
    atf.write_text(_atf(values.reshape(3, 1000)), encoding="ascii")
    yield _one("Axon ATF", atf, text=True)
    edr = work / "run.EDR"
    edr.write_bytes(_winedr(values))
    yield _one("WinEDR", edr, neo="WinEdrIO")


def _labchart(values: np.ndarray) -> str:
    head = (
        "Interval=\t0.0001 s\nExcelDateTime=\t4.6037e+04\t15/01/2026 10:00:00\nTimeFormat=\tStartOfBlock\n"
        "DateFormat=\t\n"
        "ChannelTitle=\tVm\nRange=\t200 mV\nUnitName=\tmV\nTopValue=\t100\nBottomValue=\t-100\n"
    )
    rows = [f"{number / 1e4:.4f}\t{value:.4f}" for number, value in enumerate(values)]
    rows[700] += "\t#* a comment"
    return head + "\n".join(rows) + "\n"


def _atf(sweeps: np.ndarray) -> str:
    names = "".join(f'\t"Trace #{number + 1} (mV)"' for number in range(len(sweeps)))
    rows = ["\t".join(f"{one:.6g}" for one in (number / 10.0, *row)) for number, row in enumerate(sweeps.T)]
    head = f'ATF\t1.0\n2\t{len(sweeps) + 1}\n"AcquisitionMode=Episodic Stimulation"\n'
    return f'{head}"SweepStartTimesMS=0,200,400"\n"Time (ms)"{names}\n' + "\n".join(rows) + "\n"


def _winedr(values: np.ndarray) -> bytes:
    fields = {
        "VER": 6.4, "CTIME": "15-01-2026 10:00:00", "NC": 1, "NP": len(values), "NBH": 2048, "DT": 1e-4,
        "AD": 10.0, "ADCMAX": 2047, "YN0": "Vm", "YU0": "mV", "YCF0": 1.0, "YAG0": 1.0, "YZ0": 0, "YO0": 0,
    }  # fmt: skip
    head = "".join(f"{name}={value}\r\n" for name, value in fields.items()).encode()
    return head.ljust(2048, b"\0") + np.round(values * 10).astype("<i2").tobytes()


def _neo_files(work: Path) -> Iterator[Base]:
    from builders.lab_files import write_intan, write_neuralynx, write_tdt
    from builders.neo_objects import full_block, write_matlab, write_neo_text, write_nix

    work.mkdir(parents=True, exist_ok=True)
    yield _one("NIX", write_nix(work / "run.nix", full_block()), neo="NixIO")
    yield _one("MATLAB of Neo", write_matlab(work / "run.mat", full_block()), neo="NeoMatlabIO")
    numbers = write_neo_text(work / "run.txt", full_block(n_sweeps=1))
    stated = ("--sampling-rate", "2000", "--unit", "mV")
    yield _one("columns of numbers", numbers, text=True, calls=((*INFO, *stated), (*CONVERT, *stated)))
    for kind, write, names in (
        ("Neuralynx", write_neuralynx, ("CSC1.ncs",)),
        ("Intan", write_intan, ("info.rhd", "amplifier.dat")),
        ("TDT", write_tdt, ("tank_block1.tsq", "tank_block1.tev", "tank_block1.tbk")),
    ):
        folder = work / kind
        write(folder)
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        for name in names:
            if name in files:
                yield Base(kind=kind, name=name, files=files, changed=name, opened=name)
    yield _one("EDF", _edf(work / "run.edf"), neo="EDFIO")


def _edf(path: Path) -> Path:
    import pyedflib

    writer = pyedflib.EdfWriter(str(path), 1, file_type=pyedflib.FILETYPE_EDF)
    header = {"label": "Vm", "dimension": "mV", "sample_frequency": 2000}
    header |= {"physical_min": -100.0, "physical_max": 100.0, "digital_min": -32768, "digital_max": 32767}
    writer.setSignalHeaders([header])
    writer.writeSamples([np.random.default_rng(3).normal(-70.0, 1.0, 4000)])
    writer.close()
    return path


DETECT = ("detect", FILE, "-o", f"{OUT}/a.nwb", *QUICK, *LIMIT)
PRINTED = (
    ("events", FILE, *LIMIT),
    ("summary", FILE, *LIMIT),
    ("validate", FILE, *LIMIT),
    ("extension", "remove", FILE, "-o", f"{OUT}/p.nwb", *LIMIT),
    ("evaluate", FILE, "--truth", "mepps_truth", *LIMIT),
)


def _nwb(call: Callable[..., Any], work: Path) -> Iterator[Base]:
    folder = work / "nwb"
    source = work / "simulated_0000.abf"
    call(
        (
            *(one.replace(FILE, str(source)).replace(OUT, str(folder)) for one in CONVERT),
            "--metadata",
            PROJECT / "data" / "metadata.yaml",
        )
    )
    plain = folder / f"{source.name}.nwb"
    _without_specifications(plain)
    yield _one("NWB", plain, calls=(INFO, DETECT))
    found = Path(shutil.copyfile(plain, folder / "found.nwb"))
    call(("detect", found, *QUICK, "--extension"))
    _without_specifications(found)
    for command in (*PRINTED, DETECT):
        yield _one("NWB with MEPPs", found, calls=(command,))


def _without_specifications(path: Path) -> None:
    """Take out the schemas, nine tenths of a short file, so that mutations meet the rest."""
    import h5py

    packed = path.with_suffix(".packed")
    with h5py.File(path, "r") as old, h5py.File(packed, "w") as new:
        new.attrs.update({name: value for name, value in old.attrs.items() if name != ".specloc"})
        for name in old:
            if name != "specifications":
                # References would lead to objects that are copied again, unless they are copied together.
                old.copy(name, new, expand_refs=False)
    with h5py.File(path, "r") as old, h5py.File(packed, "r+") as new:
        old.visititems(lambda name, item: _point(name, item, old, new))
    packed.replace(path)


def _point(name: str, item: Any, old: Any, new: Any) -> None:
    """Let the references of an object lead to the objects of the new file."""
    import h5py

    if name.startswith("specifications"):
        return
    for key, value in item.attrs.items():
        if isinstance(value, h5py.Reference):
            new[name].attrs[key] = new[old[value].name].ref
    if isinstance(item, h5py.Dataset) and item.dtype.names and "timeseries" in item.dtype.names:
        rows = item[()]
        for row in rows:
            row["timeseries"] = new[old[row["timeseries"]].name].ref
        new[name][...] = rows


def _tables(work: Path) -> Iterator[Base]:
    abf = (work / "simulated_0000.abf").read_bytes()
    recording = "{folder}/a.abf"
    convert = (CONVERT[0], recording, *CONVERT[2:])
    contents = {
        ("YAML metadata", "metadata.yaml", "--metadata"): (PROJECT / "data" / "metadata.yaml").read_bytes(),
        ("table of sessions", "sessions.csv", "--sessions"): (
            b"file,session_start,timezone,subject,session_id\na.abf,2026-01-15T10:00:00,UTC,M1,S1\n"
        ),
        ("marks", "marks.csv", "--events"): (work / "simulated_0000.truth.csv").read_bytes(),
        ("marks", "marks.txt", "--events"): (
            b"28\tTime (ms)\tAmplitude\tRise (ms)\n1\t84,8129\t0,7753\t1,5547\n2\t249,7849\t0,5728\t1,4032\n"
        ),
    }
    for (kind, name, option), content in contents.items():
        call = tuple(one for one in convert if one not in START) if option == "--sessions" else convert
        yield Base(
            kind=kind,
            name=name,
            files={"a.abf": abf, name: content},
            changed=name,
            opened=name,
            calls=((*call, option, FILE),),
            text=True,
        )
    run = (RUN[0], recording, "-o", "{folder}", *RUN[4:])
    listed = json.dumps({"about": "x", "files": {"mepps.csv": ["0" * 64], "summary.csv": []}}).encode()
    yield Base(
        kind="list of own files",
        name=".nwb-mepp.json",
        files={"a.abf": abf, ".nwb-mepp.json": listed},
        changed=".nwb-mepp.json",
        opened=".nwb-mepp.json",
        calls=(run,),
        text=True,
    )


def _weights(work: Path) -> Iterator[Base]:
    folder = PROJECT / "nwb_mepp" / "weights" / "miniunet" / "3"
    files = {name: (folder / name).read_bytes() for name in ("config.json", "model.tflite")}
    files["a.abf"] = (work / "simulated_0000.abf").read_bytes()
    call = ("run", "{folder}/a.abf", "-o", OUT, *START, "--detector", "miniunet", "--no-picture")
    for name in ("config.json", "model.tflite"):
        yield Base(
            kind="weights",
            name=name,
            files=files,
            changed=name,
            opened=name,
            calls=((*call, "--weights", "miniunet={folder}"),),
            text=name.endswith("json"),
        )


_OF_NEO = {
    ".abf": "AxonIO", ".edr": "WinEdrIO", ".wcp": "", ".smr": "Spike2IO", ".trc": "MicromedIO",
    ".nex": "NeuroExplorerIO", ".ibw": "IgorIO", ".nix": "NixIO",
}  # fmt: skip
_LONG = {".trc": (INFO,)}  # its 128 channels take seconds to convert
_TEXT = {".txt", ".csv", ".atf", ".itx", ".vhdr", ".vmrk", ".meta", ".oebin", ".ent"}
_BESIDE = {".vmrk": ".vhdr", ".ent": ""}


def _shared() -> Iterator[Base]:
    """Return the small files beside the project, each with what lies beside it and belongs to it."""
    roots = [SHARED / "data" / "formats", SHARED / "data" / "corpus", SHARED / "cases"]
    for path in sorted(one for root in roots for one in root.rglob("*") if _fits(one)):
        suffix = path.suffix.lower()
        stem = path.name.split(".")[0]
        near = [one for one in path.parent.glob("*") if one.is_file() and one.name.split(".")[0] == stem]
        if sum(one.stat().st_size for one in near) > 2 * LARGEST:
            continue
        opened = path.name
        if suffix in _BESIDE:
            opened = f"{path.stem}{_BESIDE[suffix]}"
        is_nwb = suffix == ".nwb"
        yield Base(
            kind=f"{suffix or 'no suffix'} of others",
            name=path.relative_to(SHARED).as_posix(),
            files={one.name: one.read_bytes() for one in near},
            changed=path.name,
            opened=opened,
            calls=_LONG.get(suffix, (INFO, DETECT) if is_nwb else (INFO, CONVERT)),
            text=suffix in _TEXT,
            neo=_OF_NEO.get(suffix, ""),
            ours=False,
        )


# Parts of recordings that are opened by another of their files.
_PARTS = {".npy", ".xml", ".events", ".lsx", ".spikes"}


def _fits(path: Path) -> bool:
    if path.suffix in _PARTS:
        return False
    hidden = any(part.startswith(".") or part.endswith(".zarr") for part in path.parts)
    return path.is_file() and not hidden and 0 < path.stat().st_size <= LARGEST and path.name != "README.md"
