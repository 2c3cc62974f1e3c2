"""Who asks the same device takes turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Queue:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0  # who has the turn, and who waits for it


class Turns:
    """Turns at devices, by their addresses. Of a device that nobody asks now nothing is held."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}

    def __len__(self) -> int:
        """How many devices are asked, or waited for, now."""
        return len(self._queues)

    @asynccontextmanager
    async def at(self, address: str) -> AsyncIterator[None]:
        """Wait for the turn at this device, and have it for as long as the block lasts."""
        queue = self._queues.setdefault(address, _Queue())
        queue.users += 1
        try:
            async with queue.lock:
                yield
        finally:
            queue.users -= 1
            if not queue.users:
                del self._queues[address]
