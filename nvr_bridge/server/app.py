"""The HTTP server: the WebSocket at `/ws`, the metrics at `/metrics`, the pages, and who is told that they are there."""

from __future__ import annotations

import asyncio
import errno
import logging

from aiohttp import web

from ..errors import AskError, ConflictError, InvalidError, UnauthorizedError
from ..protocol import ALLOWED, PATH, Command, Role
from .announce import Announcement
from .api import EngineApi
from .auth import Authority
from .commands import Context
from .metrics import CONTENT_TYPE, render
from .mine import MinePage
from .notice import NoticePage
from .pages import Pages
from .partner_page import PartnerPage
from .tls import Tls, load_tls
from .visit import VisitPage
from .websocket import CLOSE_SECONDS, HEARTBEAT_SECONDS, MESSAGE_LIMIT, Clients, Connection

_LOG = logging.getLogger(__name__)

CLIENTS_AT_ONCE = 128  # that have said who they are
STOP_SECONDS = 5.0  # for connections to end by themselves when the engine stops


class Server:
    """Listens from `start` to `stop`."""

    def __init__(self, api: EngineApi) -> None:
        """`api` is asked from the event loop only."""
        self._api = api
        self.authority = Authority(api.tokens)
        self._clients = Clients()
        self._context = Context(api, self.authority, self._clients.revoked, lambda: self.port, lambda: self.fingerprint)
        self._runner: web.AppRunner | None = None
        self._announcement: Announcement | None = None
        self.port = api.config.port
        self.tls_port = api.config.tls_port
        self.fingerprint: str | None = None  # of the certificate, where HTTPS is spoken

    async def start(self) -> None:
        """Leave the command line its token, listen, and announce the engine if the site wants that.

        Raises `ConflictError` for a port in use and `InvalidError` for an address that is not this machine's.
        """
        config = self._api.config
        app = web.Application()
        app.router.add_get(PATH, self._websocket)
        app.router.add_get("/metrics", self._metrics)
        pages = await asyncio.to_thread(Pages.load)
        pages.add_to(app)
        NoticePage(self._api, pages).add_to(app)
        PartnerPage(self._api, pages).add_to(app)
        VisitPage(self._api, self.authority, pages).add_to(app)
        MinePage(self._api, pages).add_to(app)
        # Connections end by `stop`; a client that is merely connected is no reason to wait.
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=STOP_SECONDS)
        await self._runner.setup()
        try:
            await self.authority.write_admin_token(config.data_dir)  # first: whoever can connect can read it
            await self._listen(self._runner)
        except BaseException:
            await self.stop()
            raise
        if config.announce:
            self._announcement = await Announcement.start(config, self._api.engine_id, self.port, self.tls_port)
        if not await self._api.tokens.all():
            code = self.authority.pairing_code(Role.HUB)
            _LOG.warning("no hub is paired yet; pairing code: %s (good for 10 minutes, then: nvr-bridge pair)", code)

    async def _listen(self, runner: web.AppRunner) -> None:
        config = self._api.config
        tls = None
        if config.tls_port is not None:
            tls = await asyncio.to_thread(load_tls, config.tls, config.data_dir, config.host)
            self.fingerprint = tls.fingerprint
        self.port = await _open(runner, config.host, config.port)
        _LOG.info("listening on %s:%d", config.host, self.port)
        if tls is not None and config.tls_port is not None:
            self.tls_port = await _open(runner, config.host, config.tls_port, tls)
            _LOG.info("HTTPS on %s:%d; the certificate's SHA-256 is %s", config.host, self.tls_port, tls.fingerprint)

    async def stop(self) -> None:
        """Take leave of every client, and close the port. Calling it again does nothing."""
        announcement, self._announcement = self._announcement, None
        if announcement is not None:
            await announcement.stop()
        runner, self._runner = self._runner, None
        if runner is not None:
            self._clients.dismiss()
            await runner.cleanup()

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        clients = self._clients
        if self._runner is None:
            raise web.HTTPServiceUnavailable(text="the engine is stopping\n")
        if clients.known >= CLIENTS_AT_ONCE:
            raise web.HTTPServiceUnavailable(text="too many connections; try again later\n")
        socket = web.WebSocketResponse(
            timeout=CLOSE_SECONDS,
            heartbeat=HEARTBEAT_SECONDS,
            autoclose=False,
            compress=False,  # what is said is short, and the processor has faces to find
            max_msg_size=MESSAGE_LIMIT,
        )
        await socket.prepare(request)
        await Connection(self._context, clients, socket, request).run()
        return socket

    async def _metrics(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise UnauthorizedError("send `Authorization: Bearer TOKEN`; `nvr-bridge pair --role viewer` gives one")
            if (await self.authority.authenticate(token)).role not in ALLOWED[Command.STATUS]:
                raise UnauthorizedError("this token's role may not read the metrics")
        except AskError as err:
            raise web.HTTPUnauthorized(text=f"{err}\n", headers={"WWW-Authenticate": "Bearer"}) from None
        body = render(self._api.snapshot(), clients=len(self._clients.everyone), dropped=self._clients.dropped)
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})


async def _open(runner: web.AppRunner, host: str, port: int, tls: Tls | None = None) -> int:
    """Listen → the port, which was chosen by the system where 0 was asked for."""
    site = web.TCPSite(runner, host, port, ssl_context=tls.context if tls else None)
    try:
        await site.start()
    except OSError as err:
        raise _explain(err, host, port) from err
    found: int = runner.addresses[-1][1]
    return found


def _explain(err: OSError, host: str, port: int) -> AskError:
    """Why a port could not be opened, and what to do."""
    if err.errno == errno.EADDRINUSE:
        return ConflictError(
            f"listen.port: {port} on {host} is in use by another program; stop that, or set another port in bridge.yaml"
        )
    if err.errno == errno.EACCES:
        return InvalidError(f"listen.port: this user may not open {port}; set one from 1024 on in bridge.yaml")
    reason = err.strerror or str(err)
    return InvalidError(
        f"listen.host: cannot listen on {host} ({reason}); set an address of this machine in bridge.yaml"
    )
