"""The connection to the engine, kept up for as long as the entry is loaded."""

from __future__ import annotations

import asyncio
import random
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import aiohttp

from .client import Client
from .errors import CannotConnectError, EngineError, IncompatibleError, UnauthorizedError
from .wire import Subscribed

if TYPE_CHECKING:
    from .bridge import Bridge

FIRST_WAIT = 0.5  # seconds; doubles with every failure, up to
LONGEST_WAIT = 8.0


class Phase(StrEnum):
    """Where the connection is."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"  # until the next attempt
    INCOMPATIBLE = "incompatible"  # waiting for an update
    REFUSED = "refused"  # the token is not accepted; a person has to pair again
    CLOSED = "closed"


class Connection:
    """`open` once, then `run` for ever. The bridge is told what is heard, and every change of `phase`."""

    def __init__(self, session: aiohttp.ClientSession, host: str, port: int, token: str, bridge: Bridge) -> None:
        self.phase = Phase.CONNECTING
        self._session = session
        self._host, self._port, self._token = host, port, token
        self._bridge = bridge
        self._client: Client | None = None
        self._answer: Subscribed | None = None

    async def open(self) -> Subscribed:
        """One attempt. Raises `CannotConnectError`, `IncompatibleError`, `UnauthorizedError`."""
        # The engine is checked before the token is shown, which is nobody else's to see.
        client = await Client.connect(self._session, self._host, self._port, self._bridge.engine_id)
        try:
            await client.auth(self._token)
            self._answer = await client.subscribe(self._bridge.memory.sequence)
        except BaseException:
            await client.aclose()
            raise
        self._client = client
        return self._answer

    async def run(self) -> None:
        """Serve what `open` opened, and open it again whenever it ends. Returns only when the token is refused."""
        wait = FIRST_WAIT
        while True:
            try:
                if not (self._client and self._answer):
                    self._enter(Phase.CONNECTING)
                    await self.open()
                    continue
                wait = FIRST_WAIT
                self._enter(Phase.CONNECTED)
                self._bridge.on_subscribed(self._answer)
                await self._client.listen(self._bridge.on_push)
            except UnauthorizedError as err:
                return self._enter(Phase.REFUSED, err)
            except EngineError as err:
                self._enter(Phase.INCOMPATIBLE if isinstance(err, IncompatibleError) else Phase.WAITING, err)
            if self._client:
                await self._client.aclose()
                self._client = None
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))
            wait = min(wait * 2, LONGEST_WAIT)

    async def call(self, command: str, **arguments: Any) -> Any:
        """Run a command. Raises `CommandError`, or `CannotConnectError` at once while there is no connection."""
        if self._client is None or self.phase is not Phase.CONNECTED:
            raise CannotConnectError(f"{self._host}:{self._port}: not connected")
        return await self._client.call(command, **arguments)

    async def close(self) -> None:
        """End it for good."""
        self.phase = Phase.CLOSED
        if self._client:
            await self._client.aclose()

    def _enter(self, phase: Phase, error: EngineError | None = None) -> None:
        if self.phase is not Phase.CLOSED:
            was, self.phase = self.phase, phase
            self._bridge.on_phase(was, phase, error)
