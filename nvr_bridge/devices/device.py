"""An installed device, its channels and their streams, as the device itself claims them."""

from __future__ import annotations

from dataclasses import dataclass

from ..models import CameraKind


@dataclass(frozen=True, slots=True)
class StreamRef:
    """One profile of a channel. What it claims is often wrong: `streams.choose` measures."""

    name: str
    url: str  # rtsp://, without credentials
    codec: str | None = None  # as the device spells it, such as "H.264"
    width: int | None = None  # pixels
    height: int | None = None  # pixels
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """One input of a device."""

    channel: str  # ONVIF video source token, or ISAPI channel number
    name: str
    streams: tuple[StreamRef, ...]


@dataclass(frozen=True, slots=True)
class Device:
    """One box on the network: a camera, or a recorder with several channels."""

    kind: CameraKind
    address: str  # host:port of its HTTP service
    serial: str
    manufacturer: str
    model: str
    name: str
    clock_offset: float | None  # seconds its clock is ahead of this machine's; None where it would not say
    channels: tuple[Channel, ...]
