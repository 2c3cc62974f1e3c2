"""frame_to_hub: from the receipt of the deciding frame to the hub's state change, and the parts that add up to it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
from aiohttp import web

from demo.engine import EngineServer
from demo.process import ROOT, DemoError
from nvr_bridge.errors import BridgeError
from nvr_bridge.events import EventLog
from nvr_bridge.models import EventKind
from nvr_bridge.store.database import Database

from . import detect, embed
from .measure import Figure, Unavailable

TURNS = 200


def run(seconds: float) -> Iterator[Figure]:
    """Milliseconds that pass; the demo takes about two minutes."""
    with tempfile.TemporaryDirectory() as folder:
        commit, plain = asyncio.run(_commit(Path(folder))), _plain_commit(Path(folder))
        yield Figure("frame_to_hub", "an event stored", commit, "ms", "sqlite3: insert and commit", plain)
        try:
            answer, echo = asyncio.run(_answer(Path(folder) / "site"))
        except (DemoError, BridgeError) as err:
            raise Unavailable(str(err)) from err
        yield Figure("frame_to_hub", "a question answered by the engine", answer, "ms", "aiohttp: a bare echo", echo)
    sight = sum(figure.value for figure in (*detect.run(seconds), *embed.run(seconds)))
    parts = sight + commit + answer / 2
    yield Figure("frame_to_hub", "sight, store and half an answer added up", parts, "ms", "sight alone", sight)
    found = _demo()
    for key, value in found.items():
        yield Figure("frame_to_hub", f"in the demo, {key}", value, "ms", "the parts added up", parts)


async def _commit(folder: Path) -> float:
    database = await Database.open(folder / "store")
    try:
        log = EventLog(database)

        async def once() -> None:
            async with database.write() as session:
                await log.append(session, kind=EventKind.CONSENT_GRANTED, occurred_at=time.time(), zone_id="bench")

        return await _median(once)
    finally:
        await database.close()


def _plain_commit(folder: Path) -> float:
    with closing(sqlite3.connect(folder / "plain.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE events (sequence INTEGER PRIMARY KEY, kind TEXT, at REAL, zone TEXT)")
        taken = []
        for _ in range(TURNS):
            begun = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO events (kind, at, zone) VALUES (?, ?, ?)", ("bench", time.time(), "bench"))
            connection.execute("COMMIT")
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


async def _answer(folder: Path) -> tuple[float, float]:
    engine = EngineServer(folder)
    engine.write("bench", {"door": {"name": "Door", "kind": "observe"}}, 10.0)
    await engine.start()
    try:
        async with engine.client() as client:
            ours = await _median(lambda: client.call("engine/status"))
    finally:
        await engine.process.stop()
    return ours, await _echo()


async def _echo() -> float:
    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:

            async def once() -> None:
                await socket.send_str('{"id": 1, "type": "engine/status"}')
                await socket.receive_str()

            return await _median(once)
    finally:
        await runner.cleanup()


async def _median(once: Callable[[], Awaitable[object]]) -> float:
    taken = []
    for _ in range(TURNS):
        begun = time.perf_counter()
        await once()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def _demo() -> dict[str, float]:
    ran = subprocess.run(
        [sys.executable, "-m", "demo", "--check"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    lines = ran.stdout.strip().splitlines()
    if not lines:
        raise Unavailable("the demo gave no answer; run script/demo --check to see why")
    found: dict[str, float | None] = json.loads(lines[-1])["frame_to_hub_ms"]
    return {key: value for key, value in found.items() if value is not None}
