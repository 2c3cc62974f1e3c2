"""An ONVIF camera that this project did not write is found, asked and decoded."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nvr_bridge.devices.credentials import LoginBook
from nvr_bridge.devices.discovery import discover
from nvr_bridge.devices.probe import identify
from nvr_bridge.devices.streams import choose
from nvr_bridge.models import CameraKind
from nvr_bridge.video.source import measure


def free_port() -> int:
    with socket.socket() as taker:
        taker.bind(("127.0.0.1", 0))
        return int(taker.getsockname()[1])


@pytest.fixture
async def ipycam(tmp_path: Path) -> AsyncIterator[str]:
    """The virtual camera of the package `ipycam`, on loopback: `host:port` of its ONVIF service."""
    if importlib.util.find_spec("ipycam") is None:
        pytest.skip("needs the package ipycam: run script/setup")
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("ipycam_process.py")),
        str(port),
        str(free_port()),
        str(tmp_path),
        cwd=tmp_path,  # it keeps its settings in the folder that it runs in
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert (await process.stdout.readline()).strip() == b"ready"
    yield f"127.0.0.1:{port}"
    process.stdin.close()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def test_it_is_found_and_its_video_is_decoded(ipycam: str, book: LoginBook) -> None:
    found = {device.address: device for device in await discover(["127.0.0.1"], 1.0)}
    assert found[ipycam].name == "Foreign"
    device = await identify(found[ipycam].address, None, book)
    assert device.kind is CameraKind.ONVIF
    assert device.model
    assert device.clock_offset == pytest.approx(0, abs=1.5)
    assert [len(channel.streams) for channel in device.channels] == [2]
    chosen, facts = await choose(device.channels[0], None, measure)
    assert chosen.name == "Profile_Sub"
    assert (facts.codec, facts.width, facts.height) == ("h264", 640, 360)
