"""QR codes in cameras' pictures: looked for only where somebody is about to show one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import cv2

from ..worker import Worker

if TYPE_CHECKING:
    from ..models import Image

type Found = Callable[[str], Awaitable[None]]


class CodeReader:
    """Reads codes for the zones that it was told to watch. One for the engine, with a thread of its own."""

    def __init__(self) -> None:
        self._worker = Worker("codes")
        self._detector = cv2.QRCodeDetector()
        self._watched: dict[str, Found] = {}  # by zone

    async def close(self) -> None:
        """End the thread."""
        await self._worker.close()

    def watch(self, zone_id: str, found: Found) -> None:
        """From now on give `found` every code that is seen in the zone, as often as it is seen."""
        self._watched[zone_id] = found

    def leave(self, zone_id: str) -> None:
        """Look at the zone no more."""
        self._watched.pop(zone_id, None)

    def wanted(self, zone_id: str) -> bool:
        """Whether the zone's pictures are to be looked at now."""
        return zone_id in self._watched

    async def look(self, zone_id: str, image: Image) -> None:
        """One picture of the zone."""
        text, _, _ = await self._worker.run(self._detector.detectAndDecode, image)
        found = self._watched.get(zone_id)
        if text and found is not None:
            await found(text)
