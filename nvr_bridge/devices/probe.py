"""What is at an address: ISAPI first, because it knows a recorder's channels best, then ONVIF."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import BridgeError, NoVideoError
from . import hikvision, onvif
from .address import normal
from .credentials import Credentials, LoginBook
from .device import Device
from .discovery import Found, discover


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A device that answered discovery, and what it told about itself, or why it did not."""

    found: Found
    device: Device | None
    error: BridgeError | None


async def identify(address: str, credentials: Credentials | None, book: LoginBook) -> Device:
    """The device at `address`, with its channels and their streams.

    Raises `UnreachableError` (nothing answers), `NotADeviceError` (something else answers), `CredentialsError` (login
    missing or refused; one attempt was made at most) or `NoVideoError` (a device without a stream).
    """
    address = normal(address)
    device = None
    if await hikvision.answers(address):
        device = await hikvision.read(address, credentials, book)
    if device is None:
        device = await onvif.read(address, credentials, book)
    if not any(channel.streams for channel in device.channels):
        raise NoVideoError(
            f"{address}: {device.name or 'the device'} offers no video stream; enable a stream in its settings"
        )
    return device


async def survey(
    interfaces: Sequence[str], credentials: Credentials | None, book: LoginBook, seconds: float = 3.0
) -> list[Surveyed]:
    """Discover, then ask every device that answered what it is, one at a time: recorders answer slowly."""
    surveyed = []
    for found in await discover(interfaces, seconds):
        try:
            surveyed.append(Surveyed(found, await identify(found.address, credentials, book), None))
        except BridgeError as err:
            surveyed.append(Surveyed(found, None, err))
        await asyncio.sleep(random.uniform(0.0, 0.1))
    return surveyed
