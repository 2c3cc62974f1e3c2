"""Who is on a visit now: turns presence into visits, visits into events, and closes what nothing extends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

from ..errors import BugError, ConflictError, NotFoundError
from ..events import Bus, Told
from ..models import Known, Visit
from ..store.finish import to_the_end
from ..store.schema import Data
from ..store.visits import Also, VisitTable
from .sessions import continues, overdue
from .unjudged import Unjudged

EXTEND_EVERY = 1.0  # seconds of presence after which the store is told again


class Attendance:
    """Owns the open visits. Each event is published only after the store has committed it."""

    def __init__(
        self,
        table: VisitTable,
        bus: Bus,
        unjudged: Unjudged,
        gap: Callable[[float], float],
        band: Callable[[Known], str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`gap` is the visit gap by when a visit began, `band` says how sure it is who came."""
        self._table = table
        self._bus = bus
        self._unjudged = unjudged
        self._gap = gap
        self._band = band
        self._clock = clock
        self._lock = asyncio.Lock()
        self._open: dict[str, Visit] = {}  # by visit
        # Who is on which of them: a visitor, or a document or contact that stands for one.
        self._on: dict[str, str] = {}

    async def load(self) -> None:
        """Take over the visits that were open when the engine last stopped."""
        standing = await self._table.open_unnamed()
        self._open = {visit.visit_id: visit for visit in await self._table.open_visits()}
        self._on = {
            who: visit_id
            for visit_id, visit in self._open.items()
            for who in ([visit.visitor_id] if visit.visitor_id else standing.get(visit_id, ()))
        }

    async def present(self, known: Known, zone_id: str, at: float) -> Visit:
        """The visitor was seen at `at` (the deciding frame's receipt): open a visit or extend one.

        Raises `NotFoundError` for a visitor who has withdrawn meanwhile.
        """
        data: Data = {"frame_at": at, "confidence": round(known.score, 3), "confidence_band": self._band(known)}
        # What the store has committed is told also where the camera that saw it is being removed.
        return await to_the_end(self._attend(known.visitor_id, (), zone_id, at, data, None))

    async def registered(
        self, visitor_id: str | None, names: tuple[str, ...], zone_id: str, at: float, also: Also
    ) -> Visit:
        """The visitor showed a pass, checked in or signed: open a visit or extend one, and write `also` with it.

        Without a visitor it is whoever gave `names`, the keyed hashes of a document or a contact, the surest first.
        Raises `NotFoundError` as `present` does.
        """
        if visitor_id is None and not names:
            raise BugError("visit: neither a visitor nor what stands for one")
        return await to_the_end(self._attend(visitor_id, names, zone_id, at, {"registered": True}, also))

    def sighted(self, visit_id: str) -> None:
        """A track of this visit is over, and what it amounted to is stored."""
        self._unjudged.visit(visit_id)

    async def sweep(self) -> None:
        """Close the visits that are over."""
        await to_the_end(self._sweep())

    async def forget(self, visitor_id: str, visit_ids: Collection[str] = ()) -> None:
        """The visitor withdrew: what is open of them is theirs no more, nor are these visits that did not name them."""
        async with self._lock:
            for visit_id in {self._on.get(visitor_id, ""), *visit_ids}:
                self._drop(visit_id)

    async def _attend(
        self, visitor_id: str | None, names: tuple[str, ...], zone_id: str, at: float, data: Data, also: Also | None
    ) -> Visit:
        who = names if visitor_id is None else (visitor_id,)
        async with self._lock:
            visit = await self._current(who, at)
            if visit is None:
                unnamed = names if visitor_id is None else ()
                visit, event = await self._table.begin(visitor_id, zone_id, at, data, names=unnamed, also=also)
                self._bus.publish(Told(event))
                self._unjudged.visit(visit.visit_id)
            elif also is not None or at - visit.last_at >= EXTEND_EVERY:
                visit = await self._table.extend(visit.visit_id, at, also)
                self._unjudged.visit(visit.visit_id, soon=also is not None)
            self._open[visit.visit_id] = visit
            self._on |= dict.fromkeys(who, visit.visit_id)
            return visit

    async def _current(self, who: tuple[str, ...], at: float) -> Visit | None:
        """The visit that they are on; those that are over for them end."""
        current = None
        for visit_id in dict.fromkeys(self._on[one] for one in who if one in self._on):
            visit = self._open[visit_id]
            if not continues(visit, at, self._gap(visit.started_at)):
                await self._end(visit)
            elif current is None:
                current = visit
        return current

    async def _sweep(self) -> None:
        async with self._lock:
            for visit in overdue(self._open.values(), self._clock(), self._gap):
                await self._end(visit)

    async def _end(self, visit: Visit) -> None:
        seconds = round(visit.last_at - visit.started_at)
        try:
            _, event = await self._table.end(visit.visit_id, self._clock(), {"seconds": seconds})
        except (NotFoundError, ConflictError):  # it went by its age, or ended with its visitor
            self._drop(visit.visit_id)
            return
        self._drop(visit.visit_id)  # only now: while the disk is full, it stays to be closed
        self._bus.publish(Told(event))
        self._unjudged.visit(visit.visit_id)

    def _drop(self, visit_id: str) -> None:
        self._open.pop(visit_id, None)
        self._on = {who: on for who, on in self._on.items() if on != visit_id}
