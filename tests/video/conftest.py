"""A camera that serves moving pictures, over real RTSP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from films import PASSWORD, USER, filmed

from demo.feed import Feed, Recording, StoryClock
from demo.rtsp import RtspServer


@pytest.fixture(scope="session")
def films() -> dict[str, Recording]:
    """One of each codec."""
    return {codec: filmed(codec) for codec in ("h264", "hevc")}


@pytest.fixture
async def camera(films: dict[str, Recording]) -> AsyncIterator[RtspServer]:
    """Serves `/h264` and `/hevc`, round and round, to whoever knows the password."""
    clock = StoryClock()
    feeds = {f"/{codec}": Feed(film, clock, loop=True) for codec, film in films.items()}
    async with RtspServer("127.0.0.1", 0, feeds, (USER, PASSWORD)) as server:
        clock.begin()
        yield server


@pytest.fixture
async def mute_port() -> AsyncIterator[int]:
    """A port where something accepts and never answers."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close_clients()
