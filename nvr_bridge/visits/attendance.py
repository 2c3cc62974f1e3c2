"""Who is on a visit now: turns presence into visits, visits into events, and closes what nothing extends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

from ..errors import BugError
from ..events import Bus, Told
from ..models import Known, Visit
from ..store.finish import to_the_end
from ..store.schema import Data
from ..store.visits import Also, VisitTable
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
        self._open: dict[str, Visit] = {}  # by visitor, or by the contact that stands for one

    async def load(self) -> None:
        """Take over the visits that were open when the engine last stopped."""
        contacts = await self._table.open_contacts()
        open_visits = await self._table.open_visits()
        named = [(visit.visitor_id or contacts.get(visit.visit_id), visit) for visit in open_visits]
        self._open = {who: visit for who, visit in named if who}

    async def present(self, known: Known, zone_id: str, at: float) -> Visit:
        """The visitor was seen at `at` (the deciding frame's receipt): open a visit or extend one.

        Raises `NotFoundError` for a visitor who has withdrawn meanwhile.
        """
        data: Data = {"frame_at": at, "confidence": round(known.score, 3)}
        # What the store has committed is told also where the camera that saw it is being removed.
        return await to_the_end(self._attend(known.visitor_id, known.visitor_id, zone_id, at, data, None))

    async def registered(
        self, visitor_id: str | None, contact: str | None, zone_id: str, at: float, also: Also
    ) -> Visit:
        """The visitor showed a pass or checked in: open a visit or extend one, and write `also` with it.

        Without a visitor it is whoever gave `contact`, a keyed hash. Raises `NotFoundError` as `present` does.
        """
        who = visitor_id or contact
        if who is None:
            raise BugError("visit: neither a visitor nor a contact")
        return await to_the_end(self._attend(who, visitor_id, zone_id, at, {"registered": True}, also))

    async def sweep(self) -> None:
        """Close the visits that are over."""
        await to_the_end(self._sweep())

    async def forget(self, visitor_id: str, visit_ids: Collection[str] = ()) -> None:
        """The visitor withdrew: what is open of them is theirs no more, nor are these visits under a contact alone."""
        async with self._lock:
            self._open.pop(visitor_id, None)
            self._open = {who: visit for who, visit in self._open.items() if visit.visit_id not in visit_ids}

    async def _attend(
        self, who: str, visitor_id: str | None, zone_id: str, at: float, data: Data, also: Also | None
    ) -> Visit:
        async with self._lock:
            visit = self._open.get(who)
            if visit is not None and not continues(visit, at, self._gap):
                await self._end(who, visit)
                visit = None
            if visit is None:
                contact = None if visitor_id else who
                visit, event = await self._table.begin(visitor_id, zone_id, at, data, contact=contact, also=also)
                self._open[who] = visit
                self._bus.publish(Told(event))
            elif also is not None or at - visit.last_at >= EXTEND_EVERY:
                visit = await self._table.extend(visit.visit_id, at, also)
                self._open[who] = visit
            return visit

    async def _sweep(self) -> None:
        async with self._lock:
            over = {visit.visit_id for visit in overdue(self._open.values(), self._clock(), self._gap)}
            for who, visit in [*self._open.items()]:
                if visit.visit_id in over:
                    await self._end(who, visit)

    async def _end(self, who: str, visit: Visit) -> None:
        _, event = await self._table.end(
            visit.visit_id, self._clock(), {"seconds": round(visit.last_at - visit.started_at)}
        )
        del self._open[who]  # only now: while the disk is full, it stays to be closed
        self._bus.publish(Told(event))
