"""A Hikvision recorder is one device with its channels, although it speaks ONVIF too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from demo.camera import HikvisionNvr, NvrInput, Stream
from nvr_bridge.devices.credentials import Credentials, LoginBook
from nvr_bridge.devices.probe import identify, survey
from nvr_bridge.errors import CredentialsError
from nvr_bridge.models import CameraKind


async def test_two_channels_of_one_device(nvr: HikvisionNvr, right: Credentials, book: LoginBook) -> None:
    device = await identify(nvr.address, right, book)
    assert device.kind is CameraKind.HIKVISION
    assert device.serial == nvr.identity.serial
    assert device.model == "DS-7608NI-K2"
    assert device.name == "Recorder"
    assert [(channel.channel, channel.name) for channel in device.channels] == [("1", "Desk"), ("2", "Lobby")]
    assert [[ref.name for ref in channel.streams] for channel in device.channels] == [["101", "102"], ["201", "202"]]
    sub = device.channels[1].streams[1]
    assert (sub.codec, sub.width, sub.height, sub.fps) == ("H.264", 640, 360, 10.0)
    assert sub.url == nvr.rtsp.url("/Streaming/Channels/202")


async def test_discovered_it_is_listed_once_with_both_channels(
    nvr: HikvisionNvr, right: Credentials, book: LoginBook
) -> None:
    surveyed = [one for one in await survey(["127.0.0.1"], right, book, 0.6) if one.found.address == nvr.address]
    assert len(surveyed) == 1
    assert surveyed[0].device is not None
    assert surveyed[0].device.kind is CameraKind.HIKVISION
    assert len(surveyed[0].device.channels) == 2


async def test_discovered_without_a_login_it_is_listed_with_what_to_do(nvr: HikvisionNvr, book: LoginBook) -> None:
    surveyed = [one for one in await survey(["127.0.0.1"], None, book, 0.6) if one.found.address == nvr.address]
    assert [one.device for one in surveyed] == [None]
    assert isinstance(surveyed[0].error, CredentialsError)


async def test_its_clock_is_measured_and_not_set(nvr: HikvisionNvr, right: Credentials, book: LoginBook) -> None:
    device = await identify(nvr.address, right, book)
    assert device.clock_offset == pytest.approx(-3600, abs=1.5)
    assert nvr.clock.skew == -3600


async def test_nothing_is_asked_but_to_read(nvr: HikvisionNvr, right: Credentials, book: LoginBook) -> None:
    await identify(nvr.address, right, book)
    assert nvr.requests
    assert all(asked.operation.startswith("GET /") for asked in nvr.requests)


async def test_one_login_is_enough(nvr: HikvisionNvr, right: Credentials, book: LoginBook) -> None:
    await identify(nvr.address, right, book)
    refused = [asked for asked in nvr.requests if not asked.accepted]
    assert all(asked.user is None for asked in refused), "only the question that asks for the challenge goes unanswered"


async def test_a_channel_without_a_name_gets_one(
    stream: Callable[..., Stream], right: Credentials, book: LoginBook
) -> None:
    async with HikvisionNvr("R", [NvrInput("", (stream("sub"),))], (right.username, right.password)) as device:
        told = await identify(device.address, right, book)
    assert [channel.name for channel in told.channels] == ["Channel 1"]


async def test_a_device_without_a_password_yet_says_to_activate_it(
    nvr: HikvisionNvr, right: Credentials, book: LoginBook
) -> None:
    nvr.isapi.activated = False
    with pytest.raises(CredentialsError, match=r"activate it"):
        await identify(nvr.address, right, book)
    assert nvr.login_attempts == 0
