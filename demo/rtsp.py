"""An RTSP 1.0 server (RFC 2326) for simulated cameras: live video over one TCP connection, digest authentication."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
import struct
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from demo.feed import Feed, Recording, StoryClock
from demo.rtp import Packetiser, describe, ticks

__all__ = ["Feed", "Recording", "RtspRequest", "RtspServer", "StoryClock"]

_STATUS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    501: "Not Implemented",
    503: "Service Unavailable",
}
_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
_LONGEST_HEAD = 16_384  # bytes of one request's head
_LATE = 2.0  # seconds behind after which a slow client is moved on to the newest key frame
_PAIR = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class RtspRequest:
    """What a client asked, and how it was answered."""

    method: str
    path: str  # with its query
    user: str | None  # the user name it gave, if it gave one
    status: int


class RtspServer:
    """Serves feeds by path. Knobs may be turned while it runs: `credentials`, `silent`, `refuse`."""

    def __init__(
        self,
        host: str,
        port: int,
        paths: Mapping[str, Feed],
        credentials: tuple[str, str] | None = None,
        log: logging.Logger | None = None,
        *,
        realm: str = "IP Camera",
    ) -> None:
        """`port` 0 takes a free one at the first start and keeps it; `paths` begin with a slash."""
        self.host = host
        self.port = port
        self.paths = dict(paths)
        self.credentials = credentials
        self.realm = realm
        self.silent = False  # accept PLAY and then send nothing, as a camera whose encoder hangs
        self.refuse: int | None = None  # answer every DESCRIBE with this status
        self.requests: deque[RtspRequest] = deque(maxlen=1_000)
        self._log = log or logging.getLogger(__name__)
        self._server: asyncio.Server | None = None
        self._clients: set[_Client] = set()

    @property
    def playing(self) -> int:
        """Clients that are being sent video now."""
        return sum(client.playing for client in self._clients)

    def url(self, path: str) -> str:
        """The address of a path, without credentials."""
        return f"rtsp://{self.host}:{self.port}{path}"

    async def start(self) -> None:
        """Listen; also again after `stop`. Raises `OSError` when the port is taken."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port, limit=_LONGEST_HEAD)
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go down as a camera does that loses power: every connection breaks off."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        await self.drop_clients()
        await server.wait_closed()

    async def drop_clients(self) -> None:
        """Break off every connection, and keep listening."""
        clients = list(self._clients)
        for client in clients:
            client.abort()
        for client in clients:
            await client.gone.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(self, reader, writer, self._log)
        self._clients.add(client)
        try:
            await client.run()
        finally:
            self._clients.discard(client)
            client.gone.set()


class _Client:
    """One connection: answers requests in order, and plays at most one stream over the same socket."""

    def __init__(
        self, server: RtspServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, log: logging.Logger
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._log = log
        self._nonce = secrets.token_hex(16)
        self._session: str | None = None
        self._feed: Feed | None = None
        self._channel = 0
        self._start: tuple[Packetiser, float]
        self._pump: asyncio.Task[None] | None = None
        self.gone = asyncio.Event()

    @property
    def playing(self) -> bool:
        return self._pump is not None and not self._pump.done()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def run(self) -> None:
        try:
            while (head := await self._next_head()) is not None:
                if not await self._answer(head):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, UnicodeDecodeError):
            self._log.debug("rtsp %s: client went away", self._server.port)
        finally:
            await self._stop_pump()
            self._writer.transport.abort()

    async def _next_head(self) -> list[str] | None:
        """The next request's head, its body read and dropped; None at the end of the stream."""
        while True:
            first = await self._reader.read(1)
            if not first:
                return None
            if first == b"$":  # the client's RTCP reports
                _, length = struct.unpack("!BH", await self._reader.readexactly(3))
                await self._reader.readexactly(length)
            elif first not in b"\r\n":
                break
        lines = (first + await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        body = _headers(lines).get("content-length", "0")
        if body.isdecimal() and 0 < int(body) <= _LONGEST_HEAD:
            await self._reader.readexactly(int(body))
        return lines

    async def _answer(self, lines: list[str]) -> bool:
        """Answer one request; False when the connection is to be closed."""
        headers = _headers(lines)
        try:
            method, url, _ = lines[0].split(" ")
            parts = urlsplit(url)
        except ValueError:
            self._reply(400, headers, [])
            return False
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        authorization = headers.get("authorization", "")
        user = _fields(authorization).get("username")
        if method != "OPTIONS" and not self._authorised(method, authorization):
            challenge = f'WWW-Authenticate: Digest realm="{self._server.realm}", nonce="{self._nonce}", stale="FALSE"'
            status, extra, body = 401, [challenge], ""
        else:
            status, extra, body = self._do(method, url, parts.path, headers)
        self._server.requests.append(RtspRequest(method, path, user, status))
        self._reply(status, headers, extra, body)
        if method == "PLAY" and status == 200 and self._feed is not None:
            coming = self._play(self._feed, *self._start)
            self._pump = asyncio.get_running_loop().create_task(coming, name=f"rtsp {self._server.port} play")
        await self._writer.drain()
        return method != "TEARDOWN"

    def _do(self, method: str, url: str, path: str, headers: dict[str, str]) -> tuple[int, list[str], str]:
        """Status, extra header lines and body of the answer to an authorised request."""
        if method == "OPTIONS":
            return 200, [f"Public: {_METHODS}"], ""
        if method == "DESCRIBE":
            return self._describe(url, path)
        if method == "SETUP":
            return self._setup(path, headers)
        if method in {"PLAY", "GET_PARAMETER", "TEARDOWN"}:
            if self._session is None or headers.get("session", "").partition(";")[0].strip() != self._session:
                return 454, [], ""
            if method == "PLAY":
                return self._begin(url)
            return 200, [f"Session: {self._session}"], ""
        return 501, [f"Public: {_METHODS}"], ""

    def _describe(self, url: str, path: str) -> tuple[int, list[str], str]:
        feed = self._server.paths.get(path.rstrip("/"))
        if self._server.refuse is not None or feed is None:
            return self._server.refuse or 404, [], ""
        base = url.partition("?")[0].rstrip("/") + "/"
        body = describe(feed.recording, self._server.host, self._server.realm)
        return 200, ["Content-Type: application/sdp", f"Content-Base: {base}"], body

    def _setup(self, path: str, headers: dict[str, str]) -> tuple[int, list[str], str]:
        feed = self._server.paths.get(path.rstrip("/").removesuffix("/trackID=1"))
        if feed is None:
            return 404, [], ""
        transport = headers.get("transport", "")
        if self.playing:
            return 455, [], ""
        if "RTP/AVP/TCP" not in transport:
            return 461, [], ""
        pair = re.search(r"interleaved=(\d{1,3})-(\d{1,3})", transport)
        self._channel = int(pair[1]) & 0xFE if pair else 0
        self._feed = feed
        self._session = secrets.token_hex(8)
        chosen = f"Transport: RTP/AVP/TCP;unicast;interleaved={self._channel}-{self._channel + 1}"
        return 200, [chosen, f"Session: {self._session};timeout=60"], ""

    def _begin(self, url: str) -> tuple[int, list[str], str]:
        if self._feed is None or self.playing:
            return 455, [], ""
        packetiser = Packetiser(self._feed.recording.codec)
        moment = self._feed.join(time.monotonic())
        self._start = packetiser, moment
        track = url.partition("?")[0].rstrip("/") + "/trackID=1"
        info = f"url={track};seq={packetiser.next_sequence};rtptime={ticks(moment)}"
        return 200, [f"Session: {self._session}", "Range: npt=now-", f"RTP-Info: {info}"], ""

    def _authorised(self, method: str, authorization: str) -> bool:
        if self._server.credentials is None:
            return True
        scheme, _, rest = authorization.partition(" ")
        given = _fields(rest)
        user, password = self._server.credentials
        if scheme.lower() != "digest" or given.get("username") != user or given.get("nonce") != self._nonce:
            return False
        secret = _md5(f"{user}:{self._server.realm}:{password}")
        what = _md5(f"{method}:{given.get('uri', '')}")
        middle = self._nonce
        if "qop" in given:
            middle = f"{self._nonce}:{given.get('nc', '')}:{given.get('cnonce', '')}:{given['qop']}"
        return secrets.compare_digest(_md5(f"{secret}:{middle}:{what}"), given.get("response", ""))

    def _reply(self, status: int, headers: dict[str, str], extra: list[str], body: str = "") -> None:
        lines = [f"RTSP/1.0 {status} {_STATUS.get(status, 'Error')}", f"CSeq: {headers.get('cseq', '0')}", *extra]
        if body:
            lines.append(f"Content-Length: {len(body.encode())}")
        self._writer.write(("\r\n".join([*lines, "", ""]) + body).encode())

    async def _play(self, feed: Feed, packetiser: Packetiser, moment: float) -> None:
        """Send what the camera sees, from the key frame at `moment` on, until the client leaves."""
        try:
            while not self._server.silent:
                for packet in packetiser.packets(feed.unit(moment), ticks(moment)):
                    self._writer.write(struct.pack("!cBH", b"$", self._channel, len(packet)) + packet)
                await self._writer.drain()
                if time.monotonic() - moment > _LATE:
                    moment = max(feed.join(time.monotonic()), feed.after(moment))
                    continue
                await asyncio.sleep(max(0.0, feed.after(moment) - time.monotonic()))
                moment = feed.after(moment)  # asked again: the story may have begun meanwhile, which starts a new grid
        except ConnectionError:
            self._log.debug("rtsp %s: client went away while playing", self._server.port)

    async def _stop_pump(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines[1:] if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _fields(credentials: str) -> dict[str, str]:
    return {key: quoted or plain for key, quoted, plain in _PAIR.findall(credentials)}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()  # what RTSP cameras speak
