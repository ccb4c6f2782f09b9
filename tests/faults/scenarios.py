"""Folders in a known state, the commands that write into them, and what they should hold afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.children import Server
from tests.faults.folders import State, state_of

__all__ = ["PAIRS", "SCENARIOS", "START", "Pair", "Prepared", "Scenario", "Workshop"]

START = ("--session-start", "2026-01-15T10:00:00Z")
QUICK = ("--detector", "threshold")
OTHER = ("--detector", "matched_filter")
# Paths in commands: the inputs, which nothing may change, and the folder of the outputs.
IN, OUT = "{in}", "{out}"


@dataclass(frozen=True)
class Scenario:
    """A command and the state of the folder that it writes into.

    Attributes
    ----------
    name : str
    command : tuple of str
    before : tuple of commands
        What made the state.
    code : int
        How the command ends if nothing disturbs it.
    weight : int
        How often it is drawn, compared with the others.
    """

    name: str
    command: tuple[str, ...]
    before: tuple[tuple[str, ...], ...] = ()
    code: int = 0
    weight: int = 2


@dataclass(frozen=True)
class Pair:
    """Two commands on one file or folder."""

    name: str
    commands: tuple[tuple[str, ...], tuple[str, ...]]
    before: tuple[tuple[str, ...], ...] = ()


def _run(file: str, *options: str) -> tuple[str, ...]:
    return ("run", f"{IN}/{file}", "-o", OUT, *START, *QUICK, "--no-picture", *options)


def _convert(file: str, *options: str) -> tuple[str, ...]:
    return ("convert", f"{IN}/{file}", "-o", OUT, *START, *options)


def _simulate(*options: str) -> tuple[str, ...]:
    formats = ("--format", "nwb", "--format", "abf", "--format", "labeled-text")
    return ("simulate", "-o", OUT, *START, *formats, "--overwrite", *options)


_FILE = f"{OUT}/a.abf.nwb"
_DETECT = ("detect", _FILE, *OTHER)
_ADD, _REMOVE = ("extension", "add", _FILE), ("extension", "remove", _FILE)
_ELSEWHERE = ("-o", f"{OUT}/b.nwb", "--overwrite")

SCENARIOS = (
    Scenario("run", _run("a.abf")),
    Scenario("run, with a picture", tuple(one for one in _run("a.abf") if one != "--no-picture"), weight=1),
    Scenario("run beside an earlier output", _run("a.abf"), before=(_run("b.abf"),)),
    Scenario("run --overwrite", _run("a.abf", "--overwrite", "--threshold", "6"), before=(_run("a.abf"),)),
    Scenario("run of a kept output", _run("a.abf"), before=(_run("a.abf"),), weight=1),
    Scenario(
        "run of three files, one of them bad",
        ("run", f"{IN}/a.abf", f"{IN}/b.abf", f"{IN}/bad.csv", *_run("a.abf")[2:], "--override"),
        code=1,
        weight=1,
    ),
    Scenario(
        "run --jobs 2",
        ("run", f"{IN}/a.abf", f"{IN}/b.abf", *_run("a.abf")[2:], "--override", "--jobs", "2"),
        weight=1,
    ),
    Scenario("convert", _convert("a.abf")),
    Scenario("convert --overwrite", _convert("a.abf", "--overwrite"), before=(_run("a.abf"),)),
    Scenario("convert --extension --events", _convert("a.abf", "--extension", "--events", f"{IN}/marks.csv")),
    Scenario("detect", _DETECT, before=(_convert("a.abf"),)),
    Scenario("detect, beside another detector", _DETECT, before=(_run("a.abf"),)),
    Scenario("detect, again", (*_DETECT, "--threshold", "5"), before=(_convert("a.abf"), _DETECT)),
    Scenario("detect -o", (*_DETECT, *_ELSEWHERE), before=(_run("a.abf"),)),
    Scenario("extension add", _ADD, before=(_run("a.abf"),)),
    Scenario("extension remove", _REMOVE, before=(_run("a.abf", "--extension"),)),
    Scenario("extension add -o", (*_ADD, *_ELSEWHERE), before=(_run("a.abf"),), weight=1),
    Scenario("simulate", _simulate("--duration", "1")),
    Scenario("simulate --overwrite", _simulate("--duration", "1"), before=(_simulate("--duration", "0.5"),)),
)

PAIRS = (
    Pair("detect and detect", (_DETECT, ("detect", _FILE, *QUICK)), before=(_convert("a.abf"),)),
    Pair("run and run into one folder", (_run("a.abf"), _run("b.abf"))),
    Pair("run and run of one file", (_run("a.abf"), _run("a.abf"))),
    Pair("convert and convert", (_convert("a.abf"), _convert("a.abf"))),
    Pair("detect and extension add", (_DETECT, _ADD), before=(_run("a.abf"),)),
    Pair("detect and extension remove", (_DETECT, _REMOVE), before=(_run("a.abf", "--extension"),)),
    Pair("run and convert into one folder", (_run("a.abf"), _convert("b.abf"))),
    Pair("simulate and simulate", (_simulate("--duration", "1"), _simulate("--duration", "1"))),
)


@dataclass
class Prepared:
    """A folder with an input and an output folder, and the states that its output folder may have."""

    folder: Path
    old: State = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def filled(self, command: Sequence[str]) -> list[str]:
        """Return a command with the paths of this folder."""
        return [
            one.replace(IN, str(self.folder / "in")).replace(OUT, str(self.folder / "out")) for one in command
        ]


class Workshop:
    """Makes each state once and copies it for each trial."""

    def __init__(self, server: Server, work: Path) -> None:
        self.server, self._work = server, work
        self._templates: dict[tuple[tuple[str, ...], ...], Path] = {}
        self._results: dict[tuple[tuple[str, ...], ...], State] = {}
        self._n = 0
        self._inputs = work / "inputs"
        self._make_inputs()

    def copy(self, before: Sequence[tuple[str, ...]]) -> Prepared:
        """Return a fresh copy of the state that some commands make; remove it by :meth:`drop`."""
        template = self._template(tuple(before))
        self._n += 1
        folder = Path(shutil.copytree(template, self._work / f"trial-{self._n}"))
        return Prepared(folder, old=self.result(tuple(before)))

    def drop(self, prepared: Prepared) -> None:
        shutil.rmtree(prepared.folder, ignore_errors=True)

    def result(self, commands: Sequence[tuple[str, ...]]) -> State:
        """Return what the folder holds after some commands that nothing disturbs."""
        key = tuple(commands)
        if key not in self._results:
            self._results[key] = self.server.compute(state_of, self._template(key) / "out")
        return self._results[key]

    def _template(self, commands: tuple[tuple[str, ...], ...]) -> Path:
        if commands not in self._templates:
            parent = self._template(commands[:-1]) if commands else None
            folder = self._work / f"template-{len(self._templates)}"
            if parent is not None:
                shutil.copytree(parent, folder)
                prepared = Prepared(folder)
                ended = self.server.call(prepared.filled(commands[-1]))
                if ended.fault() or (ended.code and "bad.csv" not in " ".join(commands[-1])):
                    raise RuntimeError(f"{commands[-1]} failed undisturbed: {ended.said}")
            else:
                shutil.copytree(self._inputs, folder / "in")
                (folder / "out").mkdir()
                (folder / "out" / "notes.txt").write_text("of the user", encoding="utf-8")
            self._templates[commands] = folder
        return self._templates[commands]

    def _make_inputs(self) -> None:
        self._inputs.mkdir(parents=True, exist_ok=True)
        for number, name in enumerate("ab"):
            made = self._work / "made"
            options = ("--duration", "1", "--rate", "4", "--seed", number)
            ended = self.server.call(("simulate", "-o", made, "--format", "abf", *options))
            if ended.code:
                raise RuntimeError(ended.said)
            shutil.copyfile(made / f"simulated_{number:04}.abf", self._inputs / f"{name}.abf")
            if name == "a":
                shutil.copyfile(made / f"simulated_{number:04}.truth.csv", self._inputs / "marks.csv")
        (self._inputs / "bad.csv").write_text("Time_ms,Voltage\n0,1\nx,2\n", encoding="utf-8")
