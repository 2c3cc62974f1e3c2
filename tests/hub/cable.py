"""A network cable between a hub and an engine, which a test may cut or freeze."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Cable:
    """Forwards a port of its own to the engine's."""

    def __init__(self) -> None:
        self.port = 0
        self.plugged = True  # else nobody gets through
        self._whole = asyncio.Event()  # else what is sent waits in the cable
        self._whole.set()
        self._to = 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def start(self, to: int) -> None:
        """Forward from now on."""
        self._to = to
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take it away."""
        self.cut()
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """Every connection ends, in the middle of a message if need be."""
        for end in self._ends:
            end.transport.abort()
        self._whole.set()

    def freeze(self) -> None:
        """Nothing gets through, and nobody is told."""
        self._whole.clear()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.plugged:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        ends = {writer, back}
        self._ends |= ends
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, back))
                group.create_task(self._carry(there, writer))
        finally:
            self._ends -= ends

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(200):  # small pieces, so that a cut goes through a message
                await self._whole.wait()
                sink.write(data)
                await sink.drain()
        sink.transport.abort()
