"""An installed camera of a zone: the engine's own loop, fed with pictures instead of a stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import cv2
import numpy as np
from engine_site import Person, Site

from nvr_bridge.camera import Health
from nvr_bridge.models import Camera, CameraKind, CameraState, Frame, StreamFacts

SIZE = (640, 360)  # of the sub stream
EVERY = 0.1  # seconds between pictures
FACTS = StreamFacts("sub", "h264", *SIZE, 10.0)


def scene(*people: Person, face: int = 100) -> np.ndarray:
    """A room with people in it, side by side, whose faces are so many pixels wide."""
    width, height = SIZE
    room = np.full((height, width, 3), (188, 192, 196), np.uint8)
    room[height * 3 // 4 :] = (96, 110, 120)
    for place, person in enumerate(people):
        scale = 2 * face / person.picture.shape[1]  # a person's picture is twice as wide as the face
        look = cv2.resize(person.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:height]
        left = (2 * place + 1) * width // (2 * len(people)) - look.shape[1] // 2
        top = (height - look.shape[0]) // 2
        room[top : top + look.shape[0], left : left + look.shape[1]] = look
    return room


class Installed:
    """What stands where the stream would be."""

    def __init__(self, zone: str, name: str) -> None:
        self.camera = Camera(f"{zone}-camera", name, CameraKind.ONVIF, "192.0.2.1:80", "1", zone)
        self.picture = scene()
        self.decoded = self.dropped = 0

    async def frame(self, _timeout: float) -> Frame:
        """The picture of this moment."""
        await asyncio.sleep(EVERY)
        self.decoded += 1
        return Frame(self.camera.camera_id, self.decoded, time.time(), self.picture)


@asynccontextmanager
async def installed(site: Site, zone: str, name: str = "Desk camera") -> AsyncIterator[Installed]:
    """A camera that is online for as long as the block lasts, in an empty room."""
    fleet: Any = site.service.fleet
    source = Installed(zone, name)
    loop = fleet._make_loop(source.camera, None, None, lambda _camera: None)
    loop.health = Health(CameraState.ONLINE, None, FACTS)
    task = asyncio.create_task(loop._watch(source, FACTS))
    fleet._loops[source.camera.camera_id] = (loop, task)
    try:
        yield source
    finally:
        fleet._loops.pop(source.camera.camera_id, None)
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            raise error


@asynccontextmanager
async def lit(site: Site, *zones: str) -> AsyncIterator[Callable[[bool], None]]:
    """A hub that goes on saying that the zones' signs are on, or off when it is told so."""
    state = {"on": True}

    async def say() -> None:
        while True:
            for zone in zones:
                await site.sign(zone, on=state["on"])
            await asyncio.sleep(0.3)

    for zone in zones:
        await site.sign(zone)
    task = asyncio.create_task(say())
    try:
        yield lambda on: state.update(on=on)
    finally:
        task.cancel()
        await asyncio.wait([task])
