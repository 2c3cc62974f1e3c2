"""Hikvision's ISAPI: a camera or a recorder, its channels and their streams. Only ever reads.

The login is HTTP digest, never Basic: a device that counts failures counts a Basic attempt too.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from types import TracebackType
from typing import Self
from xml.etree.ElementTree import Element

import aiohttp

from ..errors import CredentialsError, NotADeviceError, UnreachableError
from ..models import CameraKind
from .address import host_of, no_connection
from .credentials import Credentials, LoginBook
from .device import Channel, Device, StreamRef
from .markup import MarkupError, every, first, local, parse, text

TIMEOUT = 10.0  # seconds for one request
_LIMIT = 4_000_000  # bytes of one answer
_DEVICE_INFO = "/ISAPI/System/deviceInfo"


async def answers(address: str, *, within: float = TIMEOUT) -> bool:
    """Whether something at `address` protects or offers ISAPI. Asks without a login, so it costs no attempt.

    It must answer within some seconds. Raises `UnreachableError`, or `NotADeviceError` where what listens there speaks no HTTP.
    """
    async with _Isapi(address, within=within) as isapi:
        status, body, challenge = await isapi.ask(_DEVICE_INFO)
        if status == 403 and b"notActivated" in body:
            raise CredentialsError(f"{address}: the device has no password yet; activate it with its own tool first")
        return (status == 401 and challenge.lower().startswith("digest")) or _document(body, "DeviceInfo") is not None


async def read(address: str, credentials: Credentials | None, book: LoginBook) -> Device | None:
    """The device at `address`; None where the login is right but this is no ISAPI after all.

    Raises `CredentialsError` or `UnreachableError`.
    """
    async with _Isapi(address, credentials) as isapi:
        if credentials is None:
            info = await isapi.get(_DEVICE_INFO)
        else:
            async with book.attempt(address, credentials):
                info = await isapi.get(_DEVICE_INFO)
        if info is None or local(info) != "DeviceInfo":
            return None
        names = await _channel_names(isapi)
        return Device(
            kind=CameraKind.HIKVISION,
            address=address,
            serial=text(info, "serialNumber"),
            manufacturer=text(info, "manufacturer") or "Hikvision",
            model=text(info, "model"),
            name=text(info, "deviceName") or text(info, "model"),
            clock_offset=await _clock_offset(isapi),
            channels=await _channels(isapi, host_of(address), names),
        )


class _Isapi:
    """A device's HTTP service, asked with GET alone."""

    def __init__(self, address: str, credentials: Credentials | None = None, *, within: float = TIMEOUT) -> None:
        self.address = address
        self._within = within
        self._username = credentials.username if credentials else None
        login = (
            (aiohttp.DigestAuthMiddleware(credentials.username, credentials.password),)
            if credentials is not None
            else ()
        )
        self._session = aiohttp.ClientSession(
            f"http://{address}", timeout=aiohttp.ClientTimeout(total=within), middlewares=login
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(self, path: str) -> tuple[int, bytes, str]:
        """Status, body and authentication challenge."""
        try:
            async with self._session.get(path, allow_redirects=False) as response:
                if "CSeq" in response.headers:  # RTSP looks enough like HTTP to be taken for it, and then waited for
                    raise _no_http(self.address)
                body = await response.content.read(_LIMIT)
                return response.status, body, response.headers.get("WWW-Authenticate", "")
        except TimeoutError:
            raise UnreachableError(
                f"{self.address}: no answer within {self._within:g} s; check the address and that the device is on"
            ) from None
        except (aiohttp.ClientConnectorError, ConnectionError) as err:
            raise UnreachableError(no_connection(self.address, err)) from None
        except aiohttp.ClientError:
            raise _no_http(self.address) from None

    async def get(self, path: str) -> Element | None:
        """The document at `path`; None where the device has none. Raises `CredentialsError` and `UnreachableError`."""
        status, body, _ = await self.ask(path)
        if status == 401:
            raise CredentialsError(self._refusal(body))
        if status == 200:
            return _document(body)
        return None

    def _refusal(self, body: bytes) -> str:
        if self._username is None:
            return f"{self.address}: needs a user name and password; give them"
        answer = _document(body)
        state = (
            {local(element): (element.text or "").strip() for element in answer.iter()} if answer is not None else {}
        )
        note = ""
        if state.get("lockStatus") == "lock":
            minutes = (
                f" for {int(state['unlockTime']) // 60 + 1} min" if state.get("unlockTime", "").isdecimal() else ""
            )
            note = f" (the account is locked{minutes})"
        elif state.get("retryLoginTime", "").isdecimal():
            note = f" ({state['retryLoginTime']} attempts are left before it locks the account)"
        return (
            f"{self.address}: refused the user name or password of {self._username!r}{note}; it was tried once,"
            " give the right ones"
        )


def _no_http(address: str) -> NotADeviceError:
    return NotADeviceError(
        f"{address}: what answers there speaks no HTTP; give the device's HTTP port, not its RTSP port"
    )


def _document(body: bytes, name: str | None = None) -> Element | None:
    """The XML in `body`, if it is XML and its root is called `name`."""
    try:
        root = parse(body)
    except MarkupError:
        return None
    return root if name is None or local(root) == name else None


async def _channel_names(isapi: _Isapi) -> dict[int, str] | None:
    """Channel number → name: a recorder's network cameras and a device's own inputs; None where it does not say."""
    names: dict[int, str] = {}
    told = False
    for path, item in (
        ("/ISAPI/System/Video/inputs/channels", "VideoInputChannel"),
        ("/ISAPI/ContentMgmt/InputProxy/channels", "InputProxyChannel"),
    ):
        answer = await isapi.get(path)
        if answer is None or not local(answer).endswith("List"):
            continue
        told = True
        entries = ((text(entry, "id"), text(entry, "name")) for entry in every(answer, item))
        names |= {int(number): name for number, name in entries if number.isdecimal()}
    return names if told else None


async def _channels(isapi: _Isapi, host: str, names: dict[int, str] | None) -> tuple[Channel, ...]:
    answer = None
    for path in ("/ISAPI/Streaming/channels", "/ISAPI/ContentMgmt/StreamingProxy/channels"):
        answer = await isapi.get(path)
        if answer is not None and next(every(answer, "StreamingChannel"), None) is not None:
            break
    if answer is None:
        return ()
    port = await _rtsp_port(isapi)
    streams: dict[int, list[StreamRef]] = {}
    for entry in every(answer, "StreamingChannel"):
        number = text(entry, "id")
        # A recorder also lists the inputs that no camera is connected to.
        if not number.isdecimal() or (names is not None and int(number) // 100 not in names):
            continue
        if "false" in (text(entry, "enabled"), text(entry, "Video", "enabled")):
            continue
        streams.setdefault(int(number) // 100, []).append(_stream(entry, host, port))
    return tuple(
        Channel(str(number), (names or {}).get(number) or f"Channel {number}", tuple(refs))
        for number, refs in sorted(streams.items())
    )


def _stream(entry: Element, host: str, port: int) -> StreamRef:
    number = text(entry, "id")
    own_port = text(entry, "Transport", "rtspPortNo")
    hundredths = _number(text(entry, "Video", "maxFrameRate"))  # 0 stands for the full rate of the television standard
    return StreamRef(
        name=number,
        url=f"rtsp://{host}:{own_port if own_port.isdecimal() else port}/Streaming/Channels/{number}",
        codec=text(entry, "Video", "videoCodecType") or None,
        width=_number(text(entry, "Video", "videoResolutionWidth")),
        height=_number(text(entry, "Video", "videoResolutionHeight")),
        fps=hundredths / 100 if hundredths else None,
    )


def _number(written: str) -> int | None:
    return int(written) if written.isdecimal() else None


async def _rtsp_port(isapi: _Isapi) -> int:
    answer = await isapi.get("/ISAPI/Security/adminAccesses")
    for entry in every(answer, "AdminAccessProtocol") if answer is not None else ():
        if text(entry, "protocol").upper() == "RTSP" and text(entry, "portNo").isdecimal():
            return int(text(entry, "portNo"))
    return 554


async def _clock_offset(isapi: _Isapi) -> float | None:
    asked = time.time()
    answer = await isapi.get("/ISAPI/System/time")
    answered = time.time()
    if answer is None or first(answer, "localTime") is None:
        return None
    try:
        told = datetime.fromisoformat(text(answer, "localTime"))
    except ValueError:
        return None
    if told.tzinfo is None:
        zone = _posix_zone(text(answer, "timeZone"))
        if zone is None:
            return None
        told = told.replace(tzinfo=zone)
    return told.timestamp() + 0.5 - (asked + answered) / 2  # it tells whole seconds: half of one has passed on average


def _posix_zone(written: str) -> timezone | None:
    """`CST-8:00:00` → UTC+8: POSIX counts westwards."""
    match = re.match(r"[A-Za-z]+([+-]?)(\d{1,2})(?::(\d{2}))?", written)
    if match is None:
        return None
    west = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return timezone(west if match[1] == "-" else -west) if west else UTC
