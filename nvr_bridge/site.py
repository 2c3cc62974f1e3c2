"""The site as one: who is in view, how many came today, and what their visits came to.

Every event brings what it changes, so that telling the counts reads nothing from the store but once a day.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from .events import Bus, Push, State, Told
from .messages import SiteStatus
from .models import Event, EventKind
from .office.listing import iso
from .store.cases import CaseTable
from .visits.sessions import day_start


@dataclass(frozen=True, slots=True)
class _Visit:
    """One of today's, as it was last told."""

    returning: bool
    attribution: str | None = None  # None: nothing was told yet
    unregistered: bool = False

    def counts_as(self) -> Iterator[str]:
        yield "visits"
        if self.returning:
            yield "returning"
        if self.attribution is not None:
            yield self.attribution
        if self.unregistered:
            yield "unregistered"


class Site:
    """One for the engine. What it says changes with every event, and is told by `sweep`."""

    def __init__(
        self,
        name: str,
        timezone: ZoneInfo,
        cases: CaseTable,
        everybody: Callable[[], int],
        bus: Bus,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`everybody` says how many people are in view."""
        self._name = name
        self._timezone = timezone
        self._cases = cases
        self._everybody = everybody
        self._bus = bus
        self._clock = clock
        self._day = 0.0
        self._visits: dict[str, _Visit] = {}  # today's
        self._counts: Counter[str] = Counter()
        self._early: dict[str, _Visit] | None = None  # verdicts that were told while the day was read from the store
        self._told: SiteStatus | None = None
        bus.attach(self._heard)

    def status(self) -> SiteStatus:
        """The site's state now."""
        counts = self._counts
        visits = counts["visits"]
        return {
            "name": self._name,
            "day_started_at": iso(self._day),
            "visits_today": visits,
            "natural_today": counts["natural"],
            "channel_today": counts["channel"],
            "staff_today": counts["staff"],
            "undetermined_today": counts["undetermined"],
            "unregistered_today": counts["unregistered"],
            "returning_share": round(100 * counts["returning"] / visits, 1) if visits else None,
            "people_present": self._everybody(),
        }

    async def sweep(self) -> None:
        """Tell what changed since the last sweep, all of it together; at local midnight the counts start again."""
        day = day_start(self._clock(), self._timezone)
        if day != self._day:
            await self._read(day)
        status = self.status()
        if status != self._told:
            self._told = status
            self._bus.publish(State("site", status))

    async def _read(self, day: float) -> None:
        """The day as the store has it, and as it goes on meanwhile."""
        self._visits, self._counts, self._early = {}, Counter(), {}
        try:
            for visit_id, earlier, told in await self._cases.told_since(day):
                if visit_id not in self._visits:
                    self._put(visit_id, self._early.get(visit_id) or _visit(told or {}, earlier))
            self._day = day
        finally:
            self._early = None

    def _heard(self, push: Push) -> None:
        if isinstance(push, Told):
            self._take(push.event)

    def _take(self, event: Event) -> None:
        if event.visit_id is None:
            return
        if event.kind in {EventKind.FIRST_VISIT, EventKind.RETURNING_VISIT}:
            self._put(event.visit_id, _Visit(event.kind is EventKind.RETURNING_VISIT))
        elif event.kind is EventKind.VERDICT:
            if event.visit_id in self._visits:
                self._put(event.visit_id, _visit(event.data, 0))
            elif self._early is not None:
                self._early[event.visit_id] = _visit(event.data, 0)

    def _put(self, visit_id: str, visit: _Visit) -> None:
        before = self._visits.get(visit_id)
        if before is not None:
            self._counts.subtract(before.counts_as())
        self._counts.update(visit.counts_as())
        self._visits[visit_id] = visit


def _visit(told: Mapping[str, Any], earlier: int) -> _Visit:
    """A visit from its verdict, if it has one, as the store or an event has it: risks are a list or one text."""
    returning = told.get("returning", earlier) > 0
    return _Visit(returning, told.get("attribution"), "unregistered_visit" in told.get("risks", ()))
