"""Hikvision's ISAPI on a simulated recorder: what it is, its inputs and their streams. It lets nobody write."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from xml.sax.saxutils import escape

from aiohttp import web

from demo.account import Account, Asked, DeviceClock, HttpDigest
from demo.onvif import Identity

_NAMESPACE = 'version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"'
_HERE = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class IsapiStream:
    """One streaming channel, with what it claims."""

    number: int  # 101: input 1, main stream; 102: its sub stream
    codec: str  # as ISAPI spells it: H.264 or H.265
    width: int
    height: int
    fps: float


@dataclass(frozen=True, slots=True)
class IsapiInput:
    """One input of the recorder. Without a camera it is listed among the streams all the same."""

    number: int
    name: str
    streams: tuple[IsapiStream, ...]
    connected: bool = True


class IsapiService:
    """Answers GET for those who log in by digest. Knobs may be turned while it runs."""

    def __init__(
        self,
        identity: Identity,
        inputs: list[IsapiInput],
        account: Account,
        clock: DeviceClock,
        requests: deque[Asked],
        rtsp_port: Callable[[], int],
    ) -> None:
        self.inputs = inputs
        self.activated = True
        self._identity = identity
        self._account = account
        self._clock = clock
        self._requests = requests
        self._rtsp_port = rtsp_port
        self._digest = HttpDigest(account, identity.model)
        self._documents: dict[str, Callable[[], str]] = {
            "/ISAPI/System/deviceInfo": self._device_info,
            "/ISAPI/System/time": self._time,
            "/ISAPI/ContentMgmt/InputProxy/channels": self._input_list,
            "/ISAPI/Streaming/channels": self._stream_list,
            "/ISAPI/Security/adminAccesses": self._ports,
        }

    def add_to(self, app: web.Application) -> None:
        """Route everything below `/ISAPI`."""
        app.router.add_route("*", "/ISAPI/{path:.*}", self._handle)

    async def _handle(self, request: web.Request) -> web.Response:
        user = self._digest.user(request)
        accepted = user is not None and self._digest.check(request)
        self._requests.append(Asked("isapi", f"{request.method} {request.path}", user, accepted))
        if not self.activated:
            return _status(403, "notActivated", "")
        if not accepted:
            return self._refuse(tried=user is not None)
        if request.method != "GET":
            return _status(403, "methodNotAllowed", "")
        document = self._documents.get(request.path)
        if document is None:
            return _status(404, "notSupport", "")
        return _xml(200, document())

    def _refuse(self, *, tried: bool) -> web.Response:
        account = self._account
        state = f"<lockStatus>{'lock' if account.locked else 'unlock'}</lockStatus>"
        state += f"<retryLoginTime>{max(0, account.lock_after - account.failures)}</retryLoginTime>"
        state += "<unlockTime>1800</unlockTime>" if account.locked else ""
        answer = _status(401, "unauthorized" if tried else "notLoggedIn", state)
        answer.headers.update(self._digest.challenge())
        return answer

    def _device_info(self) -> str:
        told = self._identity
        return (
            f"<DeviceInfo {_NAMESPACE}><deviceName>{escape(told.name)}</deviceName><deviceID>1</deviceID>"
            f"<model>{escape(told.model)}</model><serialNumber>{escape(told.serial)}</serialNumber>"
            f"<firmwareVersion>{escape(told.firmware)}</firmwareVersion><deviceType>NVR</deviceType></DeviceInfo>"
        )

    def _time(self) -> str:
        now = datetime.fromtimestamp(self._clock.now(), UTC).astimezone(_HERE)
        return (
            f"<Time {_NAMESPACE}><timeMode>manual</timeMode><localTime>{now.isoformat(timespec='seconds')}</localTime>"
            "<timeZone>CST-8:00:00</timeZone></Time>"
        )

    def _input_list(self) -> str:
        listed = "".join(
            f"<InputProxyChannel><id>{one.number}</id><name>{escape(one.name)}</name>"
            "<sourceInputPortDescriptor><proxyProtocol>ONVIF</proxyProtocol></sourceInputPortDescriptor>"
            "</InputProxyChannel>"
            for one in self.inputs
            if one.connected
        )
        return f"<InputProxyChannelList {_NAMESPACE}>{listed}</InputProxyChannelList>"

    def _stream_list(self) -> str:
        listed = "".join(_stream(one.number, stream) for one in self.inputs for stream in one.streams)
        return f"<StreamingChannelList {_NAMESPACE}>{listed}</StreamingChannelList>"

    def _ports(self) -> str:
        ports = (("HTTP", 80), ("RTSP", self._rtsp_port()), ("DEV_MANAGE", 8000))
        listed = "".join(
            f"<AdminAccessProtocol><id>{number}</id><enabled>true</enabled><protocol>{name}</protocol>"
            f"<portNo>{port}</portNo></AdminAccessProtocol>"
            for number, (name, port) in enumerate(ports, 1)
        )
        return f"<AdminAccessProtocolList {_NAMESPACE}>{listed}</AdminAccessProtocolList>"


def _stream(source: int, stream: IsapiStream) -> str:
    return (
        f"<StreamingChannel><id>{stream.number}</id><channelName>Input {source}</channelName><enabled>true</enabled>"
        "<Transport><maxPacketSize>1000</maxPacketSize><ControlProtocolList><ControlProtocol>"
        "<streamingTransport>RTSP</streamingTransport></ControlProtocol></ControlProtocolList></Transport>"
        f"<Video><enabled>true</enabled><dynVideoInputChannelID>{source}</dynVideoInputChannelID>"
        f"<videoCodecType>{stream.codec}</videoCodecType><videoResolutionWidth>{stream.width}</videoResolutionWidth>"
        f"<videoResolutionHeight>{stream.height}</videoResolutionHeight>"
        f"<maxFrameRate>{round(stream.fps * 100)}</maxFrameRate></Video></StreamingChannel>"
    )


def _status(status: int, reason: str, more: str) -> web.Response:
    return _xml(
        status,
        f"<ResponseStatus {_NAMESPACE}><statusCode>4</statusCode><statusString>Invalid Operation</statusString>"
        f"<subStatusCode>{reason}</subStatusCode>{more}</ResponseStatus>",
    )


def _xml(status: int, document: str) -> web.Response:
    return web.Response(
        text=f'<?xml version="1.0" encoding="UTF-8"?>\n{document}', status=status, content_type="application/xml"
    )
