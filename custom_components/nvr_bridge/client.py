"""One connection to an engine, from its hello to its end. Knows the wire, and nothing of the hub."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
from yarl import URL

from . import errors
from .const import SCHEMA
from .wire import Hello, Subscribed, read, read_subscribed

PATIENCE = 10.0  # seconds for each answer
SILENCE = 3.0  # seconds until an engine is asked whether it is alive, and again until it is taken for dead
MESSAGE_LIMIT = 32 * 1024 * 1024  # bytes; the answer to `subscribe` holds everything that was missed
_REFUSALS: dict[str, type[errors.EngineError]] = {
    "unauthorized": errors.UnauthorizedError,
    "rate_limited": errors.RateLimitedError,
    "incompatible": errors.IncompatibleError,
}


class Client:
    """`connect`, then `pair` or `auth` and `subscribe`, then `listen`, during which `call` may be used."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, hello: Hello) -> None:
        self.hello = hello
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    @classmethod
    async def connect(cls, session: aiohttp.ClientSession, host: str, port: int, engine_id: str) -> Self:
        """Open a socket and hear the hello of that engine, or of any for "". Raises `EngineError`."""
        async with _patience(f"{host}:{port}"):
            url = URL.build(scheme="http", host=host, port=port, path="/ws")
            socket = await session.ws_connect(url, autoping=False, max_msg_size=MESSAGE_LIMIT)
        try:
            async with _patience(f"{host}:{port}"):
                hello = read(Hello, await _receive(socket))
            hello.check(engine_id)
        except BaseException:
            await socket.close()
            raise
        return cls(socket, hello)

    async def auth(self, token: str) -> None:
        """Show the token. Raises `UnauthorizedError`, `IncompatibleError`, `CannotConnectError`."""
        await self._enter({"type": "auth", "token": token})

    async def pair(self, code: str, name: str) -> str:
        """Trade a pairing code for a token. Raises as `auth`, and `RateLimitedError`."""
        return str((await self._enter({"type": "pair", "code": code, "name": name})).get("token"))

    async def subscribe(self, since: int | None) -> Subscribed:
        """The state, and every event after `since`. Only before `listen`, so that nothing can overtake the answer."""
        message = {"id": next(self._ids), "type": "subscribe", **({} if since is None else {"since": since})}
        async with _patience("subscribe"):
            await self._socket.send_str(json.dumps(message))
            while (answer := await _receive(self._socket)).get("id") != message["id"]:
                pass
        return read_subscribed(_result(answer))

    async def listen(self, on_push: Callable[[dict[str, Any]], None]) -> None:
        """Hand over every push in order until the connection ends. Always raises, usually `CannotConnectError`."""
        try:
            while True:
                message = await self._next()
                if message.get("type") != "result":
                    on_push(message)
                elif (future := self._waiting.pop(message.get("id", 0), None)) and not future.done():
                    future.set_result(message)
        finally:
            for future in self._waiting.values():
                future.cancel()

    async def call(self, command: str, **arguments: Any) -> Any:
        """Run a command. Raises `CommandError` with the engine's reason, `CannotConnectError`."""
        number = next(self._ids)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with _patience(command):
                await self._socket.send_str(json.dumps({"id": number, "type": command, **arguments}))
                await asyncio.wait([future])
        finally:
            self._waiting.pop(number, None)
        if future.cancelled():
            raise errors.CannotConnectError(f"{command}: the connection was lost")
        return _result(future.result())

    async def aclose(self) -> None:
        """Say goodbye; harmless when it is over already."""
        await self._socket.close()

    async def _next(self) -> dict[str, Any]:
        try:
            return await _receive(self._socket, SILENCE)
        except TimeoutError:
            async with _patience("the engine fell silent"):
                await self._socket.ping()
                return await _receive(self._socket, SILENCE)

    async def _enter(self, message: dict[str, Any]) -> dict[str, Any]:
        async with _patience(message["type"]):
            await self._socket.send_str(json.dumps({**message, "schema": min(self.hello.schema, SCHEMA)}))
            answer = await _receive(self._socket)
        if answer.get("type") == "auth_ok":
            return answer
        raise _REFUSALS.get(str(answer.get("code")), errors.CannotConnectError)(str(answer.get("message")))


@asynccontextmanager
async def _patience(what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(PATIENCE):
            yield
    except (aiohttp.ClientError, OSError, ValueError) as err:
        raise errors.CannotConnectError(f"{what}: {str(err) or 'no answer'}") from err


async def _receive(socket: aiohttp.ClientWebSocketResponse, silence: float | None = None) -> dict[str, Any]:
    """A message; nothing in it if it is only a sign of life."""
    while (message := await socket.receive(silence)).type is aiohttp.WSMsgType.PING:
        async with _patience("pong"):
            await socket.pong(message.data)
    if message.type is aiohttp.WSMsgType.PONG:
        return {}
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise errors.CannotConnectError("the engine hung up")
    try:
        return dict(json.loads(message.data))
    except (ValueError, TypeError) as err:
        raise errors.CannotConnectError("not a JSON object") from err


def _result(answer: dict[str, Any]) -> Any:
    if answer.get("success"):
        return answer.get("result")
    error = answer.get("error") or {}
    raise errors.CommandError(str(error.get("code", "error")), str(error.get("message", "the engine refused")))
