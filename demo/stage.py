"""The whole demo site, running: simulated cameras, the engine, the hub, and all that a person sets up once between them."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import hub_setup
from demo.cameras import PASSWORD, USER, Place, Recordings, SiteCameras
from demo.engine import EngineServer
from demo.feed import Recording, StoryClock
from demo.hub import Helper, HubServer, act_of, sign_of
from demo.hub_client import HubClient
from demo.hub_setup import Entities
from demo.people import fetch_photos
from demo.process import ROOT, DemoError, say
from demo.timeline import Site
from demo.video import render
from nvr_bridge.models import ZoneKind

CACHE = ROOT / ".cache" / "demo"
HUB = ROOT / ".venv-hub"
VISIT_GAP = 10.0  # seconds
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Discovered:
    """What discovery found of the site, and what was made of it."""

    devices: int
    channels: int
    camera_ids: dict[str, str]  # the site's camera → the engine's id


@dataclass
class Stage:
    """What is running, and what it is called."""

    site: Site
    clock: StoryClock
    cameras: SiteCameras
    engine: EngineServer
    server: HubServer
    hub: HubClient
    discovered: Discovered
    entry_id: str  # of the integration, in the hub
    entities: Entities
    page: str  # the dashboard's path
    links: dict[str, str]  # each partner's own

    async def online(self) -> None:
        """Wait until the hub says that every camera is online and every zone with a sign armed. Raises `DemoError`."""
        wanted = [self.entities.camera(camera_id, "online") for camera_id in self.discovered.camera_ids.values()]
        wanted += [self.entities.zone(zone, "recognition_armed") for zone in helpers_of(self.site)]

        def check(states: dict[str, dict[str, Any]]) -> bool:
            return all(states.get(entity, {}).get("state") == "on" for entity in wanted)

        await self.hub.wait_for("every camera online and every zone armed", check, READY_SECONDS)


def prepare(site: Site, video: Path) -> dict[str, Recordings]:
    """Photos and videos, made if they are missing, and loaded. Blocks; a second process waits for the first."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fetch_photos(site.photos, CACHE / "photos", say=say)
        clips = render(site, CACHE / "photos", video, say)
    return {key: Recordings(Recording.load(clip.main), Recording.load(clip.sub)) for key, clip in clips.items()}


def helpers_of(site: Site) -> dict[str, list[Helper]]:
    """The hub's own toggles and buttons, by zone: a sign where people may be recognised, a button where they act."""
    helpers: dict[str, list[Helper]] = {}
    for zone in site.zones.values():
        if zone.kind is not ZoneKind.OBSERVE:
            helpers[zone.zone_id] = [sign_of(zone.zone_id, zone.name)]
        if zone.kind is ZoneKind.OPT_IN_LANE:
            helpers[zone.zone_id].append(act_of(zone.zone_id, zone.name))
    return helpers


@asynccontextmanager
async def running(
    site: Site,
    recordings: Mapping[str, Recordings],
    folder: Path,
    hub_environment: Path = HUB,
    visit_gap: float = VISIT_GAP,
) -> AsyncIterator[Stage]:
    """Start everything in `folder`, on free ports of 127.0.0.1; stop all of it at the end, whatever happens.

    Raises `DemoError` when something does not come up.
    """
    clock = StoryClock()
    async with AsyncExitStack() as stack:
        cameras = await stack.enter_async_context(SiteCameras(site, recordings, clock))
        engine, server = EngineServer(folder / "engine"), HubServer(folder / "hub", hub_environment / "bin" / "python")
        hub = HubClient(server.address)
        stack.push_async_callback(hub.close)
        stack.push_async_callback(engine.process.stop)
        stack.push_async_callback(server.process.stop)
        async with asyncio.TaskGroup() as group:
            group.create_task(_start_hub(site, server, hub))
            adding = group.create_task(_start_engine(site, cameras, engine, visit_gap))
        discovered = adding.result()
        entry_id, known = await _join(site, engine, hub)
        zones = {key: zone.name for key, zone in site.zones.items()}
        names = {discovered.camera_ids[key]: camera.name for key, camera in site.cameras.items()}
        page = await hub_setup.lay_out(hub, known, zones, names, helpers_of(site))
        links = await _admit_partners(site, engine)
        stage = Stage(
            site, clock, cameras, engine, server, hub, discovered, entry_id, known, server.address + page, links
        )
        await stage.online()
        engine.process.supervise()
        server.process.supervise()
        yield stage


async def _start_hub(site: Site, server: HubServer, hub: HubClient) -> None:
    await server.write(helper for helpers in helpers_of(site).values() for helper in helpers)
    say(f"Starting Home Assistant {server.version} …")
    await server.start()
    await hub.sign_in()
    await server.process.ready(hub.running, READY_SECONDS)
    for helpers in helpers_of(site).values():
        await hub.act("input_boolean/turn_on", helpers[0].entity_id)
    say(f"Home Assistant {server.version} runs at {server.address}")


async def _start_engine(site: Site, cameras: SiteCameras, engine: EngineServer, visit_gap: float) -> Discovered:
    zones = {key: {"name": zone.name, "kind": zone.kind.value} for key, zone in site.zones.items()}
    engine.write(site.name, zones, visit_gap, site.attribution)
    say("Starting the engine …")
    await engine.start()
    say("Searching for cameras: no address is told to anybody …")
    answers = await engine.cli("discover", "--json")
    say(f"Found {', '.join(f'{each["name"]} at {each["address"]}' for each in answers) or 'nothing'}")
    # Another demo's devices on this machine answer too: they are none of this one's business, and get no login.
    own = {place.address for place in cameras.places()}
    found = [each["address"] for each in answers if each["address"] in own]
    where = [word for address in found for word in ("--address", address)]
    devices = await engine.cli("discover", *where, "--username", USER, "--json", password=PASSWORD)
    channels = sum(len(device["channels"]) for device in devices)
    say(f"The site's {len(found)} devices have {channels} channels")
    await engine.cli("assessment", "acknowledge", "--by", "The demo", "--ground", "people made of photos, no visitors")
    return Discovered(len(found), channels, await _add_cameras(cameras, engine, found))


async def _add_cameras(cameras: SiteCameras, engine: EngineServer, found: Collection[str]) -> dict[str, str]:
    """Several devices at a time, but one channel of each, as recorders want it → the engine's ids by site camera."""
    places = cameras.places()
    for place in places:
        if place.address not in found:
            raise DemoError(f"discovery did not find {place.camera.name}; it found {', '.join(found) or 'nothing'}")
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_add_channels([place for place in places if place.address == address], engine))
            for address in found
        ]
    added = {camera: camera_id for task in tasks for camera, camera_id in task.result().items()}
    return {place.camera.camera: added[place.camera.camera] for place in places}


async def _add_channels(places: list[Place], engine: EngineServer) -> dict[str, str]:
    added = {}
    for place in places:
        camera = place.camera
        channel = ("--channel", place.channel) if place.channel else ()
        options = ("--zone", camera.zone, "--name", camera.name, "--username", USER, *channel)
        answer = await engine.cli("cameras", "add", place.address, *options, "--json", password=PASSWORD)
        added[camera.camera] = str(answer[0]["id"])
    return added


async def _admit_partners(site: Site, engine: EngineServer) -> dict[str, str]:
    """Register the partners → the link with which each files its referrals."""
    links = {}
    for partner, name in site.partners.items():
        await engine.cli("partners", "add", partner, "--name", name)
        links[partner] = str((await engine.cli("partners", "link", partner, "--json"))["url"])
    return links


async def _join(site: Site, engine: EngineServer, hub: HubClient) -> tuple[str, Entities]:
    """Add the engine to the hub, as a person does: a code, then the signs and buttons of each zone."""
    code = (await engine.cli("pair", "--json"))["code"]
    entry_id = await hub_setup.add_engine(hub, engine.port, code)
    for zone_id, helpers in helpers_of(site).items():
        await hub_setup.bind(hub, entry_id, zone_id, helpers[0], helpers[1] if len(helpers) > 1 else None)
    async with engine.client() as client:
        known = await hub_setup.entities(hub, client.hello["engine_id"])
    say(f"The hub has {len(known.all())} entities of the engine")
    return entry_id, known
