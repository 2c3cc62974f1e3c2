"""One connected client: hello, auth or pair, then commands, results and pushes.

The engine never waits for a client. Messages to it go to a bounded outbox that one task writes out; a client that lets
the outbox fill up is dropped. Commands run beside each other, so that a slow one holds up no sign's report.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from collections import deque
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from .. import __version__
from ..arguments import PHOTO_LIMIT
from ..errors import (
    BridgeError,
    ConflictError,
    IncompatibleError,
    InvalidError,
    RateLimitedError,
    UnauthorizedError,
)
from ..messages import Hello, Subscribed
from ..protocol import OLDEST_SCHEMA, OUTBOX_LIMIT, SCHEMA, Command, Role
from .auth import Identity
from .commands import Context, Request, check, execute
from .subscription import Subscription

_LOG = logging.getLogger(__name__)

HELLO_SECONDS = 10.0  # for a client to say who it is
CLOSE_SECONDS = 1.0  # for a client to answer a close frame
HEARTBEAT_SECONDS = 20.0  # between pings; a client that answers none is gone
STRANGERS_AT_ONCE = 64  # connections that have not yet said who they are
STRANGERS_OF_ONE = 8  # those of them from one address
COMMANDS_AT_ONCE = 32  # running for one client
MESSAGE_LIMIT = PHOTO_LIMIT + 65_536  # bytes of one message from a client


class Clients:
    """Everybody who is connected, from the upgrade of the request to the end of their last command."""

    def __init__(self) -> None:
        self.everyone: dict[Connection, None] = {}  # in the order in which they came
        self.dropped = 0  # clients that let their outbox fill up, since the start

    @property
    def known(self) -> int:
        """How many have said who they are."""
        return sum(connection.token_id is not None for connection in self.everyone)

    def enter(self, connection: Connection) -> None:
        """One more. Where there are too many who do not say who they are, whoever has said nothing longest goes.

        So nobody who only connects keeps out a hub, which says at once who it is: not from one address, whose own go
        first, and hardly from many.
        """
        self.everyone[connection] = None
        strangers = [other for other in self.everyone if other.is_stranger]
        for some, most in (
            ([other for other in strangers if other.peer == connection.peer], STRANGERS_OF_ONE),
            (strangers, STRANGERS_AT_ONCE),
        ):
            if len(some) > most:
                some[0].leave(WSCloseCode.TRY_AGAIN_LATER, "too many connections")
                return

    def revoked(self, token_id: str) -> None:
        """End every connection of a token."""
        for connection in list(self.everyone):
            if connection.token_id == token_id:
                connection.leave(WSCloseCode.POLICY_VIOLATION, "token revoked")

    def dismiss(self) -> None:
        """End every connection, and the commands that still run."""
        for connection in list(self.everyone):
            connection.leave(WSCloseCode.GOING_AWAY, "engine stopping", cancel_commands=True)


class Connection:
    """One client."""

    def __init__(self, context: Context, clients: Clients, socket: web.WebSocketResponse, request: web.Request) -> None:
        """`socket` is prepared, and does not close by itself."""
        self.connection_id = secrets.token_hex(8)
        self._context = context
        self._clients = clients
        self._socket = socket
        self._transport = request.transport
        self.peer = request.remote or "?"
        self._identity: Identity | None = None
        self._outbox: deque[str] = deque()
        self._wake = asyncio.Event()
        self._subscription: Subscription | None = None
        self._reader: asyncio.Task[None] | None = None
        self._commands: set[asyncio.Task[None]] = set()
        self._close_as: tuple[int, str] = (WSCloseCode.OK, "")
        self._leaving = False
        self._gone = False

    @property
    def role(self) -> Role:
        """What this client may do."""
        if self._identity is None:
            raise UnauthorizedError("nobody has authenticated on this connection")
        return self._identity.role

    @property
    def partner(self) -> str | None:
        """The partner that this client stands for, if its role is that."""
        return self._identity.partner if self._identity else None

    @property
    def token_id(self) -> str | None:
        """Whose connection it is; None until it is known."""
        return self._identity.token_id if self._identity else None

    @property
    def is_stranger(self) -> bool:
        """Whether it has not said who it is, and is still waited for."""
        return self._identity is None and not self._leaving

    async def run(self) -> None:
        """Serve the client until it or the engine leaves."""
        self._clients.enter(self)
        try:
            if await self._let_in():
                await self._serve()
        except BaseException:
            self._close_as = (WSCloseCode.INTERNAL_ERROR, "")
            raise
        finally:
            self._say_gone()
            self._clients.everyone.pop(self, None)
            await self._hang_up()

    def send(self, message: Any) -> None:
        """Put a message in the outbox. A client that has let it fill up is dropped instead."""
        if self._leaving:
            return
        if len(self._outbox) >= OUTBOX_LIMIT:
            _LOG.warning("client %s (%s): dropped: %d messages unread", self.peer, self.token_id, OUTBOX_LIMIT)
            self._clients.dropped += 1
            self._abort()
            self.leave(WSCloseCode.TRY_AGAIN_LATER, "too slow")
            return
        self._outbox.append(json.dumps(message))
        self._wake.set()

    def leave(self, code: int, reason: str, *, cancel_commands: bool = False) -> None:
        """Listen and speak to the client no more; `run` then ends the connection.

        Nothing else happens here: this may be called by the bus, in the middle of telling others.
        """
        self._leaving = True
        self._close_as = (code, reason)
        self._outbox.clear()
        if self._reader is None:
            self._abort()
        else:
            self._reader.cancel()
        if cancel_commands:
            for task in self._commands:
                task.cancel()

    async def subscribe(self, message_id: int, since: int | None) -> None:
        """Answer command `message_id` with the snapshot, and push from there on."""
        if self._subscription is not None:
            raise ConflictError(
                "subscribe: this connection has a subscription; open another connection for a second one"
            )
        subscription = self._subscription = Subscription(self._context.api, message_id, self.send)
        try:
            await subscription.start(since, lambda answer: self._answer_subscribe(message_id, answer))
        except BaseException:
            subscription.close()
            self._subscription = None
            raise

    def _answer_subscribe(self, message_id: int, answer: Subscribed) -> None:
        self.send({"id": message_id, "type": "result", "success": True, "result": answer})

    # --- before commands ---

    async def _let_in(self) -> bool:
        """Say hello and hear who it is. False: the client left or was refused."""
        config = self._context.api.config
        hello: Hello = {
            "type": "hello",
            "engine_id": self._context.api.engine_id,
            "name": config.name,
            "version": __version__,
            "schema": SCHEMA,
            "oldest_schema": OLDEST_SCHEMA,
        }
        try:
            await self._socket.send_str(json.dumps(hello))
            async with asyncio.timeout(HELLO_SECONDS):
                first = await self._socket.receive()
                if first.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                    return False
                answer = await self._identify(_parse(first))
            self.send(answer)
        except TimeoutError:
            _LOG.debug("client %s: said nothing for %g s", self.peer, HELLO_SECONDS)
            return False
        except ConnectionError:
            return False
        except BridgeError as err:
            _LOG.info("client %s: refused: %s", self.peer, err)
            await self._refuse(err)
            return False
        return True

    async def _identify(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to `auth` or `pair`. Raises what refuses the client."""
        kind = message.get("type")
        if kind not in {"auth", "pair"}:
            raise InvalidError("type: the first message must be auth or pair")
        schema = message.get("schema")
        if isinstance(schema, bool) or not isinstance(schema, int):
            raise InvalidError("schema: must be the whole number of the schema version that the client speaks")
        if not OLDEST_SCHEMA <= schema <= SCHEMA:
            older = "client" if schema < OLDEST_SCHEMA else "engine"
            raise IncompatibleError(
                f"schema: the client speaks {schema} and this engine {OLDEST_SCHEMA} to {SCHEMA}; update the {older}"
            )
        authority = self._context.authority
        if kind == "auth":
            self._identity = await authority.authenticate(_text(message, "token"))
            answer = {"type": "auth_ok"}
        else:
            self._identity, token = await authority.pair(_text(message, "code"), _text(message, "name", default=""))
            answer = {"type": "auth_ok", "token": token}
        _LOG.info("client %s: %s as %s", self.peer, kind, self._identity.role)
        return {**answer, "role": self._identity.role.value, "token_id": self._identity.token_id}

    async def _refuse(self, err: BridgeError) -> None:
        self._close_as = (WSCloseCode.POLICY_VIOLATION, err.code)
        try:
            await self._socket.send_str(json.dumps({"type": "auth_failed", "code": err.code, "message": str(err)}))
        except ConnectionError:
            return

    # --- commands ---

    async def _serve(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(self._write())
            self._reader = tasks.create_task(self._read(tasks))
            if self._leaving:  # revoked, or the engine stopped, before there was anything to cancel
                self._reader.cancel()
            expiry = self._expiry()
            await asyncio.wait({self._reader})
            if expiry is not None:
                expiry.cancel()
            # What the client vouched for ends now. Commands that it gave are let finish, and nobody waits for them.
            self._say_gone()
            writer.cancel()
            await self._hang_up()

    def _expiry(self) -> asyncio.TimerHandle | None:
        """What ends the connection of a token that expires."""
        if self._identity is None or self._identity.expires_at is None:
            return None
        left = max(0.0, self._identity.expires_at - time.time())
        return asyncio.get_running_loop().call_later(left, self.leave, WSCloseCode.POLICY_VIOLATION, "token expired")

    async def _read(self, tasks: asyncio.TaskGroup) -> None:
        async for message in self._socket:
            if self._leaving or message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                return
            await self._take(message, tasks)

    async def _take(self, raw: WSMessage, tasks: asyncio.TaskGroup) -> None:
        message_id = 0  # answers what has no id of its own
        try:
            message = _parse(raw)
            message_id = _message_id(message)
            if len(self._commands) >= COMMANDS_AT_ONCE:
                raise RateLimitedError(f"{COMMANDS_AT_ONCE} commands of this connection are running; wait for a result")
            request = check(message, self.role)
        except BridgeError as err:
            self._fail(message_id, err)
            return
        if request.command is Command.SIGN:  # reports of a sign must arrive in order, and never wait
            await self._answer(request)
            return
        task = tasks.create_task(self._answer(request))
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    async def _answer(self, request: Request) -> None:
        try:
            result = await execute(request, self, self._context)
        except BridgeError as err:
            self._fail(request.message_id, err)
            return
        if request.command is not Command.SUBSCRIBE:  # answered by itself, so that nothing falls between
            self.send({"id": request.message_id, "type": "result", "success": True, "result": result})

    def _fail(self, message_id: int, err: BridgeError) -> None:
        error = {"code": err.code, "message": str(err)}
        self.send({"id": message_id, "type": "result", "success": False, "error": error})

    async def _write(self) -> None:
        """The one task that writes to the socket while commands are served."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._outbox:
                    await self._socket.send_str(self._outbox.popleft())
        except ConnectionError:
            self._abort()

    # --- the end ---

    def _say_gone(self) -> None:
        """The client no longer counts: told once, whichever way it left."""
        if self._gone:
            return
        self._gone = self._leaving = True
        if self._subscription is not None:
            self._subscription.close()
        if self._identity is not None:
            self._context.api.connection_closed(self.connection_id)

    async def _hang_up(self) -> None:
        """Close the socket politely, and not for long: a client that reads nothing is cut off."""
        code, reason = self._close_as
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close(code=code, message=reason.encode())
        except (TimeoutError, ConnectionError):
            self._abort()

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


def _parse(raw: WSMessage) -> dict[str, Any]:
    """A message as an object. Raises `InvalidError` for anything else, and for text that cannot be stored."""
    try:
        text = raw.data if raw.type is WSMsgType.TEXT else raw.data.decode()
        message = json.loads(text)
        if "\\u" in text:  # half a surrogate pair is valid JSON, but no text
            json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise InvalidError("message: not JSON in UTF-8; send one object in one message") from None
    if not isinstance(message, dict):
        raise InvalidError("message: must be a JSON object")
    return message


def _message_id(message: dict[str, Any]) -> int:
    message_id = message.get("id")
    if isinstance(message_id, bool) or not isinstance(message_id, int) or not 1 <= message_id <= 2**53:
        raise InvalidError("id: must be a whole number from 1 on, another one for each command")
    return message_id


def _text(message: dict[str, Any], key: str, default: str | None = None) -> str:
    value = message.get(key, default)
    if not isinstance(value, str):
        raise InvalidError(f"{key}: must be a text")
    return value
