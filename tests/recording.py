"""Writes down what a whole engine and a hub say to each other over one day's story, for the hub's tests to replay.

`script/record` makes `tests/hub/sessions/day.jsonl` anew. One message in a line: how many seconds after the first, who
said it, and what; null is a connection that ended. What opens anything is blanked. No picture is ever on this wire.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parent)]

from engine_site import SITE, Lens, Person, demo_people, running, until  # noqa: E402 - found through the path set above
from engine_site import Site as EngineSite  # noqa: E402
from films import recorded  # noqa: E402
from installed import SIZE, scene  # noqa: E402
from machine import MODELS  # noqa: E402

from demo.camera import OnvifCamera, Stream  # noqa: E402
from demo.engine import noon_zone  # noqa: E402
from demo.feed import Feed, StoryClock  # noqa: E402
from nvr_bridge.client import pair  # noqa: E402
from nvr_bridge.config import Config, load_config  # noqa: E402
from nvr_bridge.protocol import SCHEMA  # noqa: E402

SESSION = Path(__file__).parent / "hub" / "sessions" / "day.jsonl"
BLANK = "blanked"
CONTACTS = ("13912345678", "13912345679")
USER = "a-user-of-the-hub"
GAP = 1.5  # seconds after which a visit is over
SECONDS = 60.0  # that anything in the story may take


class Recorder:
    """A hub that writes down every message, its own and the engine's."""

    def __init__(self, address: str, token: str) -> None:
        self.lines: list[dict[str, Any]] = []
        self.last = 0  # the sequence of the last event that it heard
        self._told = 0  # the sequence of the last event that was waited for
        self._address, self._token = address, token
        self._began = 0.0  # when the first message was said
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._socket: aiohttp.ClientWebSocketResponse

    @asynccontextmanager
    async def connected(self, since: int | None = None) -> AsyncIterator[None]:
        """Subscribed, for as long as the block lasts."""
        async with aiohttp.ClientSession() as session, session.ws_connect(f"http://{self._address}/ws") as socket:
            self._socket = socket
            self._note("engine", await socket.receive_json())
            entry = {"type": "auth", "schema": SCHEMA, "token": self._token}
            self._note("hub", {**entry, "token": BLANK})
            await socket.send_json(entry)
            self._note("engine", {**await socket.receive_json(), "token_id": BLANK})
            reader = asyncio.create_task(self._read())
            try:
                await self.ask("subscribe", **({} if since is None else {"since": since}))
                yield
            finally:
                reader.cancel()
                await asyncio.wait({reader})
                self._note("hub", None)

    async def ask(self, command: str, **arguments: Any) -> Any:
        """The command's result, which must be one."""
        number = next(self._ids)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "type": command, **arguments}
        self._note("hub", message)
        await self._socket.send_json(message)
        answer = await asyncio.wait_for(future, SECONDS)
        assert answer["success"], answer
        return answer["result"]

    async def shown(self, kind: str, thing: str | None = None, **wanted: Any) -> None:
        """Wait until the last that was said of a thing (of any of its kind, without its id) is this."""

        def last() -> dict[str, Any]:
            said = [says[kind] for says in self._heard() if kind in says and thing in (None, says[kind]["id"])]
            return dict(said[-1]) if said else {}

        await until(lambda: bool(last()) and wanted.items() <= last().items(), SECONDS)

    async def told(self, kind: str, zone: str | None = None, **data: Any) -> dict[str, Any]:
        """Wait for the next event of this kind, wherever or in this zone, with these data → all its data, and its alias."""
        found: list[dict[str, Any]] = []

        def came() -> bool:
            events = [says["event"] for says in self._heard() if says["type"] == "event"]
            new = [event for event in events if event["sequence"] > self._told and zone in (None, event["zone"])]
            found[:] = [event for event in new if event["kind"] == kind and data.items() <= event["data"].items()]
            return bool(found)

        await until(came, SECONDS)
        self._told = found[0]["sequence"]
        return {**found[0]["data"], "alias": found[0]["alias"]}

    def _heard(self) -> list[dict[str, Any]]:
        return [line["says"] for line in self.lines if line["from"] == "engine"]

    async def _read(self) -> None:
        async for raw in self._socket:
            message = raw.json()
            self._note("engine", message)
            if message["type"] == "result":
                self._waiting.pop(message["id"]).set_result(message)
            elif message["type"] == "event":
                self.last = message["event"]["sequence"]

    def _note(self, who: str, says: dict[str, Any] | None) -> None:
        if not self.lines:
            self._began = time.monotonic()
        self.lines.append({"at": round(time.monotonic() - self._began, 3), "from": who, "says": says})


async def play(config: Config, people: dict[str, Person]) -> list[dict[str, Any]]:
    """One day's story at a whole engine → what was said.

    Somebody agrees and is recognised, others come with passes and are judged, one is confirmed; the hub is cut off while
    somebody comes; somebody withdraws; the sign goes off and on; the camera goes offline.
    """
    async with running(_noon(config)) as site:
        ask = site.admin.call
        await ask("assessment/acknowledge", by="Ada", ground="test")
        await ask("partner/add", partner="acme", name="Acme")
        filed = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        for contact in CONTACTS:
            await ask("referral/add", partner="acme", contact=contact, declared=filed)
        address = f"127.0.0.1:{site.port}"
        token = (await pair(address, (await ask("pair/create", role="hub"))["code"], "recorder")).token
        hub = Recorder(address, token)
        async with AsyncExitStack() as installed:
            await _camera(site, installed)
            async with hub.connected():
                await _open(site, hub)
                alias = await _recognised(site, hub, people["mei"])
                await _judged(site, hub)
            # The hub is away, and somebody comes meanwhile.
            await _comes(site, CONTACTS[1])
            async with hub.connected(since=hub.last):
                await _signs(site, hub, on=True)
                await hub.shown("zone", "desk", armed=True)
                await hub.told("verdict", "desk", attribution="channel")
                await hub.told("visit_ended", "desk")
                await hub.ask("consent/withdraw", alias=alias, by=USER)
                await hub.told("consent_withdrawn")
                await _signs(site, hub, on=False)
                await hub.shown("zone", "lane", armed=False)
                await installed.aclose()
                await hub.shown("camera", state="offline")
    return hub.lines


def _noon(config: Config) -> Config:
    """No day closes meanwhile, and a visit is soon over. A sign's report holds for as long as the story lasts."""
    zone = ZoneInfo(noon_zone(datetime.now(UTC).hour))
    rules = replace(config.rules, visit_gap=GAP, timezone=zone)
    return replace(config, visit_gap=GAP, sign_ttl=4 * SECONDS, rules=rules, timezone=zone)


async def _camera(site: EngineSite, installed: AsyncExitStack) -> None:
    """One that sees an empty room, for as long as it is installed."""
    clock = StoryClock()
    clock.begin()
    film = await asyncio.to_thread(recorded, "h264", SIZE, [scene()] * 10, 10)
    device = OnvifCamera("Entrance camera", [Stream(Feed(film, clock, loop=True))])
    address = (await installed.enter_async_context(device)).address
    await site.admin.call("camera/add", address=address, zone="entrance", name="Entrance camera")
    await until(lambda: site.service.snapshot()["cameras"][0]["state"] == "online", SECONDS)


async def _signs(site: EngineSite, hub: Recorder, *, on: bool) -> None:
    for zone in ("lane", "desk"):
        await hub.ask("zone/sign", zone=zone, on=on, notice_hash=site.service.config.notice_hash)


async def _open(site: EngineSite, hub: Recorder) -> None:
    """As a hub that has just started: the signs are off, and then on."""
    await hub.ask("case/list", needs_review=True)
    await _signs(site, hub, on=False)
    await _signs(site, hub, on=True)
    await hub.shown("zone", "lane", armed=True)


async def _recognised(site: EngineSite, hub: Recorder, person: Person) -> str:
    """Somebody agrees at the desk, and comes through the lane twice → the alias."""
    about = {"notice_hash": site.service.config.notice_hash, "purpose": "introductions", "language": "en"}
    agreed = await site.admin.call("consent/grant", zone="desk", photo=person.photo, expires_in_days=30, **about)
    await hub.told("consent_granted", "desk")
    lens = Lens(site, "lane")
    for _ in range(2):
        await hub.ask("zone/act", zone="lane")
        tracks = await lens.sees(person, at=time.time(), frames=4)
        await hub.told("verdict", "lane")
        await lens.loses(tracks)
        await hub.told("visit_ended", "lane")
        await asyncio.sleep(GAP)  # or the next visit may not count this one as an earlier one
    await hub.shown("zone", "lane", people_present=0, last_event="visit_ended")
    return str(agreed["alias"])


async def _judged(site: EngineSite, hub: Recorder) -> None:
    """Somebody comes on their own, somebody by a partner; that one is confirmed at the hub."""
    await _comes(site)
    await hub.told("verdict", "desk", attribution="natural")
    await _comes(site, CONTACTS[0])
    verdict = await hub.told("verdict", "desk", attribution="channel")
    await hub.ask("case/list", needs_review=True)
    await hub.ask("case/confirm", case=verdict["case"], seen=verdict["version"], by=USER)
    await hub.told("verdict", "desk", state="confirmed")
    await hub.told("visit_ended", "desk")


async def _comes(site: EngineSite, contact: str | None = None) -> None:
    """Somebody new shows a pass at the desk, and leaves a number if there is one."""
    code = (await site.admin.call("pass/issue"))["code"]
    if contact is None:
        await site.admin.call("pass/scan", zone="desk", code=code)
    else:
        await site.admin.call("visit/check_in", zone="desk", contact=contact, code=code)


def main() -> None:
    """Make the session anew."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bridge.yaml").write_text(SITE)
        config = replace(load_config(Path(folder) / "bridge.yaml"), port=0, models_dir=MODELS)
        lines = asyncio.run(play(config, demo_people()))
    SESSION.parent.mkdir(exist_ok=True)
    SESSION.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    sys.stdout.write(f"{len(lines)} messages in {lines[-1]['at']:.0f} s: {SESSION}\n")


if __name__ == "__main__":
    main()
