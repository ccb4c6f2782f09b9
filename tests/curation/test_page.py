"""The page in a real Chromium, by keys and mouse; what was done is read back from the NWB file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
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


def slide(browser: Browser, name: str, value: float) -> None:
    """Move a slider, as a mouse does."""
    browser.ask(
        f"(() => {{ const slider = document.getElementById('{name}'); slider.value = {value};"
        " slider.dispatchEvent(new Event('input')); })()"
    )


def cell(browser: Browser, number: int) -> tuple[float, float]:
    """Return the middle of a cell of the contact sheet."""
    left, top, width, columns = browser.ask(
        "import('./page/sheet.js').then((sheet) => { const box = document.getElementById('sheet');"
        " const at = box.getBoundingClientRect(); return [at.left, at.top, box.clientWidth,"
        " sheet.sheetColumns()]; })"
    )
    wide = width / columns
    return left + (number % columns + 0.5) * wide, top + (number // columns + 0.5) * round(0.7 * wide)


def n_of(tally: str, shape: str) -> int:
    return int(tally.split(shape)[1].split()[0])


def opened(browser: Browser, review: RunningReview) -> None:
    browser.go(review.url)
    browser.wait_for_text("#progress", "decided")
    browser.wait(lambda: browser.text("#measures"), "expected measures")


@contextmanager
def reviewed(browser: Browser, paths: list[Path], wishes: Wishes) -> Iterator[RunningReview]:
    """Show a review; nothing is wrong on the console until it ends."""
    browser.console.clear()
    with RunningReview(paths, wishes) as review:
        opened(browser, review)
        try:
            yield review
            assert browser.console == []
        finally:
            browser.go("about:blank")


def test_a_recording_is_reviewed_by_keys_and_mouse(browser: Browser, path: Path) -> None:
    with reviewed(browser, [path], Wishes()) as review:
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
        browser.key("m")
        browser.wait_for_text("#message", "Merged")
        browser.wait_for_text("#progress", "5/9 decided")
        browser.key("z")
        browser.wait_for_text("#progress", "6/10 decided")

        browser.key("Home")
        before = browser.text("#tally")
        browser.drag(trace_x(browser, 3.55), y, trace_x(browser, 3.9), y, alt=True)
        browser.wait_for_text("#message", "Left out")
        browser.wait(lambda: browser.text("#tally") != before, "expected an event that is left out")

        before = browser.text("#tally")
        slide(browser, "size", 0.98)
        browser.wait_for_text("#preview", "rejects")
        n_gone = int(browser.text("#preview").split()[1].strip(","))
        assert browser.text("#tally") == before  # seen, not yet applied
        assert n_gone > 0
        browser.press("#apply")
        browser.wait_for_text("#message", "Limits applied")
        n_open, n_rejected = n_of(before, "○"), n_of(before, "✕")
        browser.wait(lambda: n_of(browser.text("#tally"), "○") == n_open - n_gone, "expected fewer to do")
        assert n_of(browser.text("#tally"), "✕") == n_rejected + n_gone
        browser.key("z")
        browser.wait(lambda: browser.text("#tally") == before, "expected the limits to be undone")

        browser.drag(*cell(browser, 6), *cell(browser, 7))
        browser.wait_for_text("#shown", "2 selected")
        browser.key("a")
        browser.wait_for_text("#message", "Accepted: 2 events")
        browser.key(" ")
        assert row(browser)["time"] == pytest.approx(ONSETS_S[6], abs=3e-3)
        browser.key("4")
        browser.wait_for_text("#message", "Kind changed")
        browser.key("c")
        browser.write("a <b>pulse</b>")
        browser.key("Enter")
        browser.wait_for_text("#measures", "a <b>pulse</b>")
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
    with NWBHDF5IO(path, "r") as io:
        file = io.read()
        table = file.intervals["mepps_curated"].to_dataframe()
        assert table["status"].tolist() == [
            "accepted", "rejected", "moved", "added", "added", "added", "accepted", "accepted", "accepted",
            "rejected",
        ]  # fmt: skip
        assert table["kind"].tolist() == [*["mepp"] * 8, "artifact", "mepp"]
        assert table["note"].iloc[8] == "a <b>pulse</b>"
        assert table["start_time"].iloc[3] == pytest.approx(1.5, abs=8e-3)  # the peak is within 3 ms
        assert table["start_time"].iloc[2] == pytest.approx(onset - 1e-3, abs=3e-4)
        assert table["stop_time"].iloc[4] == table["start_time"].iloc[5]
        (stretch,) = file.invalid_times.to_dataframe()[["start_time", "stop_time"]].values.tolist()
        assert stretch == pytest.approx([3.55, 3.9], abs=0.02)
        summary = file.processing["icephys"]["mepp_detections"].to_dataframe().set_index("detector")
        assert summary.loc["curated", ["n_mepps", "n_artifacts", "reviewed"]].tolist() == [7, 1, 1.0]


def test_all_works_by_keys_alone(browser: Browser, path: Path) -> None:
    with reviewed(browser, [path], Wishes()):
        for _ in range(9):
            browser.key(">")
        browser.key("i")
        browser.wait_for_text("#message", "Added")
        assert row(browser)["x_peak"] == pytest.approx(1.48, abs=0.01)
        begin, end = (float(str(row(browser)[name])) for name in ("x_start", "x_stop"))
        for key in ("]", "]", "}"):
            browser.key(key)
        browser.wait(lambda: row(browser)["x_stop"] != end, "expected another end")
        assert row(browser)["x_start"] == pytest.approx(begin + 2e-4, abs=1e-6)
        browser.key("x")
        browser.wait_for_text("#progress", "2/10 decided")
        for key in ("v", "ArrowRight", "v", "m"):
            browser.key(key)
        browser.wait_for_text("#message", "Merged")
        for key, words in (("z", "Undone"), ("Z", "Done again"), ("2", "Kind changed")):
            browser.key(key)
            browser.wait_for_text("#message", words)
        browser.key("c")
        browser.write("after a stimulus")
        browser.key("Enter")
        browser.wait_for_text("#measures", "after a stimulus")

        for key in (">", "e", ">", "e"):
            browser.key(key)
        browser.wait_for_text("#message", "Left out")
        browser.key("<")
        browser.key(".")
        browser.key("E")
        browser.wait_for_text("#message", "Taken back")

        for key in ("/", *"stimulus"):
            browser.key(key)
        browser.wait_for_text("#shown", "1 shown")
        browser.key("Escape")
        browser.wait_for_text("#shown", "9 shown")
        browser.key("V")
        browser.wait_for_text("#shown", "9 selected")
        browser.key("a")
        browser.wait_for_text("#progress", "9/9 decided")
        browser.key("V")
        browser.key("o")
        browser.wait_for_text("#progress", "1/9 decided")  # what was added stays so
        browser.key("Escape")

        browser.key("k")
        browser.key("End")
        browser.wait_for_text("#preview", "rejects")
        browser.key("Enter")
        browser.wait_for_text("#message", "Limits applied")
        browser.wait(lambda: n_of(browser.text("#tally"), "✕") > 0, "expected some to be rejected")
        n_rejected = n_of(browser.text("#tally"), "✕")
        browser.key("Escape")
        for key in (
            "Home",
            "ArrowUp",
            "PageDown",
            "PageUp",
            "ArrowDown",
            "f",
            "f",
            "h",
            "h",
            "l",
            "l",
            "t",
            "w",
        ):
            browser.key(key)
        browser.wait_for_text("#shown", f"{8 - n_rejected} shown")
        browser.key("g")
        assert NAME in browser.text("#files")
        browser.key("Escape")
        browser.key("s", ctrl=True)
        browser.wait_for_text(
            "#message", f"Saved 1 events as mepps_curated in {NAME}; {8 - n_rejected} to do"
        )
    with NWBHDF5IO(path, "r") as io:
        file = io.read()
        table = file.intervals["mepps_curated"].to_dataframe()
        (added,) = table[table["status"] == "added"].to_dict("records")
        assert (added["kind"], added["note"]) == ("evoked", "after a stimulus")
        assert added["start_time"] == pytest.approx(begin + 2e-4, abs=1e-6)
        assert (table["status"] == "rejected").sum() == n_rejected
        assert file.invalid_times is None


def test_blind_the_page_names_nothing(browser: Browser, path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "patient"
    folder.mkdir()
    paths = [Path(shutil.copy(path, folder / f"patient_{name}.nwb")) for name in "ab"]
    with reviewed(browser, paths, Wishes(seed=3)):
        browser.key("a")
        browser.wait_for_text("#progress", "1/8 decided")
        browser.key("N")
        browser.wait_for_text("#file", "recording 2")
        browser.wait_for_text("#progress", "0/8 decided")
        browser.key("s")
        browser.wait_for_text("#message", "Saved")
        for expression in ("document.documentElement.outerHTML", "document.title"):
            assert "patient" not in browser.ask(expression)
        assert row(browser)["probability"] is None
