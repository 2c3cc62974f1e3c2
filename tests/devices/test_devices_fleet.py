"""Each channel is pulled by one loop, however often and however hastily it is added."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.camera import OnvifCamera, Stream
from nvr_bridge.camera import CameraLoop, View
from nvr_bridge.consent.ledger import Ledger
from nvr_bridge.consent.vault import Vault
from nvr_bridge.errors import NotFoundError, RetryError
from nvr_bridge.events import Bus, Push, State
from nvr_bridge.fleet import Fleet
from nvr_bridge.models import (
    Box,
    Camera,
    CameraKind,
    CameraState,
    Face,
    FaceShot,
    StreamFacts,
    Track,
    Zone,
    ZoneKind,
)
from nvr_bridge.sight import Sight
from nvr_bridge.store.cameras import CameraTable
from nvr_bridge.store.database import Database
from nvr_bridge.vision.qr_codes import CodeReader
from nvr_bridge.worker import Worker

if TYPE_CHECKING:
    from nvr_bridge.models import Image


class NoFaces:
    """Models that find nobody."""

    embedder = None

    @property
    def detector(self) -> NoFaces:
        return self

    @property
    def cutter(self) -> NoFaces:
        return self

    def detect(self, image: Image) -> list[Face]:
        return []

    def cut(self, image: Image, face: Face, at: float) -> FaceShot | None:
        return None


class TwoFaces(NoFaces):
    """Models that find the same two faces in each of the first four pictures."""

    def __init__(self) -> None:
        self._pictures = 0

    def detect(self, image: Image) -> list[Face]:
        self._pictures += 1
        boxes = (Box(50, 50, 110, 120), Box(400, 50, 460, 120)) if self._pictures <= 4 else ()
        return [Face(box, 1.0) for box in boxes]


class FullDisk:
    """Who is told of what is seen, and can store nothing."""

    def __init__(self) -> None:
        self.ended_tracks: list[int] = []
        self.enough = asyncio.Event()

    async def viewed(self, camera: Camera, view: View) -> None:
        return

    async def ended(self, track: Track) -> None:
        self.ended_tracks.append(track.track_id)
        if len(self.ended_tracks) >= 2:
            self.enough.set()
        raise RetryError("store: cannot be written now")


class SlowToLeave:
    """Who is told of what is seen, and takes their time when a camera goes."""

    async def viewed(self, camera: Camera, view: View) -> None:
        if not view.live:
            await asyncio.sleep(0.5)

    async def ended(self, track: Track) -> None:
        raise AssertionError("nobody was seen")


def loops() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("camera ")]


async def test_where_nothing_can_be_stored_every_track_ends_once(stream: Callable[..., Stream]) -> None:
    worker, disk = Worker("vision"), FullDisk()
    async with OnvifCamera("Lane", [stream("sub")]) as device:
        url = f"rtsp://127.0.0.1:{device.rtsp.port}/profile1"

        async def open_stream(_camera: Camera, _credentials: object) -> tuple[str, StreamFacts]:
            return url, StreamFacts("profile1", "h264", 640, 360, 10.0)

        async def credentials(_camera: Camera) -> None:
            return None

        loop = CameraLoop(
            Camera("lane", "Lane", CameraKind.ONVIF, device.address, "1", "lane"),
            open_stream,
            credentials,
            lambda _: None,
            sight=Sight(TwoFaces(), worker, 40.0),
            viewer=disk,
            codes=CodeReader(),
            armed=lambda _zone, _camera: False,
            analysis_fps=5.0,
        )
        task = asyncio.create_task(loop.run())
        async with asyncio.timeout(15):
            await disk.enough.wait()
            while loop.health.state is not CameraState.OFFLINE:  # noqa: ASYNC110 - it tells nobody here
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait({task})
    await worker.close()
    assert sorted(disk.ended_tracks) == [1, 2]
    assert loop.health.reason == "store: cannot be written now"


async def test_a_camera_that_is_added_again_and_again_has_one_loop(
    tmp_path: Path, stream: Callable[..., Stream]
) -> None:
    database = await Database.open(tmp_path)
    vault = await Vault.open(tmp_path / "keys", fresh=True)
    table = CameraTable(database, vault, Ledger(database, vault))
    worker = Worker("vision")
    make_loop = partial(
        CameraLoop,
        sight=Sight(NoFaces(), worker, 40.0),
        codes=CodeReader(),
        viewer=SlowToLeave(),
        armed=lambda _zone, _camera: False,
        analysis_fps=5.0,
    )
    bus, online = Bus(), asyncio.Event()

    def told(push: Push) -> None:
        if isinstance(push, State) and push.kind == "camera" and push.data["state"] == "online":
            online.set()

    bus.attach(told)
    fleet = Fleet(table, {"lane": Zone("lane", "Lane", ZoneKind.OBSERVE)}, (), bus, make_loop, lambda _: True)
    async with OnvifCamera("Lane", [stream("sub")], clock_skew=-3600.0) as device, asyncio.TaskGroup() as group:
        await fleet.start(group)
        args = {"address": device.address, "zone": "lane"}
        [added] = await fleet.add(args)
        assert added["clock_offset"] == pytest.approx(-3600, abs=1.5)
        async with asyncio.timeout(10):
            await online.wait()
            while not fleet.status()[0]["analysed_per_second"]:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.02)
        assert fleet.status()[0]["clock_offset"] == pytest.approx(-3600, abs=1.5)
        await asyncio.gather(*[fleet.add(args) for _ in range(4)])
        assert len(loops()) == len(fleet.status()) == 1
        removals = await asyncio.gather(fleet.remove(added["id"]), fleet.remove(added["id"]), return_exceptions=True)
        assert [type(each) for each in removals] == [type(None), NotFoundError]
        assert loops() == []
        await fleet.stop()
    await worker.close()
    await database.close()


async def test_what_a_camera_was_told_to_be_is_not_told_again(tmp_path: Path) -> None:
    database = await Database.open(tmp_path)
    vault = await Vault.open(tmp_path / "keys", fresh=True)
    table = CameraTable(database, vault, Ledger(database, vault))
    await table.add(Camera("lane", "Lane", CameraKind.ONVIF, "127.0.0.1:9", "1", "lane"), None)
    worker, bus, told = Worker("vision"), Bus(), list[State]()
    make_loop = partial(
        CameraLoop,
        sight=Sight(NoFaces(), worker, 40.0),
        codes=CodeReader(),
        viewer=SlowToLeave(),
        armed=lambda _zone, _camera: False,
        analysis_fps=5.0,
    )
    bus.attach(lambda push: told.append(push) if isinstance(push, State) else None)
    switched_off: set[str] = set()
    zones = {"lane": Zone("lane", "Lane", ZoneKind.OBSERVE)}
    fleet = Fleet(table, zones, (), bus, make_loop, lambda camera_id: camera_id not in switched_off)
    async with asyncio.TaskGroup() as group:
        await fleet.start(group)
        async with asyncio.timeout(10):
            while fleet.status()[0]["state"] != CameraState.OFFLINE:  # noqa: ASYNC110 - nobody is asked to wait
                await asyncio.sleep(0.02)
        for _ in range(3):
            fleet.push()
        assert [push.data["state"] for push in told] == [CameraState.CONNECTING, CameraState.OFFLINE]
        switched_off.add("lane")
        fleet.push()
        assert [push.data["recognition"] for push in told] == [True, True, False]
        await fleet.stop()
    await worker.close()
    await database.close()
