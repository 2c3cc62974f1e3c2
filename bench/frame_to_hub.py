"""frame_to_hub: from the receipt of the deciding frame to the hub's state change, and the parts that add up to it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import yaml
from aiohttp import web

from demo.engine import EngineServer
from demo.process import ROOT, DemoError
from nvr_bridge.client import Client
from nvr_bridge.errors import BridgeError
from nvr_bridge.events import EventLog
from nvr_bridge.models import EventKind
from nvr_bridge.store.database import Database
from nvr_bridge.store.files import ADMIN_TOKEN

from . import detect, embed
from .material import CACHE
from .measure import Figure, Unavailable, percentile

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
    yield Figure("frame_to_hub", "seen, stored and told, added up", parts, "ms", "seen alone", sight)
    told, shown = asyncio.run(_demo())
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        engine = percentile(told, share)
        yield Figure(
            "frame_to_hub", f"in the demo, frame to a client, {name}", engine, "ms", "the parts added up", parts
        )
        yield Figure("frame_to_hub", f"in the demo, frame to the hub, {name}", shown[name], "ms", "to a client", engine)


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
    engine.write("bench", {"door": {"name": "Door", "kind": "observe"}}, 10.0, {})
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


async def _demo() -> tuple[list[float], dict[str, float]]:
    """Milliseconds from each deciding frame to a client of the engine, and to the hub, in one round of the demo."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "demo", "--check", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    told: list[float] = []
    listener = asyncio.create_task(_listen(told, time.time()))
    try:
        output, _ = await process.communicate()
    finally:
        listener.cancel()
        await asyncio.wait({listener})
        if process.returncode is None:
            process.terminate()
    lines = output.decode().strip().splitlines()
    if not lines or not told:
        raise Unavailable("the demo gave no answer; run script/demo --check to see why")
    shown: dict[str, float] = json.loads(lines[-1])["frame_to_hub_ms"]
    return told, shown


async def _listen(told: list[float], since: float) -> None:
    """Be one more client of the demo's engine, from when it is there until this is cancelled."""
    folder = CACHE / "engine"
    while True:
        await asyncio.sleep(0.5)
        token = folder / "data" / ADMIN_TOKEN
        if not token.is_file() or token.stat().st_mtime < since:  # an earlier round's
            continue
        port = yaml.safe_load((folder / "bridge.yaml").read_text(encoding="utf-8"))["listen"]["port"]
        try:
            async with Client.connect(f"127.0.0.1:{port}", token=token.read_text(encoding="utf-8").strip()) as client:
                await client.subscribe()
                async for push in client.pushes():
                    frame_at = push["event"]["data"].get("frame_at") if push["type"] == "event" else None
                    if frame_at is not None:
                        told.append((time.time() - frame_at) * 1000)
        except BridgeError:  # it is not there yet, or no more
            continue
