"""hub: what the integration costs a real Home Assistant with 100 cameras, 40 zones and 50,000 events a day.

The hub runs in a process of its own, with the recorder; time passes ten times as fast as at a site.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from demo.hub import HubServer
from demo.hub_client import HubClient
from demo.hub_setup import add_engine
from demo.process import ROOT, DemoError

from .crowd import Crowd
from .measure import Figure, Unavailable

CAMERAS, ZONES, EVENTS = 100, 40, 50_000
PACE = 10
LEAST = 20.0  # seconds of each measurement: the hub's own housekeeping comes and goes
READY_SECONDS = 90.0
SETTLED = 10.0  # seconds after which the hub has done what a start brings along


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds, shares of a core, and bytes a day."""

    setup: float
    small_setup: float
    share: float
    idle_share: float
    growth: float
    rows: float  # of states, a day


def run(seconds: float) -> Iterator[Figure]:
    """Takes about two minutes."""
    hub = Path(os.environ.get("NVR_BRIDGE_HUB") or ROOT / ".venv-hub")
    if not Path("/proc/self/stat").exists():
        raise Unavailable("the hub's processor time is read from /proc, which this system has not")
    try:
        with tempfile.TemporaryDirectory() as folder:
            costs = asyncio.run(_measure(Path(folder), hub / "bin" / "python", max(LEAST, seconds)))
    except DemoError as err:
        raise Unavailable(str(err)) from err
    what = f"{CAMERAS} cameras, {ZONES} zones"
    yield Figure("hub", f"setup, {what}", costs.setup, "s", "one camera, one zone", costs.small_setup)
    day = f"{EVENTS:,} events a day"
    yield Figure("hub", f"processor, {day}", costs.share * 100, "%", "the hub alone", costs.idle_share * 100)
    yield Figure("hub", f"recorder, {day}", costs.growth / 2**20, "MiB a day")
    yield Figure("hub", f"recorder, states, {day}", costs.rows, "rows a day", "events", EVENTS)


async def _measure(folder: Path, python: Path, seconds: float) -> Costs:
    async with AsyncExitStack() as stack:
        crowd, server = Crowd(), HubServer(folder / "hub", python)
        crowd.build(1, 1)
        await crowd.start()
        stack.push_async_callback(crowd.stop)
        client = HubClient(server.address)
        stack.push_async_callback(client.close)
        await server.write(())
        stack.push_async_callback(server.process.stop)
        await server.start()
        await client.sign_in()
        await server.process.ready(client.running, READY_SECONDS)
        entry_id = await add_engine(client, crowd.port, "12345678")
        small = await _reload(client, entry_id)
        crowd.build(CAMERAS, ZONES)
        setup = await _reload(client, entry_id)
        await asyncio.sleep(SETTLED)
        idle = await _busy(server, asyncio.sleep(seconds))
        before = _recorded(server)
        played = round(seconds * PACE)
        busy = await _busy(server, crowd.play(played, PACE, EVENTS))
        await asyncio.sleep(3)  # the recorder writes once a second
        after = _recorded(server)
        days = played / 86400
        size, rows = ((now - then) / days for now, then in zip(after, before, strict=True))
        return Costs(setup, small, (busy - idle) / played, idle / seconds, size, rows)


async def _reload(client: HubClient, entry_id: str) -> float:
    begun = time.perf_counter()
    await client.post(f"/api/config/config_entries/entry/{entry_id}/reload", {})
    return time.perf_counter() - begun


async def _busy(server: HubServer, work: Awaitable[None]) -> float:
    """Seconds of processor time that the hub spends meanwhile, in all its threads."""
    before = _processor(server)
    await work
    return _processor(server) - before


def _processor(server: HubServer) -> float:
    fields = Path(f"/proc/{server.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _recorded(server: HubServer) -> tuple[int, int]:
    """Bytes of the recorder's database, and its rows of states."""
    path = server.folder / "home-assistant_v2.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        (pages,), (size,) = (database.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size"))
        (rows,) = database.execute("SELECT count(*) FROM states").fetchone()
    return pages * size, rows
