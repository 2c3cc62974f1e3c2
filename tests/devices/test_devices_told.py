"""What clients are told of a camera: which device it is, what is wrong in a word, and what waits for a person."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from test_devices_fleet import NoFaces, SlowToLeave

from demo.camera import HikvisionNvr, OnvifCamera, Stream
from nvr_bridge.camera import CameraLoop
from nvr_bridge.devices.credentials import Credentials
from nvr_bridge.events import Bus
from nvr_bridge.fleet import Fleet
from nvr_bridge.messages import CameraStatus
from nvr_bridge.models import Camera, CameraKind, Zone, ZoneKind
from nvr_bridge.sight import Sight
from nvr_bridge.store.cameras import CameraTable
from nvr_bridge.vision.qr_codes import CodeReader
from nvr_bridge.worker import Worker


@asynccontextmanager
async def watching(table: CameraTable, *cameras: Camera) -> AsyncIterator[Fleet]:
    """A fleet that pulls these."""
    for camera in cameras:
        await table.add(camera)
    worker = Worker("vision")
    sees = {"sight": Sight(NoFaces(), worker, 40.0), "codes": CodeReader(), "viewer": SlowToLeave()}
    make_loop = partial(CameraLoop, **sees, armed=lambda _zone, _camera: False, analysis_fps=5.0)
    fleet = Fleet(table, {"lane": Zone("lane", "Lane", ZoneKind.OBSERVE)}, (), Bus(), make_loop, lambda _: True)
    async with asyncio.TaskGroup() as group:
        await fleet.start(group)
        yield fleet
        await fleet.stop()
    await worker.close()


async def told(fleet: Fleet, **wanted: object) -> CameraStatus:
    """The only camera, as soon as this is told of it."""
    async with asyncio.timeout(15):
        while not wanted.items() <= dict(fleet.status()[0]).items():  # noqa: ASYNC110 - it tells nobody here
            await asyncio.sleep(0.02)
    return fleet.status()[0]


async def test_which_device_it_is_and_why_it_is_away(table: CameraTable, stream: Callable[..., Stream]) -> None:
    async with watching(table) as fleet:
        async with OnvifCamera("Lane", [stream("sub")]) as device:
            [added] = await fleet.add({"address": device.address, "zone": "lane"})
            assert (added["manufacturer"], added["model"]) == ("Demo Optics", "DO-220")
            online = await told(fleet, state="online")
            assert (online["reason_code"], online["problems"]) == (None, [])
        away = await told(fleet, state="offline", reason_code="unreachable")
        assert away["reason"]
        assert away["problems"] == []  # it comes back by itself
        assert (away["manufacturer"], away["model"]) == ("Demo Optics", "DO-220")


async def test_a_login_that_a_person_must_give(table: CameraTable, nvr: HikvisionNvr) -> None:
    desk = Camera("desk", "Desk", CameraKind.HIKVISION, nvr.address, "1", "lane")
    async with watching(table, desk) as fleet:
        waits = await told(fleet, state="needs_credentials")
        assert waits["reason_code"] == "credentials"
        assert waits["problems"] == [{"key": "needs_credentials", "names": {}}]
        assert (waits["manufacturer"], waits["model"]) == (None, None)  # it would not say


async def test_a_channel_that_does_not_exist_any_more(table: CameraTable, stream: Callable[..., Stream]) -> None:
    async with OnvifCamera("Lane", [stream("sub")]) as device:
        gone = Camera("gone", "Gone", CameraKind.ONVIF, device.address, "another", "lane")
        async with watching(table, gone) as fleet:
            away = await told(fleet, state="offline", reason_code="invalid")
            assert away["manufacturer"] == "Demo Optics"


async def test_which_channels_are_cameras_already(table: CameraTable, nvr: HikvisionNvr, right: Credentials) -> None:
    login = {"address": nvr.address, "username": right.username, "password": right.password}
    async with watching(table) as fleet:
        [added] = await fleet.add({**login, "zone": "lane", "channel": "1"})
        [device] = await fleet.discover({"address": nvr.address})
        assert {it["channel"]: it["camera"] for it in device["channels"]} == {"1": added["id"], "2": None}
        [device] = await fleet.discover({"address": nvr.address, "channel": "1"})
        assert [(it["channel"], it["camera"]) for it in device["channels"]] == [("1", added["id"])]
