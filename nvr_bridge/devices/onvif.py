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
        return Device(
            kind=CameraKind.ONVIF,
            address=address,
            serial=str(about.SerialNumber or ""),
            manufacturer=str(about.Manufacturer or ""),
            model=str(about.Model or ""),
            name=" ".join(str(part) for part in (about.Manufacturer, about.Model) if part),
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
    told = getattr(answer, "UTCDateTime", None)
    if told is None or told.Date is None or told.Time is None:
        return None
    try:
        clock = datetime(
            told.Date.Year, told.Date.Month, told.Date.Day, told.Time.Hour, told.Time.Minute, tzinfo=UTC
        ).timestamp()
    except (ValueError, TypeError):
        return None
    # It tells whole seconds (60 at times): half of one has passed on average.
    return clock + float(told.Time.Second or 0) + 0.5 - (asked + answered) / 2


async def _channels(session: OnvifSession) -> tuple[Channel, ...]:
    media = await _media_address(session)
    if media is None:
        return ()
    session.locate("media", media)
    grouped: dict[str, list[StreamRef]] = {}
    names: dict[str, str] = {}
    for profile in await session.call("media", "GetProfiles") or ():
        source = profile.VideoSourceConfiguration
        if source is None:  # an audio or metadata profile
            continue
        stream = await _stream(session, profile)
        if stream is not None:
            grouped.setdefault(str(source.SourceToken), []).append(stream)
            names.setdefault(str(source.SourceToken), str(source.Name or source.SourceToken))
    return tuple(Channel(token, names[token], tuple(streams)) for token, streams in grouped.items())


async def _media_address(session: OnvifSession) -> str | None:
    """Where the media service is, on the address that the device was found at; None where it has none."""
    try:
        for service in await session.call("devicemgmt", "GetServices", IncludeCapability=False) or ():
            if service.Namespace == _MEDIA and service.XAddr:
                return at_host(service.XAddr, host_of(session.address))
    except RefusedError as err:
        _LOGGER.debug("%s: no GetServices, so GetCapabilities: %s", session.address, err)
    answer = await session.call("devicemgmt", "GetCapabilities", Category="Media")
    media = getattr(answer, "Media", None)
    return at_host(media.XAddr, host_of(session.address)) if media is not None and media.XAddr else None


async def _stream(session: OnvifSession, profile: Any) -> StreamRef | None:
    try:
        answer = await session.call("media", "GetStreamUri", StreamSetup=_RTSP_SETUP, ProfileToken=profile.token)
    except RefusedError as err:
        _LOGGER.debug("%s: profile %s has no stream: %s", session.address, profile.token, err)
        return None
    if not answer or not str(answer.Uri or "").startswith("rtsp://"):
        return None
    encoder = profile.VideoEncoderConfiguration
    size = encoder.Resolution if encoder is not None else None
    rate = encoder.RateControl if encoder is not None else None
    return StreamRef(
        name=str(profile.token),
        url=at_host(str(answer.Uri).strip(), host_of(session.address)),
        codec=str(encoder.Encoding) if encoder is not None and encoder.Encoding else None,
        width=int(size.Width) if size is not None else None,
        height=int(size.Height) if size is not None else None,
        fps=float(rate.FrameRateLimit) if rate is not None and rate.FrameRateLimit else None,
    )
