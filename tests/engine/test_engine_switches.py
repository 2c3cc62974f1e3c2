"""Recognition is switched off by hand: at once, by whom, and for as long as nobody switches it on again."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import Any

import pytest
from engine_site import Lens, Person, Site, until

from nvr_bridge.config import Config
from nvr_bridge.consent.capture import Capture
from nvr_bridge.consent.interlock import Reason
from nvr_bridge.errors import BridgeError, NotArmedError, NotFoundError, RetryError
from nvr_bridge.models import Camera, CameraKind
from nvr_bridge.store import prepare
from nvr_bridge.store.cameras import CameraTable
from nvr_bridge.store.files import DATABASE

pytestmark = pytest.mark.needs_models


@pytest.fixture
def config(config: Config) -> Config:
    """A sign's report holds for as long as any test lasts."""
    return replace(config, sign_ttl=60.0)


@pytest.fixture
async def site(start: Any) -> AsyncIterator[Site]:
    """An engine whose lane and desk are armed, and whose lane has two cameras that nobody answers for."""
    async with start() as site:
        await site.admin.call("assessment/acknowledge", by="Ada", ground="test")
        parts = site.service._parts
        table: CameraTable = parts.fleet._table
        for number, name in enumerate(("lane-camera", "side")):
            camera = Camera(name, name, CameraKind.ONVIF, "127.0.0.1:9", str(number), "lane")
            await table.add(camera, None)
            parts.fleet._launch(camera)
        for zone in ("lane", "desk"):
            await site.sign(zone)
        yield site


async def acts(site: Site) -> list[tuple[str, str | None, dict[str, Any]]]:
    """What the ledger holds of switches and of what they did."""
    wanted = {"recognition_on", "recognition_off", "armed", "disarmed"}
    entries = await site.service._parts.ledger.since(0)
    return [(entry.act, entry.zone_id, dict(entry.data)) for entry in entries if entry.act in wanted]


async def agree(site: Site, person: Person) -> None:
    """Somebody agrees at the desk, by a photo."""
    await site.admin.call(
        "consent/grant",
        zone="desk",
        notice_hash=site.service.config.notice_hash,
        purpose="introductions",
        language="en",
        expires_in_days=30,
        photo=person.photo,
    )


def told(site: Site, thing: str, name: str | None = None) -> list[bool]:
    """What the hub was told of a switch, the oldest first."""
    pushes = [push[thing] for push in site.pushes if thing in push]
    return [push["recognition"] for push in pushes if name in {None, push["id"]}]


async def test_the_site_is_switched_off_and_on_by_a_user_of_the_hub(site: Site) -> None:
    assert await site.hub.call("engine/recognition", on=False, by="u1") == {"recognition": False}
    assert (site.engine["recognition"], site.engine["armed"]) == (False, False)
    assert site.engine["watch"]["reasons"] == [Reason.DISARMED]
    assert site.zone("lane")["recognition"], "the zone's own switch is another one"
    await until(lambda: told(site, "engine")[-1:] == [False])
    assert not site.zone("lane")["armed"]
    with pytest.raises(BridgeError, match="disarmed"):
        await site.hub.call("zone/act", zone="lane")
    assert await site.hub.call("engine/recognition", on=True) == {"recognition": True}
    assert site.zone("lane")["armed"]
    hub = next(row["token_id"] for row in await site.admin.call("token/list") if row["role"] == "hub")
    assert [(act, data) for act, zone, data in await acts(site) if zone is None] == [
        ("recognition_off", {"token": hub, "user": "u1"}),
        ("recognition_on", {"token": hub, "user": None}),
    ]
    assert ("disarmed", "lane", {"reasons": "disarmed"}) in await acts(site)


async def test_a_zone_is_switched_by_itself_and_twice_is_once(site: Site) -> None:
    for _ in range(2):
        found = await site.admin.call("engine/recognition", on=False, zone="lane")
        assert found == {"zone": "lane", "recognition": False}
    assert (site.zone("lane")["reasons"][0], site.zone("desk")["armed"]) == ("disarmed", True)
    assert (site.zone("lane")["recognition"], site.zone("desk")["recognition"]) == (False, True)
    assert [zone for act, zone, _ in await acts(site) if act == "recognition_off"] == ["lane"]
    with pytest.raises(NotFoundError, match="'pool' does not exist; the site's zones are entrance, lane, desk"):
        await site.admin.call("engine/recognition", on=False, zone="pool")


async def test_switches_outlive_a_restart(start: Any) -> None:
    async with start() as site:
        await site.admin.call("engine/recognition", on=False, zone="lane")
        await site.admin.call("engine/recognition", on=False)
    async with start() as site:
        assert (site.engine["recognition"], site.zone("lane")["recognition"]) == (False, False)
        assert site.zone("desk")["reasons"][0] == "disarmed"
        await site.admin.call("engine/recognition", on=True)
    async with start() as site:
        assert (site.engine["recognition"], site.zone("lane")["recognition"]) == (True, False)


async def test_switching_off_ends_what_was_permitted_and_on_again_revives_nothing(
    site: Site, people: dict[str, Person]
) -> None:
    await agree(site, people["mei"])
    await site.hub.call("zone/act", zone="lane")
    before = site.engine["embeddings"]
    await site.admin.call("engine/recognition", on=False)
    lens, at = Lens(site, "lane"), time.time()
    await lens.sees(people["mei"], at=at, frames=2)
    await site.admin.call("engine/recognition", on=True)
    await lens.sees(people["mei"], at=at + 1, frames=2)
    assert site.engine["embeddings"] == before


async def test_whom_a_camera_sees_that_is_switched_off_is_counted_and_not_recognised(
    site: Site, people: dict[str, Person]
) -> None:
    await agree(site, people["mei"])
    before = site.engine["embeddings"]
    answer = await site.hub.call("camera/recognition", camera="lane-camera", on=False, by="u1")
    assert answer == {"camera": "lane-camera", "recognition": False}
    await until(lambda: told(site, "camera", "lane-camera")[-1:] == [False])
    assert {camera["id"]: camera["recognition"] for camera in site.service.snapshot()["cameras"]} == {
        "lane-camera": False,
        "side": True,
    }
    assert site.zone("lane")["armed"]
    await site.hub.call("zone/act", zone="lane")
    lens, at = Lens(site, "lane"), time.time()
    tracks = await lens.sees(people["mei"], at=at, frames=3)
    await lens.loses(tracks)
    (sighting,) = await site.admin.call("sighting/list", zone="lane")
    assert (sighting["reason"], site.engine["embeddings"]) == ("not_armed", before)
    assert site.zone("lane")["people_today"] == 1
    await site.hub.call("camera/recognition", camera="lane-camera", on=True)
    await lens.sees(people["mei"], at=at + 2, frames=3)
    assert site.engine["embeddings"] > before, "and the act that nobody could use is still good"
    hub = next(row["token_id"] for row in await site.admin.call("token/list") if row["role"] == "hub")
    assert [(act, zone, data) for act, zone, data in await acts(site) if "camera" in data] == [
        ("recognition_off", "lane", {"camera": "lane-camera", "token": hub, "user": "u1"}),
        ("recognition_on", "lane", {"camera": "lane-camera", "token": hub, "user": None}),
    ]


async def test_nobody_is_followed_any_further_by_a_camera_that_was_switched_off(
    site: Site, people: dict[str, Person]
) -> None:
    await agree(site, people["mei"])
    await site.hub.call("zone/act", zone="lane")
    lens, at = Lens(site, "lane"), time.time()
    (track,) = await lens.sees(people["mei"], at=at, frames=2)
    (visit,) = await site.admin.call("visit/list")
    await site.admin.call("camera/recognition", camera="lane-camera", on=False)
    lens._ids = 0  # the same face goes on
    await lens.sees(people["mei"], at=at + 5, frames=2)
    (later,) = await site.admin.call("visit/list")
    assert later["last_at"] == visit["last_at"]
    assert track.track_id == 1


async def test_a_camera_that_is_removed_meanwhile_is_not_switched(site: Site) -> None:
    with pytest.raises(NotFoundError, match="camera: 'pool' does not exist; the cameras are lane-camera, side"):
        await site.admin.call("camera/recognition", camera="pool", on=False)
    parts = site.service._parts
    async with parts.database.write():  # whoever asks now waits, one after the other
        removing = asyncio.create_task(parts.fleet.remove("side"))
        await asyncio.sleep(0)
        switching = asyncio.create_task(
            site.service.arming.camera_recognition({"camera": "side", "on": False}, "token")
        )
        await until(lambda: not parts.gate.watches("side"))
    await removing
    with pytest.raises(NotFoundError, match="camera: 'side' does not exist"):
        await switching
    assert parts.gate.watches("side")
    assert (await site.service.arming._kept.settings.get("switches")) is None
    assert [act for act, _, _ in await acts(site) if act.startswith("recognition_")] == []


async def test_what_was_looked_at_by_a_camera_is_dropped_when_it_is_switched_off(
    site: Site, people: dict[str, Person]
) -> None:
    parts = site.service._parts
    captures = parts.enrolment._captures
    _, shot = await parts.sight.on_models(people["mei"].look)
    (track,) = await Lens(site, "lane").sees(people["mei"], at=time.time())
    for zone, seen in (("lane", track), ("desk", None)):
        captures.hold(Capture(zone, zone, (shot,), seen))
    await site.admin.call("camera/recognition", camera="lane-camera", on=False)
    with pytest.raises(NotFoundError, match="capture: is gone"):
        captures.take("lane", "lane")
    assert captures.take("desk", "desk").track is None
    with pytest.raises(NotArmedError, match="camera lane-camera was switched off"):
        parts.gate.check_consent("desk", "lane-camera")


async def test_where_nothing_can_be_written_off_is_off_and_on_is_not_on(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "BUSY_SECONDS", 0.05)
    async with start() as site:
        await site.admin.call("engine/recognition", on=False, zone="desk")
        async with held(site.service.config):
            for switch in ({"on": False, "zone": "lane"}, {"on": True, "zone": "desk"}):
                with pytest.raises(RetryError, match="cannot be written now"):
                    await site.admin.call("engine/recognition", **switch)
            assert (site.zone("lane")["recognition"], site.zone("desk")["recognition"]) == (False, False)
        await site.admin.call("engine/recognition", on=False, zone="lane")  # it is off already, and not yet written
        assert [zone for act, zone, _ in await acts(site) if act == "recognition_off"] == ["desk", "lane"]
    async with start() as site:
        assert (site.zone("lane")["recognition"], site.zone("desk")["recognition"]) == (False, False)


@asynccontextmanager
async def held(config: Config) -> AsyncIterator[None]:
    """Somebody else is writing to the store, and does not end."""
    path = config.data_dir / DATABASE
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        yield
