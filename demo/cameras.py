"""The demo site's devices: an ONVIF camera for each that `site.yaml` names, and one recorder for the channels it names."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from demo.camera import HikvisionNvr, NvrInput, OnvifCamera, Stream
from demo.feed import Feed, Recording, StoryClock
from demo.timeline import Site, SiteCamera
from nvr_bridge.models import CameraKind

USER = "admin"
PASSWORD = "demo-Pass1"
SKEW = 5 * 3600.0  # seconds by which the ONVIF cameras' clocks are wrong, as those of real ones are


@dataclass(frozen=True, slots=True)
class Recordings:
    """A camera's two streams."""

    main: Recording
    sub: Recording


@dataclass(frozen=True, slots=True)
class Place:
    """Where a camera of the site is on the network."""

    camera: SiteCamera
    address: str  # host:port
    channel: str | None  # of the recorder


class SiteCameras:
    """All devices, on free ports of 127.0.0.1. A context manager: powered on inside it."""

    def __init__(self, site: Site, recordings: Mapping[str, Recordings], clock: StoryClock) -> None:
        """`recordings` by camera; `clock` says where in them the cameras are."""
        self._site = site
        self.onvif = {
            key: OnvifCamera(camera.name, _streams(recordings[key], clock), (USER, PASSWORD), clock_skew=SKEW)
            for key, camera in site.cameras.items()
            if camera.kind is CameraKind.ONVIF
        }
        inputs = sorted(
            (camera for camera in site.cameras.values() if camera.kind is CameraKind.HIKVISION),
            key=lambda camera: int(camera.channel or 0),
        )
        self.recorder = HikvisionNvr(
            "Site recorder",
            [NvrInput(camera.name, _streams(recordings[camera.camera], clock)) for camera in inputs],
            (USER, PASSWORD),
        )
        self._stack = AsyncExitStack()

    @property
    def devices(self) -> int:
        """How many answer to discovery."""
        return len(self.onvif) + 1

    def places(self) -> list[Place]:
        """Every camera with its address, once the devices are on."""
        return [
            Place(camera, self.onvif[key].address, None)
            if key in self.onvif
            else Place(camera, self.recorder.address, camera.channel)
            for key, camera in self._site.cameras.items()
        ]

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for device in (*self.onvif.values(), self.recorder):
                await stack.enter_async_context(device)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


def _streams(recordings: Recordings, clock: StoryClock) -> tuple[Stream, Stream]:
    return Stream(Feed(recordings.main, clock)), Stream(Feed(recordings.sub, clock))
