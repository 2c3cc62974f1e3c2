"""All cameras: adds and removes them, and owns the task of each one's loop."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from . import problems
from .camera import CameraLoop, CredentialsOf, Opener, View
from .devices.address import normal
from .devices.credentials import Credentials, LoginBook
from .devices.device import Channel, Device, StreamRef
from .devices.discovery import discover
from .devices.probe import identify
from .devices.streams import choose, measured, with_credentials
from .devices.turns import Turns
from .errors import BridgeError, InvalidError, NotFoundError
from .events import Bus, State
from .messages import CameraStatus
from .models import Camera, CameraState, StreamFacts, Zone
from .store.cameras import CameraTable
from .video.source import measure

JITTER = 0.3  # seconds by which devices are asked apart: recorders answer slowly and one at a time


type LoopMaker = Callable[[Camera, Opener, CredentialsOf, Callable[[Camera], None]], CameraLoop]


class Fleet:
    """The engine's cameras. Its tasks live in the task group that `start` is given."""

    def __init__(
        self,
        table: CameraTable,
        zones: dict[str, Zone],
        interfaces: tuple[str, ...],
        bus: Bus,
        make_loop: LoopMaker,
        recognises: Callable[[str], bool],
    ) -> None:
        """`make_loop` builds a camera's loop from the camera, an opener, its credentials, and whom to tell of its health.

        `recognises` says of a camera whether recognition by it is not switched off.
        """
        self._bus = bus
        self._table = table
        self._zones = zones
        self._interfaces = interfaces
        self._make_loop = make_loop
        self._recognises = recognises
        self._book = LoginBook(table)
        self._loops: dict[str, tuple[CameraLoop, asyncio.Task[None]]] = {}
        self._turns = Turns()  # one question to a device at a time
        self._told: dict[str, CameraStatus] = {}
        self._group: asyncio.TaskGroup | None = None
        self._former_tracks = 0  # of cameras since removed
        self._changing = asyncio.Lock()  # or two loops would pull one channel, one of them nobody's

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Start every camera of the store."""
        self._group = group
        for camera in await self._table.all():
            self._launch(camera)

    async def stop(self) -> None:
        """Stop every camera."""
        async with self._changing:
            await asyncio.gather(*[self._stop(camera_id) for camera_id in list(self._loops)])

    @property
    def tracks(self) -> int:
        """Tracks that ended since the engine started."""
        return self._former_tracks + sum(loop.tracks_seen for loop, _ in self._loops.values())

    def views(self, zone_id: str) -> list[View]:
        """The latest view of every camera in the zone that is online, and not switched off."""
        return [
            loop.view
            for camera_id, (loop, _) in self._loops.items()
            if loop.camera.zone_id == zone_id
            and loop.health.state is CameraState.ONLINE
            and self._recognises(camera_id)
        ]

    def camera(self, camera_id: str) -> Camera:
        """A camera. Raises `NotFoundError`."""
        return self._loop(camera_id).camera

    async def zone(self, session: AsyncSession, camera_id: str) -> str:
        """The zone that a camera watches, as the caller's transaction sees it. Raises `NotFoundError`."""
        return await self._table.zone(session, camera_id)

    def status(self) -> list[CameraStatus]:
        """Every camera, in the order in which they were added."""
        return [self._status(loop) for loop, _ in self._loops.values()]

    async def add(self, args: dict[str, Any], by: str | None = None) -> list[CameraStatus]:
        """Add the channel that `camera/add` names, after asking the device about it; or give a known one new settings.

        `by` is the token that it came with.
        """
        if args["zone"] not in self._zones:
            raise InvalidError(f"zone: {args['zone']!r} does not exist; the site's zones are {', '.join(self._zones)}")
        address = normal(args["address"])
        credentials = await self._candidate(address, args)
        device = await self._ask(address, credentials)
        channel = _channel(device, args.get("channel"))
        _, facts = await self._choose(device, channel, credentials)
        camera = Camera(
            camera_id=_camera_id(device, channel),
            name=args.get("name") or channel.name or device.name,
            kind=device.kind,
            address=device.address,
            channel=channel.channel,
            zone_id=args["zone"],
        )
        async with self._changing:
            await self._table.add(camera, credentials, by)
            await self._stop(camera.camera_id)
            self._launch(camera, device)
        for loop, _ in self._loops.values():
            if loop.camera.address == camera.address:
                loop.credentials_changed()
        return [{**self._status(self._loop(camera.camera_id)), "stream": _stream(facts)}]

    async def remove(self, camera_id: str, by: str | None = None) -> None:
        """Stop a camera and forget it, with its credentials if no other channel needs them."""
        async with self._changing:
            self._loop(camera_id)
            await self._table.remove(camera_id, by)
            await self._stop(camera_id)
        self._told.pop(camera_id, None)
        self._bus.publish(State("removed_camera", camera_id))

    async def discover(self, args: dict[str, Any]) -> list[dict[str, Any]]:
        """What answers on the site's interfaces (or the one named), with the channels of devices whose login is known.

        With an address that device alone, with the login that is given or known; of a channel that is named also what
        its streams deliver. Nothing of a login is kept but that it was refused.
        """
        if "address" in args:
            return [await self._survey(normal(args["address"]), args)]
        interfaces = (args["interface"],) if "interface" in args else self._interfaces
        if not interfaces:
            raise InvalidError(
                "interface: none is given; name one, or list some under discovery.interfaces in bridge.yaml"
            )
        answers = []
        for found in await discover(interfaces):
            known = await self._table.credentials(found.address)
            answer: dict[str, Any] = {
                "address": found.address,
                "name": found.name,
                "model": found.hardware,
                "channels": None,
            }
            if known is not None:
                try:
                    answer = self._about(await self._ask(found.address, known))
                except BridgeError as err:
                    answer["reason"] = str(err)
            answers.append(answer)
        return answers

    def tell(self, camera_id: str) -> None:
        """Tell one camera's state, if there is such a camera and its state is another than was told."""
        held = self._loops.get(camera_id)
        if held is not None and (status := self._status(held[0])) != self._told.get(camera_id):
            self._told[camera_id] = status
            self._bus.publish(State("camera", status))

    def push(self) -> None:
        """Tell every camera's state that is another than was told, for the counters that move all the time."""
        for camera_id in self._loops:
            self.tell(camera_id)

    async def _open_stream(self, camera: Camera, credentials: Credentials | None) -> tuple[str, StreamFacts]:
        device = await self._ask(camera.address, credentials)
        if (held := self._loops.get(camera.camera_id)) is not None:
            held[0].device = device
        stream, facts = await self._choose(device, _channel(device, camera.channel), credentials)
        return with_credentials(stream.url, credentials), facts

    async def _ask(self, address: str, credentials: Credentials | None) -> Device:
        async with self._turns.at(address):
            await asyncio.sleep(random.uniform(0, JITTER))
            return await identify(address, credentials, self._book)

    async def _survey(self, address: str, args: dict[str, Any]) -> dict[str, Any]:
        credentials = await self._candidate(address, args)
        device = await self._ask(address, credentials)
        answer = self._about(device)
        if "channel" in args:
            channel = _channel(device, args["channel"])
            async with self._attempt(device, credentials):
                streams = await measured(channel, credentials, measure)
            found = [
                _stream(facts) if isinstance(facts, StreamFacts) else {"name": stream.name, "reason": str(facts)}
                for stream, facts in streams
            ]
            (about,) = (it for it in answer["channels"] if it["channel"] == channel.channel)
            answer["channels"] = [{**about, "streams": found}]
        return answer

    def _about(self, device: Device) -> dict[str, Any]:
        """What a device says of itself, and which of its channels are cameras already."""
        loops = [loop for loop, _ in self._loops.values() if loop.camera.address == device.address]
        taken = {loop.camera.channel: loop.camera.camera_id for loop in loops}
        return {
            "address": device.address,
            "kind": device.kind,
            "name": device.name,
            "model": device.model,
            "serial": device.serial,
            "clock_offset": device.clock_offset,
            "channels": [
                {"channel": channel.channel, "name": channel.name, "camera": taken.get(channel.channel)}
                for channel in device.channels
            ],
        }

    async def _choose(
        self, device: Device, channel: Channel, credentials: Credentials | None
    ) -> tuple[StreamRef, StreamFacts]:
        """The stream to pull."""
        async with self._attempt(device, credentials):
            return await choose(channel, credentials, measure)

    @asynccontextmanager
    async def _attempt(self, device: Device, credentials: Credentials | None) -> AsyncIterator[None]:
        """Around the pull of streams: a login that only they refuse is remembered like any other."""
        if credentials is None:
            yield
            return
        async with self._book.attempt(device.address, credentials):
            yield

    async def _candidate(self, address: str, args: dict[str, Any]) -> Credentials | None:
        """The login to try: the one given, under a version of its own unless it is the one stored."""
        stored = await self._table.credentials(address)
        if "username" not in args:
            return stored
        given = Credentials(args["username"], args["password"])
        if stored is not None and (stored.username, stored.password) == (given.username, given.password):
            return stored
        return replace(given, version=await self._table.next_version(address))

    async def _credentials(self, camera: Camera) -> Credentials | None:
        return await self._table.credentials(camera.address)

    def _launch(self, camera: Camera, device: Device | None = None) -> None:
        if self._group is None:
            raise RuntimeError("the fleet was not started")
        loop = self._make_loop(camera, self._open_stream, self._credentials, self._health_changed)
        loop.device = device
        self._loops[camera.camera_id] = (loop, self._group.create_task(loop.run(), name=f"camera {camera.camera_id}"))
        self.tell(camera.camera_id)

    def _health_changed(self, camera: Camera) -> None:
        self.tell(camera.camera_id)  # one that is being removed has nothing more to tell

    def _status(self, loop: CameraLoop) -> CameraStatus:
        camera, device = loop.camera, loop.device
        ahead = device.clock_offset if device else None
        return {
            "id": camera.camera_id,
            "name": camera.name,
            "kind": camera.kind,
            "address": camera.address,
            "channel": camera.channel,
            "zone": camera.zone_id,
            "state": loop.health.state,
            "reason": loop.health.reason,
            "reason_code": loop.health.code,
            "problems": problems.of_camera(loop.health.state),
            "manufacturer": (device.manufacturer or None) if device else None,
            "model": (device.model or None) if device else None,
            "stream": _stream(loop.health.facts) if loop.health.facts else None,
            "decoded": loop.decoded,
            "analysed": loop.analysed,
            "analysed_per_second": round(loop.analyses.per_second, 1),
            "dropped": loop.dropped,
            "recognition": self._recognises(camera.camera_id),
            "clock_offset": None if ahead is None else round(ahead, 1),
        }

    async def _stop(self, camera_id: str) -> None:
        held = self._loops.pop(camera_id, None)
        if held is None:
            return
        loop, task = held
        task.cancel()
        await asyncio.wait([task])
        self._former_tracks += loop.tracks_seen

    def _loop(self, camera_id: str) -> CameraLoop:
        try:
            return self._loops[camera_id][0]
        except KeyError:
            known = ", ".join(self._loops) or "none"
            raise NotFoundError(f"camera: {camera_id!r} does not exist; the cameras are {known}") from None


def _channel(device: Device, wanted: str | None) -> Channel:
    if wanted is None and len(device.channels) == 1:
        return device.channels[0]
    for channel in device.channels:
        if channel.channel == wanted:
            return channel
    offered = ", ".join(f"{channel.channel} ({channel.name})" for channel in device.channels)
    problem = "is missing" if wanted is None else f"{wanted!r} does not exist"
    raise InvalidError(f"channel: {problem}; {device.address} offers {offered}")


def _camera_id(device: Device, channel: Channel) -> str:
    """The same for the same channel of the same device, whatever its address becomes."""
    text = f"{device.serial or device.address}-{channel.channel}".lower()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")[-60:]


def _stream(facts: StreamFacts) -> Any:
    return {
        "name": facts.name,
        "codec": facts.codec,
        "width": facts.width,
        "height": facts.height,
        "fps": round(facts.fps, 1),
    }
