"""One connection to an engine, from its hello to its end. Knows the wire, and nothing of the hub."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp
from yarl import URL

from . import errors
from .const import OLDEST_SCHEMA, SCHEMA
from .errors import CannotConnectError
from .wire import Subscribed, subscribed, understood

PATIENCE = 10.0  # seconds for each answer
SLOW = {"camera/discover": 90.0, "camera/add": 90.0}  # what devices are asked for, one after the other
SILENCE = 3.0  # seconds until an engine is asked whether it is alive, and again until it is taken for dead
MESSAGE_LIMIT = 32 * 1024 * 1024  # bytes; the answer to `subscribe` holds everything that was missed
_REFUSALS: dict[Any, tuple[type[errors.EngineError], str]] = {
    "unauthorized": (errors.UnauthorizedError, "invalid_code"),
    "rate_limited": (CannotConnectError, "rate_limited"),
    "incompatible": (errors.IncompatibleError, "engine_too_new"),
}


class Client:
    """`connect`, then `enter` and `subscribe`, then `listen`, during which `call` may be used."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, hello: dict[str, Any]) -> None:
        self.engine_id: str = hello["engine_id"]
        self.name: str = hello["name"]
        self._schema = min(hello["schema"], SCHEMA)
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}

    @classmethod
    async def connect(
        cls, session: aiohttp.ClientSession, host: str, port: int, engine_id: str, fingerprint: str | None = None
    ) -> Self:
        """Open a socket and hear the hello of that engine, or of any for "". Raises `EngineError`.

        With a `fingerprint` (SHA-256, in hexadecimal) by TLS, and only to the certificate that has it.
        """
        scheme, pin = ("wss", aiohttp.Fingerprint(bytes.fromhex(fingerprint))) if fingerprint else ("ws", True)
        address, url = f"{host}:{port}", URL.build(scheme=scheme, host=host, port=port, path="/ws")
        # aiohttp's own heartbeat leaves a timer behind when the other side falls silent.
        socket = await _patient(address, session.ws_connect(url, autoping=False, max_msg_size=MESSAGE_LIMIT, ssl=pin))
        try:
            hello = await _patient(address, _receive(socket))
            with understood("hello"):
                _check(hello, engine_id)
                return cls(socket, hello)
        except BaseException:
            await socket.close()
            raise

    async def enter(self, kind: str, **who: str) -> str:
        """`auth` with a `token`, or `pair` with a `code` and a `name` for a token. Raises `EngineError` by its remedy."""
        answer = await self._ask({"type": kind, "schema": self._schema, **who})
        if answer.get("type") == "auth_ok":
            return str(answer.get("token"))
        error, word = _REFUSALS.get(answer.get("code"), (CannotConnectError, "cannot_connect"))
        raise error(str(answer.get("message")), word)

    async def subscribe(self, since: int | None) -> Subscribed:
        """The state, and every event after `since`. Only before `listen`, so that nothing can overtake the answer."""
        missed = {} if since is None else {"since": since}
        return subscribed(_result(await self._ask({"id": next(self._ids), "type": "subscribe", **missed})))

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

    async def call(self, command: str, /, **arguments: Any) -> Any:
        """Run a command. Raises `CommandError` with the engine's reason, `CannotConnectError`."""
        number = next(self._ids)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await _patient(command, self._socket.send_json({**arguments, "id": number, "type": command}))
            await _patient(command, asyncio.wait([future]), SLOW.get(command, PATIENCE))
        finally:
            self._waiting.pop(number, None)
        if future.cancelled():
            raise CannotConnectError(f"{command}: the connection was lost")
        return _result(future.result())

    async def aclose(self) -> None:
        """Say goodbye; harmless when it is over already."""
        await self._socket.close()

    async def _next(self) -> dict[str, Any]:
        try:
            return await _receive(self._socket, SILENCE)
        except TimeoutError:
            await _patient("ping", self._socket.ping())
            return await _patient("the engine fell silent", _receive(self._socket, SILENCE))

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send a message and take the next for its answer."""
        await _patient(message["type"], self._socket.send_json(message))
        return await _patient(message["type"], _receive(self._socket))


def _check(hello: dict[str, Any], engine_id: str) -> None:
    if engine_id not in ("", hello["engine_id"]):
        raise CannotConnectError(f"another engine, {hello['name']}, answers", "wrong_engine")
    if (is_old := hello["schema"] < OLDEST_SCHEMA) or hello["oldest_schema"] > SCHEMA:
        raise errors.IncompatibleError(hello["version"], "engine_too_old" if is_old else "engine_too_new")


async def _patient[T](what: str, work: Awaitable[T], patience: float = PATIENCE) -> T:
    """What comes of `work` within `patience`. Raises `CannotConnectError` if nothing does."""
    try:
        async with asyncio.timeout(patience):
            return await work
    except aiohttp.ServerFingerprintMismatch as err:
        raise errors.CertificateError(what, err.got.hex()) from err
    except (aiohttp.ClientError, OSError, ValueError) as err:
        raise CannotConnectError(f"{what}: {str(err) or 'no answer'}") from err


async def _receive(socket: aiohttp.ClientWebSocketResponse, silence: float | None = None) -> dict[str, Any]:
    """A message; nothing in it if it is only a sign of life."""
    while (message := await socket.receive(silence)).type is aiohttp.WSMsgType.PING:
        await _patient("pong", socket.pong(message.data))
    if message.type is aiohttp.WSMsgType.PONG:
        return {}
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise CannotConnectError("the engine hung up")
    try:
        return dict(json.loads(message.data))
    except (ValueError, TypeError) as err:
        raise CannotConnectError("not a JSON object") from err


def _result(answer: dict[str, Any]) -> Any:
    if answer.get("success"):
        return answer.get("result")
    error = answer.get("error") or {}
    raise errors.CommandError(str(error.get("message", "the engine refused")), str(error.get("code", "error")))
