"""A real Chromium, driven by keys and mouse through its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

# Debian's name first.
NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)  # fmt: skip
_PATIENCE_S = 30.0
# Keys whose code cannot be told from the character that they give.
_KEYS = {
    "ArrowRight": 39, "ArrowLeft": 37, "ArrowUp": 38, "ArrowDown": 40, "Enter": 13, "Escape": 27, " ": 32,
    "Home": 36, "End": 35, "Tab": 9,
}  # fmt: skip


def chromium() -> str | None:
    """Return the path of a Chromium, None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of a headless Chromium.

    Attributes
    ----------
    console : list of str
        Every error and warning on the console, and every exception.
    patience_s : float
        How long is waited for what is expected.
    """

    def __init__(self, *, width: int = 1280, height: int = 800) -> None:
        program = chromium()
        assert program is not None
        self.console: list[str] = []
        self.patience_s = _PATIENCE_S
        self._folder = tempfile.mkdtemp(prefix="nwb-mepp-chromium-")
        self._process = subprocess.Popen(
            [program, *_FLAGS, f"--user-data-dir={self._folder}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self._folder},
        )
        self._loop = asyncio.new_event_loop()
        self._number = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._loop.run_until_complete(self._connect(width, height))

    async def _connect(self, width: int, height: int) -> None:
        told = Path(self._folder, "DevToolsActivePort")
        end = time.monotonic() + _PATIENCE_S
        while not (told.exists() and told.read_text().count("\n")):
            assert time.monotonic() < end, "Chromium did not start"
            await asyncio.sleep(0.05)
        port = told.read_text().splitlines()[0]
        self._http = aiohttp.ClientSession()
        while True:
            async with self._http.get(f"http://127.0.0.1:{port}/json") as answer:
                pages = [one for one in await answer.json() if one["type"] == "page"]
            if pages:
                break
            await asyncio.sleep(0.05)
        self._socket = await self._http.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
        self._listening = asyncio.ensure_future(self._listen())
        for domain in ("Page", "Runtime", "Log"):
            await self._send(f"{domain}.enable")
        await self._send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def _listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            elif told["method"] == "Runtime.exceptionThrown":
                self.console.append(str(told["params"]["exceptionDetails"]))
            elif told["method"] == "Runtime.consoleAPICalled" and told["params"]["type"] in (
                "error",
                "warning",
            ):
                self.console.append(str(told["params"]["args"]))
            elif told["method"] == "Log.entryAdded" and told["params"]["entry"]["level"] in (
                "error",
                "warning",
            ):
                self.console.append(str(told["params"]["entry"]))

    async def _send(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        answer = self._answers[self._number] = self._loop.create_future()
        await self._socket.send_str(json.dumps({"id": self._number, "method": method, "params": parameters}))
        told = await asyncio.wait_for(answer, _PATIENCE_S)
        assert "error" not in told, told
        return told["result"]

    def send(self, method: str, **parameters: Any) -> Any:
        """Send a command of the protocol, and return its result."""
        return self._loop.run_until_complete(self._send(method, **parameters))

    def go(self, url: str) -> None:
        """Open an address."""
        self.send("Page.navigate", url=url)

    def ask(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        told = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def text(self, selector: str) -> str:
        """Return the text of the first element of a selector."""
        return str(self.ask(f"(document.querySelector({json.dumps(selector)}) || {{}}).textContent || ''"))

    def wait(self, is_so: Callable[[], Any], what: str) -> None:
        """Wait until something is so."""
        end = time.monotonic() + self.patience_s
        while not is_so():
            assert time.monotonic() < end, f"{what}; the page says {self.text('#message')!r}, {self.console}"
            self._loop.run_until_complete(asyncio.sleep(0.03))

    def wait_for_text(self, selector: str, words: str) -> None:
        """Wait until an element says something."""
        self.wait(lambda: words in self.text(selector), f"expected {words!r} in {selector}")

    def key(self, key: str, *, ctrl: bool = False) -> None:
        """Press and release a key."""
        text = "\r" if key == "Enter" else key if len(key) == 1 and not ctrl else ""
        code = _KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
        for kind in ("keyDown" if text else "rawKeyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                text=text if kind == "keyDown" else "",
                windowsVirtualKeyCode=code,
                modifiers=2 if ctrl else 0,
            )

    def write(self, text: str) -> None:
        """Type a text."""
        self.send("Input.insertText", text=text)

    def mouse(self, kind: str, x: float, y: float, **further: Any) -> None:
        """Move the mouse, press or release its button, or turn its wheel."""
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **further)

    def click(self, x: float, y: float, *, count: int = 1) -> None:
        """Click, or click twice."""
        self.mouse("mouseMoved", x, y)
        for number in range(1, count + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.mouse(kind, x, y, button="left", clickCount=number)

    def drag(self, x: float, y: float, to_x: float, to_y: float, *, alt: bool = False) -> None:
        """Drag from one place to another."""
        held = {"button": "left", "modifiers": 1 if alt else 0}
        self.mouse("mouseMoved", x, y)
        self.mouse("mousePressed", x, y, clickCount=1, **held)
        for share in (0.3, 0.7, 1.0):
            self.mouse("mouseMoved", x + share * (to_x - x), y + share * (to_y - y), buttons=1, **held)
        self.mouse("mouseReleased", to_x, to_y, clickCount=1, **held)

    def press(self, selector: str) -> None:
        """Click on the middle of an element."""
        x, y = self.ask(
            f"(() => {{ const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        self.click(x, y)

    def picture(self, path: Path) -> None:
        """Write a picture of the page."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """End the browser."""
        self._loop.run_until_complete(self._end())
        self._process.terminate()
        self._process.wait(_PATIENCE_S)
        self._loop.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _end(self) -> None:
        await self._socket.close()
        await self._listening
        await self._http.close()

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
