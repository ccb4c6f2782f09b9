"""Mutated inputs through the command line, and what is accepted compared with what Neo gives."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tests.faults.bases import CONVERT, FILE, OUT, Base, bases
from tests.faults.children import BUG, NO_SENTENCE, Ended, Server
from tests.faults.mutations import Edit, applied, draw_edits
from tests.faults.records import LOST, REFUSED, SURVIVED, Record
from tests.faults.scenarios import QUICK

__all__ = ["Mutants", "corpus", "recipe"]

CORPUS = Path(__file__).with_name("corpus.json")
PART = "mutated inputs"
# What validate prints of a file that breaks the rules.
_FINDING = re.compile(r": (ERROR|PYNWB_VALIDATION|CRITICAL|BEST_PRACTICE_VIOLATION) at ")
# A fault of the harness itself otherwise looks like one of the program.
_DETECTED = 0.3


class Mutants:
    """Draws inputs, mutates them, and calls what reads them."""

    def __init__(self, server: Server, work: Path, *, keep: Path) -> None:
        self.server, self._work, self._keep = server, work, keep
        self._by_kind: dict[str, list[Base]] = defaultdict(list)
        self._stored = corpus()
        self._like_neo: dict[str, bool] = {}
        for one in bases(server.call, work / "bases"):
            self._by_kind[one.kind].append(one)

    def trial(self, number: int, seed: int) -> Record:
        """Mutate one input and give it to its commands; the first ones are those of the corpus."""
        if number < len(self._stored):
            return self._try_again(self._stored[number], number)
        random_ = random.Random(f"{seed} mutant {number}")
        kinds = sorted(self._by_kind)
        base = random_.choice(self._by_kind[kinds[number % len(kinds)]])
        edits = draw_edits(base.files[base.changed], random_, text=base.text)
        return self.judge(base, edits, number=number, detected=random_.random() < _DETECTED)

    def _try_again(self, one: dict[str, Any], number: int) -> Record:
        every = [base for group in self._by_kind.values() for base in group]
        base = next(base for base in every if place_of(base) == one["base"])
        edits = [Edit(at, n, bytes.fromhex(new)) for at, n, new in one["edits"]]
        return replace(self.judge(base, edits, number=number, detected=True), kind="inputs that failed once")

    def judge(self, base: Base, edits: Sequence[Edit], *, number: int, detected: bool = False) -> Record:
        """Give a mutated input to its commands; keep it if that fails."""
        began_s, folder = time.monotonic(), self._work / f"mutant-{number}"
        files = {**base.files, base.changed: applied(base.files[base.changed], edits)}
        source = folder / "in"
        for name, content in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(content)
        problem, accepted = self._problem(base, folder, detected=detected)
        problem = problem or self._changed(base, files, source)
        if problem:
            self._store(base, edits, number, problem)
        shutil.rmtree(folder)
        return Record(
            part=PART,
            kind=base.kind,
            number=number,
            outcome=LOST if problem else SURVIVED if accepted else REFUSED,
            detail=f"{base.name}: {problem}" if problem else "",
            seconds=round(time.monotonic() - began_s, 3),
        )

    def _problem(self, base: Base, folder: Path, *, detected: bool) -> tuple[str, bool]:
        """Return what is wrong, and whether the last command accepted the input."""
        for call in base.calls:
            ended = self.server.call(_filled(call, base, folder))
            problem = _fault(ended)
            if problem:
                return f"{call[0]}: {problem}", False
            if ended.code == -signal.SIGKILL:  # given up in native code, which removes nothing
                return "", False
            if ended.code:
                left = [one.name for one in (folder / "out").rglob(".*") if one.name != ".nwb-mepp.json"]
                return (f"{call[0]}: left {left}" if left else ""), False
        outputs = sorted((folder / "out").rglob("*.nwb"))
        if base.neo and CONVERT in base.calls and len(outputs) == 1 and self._is_like_neo(base):
            found = self.server.compute(differs_from_neo, folder / "in" / base.opened, base.neo, outputs[0])
            if found:
                return f"Neo: {found}", True
        if detected and len(outputs) == 1:
            problem = _fault(self.server.call(("detect", outputs[0], *QUICK, "--time-limit", "30")))
            return (f"detect: {problem}" if problem else ""), True
        return "", True

    def _is_like_neo(self, base: Base) -> bool:
        """Return whether the sound input gives what Neo gives; where Neo is mistaken, it does not."""
        if base.name not in self._like_neo:
            folder = self._work / "sound"
            for name, content in base.files.items():
                (folder / "in" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "in" / name).write_bytes(content)
            self.server.call(_filled(CONVERT, base, folder))
            outputs, opened = list((folder / "out").rglob("*.nwb")), folder / "in" / base.opened
            self._like_neo[base.name] = len(outputs) == 1 and not self.server.compute(
                differs_from_neo, opened, base.neo, outputs[0]
            )
            shutil.rmtree(folder)
        return self._like_neo[base.name]

    def _changed(self, base: Base, files: dict[str, bytes], source: Path) -> str:
        for name, content in files.items():
            if name != ".nwb-mepp.json" and (source / name).read_bytes() != content:
                return f"{name} of {base.name} was changed"
        return ""

    def _store(self, base: Base, edits: Sequence[Edit], number: int, problem: str) -> None:
        """Keep what failed, so that it can be tried again; a recipe if the harness wrote the sound input."""
        self._keep.mkdir(parents=True, exist_ok=True)
        place = self._keep / f"{number}-{Path(base.name).name}"
        place.write_bytes(applied(base.files[base.changed], edits))
        place.with_name(f"{place.name}.json").write_text(
            json.dumps({**recipe(base, edits), "why": problem}, indent=1), encoding="utf-8"
        )


def corpus() -> list[dict[str, Any]]:
    """Return the recipes of inputs that failed once."""
    return list(json.loads(CORPUS.read_text(encoding="utf-8")))


def place_of(base: Base) -> str:
    """Return how the corpus names a sound input."""
    return f"{base.kind}/{base.name}"


def recipe(base: Base, edits: Sequence[Edit]) -> dict[str, Any]:
    """Return how to make a mutated input again, as it stands in the corpus."""
    return {"base": place_of(base), "edits": [[at, n, new.hex()] for at, n, new in edits]}


def _fault(ended: Ended) -> str:
    problem = ended.fault()
    said = ended.said.strip()
    if problem == NO_SENTENCE and _FINDING.search(said):
        return ""
    if problem in BUG:
        at = said.find(problem)
        return f"{problem}: {said[max(0, at - 100) : at + 500]} ... {said[-300:]}"
    return f"{problem} ({said[-300:]})" if problem else ""


def _filled(call: Sequence[str], base: Base, folder: Path) -> list[str]:
    source = folder / "in"
    places = {FILE: source / base.opened, OUT: folder / "out", "{folder}": source}
    filled = []
    for one in call:
        for name, place in places.items():
            one = one.replace(name, str(place))
        filled.append(one)
    return filled


def differs_from_neo(source: Path, neo_class: str, output: Path) -> str:
    """Return which series of an NWB file is none of the signals that Neo reads; empty if each is one."""
    import warnings

    import h5py
    import neo.io

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            options = {"mode": "ro"} if neo_class == "NixIO" else {}
            block = getattr(neo.io, neo_class)(str(source), **options).read_block()
        except Exception as error:
            return f"refuses what was converted ({type(error).__name__}: {error})"
    signals = [
        np.asarray(column, dtype=np.float64)
        for segment in block.segments
        for signal in segment.analogsignals
        for column in signal.magnitude.T
    ]
    with h5py.File(output, "r") as file:
        for name, series in file["acquisition"].items():
            if "data" in series and not any(_equal(series["data"], one) for one in signals):
                return f"{name} is none of the {len(signals)} signals that Neo gives"
    return ""


def _equal(data: Any, signal: np.ndarray) -> bool:
    if data.shape != signal.shape:
        return False
    found = np.float64(data[()]) * data.attrs.get("conversion", 1.0) + data.attrs.get("offset", 0.0)
    # What NWB holds is in volts or amperes, what Neo gives in the unit of the file.
    scales = [1.0, 1e-3, 1e-6, 1e-9, 1e-12]
    largest = np.nanmax(np.abs(signal), initial=0.0)
    return any(
        np.allclose(found, signal * one, rtol=1e-5, atol=1e-6 * one * (largest or 1.0), equal_nan=True)
        for one in scales
    )
