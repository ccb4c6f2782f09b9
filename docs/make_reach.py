"""Measure how fast the page of a review is, and write it into docs/performance.md.

    python docs/make_reach.py [--hours 24] [--folder DIR] [--show]

Two recordings at 10 kHz are made of one simulated minute: that minute, and as many hours as stated, with
seven events a minute. Each is reviewed in headless Chromium at 1280 x 800. A key counts from when it is
pressed until the frame that answers it is painted. With ``--folder`` the recordings stay there (about 2 GB
for 24 h) and are not made again; the envelope is built anew each time. It takes some minutes and needs a
quiet machine.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from builders.browser import Browser  # noqa: E402
from builders.tables import result_of  # noqa: E402
from nwb_mepp.core.mepps import Mepps  # noqa: E402
from nwb_mepp.core.recording import Recording, SourceFile, Trace  # noqa: E402
from nwb_mepp.nwb import write_nwb  # noqa: E402
from nwb_mepp.simulation import Scenario, simulate_recording, true_mepps  # noqa: E402

PAGE = Path(__file__).with_name("performance.md")
MARK, END = "<!-- Written by docs/make_reach.py. -->", "<!-- Until here. -->"
START = datetime(2026, 1, 15, 10, tzinfo=UTC)
N_KEYS = 60
STORE = "import('./page/store.js')"
# Notes when each key was pressed and when the frame that follows was painted.
WATCH = """
window.took = [];
addEventListener("keydown", (event) => {
  const pressed = event.timeStamp, channel = new MessageChannel();
  channel.port1.onmessage = () => window.took.push(performance.now() - pressed);
  requestAnimationFrame(() => channel.port2.postMessage(0));
}, true);
"""
# Scrolls a box through all that is in it, and gives the longest time between two frames.
SCROLL = """
new Promise((done) => {
  const box = document.querySelector("%s");
  let last = performance.now(), worst = 0, frames = 0;
  const step = box.scrollHeight / 150;
  function frame() {
    const now = performance.now();
    if (frames > 1) worst = Math.max(worst, now - last);
    last = now; frames += 1; box.scrollTop += step;
    if (frames < 150) requestAnimationFrame(frame); else done(worst);
  }
  requestAnimationFrame(frame);
})
"""


class Repeated:
    """A minute, over and over."""

    def __init__(self, minute: npt.NDArray[np.int16], n_times: int) -> None:
        self._minute, self._n_times = minute, n_times
        self.dtype = minute.dtype

    def __len__(self) -> int:
        return len(self._minute) * self._n_times

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Return some of the samples."""
        return self._minute[np.arange(start, stop) % len(self._minute)]


def recording(path: Path, *, minutes: int) -> Path:
    """Write a recording of so many minutes with the events of a detector."""
    if path.exists():
        return path
    made = simulate_recording(Scenario(rate_hz=7 / 60, bursts_per_s=0.0), seed=3)
    one = made.trace()
    scale, level = 2e-6, float(np.median(made.values))
    minute = np.round((made.values - level) / scale).astype(np.int16)
    trace = Trace(
        channel="Vm", sweep=0, source=Repeated(minute, minutes), unit="V", conversion=scale, offset=level,
        sampling_rate_hz=one.sampling_rate_hz, start_s=0.0,
    )  # fmt: skip
    truth = true_mepps(made.truth, one)
    # As in the table of any detector, which leaves nothing to be measured when the page opens.
    truth = truth.replace(baseline=np.full(len(truth), level), area=3e-3 * truth.amplitude)
    parts = [
        _later(truth, number, n_samples=len(minute), rate_hz=one.sampling_rate_hz)
        for number in range(minutes)
    ]
    source = SourceFile(name=path.stem, sha256="0" * 64, reader="simulation", reader_version="")
    write_nwb(
        Recording(traces=(trace,), source=source, session_start=None),
        path,
        session_start=START,
        results=[result_of(Mepps.concatenate(parts))],
    )
    return path


def _later(mepps: Mepps, number: int, *, n_samples: int, rate_hz: float) -> Mepps:
    samples, seconds = number * n_samples, number * n_samples / rate_hz
    moved = {name: getattr(mepps, name) + samples for name in ("start_index", "peak_index", "stop_index")}
    moved |= {name: getattr(mepps, name) + seconds for name in ("start_s", "peak_s", "stop_s")}
    # So that the sliders and the order of the contact sheet have something to do.
    random = np.random.default_rng(number)
    return mepps.replace(**moved, probability=random.uniform(0.3, 1.0, len(mepps)))


@contextmanager
def served(path: Path) -> Iterator[tuple[str, int, float]]:
    """Start the command, and give the address, the number of its process and when it was started."""
    cache = tempfile.mkdtemp()
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "nwb_mepp", "review", str(path), "--no-browser"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "XDG_CACHE_HOME": cache},
    )  # fmt: skip
    try:
        assert process.stderr is not None
        (url,) = re.findall(r"http://\S+", process.stderr.readline())
        yield url, process.pid, began
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(cache, ignore_errors=True)
        for journal in path.parent.glob(f"{path.name}.review*"):
            journal.unlink()


def measured(path: Path) -> dict[str, str]:
    """Return what is measured of one recording, in words."""
    with Browser() as browser, served(path) as (url, pid, began):
        printed = time.monotonic() - began
        browser.go(url)
        browser.wait_for_text("#progress", "decided")
        browser.wait(lambda: browser.text("#measures"), "expected measures")
        usable = time.monotonic() - began
        browser.patience_s = 900.0
        browser.wait(lambda: browser.ask(f"{STORE}.then((of) => of.store.envelope >= 1)"), "an envelope")
        built = time.monotonic() - began - usable
        browser.ask(WATCH)
        found = {
            "from the command to the address": f"{printed:.1f} s",
            "from the command to a page that can be used": f"{usable:.1f} s",
            "the envelope, built once, while the page is used": f"{built:.1f} s",
        }
        for words, keys in {
            "next event": ("ArrowRight",),
            "pan": ("PageDown", "PageDown", "PageUp"),
            "zoom": ("ArrowUp", "ArrowUp", "ArrowDown"),
            "the whole recording and back": ("Home", "ArrowRight"),
        }.items():
            found[f"{words}, median and 95th percentile"] = _timed(browser, keys)
        for words, box in (("contact sheet", "#sheet"), ("table", "#table .body")):
            worst = browser.ask(SCROLL % box)
            found[f"scrolling the {words}, longest pause"] = f"{worst:.0f} ms"
            browser.key("l")
            time.sleep(0.5)
        # The command works in a child, which its parent outlives.
        child = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        status = Path(f"/proc/{child[0] if child else pid}/status").read_text()
        (peak_kb,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        found["memory of the server, at most"] = f"{int(peak_kb) / 1e6:.2f} GB"
        assert browser.console == [], browser.console
    return found


def _timed(browser: Browser, keys: tuple[str, ...]) -> str:
    browser.ask("window.took = []")
    for number in range(N_KEYS):
        browser.key(keys[number % len(keys)])
        browser.wait(lambda number=number: browser.ask("window.took.length") > number, "a painted frame")
    took = sorted(browser.ask("window.took"))
    return f"{statistics.median(took):.0f} ms, {took[int(0.95 * (len(took) - 1))]:.0f} ms"


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--show", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        minutes = max(round(60 * given.hours), 1)
        short = measured(recording(folder / "minute.nwb", minutes=1))
        long = measured(recording(folder / f"minutes_{minutes}.nwb", minutes=minutes))
    load = os.getloadavg()[0]
    lines = [
        f"{os.cpu_count()} cores, load {load:.1f}.\n",
        f"| what | 60 s, 7 events | {given.hours:g} h, {7 * minutes} events |",
        "|---|---|---|",
        *(f"| {words} | {short[words]} | {value} |" for words, value in long.items()),
    ]
    found = "\n".join(lines)
    if given.show:
        sys.stdout.write(f"{found}\n")
        return
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{MARK}\n\n{found}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
