"""A client of the engine's WebSocket: for the command line, and for anybody who scripts against an engine.

    async with Client.connect("127.0.0.1:8645", token=token) as client:
        visits = await client.call("visit/list", limit=10)

Light on purpose: it loads aiohttp and nothing native.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import aiohttp

from .errors import BridgeError, IncompatibleError, RetryError, UnauthorizedError, UnreachableError
from .messages import Hello, Subscribed
from .protocol import DEFAULT_PORT, DEFAULT_TLS_PORT, OLDEST_SCHEMA, PATH, SCHEMA

CONNECT_SECONDS = 10.0
HEARTBEAT_SECONDS = 20.0
PUSH_LIMIT = 4096  # unread pushes after which the connection ends: the reader is too slow to be told the truth


@dataclass(frozen=True, slots=True)
class Paired:
    """What a pairing code was traded for."""

    engine_id: str
    token_id: str
    role: str
    token: str


class Client:
    """One authenticated connection. Made by `connect`; it does not reconnect."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, hello: Hello, role: str) -> None:
        self.hello = hello
        self.role = role
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._pushes: asyncio.Queue[dict[str, Any]] = asyncio.Queue(PUSH_LIMIT)
        self._ended: BridgeError | None = None
        self._end = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def connect(cls, url: str, *, token: str, fingerprint: str | None = None) -> AsyncIterator[Client]:
        """Connect to `host`, `host:port`, `ws://host:port` or `wss://host:port` for as long as the block lasts.

        `fingerprint` is the sha256 of the certificate that alone is trusted, as it was shown at pairing; without one, of
        `wss` those are that this machine trusts. Raises `UnreachableError`, `UnauthorizedError` or `IncompatibleError`.
        """
        async with _open(url, fingerprint) as (socket, hello):
            answer = await _introduce(socket, hello, {"type": "auth", "token": token})
            client = cls(socket, hello, answer["role"])
            reader = asyncio.create_task(client._read())
            try:
                yield client
            finally:
                reader.cancel()
                await asyncio.wait({reader})

    async def call(self, command: str, **arguments: Any) -> Any:
        """Give a command and wait for its result. Raises the error that the engine answers with."""
        if self._ended is not None:
            raise self._ended
        message_id = next(self._ids)
        future = self._waiting[message_id] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_json({"id": message_id, "type": command, **arguments})
            return await future
        except ConnectionError as err:
            raise RetryError(f"{command}: the engine closed the connection") from err
        finally:
            self._waiting.pop(message_id, None)

    async def subscribe(self, since: int | None = None) -> Subscribed:
        """State, what was missed after event `since`, and from there on `pushes`. Once for a connection."""
        return cast("Subscribed", await self.call("subscribe", **({} if since is None else {"since": since})))

    async def pushes(self) -> AsyncIterator[dict[str, Any]]:
        """Every push, in order, until the connection ends; then raises why."""
        end = asyncio.ensure_future(self._end.wait())
        try:
            while True:
                while not self._pushes.empty():
                    yield self._pushes.get_nowait()
                if self._ended is not None:
                    raise self._ended
                get = asyncio.ensure_future(self._pushes.get())
                try:
                    await asyncio.wait({get, end}, return_when=asyncio.FIRST_COMPLETED)
                    if get.done():
                        yield get.result()
                finally:
                    get.cancel()
        finally:
            end.cancel()

    async def _read(self) -> None:
        try:
            async for raw in self._socket:
                if raw.type is not aiohttp.WSMsgType.TEXT:
                    break
                self._take(json.loads(raw.data))
        finally:
            reason = f" ({self._close_reason()})" if self._close_reason() else ""
            self._finish(RetryError(f"the engine closed the connection{reason}"))

    def _take(self, message: dict[str, Any]) -> None:
        if message.get("type") == "result":
            future = self._waiting.get(message["id"])
            if future is None or future.done():
                return
            if message["success"]:
                future.set_result(message.get("result"))
            else:
                future.set_exception(error_of(message["error"]))
            return
        try:
            self._pushes.put_nowait(message)
        except asyncio.QueueFull:
            self._finish(RetryError(f"{PUSH_LIMIT} pushes were not read; read faster"))

    def _finish(self, err: BridgeError) -> None:
        if self._ended is None:
            self._ended = err
            self._end.set()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(err)

    def _close_reason(self) -> str:
        return _CLOSE_REASONS.get(self._socket.close_code or 0, "")


async def pair(url: str, code: str, name: str, *, fingerprint: str | None = None) -> Paired:
    """Trade a pairing code for a token. Raises `UnauthorizedError`, `RateLimitedError` or what `connect` raises."""
    async with _open(url, fingerprint) as (socket, hello):
        answer = await _introduce(socket, hello, {"type": "pair", "code": code, "name": name})
        return Paired(hello["engine_id"], answer["token_id"], answer["role"], answer["token"])


def error_of(failure: dict[str, str]) -> BridgeError:
    """A failure from the wire as the error that it was. An unknown code becomes a `BridgeError` that carries it."""
    message = failure.get("message", "the engine gave no reason")
    kind = _ERRORS.get(failure.get("code", ""))
    if kind is not None:
        return kind(message)
    err = BridgeError(message)
    err.code = failure.get("code", err.code)
    return err


# --- the connection -----------------------------------------------------------------------------------------------

_CLOSE_REASONS = {
    1001: "it is stopping",
    1008: "this token was revoked",
    1011: "it failed",
    1013: "this client read too slowly",
}


def _tree(kind: type[BridgeError]) -> dict[str, type[BridgeError]]:
    found = {kind.code: kind}
    for child in kind.__subclasses__():
        found |= _tree(child)
    return found


_ERRORS = _tree(BridgeError)


def _address(url: str) -> str:
    scheme, mark, rest = url.strip().partition("://")
    if not mark:
        scheme, rest = "ws", scheme
    scheme = {"http": "ws", "https": "wss"}.get(scheme, scheme)
    host, _, path = rest.partition("/")
    if ":" not in host.rpartition("]")[2]:
        host = f"{host}:{DEFAULT_TLS_PORT if scheme == 'wss' else DEFAULT_PORT}"
    return f"{scheme}://{host}/{path}" if path else f"{scheme}://{host}{PATH}"


@asynccontextmanager
async def _open(url: str, fingerprint: str | None) -> AsyncIterator[tuple[aiohttp.ClientWebSocketResponse, Hello]]:
    """A connection that has heard the server's hello."""
    async with aiohttp.ClientSession() as session:
        try:
            trusted = True if fingerprint is None else aiohttp.Fingerprint(bytes.fromhex(fingerprint.replace(":", "")))
            async with asyncio.timeout(CONNECT_SECONDS):
                # The first answer may carry everything that was missed, so no limit on its size.
                socket = await session.ws_connect(
                    _address(url), heartbeat=HEARTBEAT_SECONDS, max_msg_size=0, ssl=trusted
                )
        except (aiohttp.ServerFingerprintMismatch, aiohttp.ClientConnectorCertificateError) as err:
            raise UnauthorizedError(
                f"{url}: the certificate is not one that is trusted; compare its fingerprint with what `nvr-bridge pair` shows"
            ) from err
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as err:
            raise UnreachableError(f"{url}: no engine answers there; is it running, and is the address right?") from err
        try:
            yield socket, await _hello(socket, url)
        finally:
            await socket.close()


async def _hello(socket: aiohttp.ClientWebSocketResponse, url: str) -> Hello:
    """The server's first message, if it is one that this client can go on from."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            hello = await _receive(socket)
    except (ConnectionError, TimeoutError):
        hello = {}
    if hello.get("type") != "hello":
        raise UnreachableError(f"{url}: what answers there is no NVR Bridge engine; check the address")
    if hello["oldest_schema"] > SCHEMA or hello["schema"] < OLDEST_SCHEMA:
        older = "client" if hello["oldest_schema"] > SCHEMA else "engine"
        raise IncompatibleError(
            f"{url}: the engine speaks schema {hello['oldest_schema']} to {hello['schema']} and this client"
            f" {OLDEST_SCHEMA} to {SCHEMA}; update the {older}"
        )
    return cast("Hello", hello)


async def _introduce(socket: aiohttp.ClientWebSocketResponse, hello: Hello, message: dict[str, Any]) -> dict[str, Any]:
    """Send `auth` or `pair` and return `auth_ok`. Raises what the engine refuses with."""
    try:
        await socket.send_json({**message, "schema": min(SCHEMA, hello["schema"])})
        async with asyncio.timeout(CONNECT_SECONDS):
            answer = await _receive(socket)
    except (aiohttp.ClientError, ConnectionError, TimeoutError) as err:
        raise RetryError("the engine closed the connection before it answered") from err
    if answer.get("type") != "auth_ok":
        raise error_of(answer)
    return answer


async def _receive(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message = await socket.receive()
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise ConnectionResetError("closed")
    try:
        content = json.loads(message.data)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
