"""What goes wrong at a device becomes one line that says what to do."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from aiohttp import web

from demo.camera import HikvisionNvr, NvrInput, OnvifCamera, Stream
from demo.onvif import OnvifProfile
from nvr_bridge.devices import hikvision
from nvr_bridge.devices.credentials import Credentials, LoginBook
from nvr_bridge.devices.probe import identify
from nvr_bridge.devices.soap import OnvifSession
from nvr_bridge.devices.streams import choose
from nvr_bridge.errors import (
    BridgeError,
    CredentialsError,
    InvalidError,
    NotADeviceError,
    NoVideoError,
    UnreachableError,
)
from nvr_bridge.video.source import measure


def one_line(err: BridgeError, address: str, password: str) -> bool:
    """Whether an error is fit to be shown: one line, which device, a remedy after it, and no password."""
    text = str(err)
    return "\n" not in text and text.startswith(address) and "; " in text and password not in text


async def test_a_camera_that_is_down(camera: OnvifCamera, right: Credentials, book: LoginBook) -> None:
    await camera.stop()
    with pytest.raises(UnreachableError, match=r"check the address and that the device is on") as caught:
        await identify(camera.address, right, book)
    assert one_line(caught.value, camera.address, right.password)


async def test_a_camera_that_comes_back(camera: OnvifCamera, right: Credentials, book: LoginBook) -> None:
    await camera.stop()
    with pytest.raises(UnreachableError):
        await identify(camera.address, right, book)
    await camera.start()
    assert (await identify(camera.address, right, book)).channels


@pytest.mark.parametrize(
    ("address", "says"), [("127.0.0.1:1", ": connection refused; "), ("no-such-host.invalid:80", ": [a-z][a-z ]+; ")]
)
async def test_an_unreachable_address(address: str, says: str, right: Credentials, book: LoginBook) -> None:
    with pytest.raises(UnreachableError, match=says) as caught:
        await identify(address, right, book)
    assert one_line(caught.value, address, right.password)


@pytest.mark.parametrize("address", ["", "not an address", "https://192.0.2.1", "192.0.2.1:0", "192.0.2.1:99999"])
async def test_an_address_that_is_none(address: str, right: Credentials, book: LoginBook) -> None:
    with pytest.raises(InvalidError, match=r"^address "):
        await identify(address, right, book)


@asynccontextmanager
async def something_else(body: str, status: int = 200, content_type: str = "text/html") -> AsyncIterator[str]:
    """A web server that is no camera."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, status=status, content_type=content_type)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(
    ("body", "status", "content_type"),
    [
        ("<!DOCTYPE html><html><body>Welcome</body></html>", 200, "text/html"),
        ("<html><body>well-formed</body></html>", 200, "text/html"),
        ("", 404, "text/plain"),
        ("", 200, "text/plain"),
        ('{"error": "no route"}', 404, "application/json"),
        ("<rss version='2.0'/>", 200, "application/xml"),
        ("<html>go away</html>", 403, "text/html"),
        ("<html>broken</html>", 500, "text/html"),
    ],
)
async def test_a_web_server_that_is_no_device(
    body: str, status: int, content_type: str, right: Credentials, book: LoginBook
) -> None:
    async with something_else(body, status, content_type) as address:
        with pytest.raises(NotADeviceError, match=r"neither ONVIF nor ISAPI") as caught:
            await identify(address, right, book)
    assert one_line(caught.value, address, right.password)


async def test_a_port_that_speaks_no_http(right: Credentials, book: LoginBook) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        await reader.read(1)
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(NotADeviceError, match=r"give the device's HTTP port") as caught:
            await identify(address, right, book)
    assert one_line(caught.value, address, right.password)


async def test_the_rtsp_port_given_for_the_http_port(camera: OnvifCamera, right: Credentials, book: LoginBook) -> None:
    address = f"127.0.0.1:{camera.rtsp.port}"
    with pytest.raises(NotADeviceError, match=r"not its RTSP port") as caught:
        await identify(address, right, book)
    assert one_line(caught.value, address, right.password)


async def test_a_device_without_a_media_service(camera: OnvifCamera, right: Credentials, book: LoginBook) -> None:
    camera.onvif.has_media = False
    with pytest.raises(NoVideoError, match=r"offers no video stream; enable a stream") as caught:
        await identify(camera.address, right, book)
    assert one_line(caught.value, camera.address, right.password)


async def test_a_device_without_profiles(right: Credentials, book: LoginBook) -> None:
    async with OnvifCamera("Blank", [], (right.username, right.password)) as device:
        with pytest.raises(NoVideoError):
            await identify(device.address, right, book)


async def test_a_recorder_that_nothing_is_connected_to(right: Credentials, book: LoginBook) -> None:
    async with HikvisionNvr("Empty", [NvrInput("Spare")], (right.username, right.password)) as device:
        with pytest.raises(NoVideoError, match=r"Empty offers no video stream"):
            await identify(device.address, right, book)


@pytest.fixture
async def silence() -> AsyncIterator[str]:
    """`host:port` of something that takes connections and never says anything."""
    held = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in held:
            writer.close()


async def test_a_device_that_hangs(silence: str, book: LoginBook) -> None:
    with pytest.raises(UnreachableError, match=r"no answer within 0\.2 s; check the address"):
        await hikvision.answers(silence, within=0.2)
    async with OnvifSession(silence, None, book, within=0.2) as session:
        with pytest.raises(UnreachableError, match=r"no answer within 0\.2 s; check the address"):
            await session.call("devicemgmt", "GetDeviceInformation")


async def test_a_stream_without_video(camera: OnvifCamera, right: Credentials, book: LoginBook) -> None:
    camera.rtsp.refuse = 404
    device = await identify(camera.address, right, book)
    with pytest.raises(NoVideoError, match=r"choose another profile"):
        await choose(device.channels[0], right, measure)


async def test_a_stream_that_carries_sound_alone(
    right: Credentials, book: LoginBook, stream: Callable[..., Stream]
) -> None:
    async with OnvifCamera("Mute", [stream("sub")]) as device, sound_only() as url:
        device.onvif.profiles = [_redirected(device.onvif.profiles[0], url)]
        told = await identify(device.address, None, book)
        with pytest.raises(NoVideoError) as caught:
            await choose(told.channels[0], None, measure)
    assert "\n" not in str(caught.value)


async def test_a_camera_whose_stream_went_down_after_it_was_asked(
    camera: OnvifCamera, right: Credentials, book: LoginBook
) -> None:
    device = await identify(camera.address, right, book)
    await camera.stop()
    with pytest.raises(UnreachableError) as caught:
        await choose(device.channels[0], right, measure)
    assert right.password not in str(caught.value)


async def test_a_stream_that_refuses_the_login_is_asked_once(
    camera: OnvifCamera, right: Credentials, wrong: Credentials, book: LoginBook
) -> None:
    device = await identify(camera.address, right, book)
    with pytest.raises(CredentialsError, match=r"refused the user name or password"):
        await choose(device.channels[0], wrong, measure)
    refused = [asked for asked in camera.rtsp.requests if asked.user is not None and asked.status == 401]
    assert len(refused) == 1, "the channel's other stream was left alone"


def _redirected(profile: OnvifProfile, url: str) -> OnvifProfile:
    return replace(profile, uri=lambda: url)


@asynccontextmanager
async def sound_only() -> AsyncIterator[str]:
    """An RTSP server whose only stream is telephone sound."""
    description = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=sound\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:trackID=1\r\n"
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode():
            method = head.split(" ", 1)[0]
            sequence = head.lower().partition("cseq:")[2].split("\r\n")[0].strip()
            more, body = "Session: 1\r\n", ""
            if method == "DESCRIBE":
                more, body = f"Content-Type: application/sdp\r\nContent-Length: {len(description)}\r\n", description
            if method == "SETUP":
                more += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
            writer.write(f"RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n{more}\r\n{body}".encode())
            if method == "PLAY":
                for number in range(60):
                    packet = struct.pack("!BBHII", 0x80, 0, number, number * 160, 7) + b"\xff" * 160
                    writer.write(struct.pack("!cBH", b"$", 0, len(packet)) + packet)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await serve(reader, writer)
        writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        yield f"rtsp://127.0.0.1:{server.sockets[0].getsockname()[1]}/sound"
