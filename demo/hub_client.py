"""The demo as a user of the hub: signs in, runs flows, presses buttons and listens, all over the hub's own API."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import aiohttp

from .hub import PASSWORD, USER
from .process import DemoError

CALL_SECONDS = 30.0
_BACKOFF = 0.5


class HubClient:
    """One signed-in user. `listen` calls back with every state change, across restarts of the hub."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS))
        self._token = ""

    async def close(self) -> None:
        """Hang up."""
        await self._session.close()

    async def sign_in(self) -> None:
        """Make the first user and get a lasting token for the demo itself. Once per hub folder."""
        client_id = f"{self.address}/"
        person = {"name": "Demo", "username": USER, "password": PASSWORD, "client_id": client_id, "language": "en"}
        made = await self._json("POST", "/api/onboarding/users", json=person)
        form = {"grant_type": "authorization_code", "code": made["auth_code"], "client_id": client_id}
        self._token = (await self._json("POST", "/auth/token", data=form))["access_token"]
        self._token = await self.ask("auth/long_lived_access_token", client_name="NVR Bridge demo", lifespan=365)

    async def running(self) -> bool:
        """Whether the hub has finished starting."""
        try:
            state: str = (await self.get("/api/config"))["state"]
        except (DemoError, aiohttp.ClientError, OSError, TimeoutError):
            return False
        return state == "RUNNING"

    async def get(self, path: str) -> Any:
        """Read over REST."""
        return await self._json("GET", path)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Write over REST."""
        return await self._json("POST", path, json=body)

    async def delete(self, path: str) -> Any:
        """Take away over REST."""
        return await self._json("DELETE", path)

    async def act(self, service: str, entity_id: str) -> None:
        """Call an action such as `input_boolean/turn_on` on an entity."""
        await self.post(f"/api/services/{service}", {"entity_id": entity_id})

    async def states(self) -> dict[str, dict[str, Any]]:
        """Every entity's state now, by entity id."""
        return {state["entity_id"]: state for state in await self.get("/api/states")}

    async def history(self, entity_ids: Iterable[str], since: float) -> list[dict[str, Any]]:
        """What the hub's recorder has of these entities since a moment (seconds since the epoch), oldest first of each."""
        begin = datetime.fromtimestamp(since, UTC).isoformat()
        names = ",".join(entity_ids)
        path = f"/api/history/period/{quote(begin)}?filter_entity_id={names}&significant_changes_only=0"
        return [state for states in await self.get(path) for state in states]

    async def ask(self, kind: str, **arguments: Any) -> Any:
        """One command over the hub's WebSocket. Raises `DemoError` when the hub refuses."""
        async with self._socket() as socket:
            await socket.send_json({"id": 1, "type": kind, **arguments})
            return _result(await socket.receive_json(timeout=CALL_SECONDS), kind)

    async def listen(self, told: Callable[[dict[str, Any]], None], connected: Callable[[], None] | None = None) -> None:
        """Call `told` with the data of each `state_changed` event, until cancelled. Comes back after the hub does."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, TypeError, DemoError):
                async with self._socket() as socket:
                    await socket.send_json({"id": 1, "type": "subscribe_events", "event_type": "state_changed"})
                    _result(await socket.receive_json(timeout=CALL_SECONDS), "subscribe_events")
                    if connected is not None:
                        connected()
                    async for message in socket:
                        told(message.json()["event"]["data"])
            await asyncio.sleep(_BACKOFF)

    async def wait_for(self, what: str, check: Callable[[dict[str, dict[str, Any]]], bool], seconds: float) -> None:
        """Until `check` of the hub's states is true. Raises `DemoError`."""
        deadline = time.monotonic() + seconds
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                if check(await self.states()):
                    return
            if time.monotonic() > deadline:
                raise DemoError(f"the hub does not show {what} after {seconds:g} s")
            await asyncio.sleep(0.25)

    @contextlib.asynccontextmanager
    async def _socket(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self._session.ws_connect(f"{self.address}/api/websocket", heartbeat=10, max_msg_size=0) as socket:
            await socket.receive_json(timeout=CALL_SECONDS)
            await socket.send_json({"type": "auth", "access_token": self._token})
            answer = await socket.receive_json(timeout=CALL_SECONDS)
            if answer["type"] != "auth_ok":
                raise DemoError(f"the hub refuses the demo's token: {answer.get('message')}")
            yield socket

    async def _json(self, method: str, path: str, **content: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        async with self._session.request(method, self.address + path, headers=headers, **content) as response:
            if response.status >= 400:
                raise DemoError(
                    f"the hub answers {response.status} to {method} {path}: {(await response.text())[:300]}"
                )
            return await response.json()


def _result(answer: dict[str, Any], kind: str) -> Any:
    if not answer.get("success"):
        raise DemoError(f"the hub refuses {kind}: {answer.get('error')}")
    return answer.get("result")
