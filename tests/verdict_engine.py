"""What tells verdicts, over a real store, with a clock that a test turns, or the machine's."""

from __future__ import annotations

import time as clocks
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from store_site import Site, open_site

from nvr_bridge.events import Bus, Push, Told
from nvr_bridge.models import CaseState, EventKind, ReviewAct, Visit
from nvr_bridge.store.cases import Decide, NewReview
from nvr_bridge.store.referrals import Filing
from nvr_bridge.visits.evidence import Contact, Settings, contact
from nvr_bridge.visits.unjudged import SOON, Unjudged
from nvr_bridge.visits.verdicts import Verdicts

ZONE = ZoneInfo("Asia/Shanghai")
RULES = Settings(timezone=ZONE, close_of_day=time(20, 0))
KEY = b"a site's"
DAY = datetime(2026, 3, 2, tzinfo=ZONE)
NUMBER = contact("13800000001", KEY)


def at(clock: str, day: int = 0) -> float:
    """A time of day on the first day, or so many days later."""
    hour, minute = clock.split(":")
    return (DAY + timedelta(days=day, hours=int(hour), minutes=int(minute))).timestamp()


class Engine:
    """What tells verdicts, over a store, with a clock that the test turns."""

    def __init__(self, site: Site, now: float | None) -> None:
        self.site = site
        self._now = now
        self.heard: list[Push] = []
        self.unjudged = Unjudged(lambda: self.now)
        bus = self.bus = Bus()
        bus.attach(self.heard.append)
        casebook = site.casebook(RULES)
        tables = casebook._tables
        self.verdicts = Verdicts(site.db, site.log, bus, tables, casebook, self.unjudged, RULES, clock=lambda: self.now)

    @property
    def now(self) -> float:
        """By the clock that the test turns, or by the machine's."""
        return clocks.time() if self._now is None else self._now

    @now.setter
    def now(self, now: float) -> None:
        self._now = now

    async def comes(self, visitor_id: str | None, given: Contact = NUMBER) -> Visit:
        """Somebody leaves a number at the desk."""
        full = given.full or ""
        also = self.site.registrations.check_in(visitor_id, full, given.mask, None, "desk", self.now)
        names = () if visitor_id else (full,)
        visit, _ = await self.site.visits.begin(visitor_id, "desk", self.now, names=names, also=also)
        self.unjudged.visit(visit.visit_id)
        return visit

    async def claims(self, partner: str, when: float, given: Contact = NUMBER) -> None:
        """A referral reaches the engine now that was declared then."""
        filing = Filing(partner, given.full, given.mask, declared=when)
        self.unjudged.referrals([(await self.site.referrals.file(filing, self.now)).referral_id])

    async def decides(self, visit: Visit, act: ReviewAct, state: CaseState, **answer: str | None) -> None:
        """A person says something to a visit's case."""
        decide: Decide = lambda _case, _history: NewReview(act, state, self.now, token_id="t", **answer)  # type: ignore[arg-type]  # noqa: E731
        stored = (await self.site.cases.of([visit.visit_id]))[visit.visit_id]
        async with self.site.db.write() as session:
            await self.site.cases.review(session, stored.case_id, decide)
        self.unjudged.visit(visit.visit_id)

    async def after(self, seconds: float = SOON) -> list[tuple[Any, ...]]:
        """(attribution, partner, risks, state) of each verdict that is told when so much time has gone by."""
        self.now += seconds
        heard = len(self.heard)
        await self.verdicts.look()
        return [tuple(data[key] for key in ("attribution", "partner", "risks", "state")) for data in self.told(heard)]

    def told(self, after: int = 0) -> list[dict[str, Any]]:
        """The data of the verdicts that were told."""
        events = [push.event for push in self.heard[after:] if isinstance(push, Told)]
        return [dict(event.data) for event in events if event.kind is EventKind.VERDICT]


@asynccontextmanager
async def started(folder: Path, now: float | None = None) -> AsyncIterator[Engine]:
    """An engine over the same store each time."""
    async with open_site(folder / "data") as site:
        engine = Engine(site, now)
        await engine.verdicts.load()
        yield engine


async def holder(site: Site) -> str:
    """Somebody new with a pass."""
    code, _ = await site.passes.issue(at("0:00"))
    return await site.passes.holder(code)
