"""An ONVIF device is asked what it is, whatever its clock, its firmware's age and its idea of its own address."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from demo.camera import OnvifCamera, Stream
from nvr_bridge.devices.credentials import Credentials, LoginBook
from nvr_bridge.devices.probe import identify
from nvr_bridge.models import CameraKind


async def test_its_identity_and_its_streams(camera: OnvifCamera, right: Credentials, book: LoginBook) -> None:
    device = await identify(camera.address, right, book)
    assert device.kind is CameraKind.ONVIF
    assert (device.manufacturer, device.model) == ("Demo Optics", "DO-220")
    assert device.serial == camera.identity.serial
    assert [(channel.channel, channel.name) for channel in device.channels] == [("source1", "Lane")]
    main, sub = device.channels[0].streams
    assert (main.codec, main.width, main.height, main.fps) == ("H264", 1280, 720, 10.0)
    assert (sub.codec, sub.width, sub.height) == ("H265", 640, 360)
    assert sub.url == camera.rtsp.url("/profile2")


async def test_a_clock_ninety_days_off_is_measured_first_and_used_for_the_login(
    camera: OnvifCamera, right: Credentials, book: LoginBook
) -> None:
    device = await identify(camera.address, right, book)
    assert device.clock_offset == pytest.approx(90 * 86400, abs=1.5)
    first, *_ = camera.requests
    assert (first.operation, first.user) == ("GetSystemDateAndTime", None)
    assert all(asked.accepted for asked in camera.requests if asked.user is not None)


async def test_nothing_is_asked_but_to_read(camera: OnvifCamera, right: Credentials, book: LoginBook) -> None:
    await identify(camera.address, right, book)
    assert {asked.operation[:3] for asked in camera.requests} == {"Get"}


async def test_a_device_that_is_open_to_all_gets_no_login(
    stream: Callable[..., Stream], right: Credentials, book: LoginBook
) -> None:
    async with OnvifCamera("Open", [stream("sub")]) as device:
        for credentials in (None, right):
            told = await identify(device.address, credentials, book)
            assert [len(channel.streams) for channel in told.channels] == [1]
    assert {asked.user for asked in device.requests} == {None}


async def test_a_device_that_wants_http_digest_gets_it(
    camera: OnvifCamera, right: Credentials, book: LoginBook
) -> None:
    camera.onvif.http_digest = True
    device = await identify(camera.address, right, book)
    assert len(device.channels[0].streams) == 2
    refused = [asked for asked in camera.requests if not asked.accepted]
    assert all(asked.user is None for asked in refused)


async def test_an_old_firmware_without_the_list_of_services(
    camera: OnvifCamera, right: Credentials, book: LoginBook
) -> None:
    camera.onvif.offers_services = False
    device = await identify(camera.address, right, book)
    assert len(device.channels[0].streams) == 2


async def test_a_device_that_names_an_address_of_its_own_is_asked_where_it_was_found(
    camera: OnvifCamera, right: Credentials, book: LoginBook
) -> None:
    camera.onvif.advertised_host = f"192.0.2.44:{camera.http_port}"
    camera.rtsp.host = "192.0.2.44"  # only what it tells: it is bound already
    device = await identify(camera.address, right, book)
    assert [ref.url for ref in device.channels[0].streams] == [
        f"rtsp://127.0.0.1:{camera.rtsp.port}/profile{number}" for number in (1, 2)
    ]
