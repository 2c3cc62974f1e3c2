"""What `camera/discover` says of one device before it is added, and what it keeps of the login: nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from demo.camera import HikvisionNvr, OnvifCamera, Stream
from nvr_bridge.devices.credentials import Credentials
from nvr_bridge.errors import CredentialsError, InvalidError, UnreachableError
from nvr_bridge.fleet import Fleet
from nvr_bridge.store.cameras import CameraTable


def with_login(device: OnvifCamera | HikvisionNvr, login: Credentials, **more: str) -> dict[str, Any]:
    return {"address": device.address, "username": login.username, "password": login.password, **more}


async def test_a_login_shows_the_channels_and_is_not_kept(
    fleet: Fleet, table: CameraTable, nvr: HikvisionNvr, right: Credentials
) -> None:
    with pytest.raises(CredentialsError):
        await fleet.discover({"address": nvr.address})
    [device] = await fleet.discover(with_login(nvr, right))
    assert [(each["channel"], each["name"]) for each in device["channels"]] == [("1", "Desk"), ("2", "Lobby")]
    assert all("streams" not in each for each in device["channels"])
    assert await table.credentials(nvr.address) is None


async def test_a_channel_is_shown_as_it_is_measured(fleet: Fleet, nvr: HikvisionNvr, right: Credentials) -> None:
    [device] = await fleet.discover(with_login(nvr, right, channel="2"))
    [channel] = device["channels"]
    assert (channel["channel"], channel["name"]) == ("2", "Lobby")
    sizes = {(each["codec"], each["width"], each["height"]) for each in channel["streams"]}
    assert sizes == {("h264", 1280, 720), ("h264", 640, 360)}
    assert all(each["fps"] == pytest.approx(10, abs=3) for each in channel["streams"])


async def test_a_claim_is_not_believed(fleet: Fleet, stream: Callable[..., Stream]) -> None:
    async with OnvifCamera("Boaster", [stream("tiny", (1920, 1080))]) as device:
        [asked] = await fleet.discover({"address": device.address})
        [told] = await fleet.discover({"address": device.address, "channel": asked["channels"][0]["channel"]})
    [measured] = told["channels"][0]["streams"]
    assert (measured["width"], measured["height"]) == (352, 192)


async def test_a_channel_that_is_not_there_is_named(fleet: Fleet, nvr: HikvisionNvr, right: Credentials) -> None:
    with pytest.raises(InvalidError, match=r"channel: '9' does not exist; .* offers 1 \(Desk\), 2 \(Lobby\)"):
        await fleet.discover(with_login(nvr, right, channel="9"))


async def test_a_wrong_login_is_tried_once(fleet: Fleet, nvr: HikvisionNvr, wrong: Credentials) -> None:
    with pytest.raises(CredentialsError):
        await fleet.discover(with_login(nvr, wrong, channel="1"))
    assert nvr.login_attempts == 1


async def test_a_stream_that_delivers_nothing_says_why(fleet: Fleet, camera: OnvifCamera, right: Credentials) -> None:
    [asked] = await fleet.discover(with_login(camera, right))
    await camera.rtsp.stop()
    [told] = await fleet.discover(with_login(camera, right, channel=asked["channels"][0]["channel"]))
    assert len(told["channels"][0]["streams"]) == 2
    for dead in told["channels"][0]["streams"]:
        assert dead.keys() == {"name", "reason"}
        assert right.password not in dead["reason"]


async def test_nobody_there(fleet: Fleet) -> None:
    with pytest.raises(UnreachableError):
        await fleet.discover({"address": "127.0.0.1:9", "channel": "1"})
