"""Who is on a visit now: turns presence into visits, visits into events, and closes what nothing extends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from ..errors import NotFoundError
from ..events import Bus, Told
from ..models import Known, Visit
from ..store.finish import to_the_end
from ..store.schema import Data
from ..store.visits import VisitTable
from .sessions import continues, overdue

EXTEND_EVERY = 1.0  # seconds of presence after which the store is told again


class Attendance:
    """Owns the open visits. Each event is published only after the store has committed it."""

    def __init__(self, table: VisitTable, bus: Bus, gap: float, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._bus = bus
        self._gap = gap
        self._clock = clock
        self._lock = asyncio.Lock()
        self._open: dict[str, Visit] = {}  # by visitor

    async def load(self) -> None:
        """Take over the visits that were open when the engine last stopped."""
        self._open = {visit.visitor_id: visit for visit in await self._table.open_visits() if visit.visitor_id}

    async def present(self, known: Known, zone_id: str, at: float) -> Visit:
        """The visitor was seen at `at` (the deciding frame's receipt): open a visit or extend one.

        Raises `NotFoundError` for a visitor who has withdrawn meanwhile.
        """
        # What the store has committed is told also where the camera that saw it is being removed.
        return await to_the_end(self._present(known, zone_id, at))

    async def sweep(self) -> None:
        """Close the visits that are over."""
        await to_the_end(self._sweep())

    async def forget(self, visitor_id: str) -> None:
        """The visitor withdrew: what is open of them is theirs no more."""
        async with self._lock:
            self._open.pop(visitor_id, None)

    async def _present(self, known: Known, zone_id: str, at: float) -> Visit:
        async with self._lock:
            visit = self._open.get(known.visitor_id)
            if visit is not None and not continues(visit, at, self._gap):
                await self._end(visit)
                visit = None
            if visit is None:
                data: Data = {"frame_at": at, "confidence": round(known.score, 3)}
                visit, event = await self._table.begin(known.visitor_id, zone_id, at, data)
                self._open[known.visitor_id] = visit
                self._bus.publish(Told(event))
            elif at - visit.last_at >= EXTEND_EVERY:
                visit = await self._table.extend(visit.visit_id, at)
                self._open[known.visitor_id] = visit
            return visit

    async def _sweep(self) -> None:
        async with self._lock:
            for visit in overdue(self._open.values(), self._clock(), self._gap):
                await self._end(visit)

    async def _end(self, visit: Visit) -> None:
        if visit.visitor_id is None:
            raise NotFoundError(f"visit {visit.visit_id}: nobody's, so it cannot be open")
        _, event = await self._table.end(
            visit.visit_id, self._clock(), {"seconds": round(visit.last_at - visit.started_at)}
        )
        self._open.pop(visit.visitor_id, None)  # only now: while the disk is full, it stays to be closed
        self._bus.publish(Told(event))
