"""`nvr-bridge discover` against simulated devices: what is installed, without an engine and without an address."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from command import Shell

from demo.camera import HikvisionNvr, NvrInput, OnvifCamera, Stream
from demo.feed import Feed, Recording, StoryClock

LOGIN = ("viewer", "p@ss:w/rd 1")


@pytest.fixture
def stream() -> Stream:
    """A stream that nobody pulls."""
    parameters_and_key_frame = b"".join(b"\0\0\0\1" + bytes([kind, 0x42, 0xC0, 0x1E]) for kind in (0x67, 0x68, 0x65))
    recording = Recording.of("h264", (640, 360), 10, [(parameters_and_key_frame, True)])
    return Stream(Feed(recording, StoryClock()))


@pytest.fixture
async def devices(stream: Stream) -> AsyncIterator[list[OnvifCamera | HikvisionNvr]]:
    """A camera and a recorder with two inputs."""
    inputs = [NvrInput("Desk", (stream, stream)), NvrInput("Lobby", (stream, stream))]
    async with OnvifCamera("Entrance", [stream], LOGIN) as camera, HikvisionNvr("Recorder", inputs, LOGIN) as recorder:
        yield [camera, recorder]


async def test_the_sites_interfaces_are_searched(shell: Shell, devices: list[OnvifCamera | HikvisionNvr]) -> None:
    found = (
        await shell("discover", "--json", "--username", LOGIN[0], "--seconds", "1", NVR_BRIDGE_PASSWORD=LOGIN[1])
    ).json
    camera, recorder = (next(entry for entry in found if entry["address"] == device.address) for device in devices)
    assert (camera["kind"], camera["name"], camera["error"]) == ("onvif", "Entrance", None)
    assert (recorder["kind"], recorder["error"]) == ("hikvision", None)
    assert [channel["channel"] for channel in recorder["channels"]] == ["1", "2"]
    assert [stream["name"] for stream in recorder["channels"][1]["streams"]] == ["201", "202"]
    assert LOGIN[1] not in str(found)
    assert all("@" not in stream["url"] for stream in recorder["channels"][0]["streams"])


async def test_devices_are_listed_without_a_login_too(shell: Shell, devices: list[OnvifCamera | HikvisionNvr]) -> None:
    ran = await shell("discover", "--interface", "127.0.0.1", "--json", "--seconds", "1")
    entries = {entry["address"]: entry for entry in ran.json}
    for device in devices:
        assert entries[device.address]["error"]["code"] == "credentials"
        assert entries[device.address]["channels"] == []
        assert device.login_attempts == 0
    table = await shell("discover", "--interface", "127.0.0.1", "--seconds", "1")
    assert table.code == 0
    assert devices[0].address in table.out


async def test_one_address_is_asked(shell: Shell, devices: list[OnvifCamera | HikvisionNvr]) -> None:
    ran = await shell(
        *("discover", "--address", devices[1].address, "--username", LOGIN[0], "--password-stdin", "--json"),
        stdin=LOGIN[1],
    )
    (recorder,) = ran.json
    assert len(recorder["channels"]) == 2
    table = await shell(
        "discover", "--address", devices[1].address, "--username", LOGIN[0], NVR_BRIDGE_PASSWORD=LOGIN[1]
    )
    assert "2 Lobby" in table.out


async def test_a_wrong_password_is_tried_once_and_is_one_line(
    shell: Shell, devices: list[OnvifCamera | HikvisionNvr]
) -> None:
    for device in devices:
        ran = await shell("discover", "--address", device.address, "--username", LOGIN[0], NVR_BRIDGE_PASSWORD="wrong")
        assert device.address in ran.complaint
        assert device.login_attempts == 1


async def test_an_address_where_nothing_is_is_one_line(shell: Shell, unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    assert address in (await shell("discover", "--address", address)).complaint


async def test_an_interface_that_does_not_exist_is_one_line(shell: Shell) -> None:
    assert "'eth77': not there" in (await shell("discover", "--interface", "eth77")).complaint
