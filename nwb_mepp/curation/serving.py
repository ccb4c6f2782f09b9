"""Starting the server of a review: until Ctrl-C, or beside a notebook."""

from __future__ import annotations

import asyncio
import html
import threading
import webbrowser
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nwb_mepp.core.errors import MissingDependencyError
from nwb_mepp.curation.desk import Wishes

if TYPE_CHECKING:
    from nwb_mepp.curation.server import Server

__all__ = ["RunningReview", "require_server", "review_until_stopped"]


def require_server() -> None:
    """Check that what serves the page is installed.

    Raises
    ------
    MissingDependencyError
        If it is not.
    """
    if find_spec("aiohttp") is None:
        raise MissingDependencyError(
            "expected aiohttp, which serves the page of a review, found none; install it with pip install "
            "'nwb-mepp[review]'."
        )


def _server(paths: Sequence[Path], wishes: Wishes, *, port: int) -> Server:
    require_server()
    from nwb_mepp.curation.server import Server

    return Server(paths, wishes, port=port)


def review_until_stopped(
    paths: Sequence[Path],
    wishes: Wishes,
    *,
    port: int = 0,
    browser: bool = True,
    tell: Callable[[str], None],
) -> None:
    """Serve a review until the process is interrupted.

    Parameters
    ----------
    paths : sequence of Path
        NWB files.
    wishes : Wishes
    port : int, default 0
        0 takes a free one.
    browser : bool, default True
        Show the page in the browser of this computer.
    tell : callable
        Is given the address, and what else the person should know.

    Raises
    ------
    MeppError
        If no recording can be reviewed, aiohttp is missing, or the port is in use.
    """
    server = _server(paths, wishes, port=port)

    async def serve() -> None:
        await server.start()
        try:
            tell(server.url)
            if browser and not webbrowser.open(server.url):
                tell("no browser was found: open the address above in one on this computer")
            await asyncio.Event().wait()
        finally:
            await server.stop()

    asyncio.run(serve())


class RunningReview:
    """A review that is served by a thread of this process; in a notebook it shows the page.

    Parameters
    ----------
    paths : sequence of Path
        NWB files.
    wishes : Wishes
    port : int, default 0

    Attributes
    ----------
    url : str
        Address of the page, for a browser on this computer.

    Raises
    ------
    MeppError
        As :func:`review_until_stopped`.
    """

    def __init__(self, paths: Sequence[Path], wishes: Wishes, *, port: int = 0) -> None:
        self._server = _server(paths, wishes, port=port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="review", daemon=True)
        self._thread.start()
        try:
            self._wait(asyncio.run_coroutine_threadsafe(self._server.start(), self._loop))
        except BaseException:
            self._end()
            raise
        self.url = self._server.url

    @staticmethod
    def _wait(started: Future[None]) -> None:
        started.result()

    def close(self) -> None:
        """End the review; every decision is in the journal."""
        if self._thread.is_alive():
            self._wait(asyncio.run_coroutine_threadsafe(self._server.stop(), self._loop))
            self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> RunningReview:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _repr_html_(self) -> str:
        address = html.escape(self.url, quote=True)
        return f'<iframe src="{address}" width="100%" height="820" style="border:1px solid #ccc"></iframe>'
