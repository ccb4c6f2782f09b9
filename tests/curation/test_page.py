"""The page in a real Chromium, by keys and mouse; what was done is read back from the NWB file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynwb import NWBHDF5IO

from builders.browser import Browser, chromium
from builders.known_mepps import ONSETS_S
from nwb_mepp.curation.desk import Wishes
from nwb_mepp.curation.serving import RunningReview

NAME = "run<b>07.nwb"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if chromium() is None:
        reason = "expected Chromium, found none; install Debian's package chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with Browser() as browser:
        yield browser


@pytest.fixture
def path(annotated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(annotated, tmp_path / NAME))


def trace_x(browser: Browser, time_s: float) -> float:
    """Return where a time lies on the page, as the trace draws it."""
    left, width, start_s, stop_s = browser.ask(
        "import('./page/store.js').then(({store}) => { const box = document.getElementById('trace')"
        ".getBoundingClientRect(); return [box.left + 58, box.width - 66, ...store.view]; })"
    )
    return float(left + (time_s - start_s) / (stop_s - start_s) * width)


def row(browser: Browser, which: str = "store.rows.get(store.chosen)") -> dict[str, object]:
    told = browser.ask(f"import('./page/store.js').then(({{store}}) => ({which}))")
    assert isinstance(told, dict)
    return told


def trace_y(browser: Browser) -> float:
    return float(browser.ask("document.getElementById('trace').getBoundingClientRect().top + 120"))


def opened(browser: Browser, review: RunningReview) -> None:
    browser.go(review.url)
    browser.wait_for_text("#progress", "decided")
    browser.wait(lambda: browser.text("#measures"), "expected measures")


def test_a_recording_is_reviewed_by_keys_and_mouse(browser: Browser, path: Path) -> None:
    with RunningReview([path], Wishes()) as review:
        opened(browser, review)
        assert browser.text("#file") == NAME  # as text, not as HTML
        browser.key("a")
        browser.wait_for_text("#progress", "1/8 decided")
        browser.key("r")
        browser.wait_for_text("#progress", "2/8 decided")
        assert row(browser)["time"] == pytest.approx(ONSETS_S[2], abs=3e-3)

        y = trace_y(browser)
        browser.click(trace_x(browser, 1.5), y, count=2)  # there is nothing, which a person may know better
        browser.wait_for_text("#progress", "3/9 decided")
        assert row(browser)["status"] == "added"
        browser.key("z")
        browser.wait_for_text("#progress", "2/8 decided")
        browser.key("y")
        browser.wait_for_text("#progress", "3/9 decided")

        browser.key("ArrowLeft")
        for _ in range(9):
            browser.key("ArrowUp")
        browser.wait(
            lambda: (
                browser.ask("import('./page/store.js').then(({store}) => store.view[1] - store.view[0])")
                < 0.1
            ),
            "expected to see less",
        )
        chosen = row(browser)
        onset = float(str(chosen["x_start"]))
        from_x, to_x = trace_x(browser, onset), trace_x(browser, onset - 1e-3)
        browser.drag(from_x, y, to_x, y)
        browser.wait_for_text("#message", "Moved")
        assert row(browser)["x_start"] == pytest.approx(onset - 1e-3, abs=3e-4)

        browser.key(" ")
        before = row(browser)["id"]
        browser.key("x")
        browser.wait_for_text("#message", "Split")
        assert row(browser)["id"] != before

        browser.key("Home")
        browser.drag(trace_x(browser, 3.55), y, trace_x(browser, 3.9), y, alt=True)
        browser.wait_for_text("#message", "Left out")
        browser.ask(
            "document.getElementById('size').value = 0.98; document.getElementById('size')"
            ".dispatchEvent(new Event('input'))"
        )
        browser.wait_for_text("#preview", "rejects")
        browser.key("s")
        browser.wait_for_text("#message", "Saved")
        said = browser.text("#tally")

        opened(browser, review)
        assert browser.text("#tally") == said
        browser.key("l")
        browser.wait(
            lambda: browser.ask("document.querySelectorAll('#table .row:not([hidden])').length") == 10, "rows"
        )
        browser.key("?")
        assert browser.ask("document.getElementById('help').open") is True
        assert "undo" in browser.text("#help")
        browser.key("Escape")
    assert browser.console == []
    with NWBHDF5IO(path, "r") as io:
        file = io.read()
        table = file.intervals["mepps_curated"].to_dataframe()
        assert table["status"].tolist() == [
            "accepted", "rejected", "moved", "added", "added", "added", "unreviewed", "unreviewed",
            "unreviewed", "rejected",
        ]  # fmt: skip
        assert table["start_time"].iloc[3] == pytest.approx(1.5, abs=8e-3)  # the peak is within 3 ms
        assert table["start_time"].iloc[2] == pytest.approx(onset - 1e-3, abs=3e-4)
        assert table["stop_time"].iloc[4] == table["start_time"].iloc[5]
        (stretch,) = file.invalid_times.to_dataframe()[["start_time", "stop_time"]].values.tolist()
        assert stretch == pytest.approx([3.55, 3.9], abs=0.02)
