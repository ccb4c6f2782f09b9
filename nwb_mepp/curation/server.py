"""The server of the page: for this computer and this browser only.

It listens on the loopback address; every address begins with a random token; requests that another page makes
are refused; and nothing but the page itself and the recordings that were opened can be reached.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import WSMsgType, web

from nwb_mepp.core.errors import MeppError, OutputError
from nwb_mepp.core.safe_text import json_text, visible
from nwb_mepp.curation.desk import Desk, Wishes
from nwb_mepp.curation.views import average, fit, snippets, trace

__all__ = ["Server"]

HOST = "127.0.0.1"
_PAGE = "nwb_mepp.curation.page"
_KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_TELL_EVERY = 20
_LONGEST_MESSAGE = 1 << 20
Result = TypeVar("Result")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Serves the review of some recordings to the browser of this computer.

    Parameters
    ----------
    paths : sequence of Path
        NWB files; the first one that can be reviewed is opened at once.
    wishes : Wishes
    port : int, default 0
        0 takes a free one.

    Attributes
    ----------
    url : str
        Address of the page, once the server is started.
    """

    def __init__(self, paths: Sequence[Path], wishes: Wishes, *, port: int = 0) -> None:
        self._desk = Desk(paths, wishes)
        self._port = port
        self._token = secrets.token_urlsafe(24)
        # One thread decides everything in turn, so that no decision meets half of another one.
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="review")
        # What takes longer than a key may wait, such as a fit, is computed beside it.
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="aside")
        self._helpers = ThreadPoolExecutor(1, thread_name_prefix="doubted")
        # Held while a file is opened or closed, and while something beside reads it.
        self._reading = threading.Lock()
        self._tabs: set[web.WebSocketResponse] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Open the first recording and listen.

        Raises
        ------
        MeppError
            If no recording can be reviewed, or the port is in use.
        """
        await self._open_first()
        app = web.Application(middlewares=[self._guard])
        base = f"/{self._token}"
        app.router.add_get(f"{base}/", self._page)
        app.router.add_get(f"{base}/page/{{name}}", self._page)
        app.router.add_get(f"{base}/state", self._state)
        app.router.add_get(f"{base}/trace", self._trace)
        app.router.add_get(f"{base}/snippets", self._snippets)
        app.router.add_get(f"{base}/average", self._average)
        app.router.add_get(f"{base}/fit", self._fit)
        app.router.add_get(f"{base}/follow", self._follow)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, self._port)
        try:
            await site.start()
        except OSError as error:
            await self.stop()
            raise OutputError(
                f"expected to listen on port {self._port}, found: {error.strerror}; choose another with "
                "`port`, or leave it out to take a free one."
            ) from error
        self._port = self._runner.addresses[0][1]
        self.url = f"http://{HOST}:{self._port}{base}/"
        self._go_on(self._count())

    async def _open_first(self) -> None:
        problem: MeppError | None = None
        for number in range(len(self._desk.paths)):
            try:
                await self._alone(lambda number=number: self._desk.open(number))  # type: ignore[misc]
            except MeppError as error:
                problem = problem or error
            else:
                self._go_on(self._build())
                return
        await self.stop()
        raise problem or OutputError("expected a recording to review, found none.")

    async def stop(self) -> None:
        """Stop listening and close the recording."""
        for task in list(self._background):
            task.cancel()
        for tab in list(self._tabs):
            await tab.close(message=b"the review has ended")
        if self._runner is not None:
            await self._runner.cleanup()
        await self._alone(self._desk.close)
        self._worker.shutdown()
        self._aside.shutdown()
        self._helpers.shutdown(wait=False, cancel_futures=True)

    async def _do(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    async def _alone(self, work: Callable[[], Result]) -> Result:
        """Do what opens or closes a file."""

        def locked() -> Result:
            with self._reading:
                return work()

        return await self._do(locked)

    def _go_on(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer only what the page of this server asks."""
        own = {f"{HOST}:{self._port}", f"localhost:{self._port}"}
        origin = request.headers.get("Origin")
        token = request.path.split("/")[1]
        foreign = origin is not None and origin.removeprefix("http://") not in own
        # A notebook shows the page in a frame, which is a navigation from another site.
        asked_elsewhere = (
            request.headers.get("Sec-Fetch-Site", "same-origin") in ("cross-site", "same-site")
            and request.headers.get("Sec-Fetch-Mode") != "navigate"
        )
        if request.host not in own or foreign or asked_elsewhere:
            raise web.HTTPForbidden(text="refused: this address is only for the page of this review")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise web.HTTPNotFound(text="no review has this address")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(self._headers())
        return response

    def _headers(self) -> dict[str, str]:
        sockets = " ".join(f"ws://{name}:{self._port}" for name in (HOST, "localhost"))
        policy = (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' "
            f"{sockets}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'self' http://localhost:* http://127.0.0.1:*"
        )
        return {
            "Content-Security-Policy": policy,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    async def _page(self, request: web.Request) -> web.Response:
        name = request.match_info.get("name", "index.html")
        known = {one.name for one in files(_PAGE).iterdir() if Path(one.name).suffix in _KINDS}
        if name not in known:
            raise web.HTTPNotFound(text="the page has no such part")
        text = files(_PAGE).joinpath(name).read_text(encoding="utf-8")
        return web.Response(text=text, content_type=_KINDS[Path(name).suffix])

    async def _state(self, _: web.Request) -> web.Response:
        return await self._json(self._desk.state)

    async def _average(self, _: web.Request) -> web.Response:
        return await self._json(lambda: average(self._desk.session), beside=True)

    async def _fit(self, request: web.Request) -> web.Response:
        name = request.query.get("id", "")
        return await self._json(lambda: fit(self._desk.session, name), beside=True)

    async def _json(self, work: Callable[[], object], *, beside: bool = False) -> web.Response:
        def locked() -> object:
            with self._reading:
                return work()

        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._aside, locked) if beside else await self._do(work)
            return web.Response(text=json_text(found), content_type="application/json")
        except MeppError as error:
            raise web.HTTPConflict(text=str(error)) from error

    async def _trace(self, request: web.Request) -> web.Response:
        try:
            start_x, stop_x = float(request.query["from"]), float(request.query["to"])
            n_columns = min(max(int(request.query["columns"]), 1), 10_000)
        except (KeyError, ValueError) as error:
            raise web.HTTPBadRequest(text="expected from, to and columns") from error
        hum = request.query.get("hum") == "1"
        found = await self._do(
            lambda: trace(self._desk.session, start_x, stop_x, n_columns=n_columns, hum=hum)
        )
        if found is None:
            return web.Response(status=204)
        return web.Response(body=found, content_type="application/octet-stream")

    async def _snippets(self, request: web.Request) -> web.Response:
        names = request.query.get("ids", "").split(",")[:500]
        found = await self._do(lambda: snippets(self._desk.session, names))
        return web.Response(body=found, content_type="application/octet-stream")

    async def _follow(self, request: web.Request) -> web.WebSocketResponse:
        tab = web.WebSocketResponse(heartbeat=30.0, max_msg_size=_LONGEST_MESSAGE)
        await tab.prepare(request)
        self._tabs.add(tab)
        try:
            async for message in tab:
                if message.type is WSMsgType.TEXT:
                    await self._heed(tab, message.data)
        finally:
            self._tabs.discard(tab)
        return tab

    async def _heed(self, tab: web.WebSocketResponse, text: str) -> None:
        """Do what a tab asks, and tell all tabs what has changed; only that one, if it cannot be done."""
        try:
            wish = json.loads(text)
            answer = await self._answer(wish)
        except MeppError as error:
            await self._tell({"type": "error", "message": self._desk.words(str(error))}, [tab])
        except (ValueError, KeyError, TypeError, AttributeError):
            await self._tell({"type": "error", "message": f"not understood: {visible(text[:100])}"}, [tab])
        else:
            await self._tell(answer, list(self._tabs))

    async def _answer(self, wish: dict[str, Any]) -> dict[str, Any]:
        what = wish["do"]
        if what == "save":
            said = await self._alone(self._desk.save)
            return {"type": "saved", "message": said, "saved": True}
        if what == "open":
            number = int(wish["number"])
            await self._alone(lambda: self._desk.open(number))
            self._go_on(self._build())
            return {"type": "opened"}
        if what == "doubted":
            look = await self._do(self._desk.doubted_of)
            found = await asyncio.get_running_loop().run_in_executor(self._helpers, look)
            return {"type": "doubted", "doubted": await self._do(lambda: self._desk.take_doubted(found))}
        if what == "choose":
            limits = {name: float(wish[name]) for name in ("threshold", "min_size")}
            return await self._do(lambda: self._desk.choose(**limits))
        return await self._do(lambda: self._desk.decide(wish))

    async def _tell(self, message: dict[str, Any], tabs: Sequence[web.WebSocketResponse]) -> None:
        text = json_text(message)
        for tab in tabs:
            # A tab that was closed meanwhile needs no news.
            with suppress(ConnectionError, RuntimeError):
                await tab.send_str(text)

    async def _build(self) -> None:
        """Build the envelope block by block, so that the page can be used meanwhile."""
        number, n_blocks = self._desk.number, 0
        while self._desk.number == number:
            try:
                session = self._desk.session
                done = await self._do(lambda: session.envelope.build(session.reviewed.traces))  # noqa: B023
            except MeppError:
                return
            n_blocks += 1
            if done or n_blocks % _TELL_EVERY == 0:
                message = {"type": "envelope", "fraction": session.envelope.fraction}
                await self._tell(message, list(self._tabs))
            if done:
                return

    async def _count(self) -> None:
        """Count what was decided in the recordings that are not open."""
        while not await self._do(self._desk.count_next):
            await self._tell({"type": "files", "files": self._desk.listing()}, list(self._tabs))
        await self._tell({"type": "files", "files": self._desk.listing()}, list(self._tabs))
