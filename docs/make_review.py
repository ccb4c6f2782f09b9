"""Make the pictures of review.md: the page in a real Chromium, at two sizes.

    python docs/make_review.py FILE.nwb

The file is the shipped recording as 'nwb-mepp run' writes it; it is copied, and stays as it is.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "tests"))

from builders.browser import Browser  # noqa: E402
from nwb_mepp.curation.desk import Wishes  # noqa: E402
from nwb_mepp.curation.serving import RunningReview  # noqa: E402

SIZES = {"review.png": (1280, 800), "review-table.png": (1920, 1080)}
TRACE, STORE = "import('./page/trace.js')", "import('./page/store.js')"
# Until all is painted.
PAUSE_S = 1.0


def main(file: Path) -> None:
    """Write both pictures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(file, folder))
        with RunningReview([path], Wishes()) as review:
            for name, (width, height) in SIZES.items():
                with Browser(width=width, height=height) as browser:
                    browser.go(review.url)
                    browser.wait_for_text("#progress", "decided")
                    show(browser, table=name == "review-table.png")
                    browser.picture(PROJECT / "docs" / "img" / name)


def show(browser: Browser, *, table: bool) -> None:
    """Decide on some events, and look at one closely."""
    n_before = int(browser.text("#progress").partition("/")[0])
    for number, key in enumerate("aaraaa", start=n_before + 1):
        browser.key(key)
        browser.wait_for_text("#progress", f"{number}/")
    for key in ("ArrowUp", "ArrowUp", *("l" if table else "")):
        browser.key(key)
    browser.wait(lambda: browser.ask(f"{TRACE}.then((of) => of.fit.id)"), "expected a fit")
    browser.wait(lambda: browser.ask(f"{STORE}.then((of) => of.store.average)"), "expected an average")
    time.sleep(PAUSE_S)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
