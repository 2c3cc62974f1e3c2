"""An engine that says again what a real one said: a session that `script/record` wrote down, on a real socket.

It goes on as fast as the hub does. Where the hub of the session asked for something, it stands still until this one asks
for the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

TOKEN = "token-of-the-hub"
SESSION = Path(__file__).parent / "sessions" / "day.jsonl"
LONGEST_PAUSE = 0.02  # seconds; a session of a minute is over in a few
READING = ("case/list",)  # asked for when the hub wants it: answered, never waited for


def lines() -> list[dict[str, Any]]:
    """The session: what was said, `from` whom, `at` how many seconds."""
    return [json.loads(line) for line in SESSION.read_text(encoding="utf-8").splitlines()]


def request(message: dict[str, Any]) -> dict[str, Any]:
    """What is asked, whoever asks it and when."""
    return {key: value for key, value in message.items() if key not in ("id", "by", "token")}


class RecordedEngine:
    """It plays the session once, over as many connections as that had."""

    def __init__(self, session: list[dict[str, Any]]) -> None:
        self.port = 0
        self.awaits: dict[str, Any] | None = None  # what the hub is to ask next
        self.over = False  # whether all was said
        self.unknown: list[dict[str, Any]] = []  # what no hub asked in the session
        self._session = session
        self._coming = iter(enumerate(session))
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on loopback."""
        app = web.Application()
        app.router.add_get("/ws", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """As when the process ends."""
        if self._runner:
            await self._runner.cleanup()

    async def _serve(self, http: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(http)
        if not self.over:
            await self._play(socket)
        return socket

    async def _play(self, socket: web.WebSocketResponse) -> None:
        """One connection of the session. The ids of what the hub asks are its own."""
        ids: dict[int, int] = {}
        before = 0.0
        for index, line in self._coming:
            says = line["says"]
            if says is None:
                break
            if line["from"] == "hub":
                if says["type"] not in READING:
                    asked = await self._asked(socket, index, request(says))
                    ids[says.get("id", 0)] = asked.get("id", 0)
            elif "id" not in says:
                await socket.send_json(says)
            elif says["id"] in ids:
                await asyncio.sleep(min(LONGEST_PAUSE, line["at"] - before))
                await socket.send_json({**says, "id": ids[says["id"]]})
            before = line["at"]
        if index == len(self._session) - 1:
            self.over = True
            await self._rest(socket)
        await socket.close()

    async def _asked(self, socket: web.WebSocketResponse, index: int, wanted: dict[str, Any]) -> dict[str, Any]:
        """Wait until the hub asks for it; what else it asks is answered meanwhile."""
        self.awaits = wanted
        try:
            while True:
                message = await socket.receive()
                if message.type is not WSMsgType.TEXT:
                    raise ConnectionResetError(f"the hub hung up before {wanted}")
                asked = json.loads(message.data)
                if request(asked) == wanted:
                    return dict(asked)
                await self._answer(socket, index, asked)
        finally:
            self.awaits = None

    async def _rest(self, socket: web.WebSocketResponse) -> None:
        """The session is over; the hub is not."""
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._answer(socket, len(self._session), json.loads(message.data))

    async def _answer(self, socket: web.WebSocketResponse, index: int, asked: dict[str, Any]) -> None:
        """As it was answered last; what was never asked in the session is refused and noted."""
        answers = list(self._answers(asked))
        known = [answer for at, answer in answers if at < index] or [answer for _, answer in answers[:1]]
        if not known:
            self.unknown.append(asked)
        refusal = {"type": "result", "success": False, "error": {"code": "invalid", "message": "not in the session"}}
        await socket.send_json({**(known[-1] if known else refusal), "id": asked["id"]})

    def _answers(self, asked: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Every result that the same got, and where."""
        numbers = set()
        for index, line in enumerate(self._session):
            says = line["says"] or {}
            if line["from"] == "hub" and request(says) == request(asked):
                numbers.add(says["id"])
            elif says.get("type") == "result" and says["id"] in numbers:
                yield index, says
