"""A site at which faces are embedded all the time: the engine in a process, cameras that are pulled, a hub that can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import yaml
from engine_site import Person
from films import recorded
from installed import SIZE, scene

from demo.camera import OnvifCamera, Stream
from demo.engine import EngineServer
from demo.feed import Feed, StoryClock
from nvr_bridge.client import Client, pair
from nvr_bridge.errors import BridgeError, RetryError

TTL = 1.5  # seconds that a report holds at this site
FPS = 10
COMES, AWAY = 12, 13  # pictures in which somebody comes nearer, and in which nobody is there
NEAR = 100  # pixels that the face is wide in the end
LANES = ("left", "right")
ZONES = {
    "left": {"name": "Left lane", "kind": "opt_in_lane"},
    "right": {"name": "Right lane", "kind": "opt_in_lane"},
    "desk": {"name": "Desk", "kind": "consent_point"},
    "entrance": {"name": "Entrance", "kind": "observe"},
}
SIGNED = ("left", "right", "desk")
WALKERS = {"left": "vera", "right": "lin", "desk": "mei", "entrance": "rosa"}


@dataclass
class Hub:
    """The hub's process."""

    address: str
    token: str
    state: dict[str, Any]
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it, with what it last reported."""
        script = Path(__file__).with_name("sign_hub.py")
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(script), self.address, self.token),
            stdin=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        await self.say()

    async def say(self, **changes: Any) -> None:
        """Have it report something else from now on."""
        self.state |= changes
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(self.state).encode() + b"\n")
        await self.process.stdin.drain()

    async def end(self, how: signal.Signals | None = None) -> None:
        """Close it in good order, or send it a signal that ends it."""
        process, self.process = self.process, None
        if process is None:
            return
        if how is None:
            assert process.stdin is not None
            process.stdin.close()
        else:
            process.send_signal(how)
        await process.wait()

    def send(self, how: signal.Signals) -> None:
        """Freeze it, or let it go on."""
        assert self.process is not None
        self.process.send_signal(how)


@dataclass
class Stage:
    """The running site."""

    engine: EngineServer
    hub: Hub
    notice_hash: str
    settings: dict[str, Any]
    admin: Client | None = None
    connection: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def ask(self, command: str, **arguments: Any) -> Any:
        """A command of the administrator's. Raises a `BridgeError` while the engine starts anew."""
        try:
            if self.admin is None:
                self.admin = await self.connection.enter_async_context(self.engine.client())
            return await self.admin.call(command, **arguments)
        except RetryError:
            self.admin = None
            await self.connection.aclose()
            raise

    async def zones(self) -> dict[str, Any]:
        """Every zone's state."""
        try:
            async with self.engine.client() as client:
                found = await client.subscribe()
        except BridgeError:  # it starts anew
            return {}
        return {zone["id"]: dict(zone) for zone in found["snapshot"]["zones"]}

    async def embeds(self) -> None:
        """Wait until the embedder runs."""
        before: int | None = None

        async def runs() -> bool:
            nonlocal before
            try:
                status = await self.ask("engine/status")
            except BridgeError:
                return False
            assert status["embeddings_without_permit"] == 0
            before, now = status["embeddings"] if before is None else before, status["embeddings"]
            return bool(now > before)

        await come_true(runs)

    async def shows(self, reason: str, zones: tuple[str, ...]) -> None:
        """Wait until the zones' states say why they are not armed: what the hub makes its repair issues of."""

        async def told() -> bool:
            found = await self.zones()
            return bool(found) and all(found[zone]["reasons"] == [reason] for zone in zones)

        await come_true(told)

    def edit(self, **changes: Any) -> None:
        """Somebody saves `bridge.yaml`."""
        self.settings |= changes
        self.engine.config.write_text(yaml.safe_dump(self.settings, allow_unicode=True), encoding="utf-8")


def walk(person: Person, begins: int) -> Iterator[np.ndarray]:
    """Somebody comes nearer, so that each look is better than the one before, and is gone; round and round."""
    widths = [round(NEAR * 1.08 ** (step - COMES)) for step in range(COMES)]
    pictures = [scene(person, face=width) for width in widths] + [scene()] * AWAY
    for frame in range(len(pictures)):
        yield pictures[(frame + begins) % len(pictures)]


@asynccontextmanager
async def staged(folder: Path, people: dict[str, Person]) -> AsyncIterator[Stage]:
    """Everything runs, somebody has agreed, and people pass all the time."""
    engine = EngineServer(folder / "site")
    engine.write("Riverside", ZONES, 2.0, {})
    settings = yaml.safe_load(engine.config.read_text(encoding="utf-8")) | {"sign_ttl": f"{TTL}s"}
    engine.config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    clock = StoryClock()
    clock.begin()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.process.stop)
        await engine.start()
        stage = Stage(engine, Hub(f"127.0.0.1:{engine.port}", "", {}), "", settings)
        stack.push_async_callback(stage.connection.aclose)
        await stage.ask("assessment/acknowledge", by="Ada", ground="test")
        stage.notice_hash = (await stage.zones())["desk"]["notice_hash"]
        code = (await stage.ask("pair/create", role="hub"))["code"]
        stage.hub.token = (await pair(stage.hub.address, code, "hub")).token
        stage.hub.state = {
            "signs": dict.fromkeys(SIGNED, True),
            "lanes": LANES,
            "notice_hash": stage.notice_hash,
            "reports": True,
        }
        stack.push_async_callback(stage.hub.end, signal.SIGKILL)
        await stage.hub.start()
        await come_true(lambda: armed(stage, *SIGNED))
        await agrees(stage, people[WALKERS["desk"]])
        devices = {}
        for number, (zone, name) in enumerate(WALKERS.items()):
            film = await asyncio.to_thread(recorded, "h264", SIZE, walk(people[name], number * 8), FPS)
            devices[zone] = await stack.enter_async_context(OnvifCamera(zone, [Stream(Feed(film, clock, loop=True))]))
        await asyncio.gather(*[stage.ask("camera/add", address=devices[zone].address, zone=zone) for zone in WALKERS])
        tablet = asyncio.create_task(says_that_they_are_back(stage))
        try:
            yield stage
        finally:
            tablet.cancel()
            await asyncio.wait([tablet])


async def agrees(stage: Stage, person: Person) -> None:
    """At the desk."""
    about = {"notice_hash": stage.notice_hash, "purpose": "to be greeted", "language": "en", "expires_in_days": 1}
    await stage.ask("consent/grant", zone="desk", photo=person.photo, **about)


async def says_that_they_are_back(stage: Stage) -> None:
    """Somebody taps "I am back" on the desk's tablet, again and again."""
    here = f"{stage.engine.page}/visit/desk"
    code = (await stage.ask("pair/create", role="kiosk"))["code"]
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(headers={"Origin": stage.engine.page}, cookie_jar=jar) as session:
        async with session.post(f"{here}/pair", json={"code": code}) as answer:
            assert answer.status == 200
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.post(f"{here}/back", json={}) as answer:
                    assert answer.status != 401
            await asyncio.sleep(1.0)


async def come_true(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what happens by itself. Asking is work too, so it is not asked all the time."""
    async with asyncio.timeout(40):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.1)


async def armed(stage: Stage, *zones: str) -> bool:
    """Whether all of these are."""
    found = await stage.zones()
    return bool(found) and all(found[zone]["armed"] for zone in zones)
