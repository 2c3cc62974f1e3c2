"""What happened since local midnight, by zone and on the whole site.

Every event brings what it changes, so that telling the counts reads nothing from the store but once a day.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import Any
from zoneinfo import ZoneInfo

from .events import Bus, Push, Told
from .models import Event, EventKind, Track
from .store.cases import CaseTable
from .store.database import PAGE
from .store.sightings import SightingTable
from .visits.sessions import day_start


@dataclass(frozen=True, slots=True)
class _Visit:
    """One of today's, as it was last told."""

    zone_id: str
    returning: bool
    attribution: str | None = None  # None: nothing was told yet
    unregistered: bool = False
    waits: bool = False  # for a person to look at its case

    def counts_as(self) -> Iterator[str]:
        yield "visits"
        if self.returning:
            yield "returning"
        if self.attribution is not None:
            yield self.attribution
        if self.unregistered:
            yield "unregistered"
        if self.waits:
            yield "waiting"


class Today:
    """One for the engine. `sweep` must have run once before anything is asked."""

    def __init__(
        self,
        timezone: ZoneInfo,
        zone_ids: Collection[str],
        cases: CaseTable,
        sightings: SightingTable,
        bus: Bus,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._timezone = timezone
        self._zone_ids = zone_ids
        self._cases = cases
        self._sightings = sightings
        self._clock = clock
        self._visits: dict[str, _Visit] = {}
        self._site: Counter[str] = Counter()
        self._zones: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._early: dict[str, Event] | None = None  # verdicts that were told while the day was read from the store
        self._read_day: float | None = None
        self.began_at = 0.0  # the local midnight
        self.older = 0  # verdicts told of visits of earlier days, since the start
        bus.attach(self._heard)

    def on_site(self, what: str) -> int:
        """How many `visits`, `returning` or `waiting` among them, and so on, on the whole site."""
        return self._site[what]

    def in_zone(self, zone_id: str, what: str) -> int:
        """The same of one zone; and how many `people` were seen there, recognised or not."""
        return self._zones[zone_id][what]

    def seen(self, track: Track) -> None:
        """A track is over, and stored: it was one more person."""
        if track.started_at >= self.began_at:
            self._zones[track.zone_id]["people"] += 1

    async def sweep(self) -> None:
        """At local midnight the counts start again; at start they are read for the first time."""
        day = day_start(self._clock(), self._timezone)
        if day != self._read_day:
            await self._read(day)

    async def _read(self, day: float) -> None:
        """The day as the store has it, and as it goes on meanwhile."""
        self._visits, self._site, self._zones, self._early = {}, Counter(), defaultdict(Counter), {}
        self.began_at = day
        try:
            for zone_id in self._zone_ids:
                people = await self._sightings.people(zone_id, day)
                self._zones[zone_id]["people"] = max(people, self._zones[zone_id]["people"])
            for some in batched(await self._cases.told_since(day), PAGE, strict=False):
                for visit_id, zone_id, earlier, told in some:
                    if visit_id not in self._visits:
                        event = self._early.get(visit_id)
                        self._put(visit_id, _visit(zone_id, event.data if event else told or {}, earlier))
                await asyncio.sleep(0)  # of very many, other tasks get their turn meanwhile
            self._read_day = day
        finally:
            self._early = None

    def _heard(self, push: Push) -> None:
        if isinstance(push, Told) and push.event.visit_id is not None:
            self._take(push.event, push.event.visit_id)

    def _take(self, event: Event, visit_id: str) -> None:
        if event.kind in {EventKind.FIRST_VISIT, EventKind.RETURNING_VISIT}:
            if event.occurred_at >= self.began_at:  # and not just before midnight, and told after it
                self._put(visit_id, _Visit(event.zone_id, event.kind is EventKind.RETURNING_VISIT))
        elif event.kind is EventKind.VERDICT:
            if visit_id in self._visits:
                self._put(visit_id, _visit(event.zone_id, event.data, 0))
                return
            self.older += 1
            if self._early is not None:
                self._early[visit_id] = event

    def _put(self, visit_id: str, visit: _Visit) -> None:
        before = self._visits.get(visit_id)
        for counts in (self._site, self._zones[visit.zone_id]):
            if before is not None:
                counts.subtract(before.counts_as())
            counts.update(visit.counts_as())
        self._visits[visit_id] = visit


def _visit(zone_id: str, told: Mapping[str, Any], earlier: int) -> _Visit:
    """A visit from its verdict, if it has one, as the store or an event has it: risks are a list or one text."""
    return _Visit(
        zone_id=zone_id,
        returning=told.get("returning", earlier) > 0,
        attribution=told.get("attribution"),
        unregistered="unregistered_visit" in told.get("risks", ()),
        waits=bool(told.get("needs_review")),
    )
