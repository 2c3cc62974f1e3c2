"""A whole engine in this process: real store, real models, real server; the test stands in for hub and cameras only."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import pytest
from new_store import new_store

from demo.people import fetch_photos
from demo.timeline import load as load_site
from nvr_bridge.camera import View
from nvr_bridge.client import Client, pair
from nvr_bridge.config import Config, load_config
from nvr_bridge.consent.permit import OfflineGate
from nvr_bridge.engine import serving
from nvr_bridge.errors import BridgeError
from nvr_bridge.models import Camera, CameraKind, Face, FaceShot, Track
from nvr_bridge.service import Service
from nvr_bridge.sight import Cutter, Detector

PHOTOS = Path(__file__).parents[1] / ".cache" / "demo" / "photos"
SITE = """
name: Riverside sales office
profile: demo
visit_gap: 10s
sign_ttl: 10s
zones:
  entrance: {name: Entrance, kind: observe}
  lane: {name: Lane, kind: opt_in_lane}
  desk: {name: Desk, kind: consent_point}
"""


@pytest.fixture
def config(tmp_path: Path, models_dir: Path) -> Config:
    """A site's settings, on any free port."""
    (tmp_path / "bridge.yaml").write_text(SITE)
    return replace(load_config(tmp_path / "bridge.yaml"), port=0, models_dir=models_dir)


@dataclass
class Site:
    """An engine, its administrator and its hub."""

    service: Service
    admin: Client
    hub: Client
    port: int
    pushes: list[dict[str, Any]]

    async def sign(self, zone: str, *, on: bool = True) -> None:
        """The hub's report, with the notice in force."""
        await self.hub.call("zone/sign", zone=zone, on=on, notice_hash=self.service.config.notice_hash)

    def zone(self, zone: str) -> dict[str, Any]:
        """The zone's state."""
        return next(dict(each) for each in self.service.snapshot()["zones"] if each["id"] == zone)

    @property
    def engine(self) -> dict[str, Any]:
        """The engine's state."""
        return dict(self.service.status())


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Site]:
    """Start everything, with a hub that subscribed."""
    await new_store(config.data_dir)
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(serving(config))
        address = f"127.0.0.1:{engine.port}"
        token = (config.data_dir / "admin.token").read_text().strip()
        admin = await stack.enter_async_context(Client.connect(address, token=token))
        code = (await admin.call("pair/create", role="hub"))["code"]
        paired = await pair(address, code, "hub")
        hub = await stack.enter_async_context(Client.connect(address, token=paired.token))
        await hub.call("subscribe")
        site = Site(engine.service, admin, hub, engine.port, [])

        async def listen() -> None:
            async for push in hub.pushes():
                site.pushes.append(push)

        task = asyncio.create_task(listen())
        try:
            yield site
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest.fixture
async def start(config: Config, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Starts an engine over the same store each time."""
    # An engine in this process is live work, which would close the offline gate for the tests that measure.
    monkeypatch.setattr(OfflineGate, "_online", False)
    return lambda other=config: running(other)


@pytest.fixture
async def site(start: Callable[[], Any]) -> AsyncIterator[Site]:
    """An engine whose assessment is acknowledged; its signs are not yet reported."""
    async with start() as site:
        await site.admin.call("assessment/acknowledge", by="Ada", ground="test")
        yield site


class Person:
    """Somebody in a photo, as cameras and desks get to see them."""

    def __init__(self, picture: Any) -> None:
        self.picture = picture

    @property
    def photo(self) -> str:
        """What `consent/grant` takes."""
        return base64.b64encode(cv2.imencode(".png", self.picture)[1].tobytes()).decode()

    def look(self, detector: Detector, cutter: Cutter) -> tuple[Face, FaceShot]:
        """The face, found and cut as a camera's frame is."""
        [face] = detector.detect(self.picture)
        shot = cutter.cut(self.picture, face, 0.0)
        assert shot is not None
        return face, shot


class Lens:
    """Shows people to the engine as one camera of a zone would."""

    def __init__(self, site: Site, zone: str) -> None:
        self.site = site
        self.camera = Camera(f"{zone}-camera", zone, CameraKind.ONVIF, "192.0.2.1:80", "1", zone)
        self._ids = 0

    async def sees(self, *people: Person, at: float, frames: int = 1) -> list[Track]:
        """They come into view together, stay for `frames` frames, 0.2 s apart, and are in view still."""
        parts = self.site.service._parts
        tracks = []
        for person in people:
            face, shot = await parts.sight.on_models(person.look)
            self._ids += 1
            track = Track(self.camera.camera_id, self.camera.zone_id, self._ids, at, at, 5, face.box)
            tracks.append(replace(track, best=replace(shot, taken_at=at, width=max(shot.width, 60.0))))
        for frame in range(frames):
            now = at + frame * 0.2
            tracks = [replace(track, last_at=now) for track in tracks]
            shots = {track.track_id: replace(track.best, taken_at=now) for track in tracks if track.best}
            await parts.presence.viewed(self.camera, View(now, tuple(tracks), shots))
        return tracks

    async def loses(self, tracks: list[Track]) -> None:
        """They leave."""
        parts = self.site.service._parts
        await parts.presence.viewed(self.camera, View(tracks[0].last_at + 1.0))
        for track in tracks:
            await parts.presence.ended(track)


@pytest.fixture(scope="session")
def people() -> dict[str, Person]:
    """The demo's people, cut from its photos."""
    try:
        return demo_people()
    except BridgeError as err:
        pytest.skip(f"needs the demo's photos: {err}")


def demo_people() -> dict[str, Person]:
    """The same. Raises a `BridgeError` where the photos cannot be had."""
    site = load_site()
    fetch_photos(site.photos, PHOTOS, say=print)
    found = {}
    for name, looks in site.people.items():
        x1, y1, x2, y2 = looks[0].face
        photo = cv2.imread(str(PHOTOS / looks[0].photo))
        margin = (x2 - x1) // 2
        found[name] = Person(photo[max(0, y1 - margin) : y2 + margin, max(0, x1 - margin) : x2 + margin])
    return found


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 10.0) -> None:
    """Wait for what happens by itself."""
    async with asyncio.timeout(seconds):
        while True:
            met = condition()
            if (await met) if not isinstance(met, bool) else met:
                return
            await asyncio.sleep(0.02)


def spoken(pushes: list[dict[str, Any]]) -> str:
    """Everything that a client was told, as it went over the wire."""
    return json.dumps(pushes)
