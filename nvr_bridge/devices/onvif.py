"""ONVIF: a device's identity, its clock, its video sources and their profiles. Only ever reads."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any

from ..errors import NotADeviceError
from ..models import CameraKind
from .address import at_host, host_of
from .credentials import Credentials, LoginBook
from .device import Channel, Device, StreamRef
from .soap import OnvifSession, RefusedError

_LOGGER = logging.getLogger(__name__)

_MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_RTSP_SETUP = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}


async def read(address: str, credentials: Credentials | None, book: LoginBook) -> Device:
    """The device at `address`.

    Its clock is asked first, without a login: the login carries a time, and devices refuse one that is minutes off
    their own. Raises `UnreachableError`, `NotADeviceError` or `CredentialsError`.
    """
    async with OnvifSession(address, credentials, book) as session:
        session.clock_offset = await _clock_offset(session)
        try:
            about = await session.call("devicemgmt", "GetDeviceInformation")
            channels = await _channels(session)
        except RefusedError as err:
            raise NotADeviceError(
                f"{address}: speaks ONVIF, but refused to say what it is ({err}); update its firmware"
            ) from None
        manufacturer, model = _text(about, "Manufacturer"), _text(about, "Model")
        return Device(
            kind=CameraKind.ONVIF,
            address=address,
            serial=_text(about, "SerialNumber"),
            manufacturer=manufacturer,
            model=model,
            name=" ".join(part for part in (manufacturer, model) if part),
            clock_offset=session.clock_offset,
            channels=channels,
        )


async def _clock_offset(session: OnvifSession) -> float | None:
    await session.prepare("devicemgmt")
    asked = time.time()
    try:
        answer = await session.anonymous("devicemgmt", "GetSystemDateAndTime")
    except RefusedError as err:
        _LOGGER.debug("%s: does not tell the time: %s", session.address, err)
        return None
    answered = time.time()
    names = (("Date", "Year"), ("Date", "Month"), ("Date", "Day"), ("Time", "Hour"), ("Time", "Minute"))
    told = [_whole(answer, "UTCDateTime", *name) for name in names]
    second = _whole(answer, "UTCDateTime", "Time", "Second")
    try:
        year, month, day, hour, minute = (part for part in told if part is not None)
        clock = datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None
    if clock < 0 or second is None or not 0 <= second <= 60:  # a leap second is told as 60
        return None
    return clock + second + 0.5 - (asked + answered) / 2  # it tells whole seconds: half of one has passed on average


async def _channels(session: OnvifSession) -> tuple[Channel, ...]:
    media = await _media_address(session)
    if media is None:
        return ()
    session.locate("media", media)
    grouped: dict[str, list[StreamRef]] = {}
    names: dict[str, str] = {}
    for profile in _entries(await session.call("media", "GetProfiles")):
        source = _text(profile, "VideoSourceConfiguration", "SourceToken")
        token = _text(profile, "token")
        if not source or not token:  # an audio or metadata profile
            continue
        stream = await _stream(session, token, profile)
        if stream is not None:
            grouped.setdefault(source, []).append(stream)
            names.setdefault(source, _text(profile, "VideoSourceConfiguration", "Name") or source)
    return tuple(Channel(source, names[source], tuple(streams)) for source, streams in grouped.items())


async def _media_address(session: OnvifSession) -> str | None:
    """Where the media service is, on the address that the device was found at; None where it has none."""
    host = host_of(session.address)
    try:
        for service in _entries(await session.call("devicemgmt", "GetServices", IncludeCapability=False)):
            address = at_host(_text(service, "XAddr"), "http", host)
            if _text(service, "Namespace") == _MEDIA and address is not None:
                return address
    except RefusedError as err:
        _LOGGER.debug("%s: no GetServices, so GetCapabilities: %s", session.address, err)
    answer = await session.call("devicemgmt", "GetCapabilities", Category="Media")
    return at_host(_text(answer, "Media", "XAddr"), "http", host)


async def _stream(session: OnvifSession, token: str, profile: Any) -> StreamRef | None:
    try:
        answer = await session.call("media", "GetStreamUri", StreamSetup=_RTSP_SETUP, ProfileToken=token)
    except RefusedError as err:
        _LOGGER.debug("%s: profile %s has no stream: %s", session.address, token, err)
        return None
    url = at_host(_text(answer, "Uri"), "rtsp", host_of(session.address))
    if url is None:
        return None
    encoder = "VideoEncoderConfiguration"
    rate = _dig(profile, encoder, "RateControl", "FrameRateLimit")
    return StreamRef(
        name=token,
        url=url,
        codec=_text(profile, encoder, "Encoding") or None,
        width=_whole(profile, encoder, "Resolution", "Width"),
        height=_whole(profile, encoder, "Resolution", "Height"),
        fps=float(rate) if isinstance(rate, int | float) and rate else None,
    )


def _dig(answer: Any, *path: str) -> Any:
    """What is at `path` in nested dicts; None where a part of it is missing."""
    for name in path:
        if not isinstance(answer, dict):
            return None
        answer = answer.get(name)
    return answer


def _text(answer: Any, *path: str) -> str:
    found = _dig(answer, *path)
    return found.strip() if isinstance(found, str) else ""


def _whole(answer: Any, *path: str) -> int | None:
    found = _dig(answer, *path)
    return found if isinstance(found, int) else None


def _entries(answer: Any) -> list[Any]:
    """A list that a device answered with, or what stands for an empty one."""
    return answer if isinstance(answer, list) else []
