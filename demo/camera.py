"""Simulated devices on real sockets: an ONVIF camera, and a Hikvision recorder with several cameras behind one address.

Each answers WS-Discovery, speaks its configuration protocol with a strict login, and serves its streams over RTSP. Each
remembers what it was asked, and has knobs for the ways in which real ones misbehave.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler

from demo.account import Account, Asked, DeviceClock
from demo.isapi import IsapiInput, IsapiService, IsapiStream
from demo.onvif import DEVICE_PATH, Identity, OnvifProfile, OnvifService
from demo.rtsp import Feed, RtspServer
from demo.wsdiscovery import Responder

_ONVIF_CODEC = {"h264": "H264", "hevc": "H265"}
_ISAPI_CODEC = {"h264": "H.264", "hevc": "H.265"}


@dataclass(frozen=True, slots=True)
class Stream:
    """What one profile sends, and the size that it claims to send where that is another one."""

    feed: Feed
    claims: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, as claimed."""
        return self.claims or (self.feed.recording.width, self.feed.recording.height)


@dataclass(frozen=True, slots=True)
class NvrInput:
    """One camera behind a recorder; without streams, an input that nothing is connected to."""

    name: str
    streams: tuple[Stream, ...] = ()  # main, sub


class _SimulatedDevice(ABC):
    """The sockets that every device has."""

    def __init__(
        self,
        identity: Identity,
        paths: dict[str, Feed],
        account: Account | None,
        *,
        host: str,
        http_port: int,
        rtsp_port: int,
        clock_skew: float,
    ) -> None:
        self.identity = identity
        self.host = host
        self.http_port = http_port
        self.account = account
        self.clock = DeviceClock(clock_skew)
        self.requests: deque[Asked] = deque(maxlen=10_000)
        self.garble: Callable[[str], str] | None = None  # what a broken firmware makes of every answer
        self.rtsp = RtspServer(
            host, rtsp_port, paths, (account.username, account.password) if account else None, realm=identity.model
        )
        self.responder = Responder(
            host,
            f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, identity.serial)}",
            lambda: [f"http://{self.address}{DEVICE_PATH}"],
            [
                "onvif://www.onvif.org/type/video_encoder",
                "onvif://www.onvif.org/Profile/Streaming",
                f"onvif://www.onvif.org/name/{quote(identity.name)}",
                f"onvif://www.onvif.org/hardware/{quote(identity.model)}",
            ],
        )
        self._runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        """`host:port` of its HTTP service."""
        return f"{self.host}:{self.http_port}"

    @property
    def login_attempts(self) -> int:
        """Logins presented to its HTTP service, right or wrong."""
        return self.account.attempts if self.account else 0

    async def start(self) -> None:
        """Power on; ports given as 0 are chosen once and kept. Raises `OSError` when one is taken."""
        if self._runner is not None:
            return
        app = web.Application(middlewares=[self._answer])
        self._route(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.http_port, reuse_address=True).start()
        self.http_port = self._runner.addresses[0][1]
        await self.rtsp.start()
        await self.responder.start()

    async def stop(self) -> None:
        """Power off: nothing answers any more."""
        await self.responder.stop()
        await self.rtsp.stop()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @abstractmethod
    def _route(self, app: web.Application) -> None:
        """Add what the device's HTTP service answers."""

    @web.middleware
    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if self.garble is not None and isinstance(response, web.Response) and response.text:
            response.text = self.garble(response.text)
        return response


class OnvifCamera(_SimulatedDevice):
    """One lens, some profiles (main first). Without credentials it is open to all."""

    def __init__(
        self,
        name: str,
        streams: Sequence[Stream],
        credentials: tuple[str, str] | None = None,
        *,
        host: str = "127.0.0.1",
        http_port: int = 0,
        rtsp_port: int = 0,
        clock_skew: float = 0.0,
    ) -> None:
        serial = uuid.uuid5(uuid.NAMESPACE_OID, name).hex[:12].upper()
        identity = Identity("Demo Optics", "DO-220", serial, name)
        paths = {f"/profile{number}": stream.feed for number, stream in enumerate(streams, 1)}
        account = Account(*credentials) if credentials else None
        super().__init__(
            identity, paths, account, host=host, http_port=http_port, rtsp_port=rtsp_port, clock_skew=clock_skew
        )
        profiles = [
            _onvif_profile(self.rtsp, f"profile{number}", "source1", name, stream, f"/profile{number}")
            for number, stream in enumerate(streams, 1)
        ]
        self.onvif = OnvifService(identity, profiles, account, self.clock, self.requests)

    def _route(self, app: web.Application) -> None:
        self.onvif.add_to(app)


class HikvisionNvr(_SimulatedDevice):
    """A recorder: ISAPI and ONVIF behind one address, and an RTSP path for each input and stream."""

    def __init__(
        self,
        name: str,
        inputs: Sequence[NvrInput],
        credentials: tuple[str, str],
        *,
        host: str = "127.0.0.1",
        http_port: int = 0,
        rtsp_port: int = 0,
        clock_skew: float = 0.0,
    ) -> None:
        serial = "DS-7608NI-K2" + uuid.uuid5(uuid.NAMESPACE_OID, name).hex[:12].upper()
        identity = Identity("HIKVISION", "DS-7608NI-K2", serial, name)
        numbered = {
            source * 100 + kind: stream
            for source, one in enumerate(inputs, 1)
            for kind, stream in enumerate(one.streams, 1)
        }
        paths = {f"/Streaming/Channels/{number}": stream.feed for number, stream in numbered.items()}
        account = Account(*credentials)
        super().__init__(
            identity, paths, account, host=host, http_port=http_port, rtsp_port=rtsp_port, clock_skew=clock_skew
        )
        profiles = [
            _onvif_profile(
                self.rtsp,
                f"ProfileToken{number}",
                f"VideoSourceToken{number // 100}",
                inputs[number // 100 - 1].name,
                stream,
                f"/Streaming/Channels/{number}",
            )
            for number, stream in numbered.items()
        ]
        self.onvif = OnvifService(identity, profiles, account, self.clock, self.requests)
        listed = [_isapi_input(source, one) for source, one in enumerate(inputs, 1)]
        self.isapi = IsapiService(identity, listed, account, self.clock, self.requests, lambda: self.rtsp.port)

    def _route(self, app: web.Application) -> None:
        self.isapi.add_to(app)
        self.onvif.add_to(app)


def _onvif_profile(
    rtsp: RtspServer, token: str, source: str, source_name: str, stream: Stream, path: str
) -> OnvifProfile:
    return OnvifProfile(
        token=token,
        name=token,
        source=source,
        source_name=source_name,
        encoding=_ONVIF_CODEC[stream.feed.recording.codec],
        width=stream.size[0],
        height=stream.size[1],
        fps=stream.feed.recording.fps,
        uri=lambda: rtsp.url(path),
    )


def _isapi_input(source: int, one: NvrInput) -> IsapiInput:
    if not one.streams:  # a recorder lists the streams of unconnected inputs too
        empty = IsapiStream(source * 100 + 1, "H.264", 1920, 1080, 25)
        return IsapiInput(source, one.name, (empty,), connected=False)
    streams = tuple(
        IsapiStream(
            source * 100 + kind,
            _ISAPI_CODEC[stream.feed.recording.codec],
            stream.size[0],
            stream.size[1],
            stream.feed.recording.fps,
        )
        for kind, stream in enumerate(one.streams, 1)
    )
    return IsapiInput(source, one.name, streams)
